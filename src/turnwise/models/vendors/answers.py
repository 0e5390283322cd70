"""The layer's answers as fragments: the events of a stream, or the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson
from pydantic_ai.messages import (
    FilePart,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)
from pydantic_ai.messages import (
    FinishReason as LayerReason,
)
from pydantic_ai.usage import RequestUsage

from turnwise.domain.content import MEDIA_TYPES, MediaType
from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Counts, Usage
from turnwise.models import completions
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    MediaFragment,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.vendors.tokens import read_token

FINISHED: dict[LayerReason, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "refusal",
    "tool_call": "calls",
}
"""Why an answer ended, in the layer's words. Its `error` is no end of an answer."""


class Reader:
    """Reads one answer: the events of a stream, or the whole."""

    def __init__(self, maker: str) -> None:
        """`maker`: who answers, as its tokens name it."""
        self._maker = maker
        self._calls: list[int] = []
        self._media = 0

    def event(self, event: ModelResponseStreamEvent) -> Iterable[Fragment]:
        """The fragments of an event; most have one, and some, like the end of a part, none."""
        match event:
            case PartStartEvent(index=place, part=part):
                return self._part(place, part)
            case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
                return (TextFragment(text),)
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)) if text:
                return (ThoughtFragment(text),)
            case PartDeltaEvent(index=place, delta=ToolCallPartDelta(args_delta=arguments)) if arguments:
                return (CallFragment(self._index(place), arguments=_json(arguments)),)
            case PartEndEvent(index=place, part=part):
                return self._end(place, part)
            case _:
                return ()

    def whole(self, parts: Sequence[ModelResponsePart]) -> Iterable[Fragment]:
        """The fragments of an answer that came in one piece."""
        for place, part in enumerate(parts):
            yield from self._part(place, part)
            yield from self._end(place, part)

    def closing(self, response: ModelResponse) -> Iterable[Fragment]:
        """What comes last: the cost, if it was told, and why the answer ended."""
        reason = self._reason(response)
        if not response.usage.unmeasured_requests:
            yield UsageFragment(read_usage(response.usage))
        yield Finished(reason)

    def _part(self, place: int, part: ModelResponsePart) -> Iterable[Fragment]:
        match part:
            case TextPart(content) if content:
                return (TextFragment(content),)
            case ThinkingPart(content) if content:
                return (ThoughtFragment(content),)
            case ToolCallPart(name, arguments, id):
                return (CallFragment(self._index(place), id, name, _json(arguments)),)
            case FilePart(content):
                return (self._file(content.media_type, content.data),)
            case _:
                return ()

    def _file(self, mime_type: str, data: bytes) -> MediaFragment:
        """A medium that the model made, which comes in one piece."""
        kind: MediaType = next((kind for kind in MEDIA_TYPES if mime_type.startswith(f"{kind}/")), "document")
        self._media += 1
        return MediaFragment(self._media - 1, kind, mime_type, data)

    def _end(self, place: int, part: ModelResponsePart) -> Iterable[Fragment]:
        """What is known of a part when it is whole. A text's token is left out: it has no place in an interaction, and
        the vendors that give one do not insist on it."""
        token = read_token(part, self._maker)
        if token is None:
            return ()
        if isinstance(part, ToolCallPart):
            return (CallFragment(self._index(place), signature=token),)
        return (ThoughtFragment("", token),)

    def _index(self, place: int) -> int:
        """Which call of the answer stands at a place among its parts."""
        if place not in self._calls:
            self._calls.append(place)
        return self._calls.index(place)

    def _reason(self, response: ModelResponse) -> FinishReason:
        word = (response.provider_details or {}).get("finish_reason")
        told = response.finish_reason
        if told == "error":
            raise ModelFailed(f"the vendor ended its answer with {word or told!r}, which is no end of a text")
        # a word that the layer does not know is read as elsewhere
        reason = FINISHED.get(told) if told else completions.FINISHED.get(str(word))
        reason = reason or "stop"
        if reason == "calls" and not self._calls:
            raise ModelFailed("the vendor ended its answer for a function call, but made none")
        return "calls" if reason == "stop" and self._calls else reason


def is_complete(response: ModelResponse) -> bool:
    """Whether a stream came to its end: the vendor said why, though perhaps in a word that the layer does not know."""
    return response.finish_reason is not None or bool((response.provider_details or {}).get("finish_reason"))


def read_usage(usage: RequestUsage) -> Usage:
    """What the vendor counted. Thoughts are counted apart from the output that they are part of there."""
    details = usage.details
    thought = usage.output_reasoning_tokens or details.get("reasoning_tokens") or details.get("thoughts_tokens") or 0
    return Usage(
        input=_by_modality(usage.input_tokens, details, "prompt", audio=usage.input_audio_tokens),
        output=_by_modality(usage.output_tokens - thought, details, "candidates", audio=usage.output_audio_tokens),
        cached={"text": usage.cache_read_tokens} if usage.cache_read_tokens else {},
        thought=thought,
    )


def _by_modality(total: int, details: Mapping[str, int], whose: str, **known: int) -> Counts:
    """Tokens by modality, as far as they are told apart: what is not counted as another is text. Gemini's details are
    called such as `image_prompt_tokens`."""
    others: dict[str, int] = {
        kind: known.get(kind) or details.get(f"{kind}_{whose}_tokens") or 0 for kind in MEDIA_TYPES
    }
    told = {kind: tokens for kind, tokens in others.items() if tokens}
    return {"text": max(total - sum(told.values()), 0), **told}


def _json(arguments: object) -> str:
    """Arguments as text. Some vendors write them as text, and some as what the text means."""
    if isinstance(arguments, str):
        return arguments
    return orjson.dumps(arguments).decode() if arguments else ""
