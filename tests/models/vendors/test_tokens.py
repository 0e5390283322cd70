"""What a vendor gives with a thought or a call goes back to it, after a restart and from a client's history, and to
nobody else."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

from engine.behind import spoken
from models.prompts import prompt, read, thought
from models.upstream import serve
from models.vendor_servers import FAKES, Called, Fake, Hidden, Piece, Said, Thought, entry, lend_credentials
from support import Frame, parse_frames
from turnwise.app import open_app
from turnwise.models.engines import ModelEntry
from turnwise.models.model import ThoughtFragment
from turnwise.models.vendors import VENDORS
from turnwise.models.vendors.tokens import read_token, with_token
from turnwise.settings import ModelSettings, Settings

OLD_SDK = {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11.7"}
NEW_SDK = {"x-goog-api-client": "google-genai-sdk/3.4.0 gl-python/3.11.7"}
FORMS = pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])

LOOKED = "I must look"
SIGNATURE = "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I="
CALLED = Called("call00001", "get_weather", {"city": "Paris"})
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
RESULT = {"type": "function_result", "call_id": "call00001", "name": "get_weather", "result": "sunny"}
ASKING = {"tools": [WEATHER], "generation_config": {"thinking_level": "low"}}

SIGNED: Mapping[str, tuple[Piece, ...]] = {
    "anthropic": (Thought(LOOKED, SIGNATURE), CALLED),
    "bedrock": (Thought(LOOKED, SIGNATURE), CALLED),
    "gemini": (Thought(LOOKED), Called(CALLED.id, CALLED.name, CALLED.arguments, SIGNATURE)),
    "openrouter": (Thought(LOOKED, SIGNATURE), CALLED),
}
"""An answer of each vendor that signs: a thought and a call, and the signature on one of them."""

EVERY = pytest.mark.parametrize("fake", [FAKES[kind] for kind in SIGNED], ids=SIGNED)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    lend_credentials(monkeypatch)


class Client:
    """A client of a server in process, which waits for the whole of an answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, headers: Mapping[str, str], **fields: Any) -> httpx.Response:
        """Ask for a turn, whatever comes of it."""
        return await self._client.post("/v1beta/interactions", json={"model": "m", **fields}, headers=headers)

    async def create(self, headers: Mapping[str, str], **fields: Any) -> dict[str, Any]:
        """Make an interaction, which must work. A stream is put together as clients do."""
        reply = await self.ask(headers, **fields)
        assert reply.status_code == 200, reply.text
        return joined(parse_frames(reply.content)) if fields.get("stream") else reply.json()


@asynccontextmanager
async def started(folder: Path, wanted: ModelEntry) -> AsyncIterator[Client]:
    """A server as a new process has it: all is made anew but for what lies in its data directory."""
    model = {"engine": wanted.engine, "base_url": wanted.base_url, "model": wanted.model, "api_key": wanted.api_key}
    more = {**wanted.options, "thinks": wanted.can.get("thinks")}
    settings = Settings(data_dir=folder, models={"m": ModelSettings(**model, **more)})
    async with open_app(settings) as app:
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://turnwise") as client:
            yield Client(client)


def signatures(value: Any) -> list[str]:
    """Every signature that a vendor's request has in it, wherever that vendor puts it."""
    if isinstance(value, list):
        return [found for item in value for found in signatures(item)]
    if not isinstance(value, dict):
        return []
    own = [held for name, held in value.items() if name in ("signature", "thoughtSignature") and held]
    return [*own, *(found for held in value.values() for found in signatures(held))]


def call_of(body: dict[str, Any]) -> str:
    """The whole of an answer's own message in a request, as text."""
    messages = body.get("messages") or body["contents"]
    return str(messages[1])


async def first_turn(app: Client, headers: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    """The turn that thinks and calls, as a client sees it."""
    return await app.create(headers, input="Weather in Paris?", **ASKING, **fields)


def joined(frames: Sequence[Frame]) -> dict[str, Any]:
    """A stream's frames as the interaction that a client puts together."""
    made: dict[str, Any] = dict(frames[0].data["interaction"], steps=[])
    for frame in frames:
        match frame.name.split("."):
            case ["step" | "content" as kind, "start"]:
                made["steps"].append(dict(frame.data[kind]))
            case ["step" | "content", "delta"]:
                step, delta = made["steps"][-1], frame.data["delta"]
                if delta["type"] == "thought_signature":
                    step["signature"] = delta["signature"]
                elif delta["type"] == "function_call":
                    step |= delta
                elif delta["type"] == "arguments_delta":
                    step["arguments"] = orjson.loads(delta["arguments"])
    return made


def history_of(made: dict[str, Any], headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The conversation as a client that keeps it sends it back, with the result of the call."""
    produced = made.get("outputs") or made["steps"]
    if headers is NEW_SDK:
        asked = {"type": "user_input", "content": [{"type": "text", "text": "Weather in Paris?"}]}
        return [asked, *produced, RESULT]
    return [
        {"role": "user", "content": "Weather in Paris?"},
        {"role": "model", "content": produced},
        {"role": "user", "content": [RESULT]},
    ]


@FORMS
@BOTH
@EVERY
async def test_after_a_restart_a_chain_goes_on_with_what_the_vendor_signed(
    tmp_path: Path, fake: Fake, stream: bool, headers: dict[str, str]
) -> None:
    async with serve(fake.answer(*SIGNED[fake.kind], finish="calls"), fake.answer(Said("Sunny."))) as upstream:
        wanted = entry(fake, upstream, fake.thinker)
        async with started(tmp_path, wanted) as app:
            made = await first_turn(app, headers, stream=stream)
        async with started(tmp_path, wanted) as app:
            await app.create(headers, input=[RESULT], previous_interaction_id=made["id"], stream=stream, **ASKING)
    assert signatures(upstream.requests[1].body) == [SIGNATURE]
    assert LOOKED in call_of(upstream.requests[1].body)


@FORMS
@BOTH
@EVERY
async def test_a_client_that_keeps_the_history_sends_it_back_sealed(
    tmp_path: Path, fake: Fake, stream: bool, headers: dict[str, str]
) -> None:
    async with serve(fake.answer(*SIGNED[fake.kind], finish="calls"), fake.answer(Said("Sunny."))) as upstream:
        wanted = entry(fake, upstream, fake.thinker)
        async with started(tmp_path, wanted) as app:
            made = await first_turn(app, headers, stream=stream, store=False)
        assert SIGNATURE not in str(made)
        async with started(tmp_path, wanted) as app:
            await app.create(headers, input=history_of(made, headers), store=False, stream=stream, **ASKING)
    assert signatures(upstream.requests[1].body) == [SIGNATURE]
    assert LOOKED in call_of(upstream.requests[1].body)


OTHERS = {"anthropic": "claude-sonnet-4-6", "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
OTHERS |= {"gemini": "gemini-2.5-pro", "openrouter": "qwen/qwen3-32b"}


@EVERY
async def test_another_model_of_the_vendor_is_shown_the_thought_without_the_signature(
    tmp_path: Path, fake: Fake
) -> None:
    async with serve(fake.answer(*SIGNED[fake.kind], finish="calls"), fake.answer(Said("Sunny."))) as upstream:
        async with started(tmp_path, entry(fake, upstream, fake.thinker)) as app:
            made = await first_turn(app, NEW_SDK)
        async with started(tmp_path, entry(fake, upstream, OTHERS[fake.kind])) as app:
            await app.create(NEW_SDK, input=[RESULT], previous_interaction_id=made["id"], **ASKING)
    assert SIGNATURE not in str(upstream.requests[1].body)
    assert LOOKED in str(upstream.requests[1].body)


async def test_another_vendors_model_is_shown_the_thought_without_the_signature(tmp_path: Path) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(*SIGNED["anthropic"], finish="calls"), spoken("Sunny.")) as upstream:
        async with started(tmp_path, entry(fake, upstream, fake.thinker)) as app:
            made = await first_turn(app, NEW_SDK)
        async with started(tmp_path, ModelEntry("openai", base_url=upstream.url, can={"thinks": True})) as app:
            await app.create(NEW_SDK, input=[RESULT], previous_interaction_id=made["id"], **ASKING)
    sent = upstream.requests[1].body
    assert SIGNATURE not in str(sent)
    assert sent["messages"][1]["reasoning_content"] == LOOKED


def changed(signature: str) -> str:
    return signature[:40] + ("A" if signature[40] != "A" else "B") + signature[41:]


@FORMS
@EVERY
async def test_a_signature_that_was_changed_is_refused_before_the_vendor_is_asked(
    tmp_path: Path, fake: Fake, headers: dict[str, str]
) -> None:
    async with serve(fake.answer(*SIGNED[fake.kind], finish="calls")) as upstream:
        wanted = entry(fake, upstream, fake.thinker)
        async with started(tmp_path, wanted) as app:
            made = await first_turn(app, headers)
            signed = [step for step in made.get("outputs") or made["steps"] if "signature" in step]
            for step in signed:
                whole, step["signature"] = step["signature"], changed(step["signature"])
                reply = await app.ask(headers, input=history_of(made, headers), **ASKING)
                step["signature"] = whole
                assert reply.status_code == 400
                assert "was changed" in reply.json()["error"]["message"]
    assert signed
    assert len(upstream.requests) == 1


async def test_a_changed_signature_beside_the_chain_that_has_the_call_is_refused_too(tmp_path: Path) -> None:
    fake = FAKES["gemini"]
    async with serve(fake.answer(*SIGNED["gemini"], finish="calls")) as upstream:
        wanted = entry(fake, upstream, fake.thinker)
        async with started(tmp_path, wanted) as app:
            made = await first_turn(app, NEW_SDK)
            call = made["steps"][-1]
            again = [{**call, "signature": changed(call["signature"])}, RESULT]
            reply = await app.ask(NEW_SDK, input=again, previous_interaction_id=made["id"], **ASKING)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_request")
    assert reply.json()["error"]["message"].startswith("input.signature: ")


@BOTH
async def test_a_thought_that_the_vendor_hides_has_its_signature_alone_and_goes_back_hidden(
    tmp_path: Path, stream: bool
) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(Hidden(SIGNATURE), Said("Hello.")), fake.answer(Said("Bye."))) as upstream:
        wanted = entry(fake, upstream, fake.thinker)
        async with started(tmp_path, wanted) as app:
            made = await first_turn(app, NEW_SDK, stream=stream)
        assert set(made["steps"][0]) == {"type", "signature"}
        async with started(tmp_path, wanted) as app:
            await app.create(NEW_SDK, input="Bye", previous_interaction_id=made["id"])
    sent = upstream.requests[1].body["messages"][1]["content"][0]
    assert sent == {"type": "redacted_thinking", "data": SIGNATURE}


@BOTH
async def test_each_signed_thought_is_a_thought_of_its_own(tmp_path: Path, stream: bool) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(Thought("one", "czE="), Thought("two", "czI="), Said("Hi."))) as upstream:
        model = VENDORS["anthropic"]("m", entry(fake, upstream), tmp_path)
        fragments = await read(model, prompt(streaming=stream))
        await model.close()
    assert thought(fragments) == "onetwo"
    told = [fragment for fragment in fragments if isinstance(fragment, ThoughtFragment)]
    assert [(fragment.text, bool(fragment.signature)) for fragment in told] == [
        ("one", False),
        ("", True),
        ("two", False),
        ("", True),
    ]


# --- The text of a token

SYSTEM = "anthropic"
DETAILS = {"thought_signature": "c2ln"}


def test_a_token_gives_its_maker_the_part_as_it_came() -> None:
    thinking = ThinkingPart("hm", id="t1", signature="c2ln", provider_name=SYSTEM, provider_details=DETAILS)
    token = read_token(thinking, "anthropic/claude")
    assert with_token(ThinkingPart("hm"), token, "anthropic/claude", SYSTEM) == thinking
    call = ToolCallPart("f", {"a": 1}, "c1", provider_name=SYSTEM, provider_details=DETAILS)
    token = read_token(call, "anthropic/claude")
    assert with_token(ToolCallPart("f", {"a": 1}, "c1"), token, "anthropic/claude", SYSTEM) == call


@pytest.mark.parametrize("maker", ["anthropic/claude-2", "bedrock/claude", ""])
def test_to_anyone_else_it_gives_nothing(maker: str) -> None:
    token = read_token(ThinkingPart("hm", signature="c2ln"), "anthropic/claude")
    assert with_token(ThinkingPart("hm"), token, maker, SYSTEM) == ThinkingPart("hm")


@pytest.mark.parametrize(
    "part", [ThinkingPart("hm"), ThinkingPart("hm", signature=""), ToolCallPart("f"), TextPart("a")]
)
def test_a_part_that_came_with_nothing_has_no_token(part: Any) -> None:
    assert read_token(part, "anthropic/claude") is None
