"""What vendors answer, byte for byte in their own protocols, for `upstream.serve`: one `Fake` for each vendor.

An answer is said once, as pieces that know no vendor (`Said`, `Thought`, `Called`), and written by each fake as its
vendor writes it: server-sent events of messages, of generated content and of chat completions, and the binary event
stream of Bedrock.
"""

import asyncio
import struct
from binascii import crc32
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
import pytest

from models.upstream import END, Reply, Request, Upstream, head, piece
from turnwise.models.engines import ModelEntry


@dataclass(frozen=True)
class Said:
    text: str


@dataclass(frozen=True)
class Thought:
    text: str
    signature: str = ""


@dataclass(frozen=True)
class Called:
    id: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    signature: str = ""


@dataclass(frozen=True)
class Hidden:
    """A thought that the vendor shows to nobody. Only Anthropic's fake has any."""

    data: str


Piece: TypeAlias = Said | Thought | Called | Hidden
Pieces: TypeAlias = Sequence[Piece]


@dataclass(frozen=True)
class Fake:
    """How one vendor writes."""

    kind: str
    model: str
    events: Callable[[Pieces, str], list[bytes]]
    """The frames of a stream: an answer's pieces, and the vendor's word for why it ended."""
    whole: Callable[[Pieces, str], bytes]
    refusal: Callable[[int, str], bytes]
    """The body of a refusal: its status, and the vendor's words."""
    words: Mapping[str, str]
    """Our reasons for an end, and the vendor's words for them."""
    broken: bytes
    """A frame that says, in the middle of a stream, that the vendor is overloaded."""
    results: Callable[[dict[str, Any]], list[tuple[str, str]]]
    """The results of functions in a request: the id (or the name) of the call, and what it gave back."""
    thinker: str | None = None
    """A model that thinks. None: the layer tells nothing of thoughts here."""
    path: str = ""
    """What stands behind the host in its base URL."""
    content_type: str = "text/event-stream"
    over: str = "This model's maximum context length is 4096 tokens, but 5031 were given"
    head: Callable[[int], dict[str, str]] = lambda status: {}
    """What stands in the head of a refusal beside the rest."""

    def streams(self, request: Request) -> bool:
        return "tream" in request.path or bool(request.body.get("stream"))

    def answer(self, *pieces: Piece, finish: str = "stop") -> Reply:
        """A whole answer, streamed or in one piece, as it is asked for."""

        async def reply(request: Request, out: asyncio.StreamWriter) -> None:
            if self.streams(request):
                frames = self.events(pieces, self.words[finish])
                out.write(head(content_type=self.content_type) + b"".join(map(piece, frames)) + END)
            else:
                body = self.whole(pieces, self.words[finish])
                out.write(head(content_type="application/json") + piece(body) + END)

        return reply

    def begun(self, text: str) -> bytes:
        """The beginning of a stream: its head, and the frames up to this text."""
        frames = self.events([Said(text)], self.words["stop"])
        last = max(index for index, frame in enumerate(frames) if f'"{text}"'.encode() in frame)
        return head(content_type=self.content_type) + b"".join(map(piece, frames[: last + 1]))

    def refused(self, status: int, message: str = "no", **headers: str) -> Reply:
        async def reply(request: Request, out: asyncio.StreamWriter) -> None:
            body = self.refusal(status, message)
            out.write(head(status, "application/json", **self.head(status), **headers) + piece(body) + END)

        return reply


def entry(fake: Fake, upstream: Upstream, model: str | None = None, **more: Any) -> ModelEntry:
    """The entry of the settings for a fake that is served."""
    aws = fake.kind == "bedrock"
    return ModelEntry(
        fake.kind,
        base_url=upstream.url.removesuffix("/v1") + fake.path,
        model=model or fake.model,
        api_key=None if aws else "secret",
        **{**more, "options": {**more.get("options", {}), **({"region": "us-east-1"} if aws else {})}},
    )


def lend_credentials(patch: pytest.MonkeyPatch) -> None:
    """Give the client of AWS what it looks for by itself. It takes no key over plain HTTP."""
    patch.setenv("AWS_ACCESS_KEY_ID", "secret")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def sse(data: Any, event: str = "") -> bytes:
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + orjson.dumps(data) + b"\n\n"


def _args(called: Called) -> str:
    return orjson.dumps(called.arguments).decode()


# Anthropic: messages

ANTHROPIC_USAGE = {"input_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0}


def anthropic_events(pieces: Pieces, finish: str) -> list[bytes]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    usage = {**ANTHROPIC_USAGE, "output_tokens": 1}
    frames: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {"type": "ping"},
    ]
    for index, group in enumerate(_anthropic_blocks(pieces)):
        start, deltas = group
        frames.append({"type": "content_block_start", "index": index, "content_block": start})
        frames.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        frames.append({"type": "content_block_stop", "index": index})
    counted = {**ANTHROPIC_USAGE, "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}}
    ended = {"stop_reason": finish, "stop_sequence": None}
    frames += [{"type": "message_delta", "delta": ended, "usage": counted}, {"type": "message_stop"}]
    return [sse(frame, frame["type"]) for frame in frames]


def _anthropic_blocks(pieces: Pieces) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for said in pieces:
        match said:
            case Said(text):
                if not blocks or blocks[-1][0]["type"] != "text":
                    blocks.append(({"type": "text", "text": ""}, []))
                blocks[-1][1].append({"type": "text_delta", "text": text})
            case Thought(text, signature):
                deltas = [{"type": "thinking_delta", "thinking": text}]
                deltas.append({"type": "signature_delta", "signature": signature})
                blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
            case Hidden(data):
                blocks.append(({"type": "redacted_thinking", "data": data}, []))
            case Called(id, name):
                text = _args(said)
                halves = [text[:4], text[4:]] if said.arguments else [""]
                deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
                blocks.append(({"type": "tool_use", "id": id, "name": name, "input": {}}, deltas))
    return blocks


def anthropic_whole(pieces: Pieces, finish: str) -> bytes:
    content: list[dict[str, Any]] = []
    for said in pieces:
        match said:
            case Said(text):
                content.append({"type": "text", "text": text})
            case Thought(text, signature):
                content.append({"type": "thinking", "thinking": text, "signature": signature})
            case Hidden(data):
                content.append({"type": "redacted_thinking", "data": data})
            case Called(id, name, arguments):
                content.append({"type": "tool_use", "id": id, "name": name, "input": arguments})
    usage = {**ANTHROPIC_USAGE, "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content}
    return orjson.dumps({**message, "stop_reason": finish, "stop_sequence": None, "usage": usage})


ANTHROPIC_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
ANTHROPIC_TYPES |= {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


def anthropic_refusal(status: int, message: str) -> bytes:
    error = {"type": ANTHROPIC_TYPES.get(status, "invalid_request_error"), "message": message}
    return orjson.dumps({"type": "error", "error": error, "request_id": "req_1"})


def anthropic_results(body: dict[str, Any]) -> list[tuple[str, str]]:
    blocks = [block for message in body["messages"] for block in message["content"] if isinstance(block, dict)]
    return [(block["tool_use_id"], str(block["content"])) for block in blocks if block["type"] == "tool_result"]


# Gemini: generated content

GEMINI_USAGE = {
    "promptTokenCount": 12,
    "cachedContentTokenCount": 5,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 3,
    "totalTokenCount": 19,
}


def _gemini_part(said: Piece) -> dict[str, Any]:
    match said:
        case Said(text):
            return {"text": text}
        case Thought(text):
            return {"text": text, "thought": True}
        case Called(id, name, arguments, signature):
            call = {"functionCall": {"id": id, "name": name, "args": arguments}}
            return {**call, **({"thoughtSignature": signature} if signature else {})}


def _gemini(parts: list[dict[str, Any]], finish: str | None, usage: Any = GEMINI_USAGE) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    ended = {"finishReason": finish} if finish else {}
    return {"candidates": [candidate | ended], "usageMetadata": usage, "modelVersion": "gemini", "responseId": "r1"}


def gemini_events(pieces: Pieces, finish: str) -> list[bytes]:
    early = {"promptTokenCount": 12, "totalTokenCount": 12}
    frames = [_gemini([_gemini_part(said)], None, early) for said in pieces]
    return [sse(frame) for frame in (*frames, _gemini([{"text": ""}], finish))]


def gemini_whole(pieces: Pieces, finish: str) -> bytes:
    return orjson.dumps(_gemini([_gemini_part(said) for said in pieces], finish))


GEMINI_STATUS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
GEMINI_STATUS |= {500: "INTERNAL", 503: "UNAVAILABLE"}


def gemini_refusal(status: int, message: str) -> bytes:
    word = GEMINI_STATUS.get(status, "INVALID_ARGUMENT")
    return orjson.dumps({"error": {"code": status, "message": message, "status": word}})


def gemini_results(body: dict[str, Any]) -> list[tuple[str, str]]:
    parts = [part for content in body["contents"] for part in content["parts"]]
    answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
    return [(answer["id"], str(answer["response"])) for answer in answers]


# Chat completions, as several vendors speak them

CHAT_USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
CHAT = {"id": "c1", "object": "chat.completion", "created": 1, "model": "some-model"}


@dataclass(frozen=True)
class Chat:
    """How chat completions are written here: how a thought looks, and where the cost stands."""

    thought: Callable[[Thought], dict[str, Any]]
    usage: Callable[[bool], dict[str, Any]] = lambda streamed: {"usage": CHAT_USAGE}
    top: Mapping[str, Any] = field(default_factory=lambda: CHAT)

    def events(self, pieces: Pieces, finish: str) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        calls = 0
        for said in pieces:
            match said:
                case Said(text):
                    deltas.append({"content": text})
                case Thought():
                    deltas.append(self.thought(said))
                case Called(id, name):
                    function = {"name": name, "arguments": ""}
                    call = {"index": calls, "id": id, "type": "function", "function": function}
                    more = {"index": calls, "function": {"name": "", "arguments": _args(said)}}
                    deltas += [{"tool_calls": [call]}, {"tool_calls": [more]}]
                    calls += 1
        chunks = [self._chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        chunks.append(self._chunk([{"index": 0, "delta": {}, "finish_reason": finish}]))
        chunks.append(self._chunk([]) | self.usage(True))
        return [*map(sse, chunks), b"data: [DONE]\n\n"]

    def whole(self, pieces: Pieces, finish: str) -> bytes:
        thoughts = [self.thought(said) for said in pieces if isinstance(said, Thought)]
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(s.text for s in pieces if isinstance(s, Said)),
        }
        for thought in thoughts:
            spoken = message["content"]
            message |= thought
            if isinstance(message["content"], list):
                message["content"] = [*thought["content"], {"type": "text", "text": spoken}]
        calls = [
            {"id": said.id, "type": "function", "function": {"name": said.name, "arguments": _args(said)}}
            for said in pieces
            if isinstance(said, Called)
        ]
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return orjson.dumps({**self.top, "choices": [choice], **self.usage(False), "system_fingerprint": "f"})

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {**self.top, "object": "chat.completion.chunk", "choices": choices, "system_fingerprint": "f"}


def chat_refusal(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "an_error", "code": None}})


def mistral_refusal(status: int, message: str) -> bytes:
    code = "3051" if "context length" in message else None
    return orjson.dumps({"object": "error", "message": message, "type": "an_error", "param": None, "code": code})


def openrouter_refusal(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "code": status}})


def chat_results(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["tool_call_id"], str(m["content"])) for m in body["messages"] if m["role"] == "tool"]


def _mistral_thought(said: Thought) -> dict[str, Any]:
    return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": said.text}]}]}


def _groq_usage(streamed: bool) -> dict[str, Any]:
    return {"x_groq": {"id": "r1", "usage": CHAT_USAGE}} if streamed else {"usage": CHAT_USAGE}


def _openrouter_thought(said: Thought) -> dict[str, Any]:
    detail = {"type": "reasoning.text", "text": said.text, "signature": said.signature or None, "index": 0, "id": None}
    return {"reasoning": said.text, "reasoning_details": [{**detail, "format": "unknown"}]}


def _plain(said: Thought) -> dict[str, Any]:
    return {"content": f"<think>{said.text}</think>"}


MISTRAL = Chat(_mistral_thought)
GROQ = Chat(lambda said: {"reasoning": said.text}, _groq_usage)
OPENROUTER = Chat(_openrouter_thought, top={**CHAT, "provider": "Someone"})
HUGGINGFACE = Chat(_plain)

CHAT_WORDS = {"stop": "stop", "length": "length", "refusal": "content_filter", "calls": "tool_calls"}


# Bedrock: the binary event stream


def frame(kind: str, payload: dict[str, Any], *, exception: bool = False) -> bytes:
    """A frame of an event stream: lengths, their checksum, headers, payload, and the checksum of all."""
    names = {":message-type": "exception", ":exception-type": kind} if exception else {":message-type": "event"}
    if not exception:
        names[":event-type"] = kind
    names[":content-type"] = "application/json"
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
        for name, value in names.items()
    )
    body = orjson.dumps(payload)
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + body
    return message + struct.pack(">I", crc32(message))


BEDROCK_USAGE = {"inputTokens": 7, "outputTokens": 7, "totalTokens": 19, "cacheReadInputTokens": 5}


def bedrock_events(pieces: Pieces, finish: str) -> list[bytes]:
    frames = [frame("messageStart", {"role": "assistant"})]
    for index, (start, deltas) in enumerate(_bedrock_blocks(pieces)):
        if start:
            frames.append(frame("contentBlockStart", {"contentBlockIndex": index, "start": start}))
        frames.extend(frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for delta in deltas)
        frames.append(frame("contentBlockStop", {"contentBlockIndex": index}))
    frames.append(frame("messageStop", {"stopReason": finish}))
    frames.append(frame("metadata", {"usage": BEDROCK_USAGE, "metrics": {"latencyMs": 1}}))
    return frames


def _bedrock_blocks(pieces: Pieces) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for said in pieces:
        match said:
            case Said(text):
                if not blocks or "text" not in blocks[-1][1][-1]:
                    blocks.append(({}, []))
                blocks[-1][1].append({"text": text})
            case Thought(text, signature):
                deltas = [{"reasoningContent": {"text": text}}, {"reasoningContent": {"signature": signature}}]
                blocks.append(({}, deltas))
            case Called(id, name):
                start = {"toolUse": {"toolUseId": id, "name": name}}
                blocks.append((start, [{"toolUse": {"input": _args(said)}}]))
    return blocks


def bedrock_whole(pieces: Pieces, finish: str) -> bytes:
    content: list[dict[str, Any]] = []
    for said in pieces:
        match said:
            case Said(text):
                content.append({"text": text})
            case Thought(text, signature):
                content.append({"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}})
            case Called(id, name, arguments):
                content.append({"toolUse": {"toolUseId": id, "name": name, "input": arguments}})
    output = {"message": {"role": "assistant", "content": content}}
    ended = {"stopReason": finish, "usage": BEDROCK_USAGE, "metrics": {"latencyMs": 1}}
    return orjson.dumps({"output": output, **ended})


BEDROCK_TYPES = {
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def bedrock_refusal(status: int, message: str) -> bytes:
    return orjson.dumps({"message": message})


def bedrock_results(body: dict[str, Any]) -> list[tuple[str, str]]:
    blocks = [block for message in body["messages"] for block in message["content"]]
    answers = [block["toolResult"] for block in blocks if "toolResult" in block]
    return [(answer["toolUseId"], str(answer["content"])) for answer in answers]


OVERLOADED = {"error": {"message": "overloaded now", "type": "overloaded", "code": 503}}

FAKES = {
    fake.kind: fake
    for fake in (
        Fake(
            "anthropic",
            "claude-haiku-4-5",
            anthropic_events,
            anthropic_whole,
            anthropic_refusal,
            {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal", "calls": "tool_use"},
            sse(orjson.loads(anthropic_refusal(529, "overloaded now")), "error"),
            anthropic_results,
            thinker="claude-haiku-4-5",
            over="prompt is too long: 5031 tokens > 4096 maximum",
        ),
        Fake(
            "gemini",
            "gemini-2.5-flash",
            gemini_events,
            gemini_whole,
            gemini_refusal,
            {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY", "calls": "STOP"},
            sse(orjson.loads(gemini_refusal(503, "overloaded now"))),
            gemini_results,
            thinker="gemini-2.5-flash",
            over="The input token count (5031) exceeds the maximum number of tokens allowed (4096).",
        ),
        Fake(
            "mistral",
            "mistral-large-latest",
            MISTRAL.events,
            MISTRAL.whole,
            mistral_refusal,
            {**CHAT_WORDS, "refusal": "content_filter"},
            b"event: error\ndata: nonsense\n\n",
            chat_results,
            thinker="magistral-medium-latest",
            over="Prompt contains 5031 tokens and 0 draft tokens, too large for model with 4096 maximum context length",
        ),
        Fake(
            "groq",
            "llama-3.3-70b-versatile",
            GROQ.events,
            GROQ.whole,
            chat_refusal,
            CHAT_WORDS,
            sse(OVERLOADED, "error"),
            chat_results,
            thinker="openai/gpt-oss-120b",
        ),
        Fake(
            "openrouter",
            "meta-llama/llama-3.3-70b-instruct",
            OPENROUTER.events,
            OPENROUTER.whole,
            openrouter_refusal,
            CHAT_WORDS,
            sse(OVERLOADED),
            chat_results,
            thinker="deepseek/deepseek-r1",
            path="/api/v1",
        ),
        Fake(
            "huggingface",
            "Qwen/Qwen3-32B",
            HUGGINGFACE.events,
            HUGGINGFACE.whole,
            chat_refusal,
            {**CHAT_WORDS, "stop": "stop"},
            sse({"error": "overloaded now", "error_type": "overloaded"}),
            chat_results,
            path="/v1",
        ),
        Fake(
            "bedrock",
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            bedrock_events,
            bedrock_whole,
            bedrock_refusal,
            {"stop": "end_turn", "length": "max_tokens", "refusal": "guardrail_intervened", "calls": "tool_use"},
            frame("serviceUnavailableException", {"message": "overloaded now"}, exception=True),
            bedrock_results,
            thinker="us.anthropic.claude-haiku-4-5-20251001-v1:0",
            content_type="application/vnd.amazon.eventstream",
            over="Input is too long: 5031 tokens, 4096 possible",
            head=lambda status: {"x_amzn_ErrorType": BEDROCK_TYPES.get(status, "ValidationException")},
        ),
    )
}
"""Every vendor, by the name of its engine."""
