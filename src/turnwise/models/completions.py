"""Chat completions as JSON: how a prompt is asked, and how answers and refusals are read. Pure; no network.

`openai.py` carries these over HTTP. Names of models and the upstream's own words may appear in messages; addresses
and keys never do, since messages reach clients.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from turnwise.domain.errors import (
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
    Unimplemented,
)
from turnwise.domain.interaction import Counts, Usage
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.models.bounded import bounded
from turnwise.models.messages import render_messages, without_open_thoughts
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    Prompt,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.profile import Profile, prepare, sampling
from turnwise.models.spoken import Sound, sound_of

WORDS = 500
"""How much of an upstream's own words a message quotes."""

FINISHED: Mapping[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refusal",
    "refusal": "refusal",
    "tool_calls": "calls",
    "function_call": "calls",
}
"""Why an answer ended. Every other word is an ordinary stop, except the BROKEN ones."""

BROKEN = frozenset({"abort", "error"})
"""Ends that are no answer: it broke off."""


Continues: TypeAlias = Literal["prefill", "continue_final_message", "prefix"]
"""How an upstream is told to go on with an answer: by nothing but that it stands last (llama.cpp, gateways to
Anthropic), by a parameter of the call (vLLM, SGLang), or by a mark on its message (Mistral, DeepSeek)."""

JOINED = 4096
"""Up to how many letters pieces of text that came together are joined."""

BYTES_PER_TOKEN = 4
"""About how long a token is, where it cannot be counted."""


def render_request(
    prompt: Prompt,
    model: str,
    profile: Profile,
    *,
    thinks: bool = False,
    grammars: bool = False,
    continues: Continues = "prefill",
) -> dict[str, Any]:
    """The body of the call. `thinks`: whether the model takes how hard it is to think. `grammars`: whether it takes
    a grammar that its text keeps to. `continues`: how it is told to go on with an answer that was begun. Such an answer
    is streamed, since in one piece llama.cpp gives it back together with its beginning.

    Raises:
        InvalidRequest: something that there is no word for.
        Unimplemented: something that cannot be said to an upstream yet.
    """
    if "image" in prompt.modalities:
        raise Unimplemented(f"the model {model!r} answers by chat completions, which have no images")
    sound = sound_of(prompt)
    steps = prompt.steps if prompt.said else without_open_thoughts(prompt.steps)
    messages, defaults = prepare(
        render_messages(steps),
        profile,
        prompt.system_instruction,
        bound=prompt.schema is not None,
        said=prompt.said,
    )
    goes_on = bool(prompt.said) or (bool(messages) and messages[-1]["role"] == "assistant")
    streams = (prompt.streaming or goes_on) and (sound is None or sound.streams)
    body: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "stream": streams,
        **sampling(prompt.generation, defaults, profile.output_tokens),
    }
    if prompt.said:
        body |= _going_on(messages, prompt.said, continues)
    if sound is not None:
        body |= sound.request()
    if profile.rereads and prompt.generation.seed is not None:
        body["cache_prompt"] = False
    if streams:
        body["stream_options"] = {"include_usage": True}
    if prompt.tools:
        body["tools"] = [render_tool(tool) for tool in prompt.tools]
        body["tool_choice"] = "required" if prompt.tool_choice.mode == "any" else "auto"
    if prompt.schema is not None:
        if grammars:
            body["grammar"] = render_grammar(prompt.schema, body.get("max_tokens"))
        else:
            body["response_format"] = render_format(prompt.schema)
    if thinks and prompt.generation.thinking_level is not None and not prompt.said:
        body["reasoning_effort"] = prompt.generation.thinking_level
    return body


def _going_on(messages: list[dict[str, Any]], said: str, continues: Continues) -> dict[str, Any]:
    """Put what was said behind the messages, and what is to be said of it in the call."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    messages[-1] = {**messages[-1], "content": messages[-1]["content"] + said}
    if continues == "prefix":
        messages[-1]["prefix"] = True
    if continues == "continue_final_message":
        return {"continue_final_message": True, "add_generation_prompt": False}
    return {}


def about_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def render_tool(tool: FunctionTool) -> dict[str, Any]:
    """A function as chat completions declare it."""
    parameters = tool.parameters or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def render_grammar(schema: Schema, tokens: int | None) -> str:
    """A schema as llama.cpp binds a text to it: by a grammar, whose longest text fits into so many tokens.

    Its own `response_format` does not keep to the bounds of numbers, and lets pages of blanks through.
    """
    return "%llguidance {}\nstart: %json " + orjson.dumps(bounded(schema, tokens)).decode()


def render_format(schema: Schema) -> dict[str, Any]:
    """A schema as chat completions bind a text to it. `strict` where its rules are met; elsewhere it is refused."""
    if not schema:
        return {"type": "json_object"}
    form: dict[str, Any] = {"name": "answer", "schema": schema}
    if _is_strict(schema):
        form["strict"] = True
    return {"type": "json_schema", "json_schema": form}


def _is_strict(node: Any) -> bool:
    """Whether every object in a schema is closed and has all of its properties required."""
    if isinstance(node, list):
        return all(_is_strict(item) for item in node)
    if not isinstance(node, dict):
        return True
    if isinstance(node.get("properties"), dict):
        closed = node.get("additionalProperties") is False
        if not closed or set(node.get("required", ())) != set(node["properties"]):
            return False
    return all(_is_strict(value) for value in node.values())


class _Numbered(NamedTuple):
    """A call as an upstream tells it apart from others."""

    number: int | None
    id: str | None


class AnswerReader:
    """Reads one answer: the chunks of a stream, or the whole."""

    __slots__ = ("_calls", "_finish", "_refused", "_sound", "_usage", "ended")

    def __init__(self, sound: Sound | None = None) -> None:
        """`sound`: that which was asked for."""
        self.ended = False
        """Whether nothing more can come."""
        self._calls: list[_Numbered] = []
        self._finish: str | None = None
        self._refused = False
        self._sound = sound
        self._usage: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether the answer is complete, even if the upstream goes away now."""
        return self.ended or self._finish is not None

    def chunks(self, payloads: Sequence[bytes], *, joins_text: bool = False) -> Iterable[Fragment]:
        """The fragments in the data of events that came together. `joins_text`: whether text beside text is one."""
        if len(payloads) == 1:
            return self.chunk(payloads[0])
        fragments = chain.from_iterable(map(self.chunk, payloads))
        return _with_text_joined(fragments) if joins_text else fragments

    def chunk(self, payload: bytes) -> Iterable[Fragment]:
        """The fragments in the data of one event."""
        if payload == b"[DONE]":
            self.ended = True
            return ()
        try:
            return self._read(orjson.loads(payload), "delta")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelFailed(f"the upstream sent a chunk that is no completion: {_quote(payload)}") from error

    def whole(self, body: bytes) -> list[Fragment]:
        """The fragments of an answer that came in one piece."""
        try:
            answer = orjson.loads(body)
            if not answer.get("choices") and not answer.get("error"):
                raise KeyError("choices")
            fragments = [*self._read(answer, "message")]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelFailed(f"the upstream sent an answer that is no completion: {_quote(body)}") from error
        self.ended = True
        return fragments

    def closing(self) -> list[Fragment]:
        """What comes last: the cost, if it was told, and why the answer ended."""
        finish = self._finish or "stop"
        if finish in BROKEN:
            raise ModelFailed(f"the upstream ended its answer with {finish!r}, which is no end of a text")
        reason = "refusal" if self._refused else FINISHED.get(finish, "stop")
        if reason == "calls" and not self._calls:
            raise ModelFailed("the upstream ended its answer for a function call, but made none")
        return [*([UsageFragment(parse_usage(self._usage))] if self._usage else ()), Finished(reason)]

    def _read(self, chunk: Any, message: str) -> list[Fragment]:
        if chunk.get("error"):
            raise parse_error(chunk["error"])
        usage = chunk.get("usage")
        if usage:
            self._usage = usage
        choices = chunk.get("choices")
        if not choices:
            # With the reason and the cost there is nothing left to wait for, whether or not [DONE] ever comes.
            self.ended = bool(self._finish and usage)
            return []
        choice = choices[0]
        finish = choice.get("finish_reason")
        if finish:
            self._finish = finish
        return self._pieces(choice.get(message) or {}, whole=message == "message")

    def _pieces(self, message: Mapping[str, Any], *, whole: bool) -> list[Fragment]:
        text = message.get("content")
        if text and len(message) == 1:  # as mostly
            return [TextFragment(_text(text))]
        pieces: list[Fragment] = []
        thought = message.get("reasoning_content") or message.get("reasoning")
        if thought:
            pieces.append(ThoughtFragment(_text(thought)))
        if text:
            pieces.append(TextFragment(_text(text)))
        audio = message.get("audio")
        if audio and self._sound:
            pieces.extend(self._sound.read(audio))
        calls = message.get("tool_calls")
        if calls:
            pieces.extend(self._call(call, place if whole else None) for place, call in enumerate(calls))
        refusal = message.get("refusal")
        if refusal:
            self._refused = True
            pieces.append(TextFragment(_text(refusal)))
        return pieces

    def _call(self, call: Mapping[str, Any], place: int | None) -> CallFragment:
        """A piece of a call. `place`: where it stands in a whole answer, whose calls need no numbers."""
        function = call.get("function") or {}
        id, name, arguments = call.get("id") or None, function.get("name") or None, function.get("arguments")
        number = call.get("index")
        index = self._index(place if number is None else number, id, name)
        if isinstance(arguments, dict):  # some upstreams do not write it as text
            arguments = orjson.dumps(arguments).decode()
        return CallFragment(index, id, name, _text(arguments or ""))

    def _index(self, number: int | None, id: str | None, name: str | None) -> int:
        """Which call of the answer a piece belongs to. Some upstreams give all of them one number, or none: then a
        new id begins a new call, and where there are no ids either, a name."""
        known = [index for index, call in enumerate(self._calls) if number in (None, call.number)]
        if known:
            goes_on = name is None if number is None and id is None else id in (None, self._calls[known[-1]].id)
            if goes_on:
                return known[-1]
        self._calls.append(_Numbered(number, id))
        return len(self._calls) - 1


def _with_text_joined(fragments: Iterable[Fragment]) -> Iterator[Fragment]:
    """Fragments, with text beside text as one, up to JOINED. What came before an error still comes before it."""
    texts: list[str] = []
    length = 0
    try:
        for fragment in fragments:
            text = fragment.text if isinstance(fragment, TextFragment) else None
            if texts and (text is None or length + len(text) > JOINED):
                yield TextFragment("".join(texts))
                texts, length = [], 0
            if text is None:
                yield fragment
            else:
                texts.append(text)
                length += len(text)
    except TurnwiseError:
        if texts:
            yield TextFragment("".join(texts))
        raise
    if texts:
        yield TextFragment("".join(texts))


def parse_usage(usage: Mapping[str, Any]) -> Usage:
    """What the upstream counted. Thoughts are counted apart from the output that they are part of upstream."""
    asked, answered = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached, thought = _count(asked, "cached_tokens"), _count(answered, "reasoning_tokens")
    return Usage(
        input=_by_modality(_count(usage, "prompt_tokens"), asked),
        output=_by_modality(_count(usage, "completion_tokens") - thought, answered),
        cached={"text": cached} if cached else {},
        thought=thought,
    )


def _by_modality(total: int, details: Mapping[str, Any] | None) -> Counts:
    """Tokens by modality, as far as the upstream tells them apart: what it does not count as another is text."""
    if not details:
        return {"text": max(total, 0)}
    others = {kind: _count(details, f"{kind}_tokens") for kind in ("image", "audio", "video")}
    told = {kind: tokens for kind, tokens in others.items() if tokens}
    return {"text": max(total - sum(told.values()), 0), **told}


def parse_error(
    error: Any, status: int | None = None, retry_after: str | None = None, model: str = ""
) -> TurnwiseError:
    """What an upstream's error means for the one who asked. `error` is the error object, or any words."""
    detail: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    status = status or _status(detail)
    words = _words(detail)
    of = f"the model {model!r}" if model else "the model"
    if _is_over_context(detail, words):
        return InvalidRequest(_over_context(detail, words), field="input")
    match status:
        case 400 | 413 | 422:
            return InvalidRequest(f"{of} refused the request: {words}")
        case 401 | 403:
            return ModelUnavailable(
                f"turnwise's own key for {of} was refused by its upstream (HTTP {status}): check the api_key of this"
                " model's entry in the settings"
            )
        case 404:
            return ModelFailed(f"{of} is not known to its upstream (HTTP 404): {words}")
        case 429:
            return RateLimited(f"{of} is busy: {words}", retry_after=parse_retry_after(retry_after))
        case 408 | 504:
            return ModelTimeout(f"{of} did not answer its upstream in time (HTTP {status}): {words}")
        case int() if status >= 500:
            return ModelUnavailable(f"{of} is unavailable (HTTP {status}): {words}")
    return ModelFailed(f"{of} failed{f' (HTTP {status})' if status else ''}: {words}")


def parse_error_body(body: bytes, status: int, retry_after: str | None, model: str) -> TurnwiseError:
    """What an answer that is not 200 means. The body may be JSON of any shape, or a proxy's page."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = body.decode(errors="replace").strip()
    if isinstance(answer, dict):
        answer = answer.get("error") or answer.get("detail") or answer
    return parse_error(answer or "no reason given", status, retry_after, model)


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """The header's seconds, whether it gives seconds or a date."""
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _is_over_context(detail: Mapping[str, Any], words: str) -> bool:
    kinds = {detail.get("type"), detail.get("code")}
    return bool(kinds & {"exceed_context_size_error", "context_length_exceeded"}) or "maximum context length" in words


def _over_context(detail: Mapping[str, Any], words: str) -> str:
    prompt, context = detail.get("n_prompt_tokens"), detail.get("n_ctx")
    if prompt and context:
        return f"the prompt has {prompt} tokens, but the model's context holds {context}: shorten it or its history"
    return words if re.search(r"\d", words) else f"the prompt is longer than the model's context: {words}"


def _status(detail: Mapping[str, Any]) -> int | None:
    code = detail.get("code")
    return code if isinstance(code, int) else None


def _words(detail: Mapping[str, Any]) -> str:
    message = detail.get("message")
    text = message if isinstance(message, str) else orjson.dumps(message or detail, default=str).decode()
    return text[:WORDS]


def _count(counts: Mapping[str, Any] | None, name: str) -> int:
    value = (counts or {}).get(name)
    return value if isinstance(value, int) else 0


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _quote(payload: bytes) -> str:
    return repr(payload[:200].decode(errors="replace"))
