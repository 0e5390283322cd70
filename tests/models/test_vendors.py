"""Models of vendors, each against a real server that speaks that vendor's own protocol, well, badly, or not at all."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.prompts import BOUND, finish, prompt, read, read_until_it_breaks, said, text, thought, usage
from models.upstream import END, Reply, Request, Upstream, body, head, piece, raw, serve, silent
from models.vendor_servers import FAKES, Called, Fake, Said, Thought, entry, lend_credentials
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import (
    ContentBlocked,
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
    Unimplemented,
)
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, Step, UserInput
from turnwise.domain.steps import Thought as ThoughtStep
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.models.engines import ModelEntry
from turnwise.models.model import CallFragment, Finished, Fragment, Prompt, Taken, TextFragment
from turnwise.models.vendors import VENDORS
from turnwise.models.vendors.model import VendorModel

QUICK = {"connect": 2.0, "idle": 0.3, "total": 5.0}
SLOW: dict[str, float] = {}

Ask = Callable[..., VendorModel]

EVERY = pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
THINKERS = [fake for fake in FAKES.values() if fake.thinker]
EVERY_THINKER = pytest.mark.parametrize("fake", THINKERS, ids=[fake.kind for fake in THINKERS])
BOTH = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    lend_credentials(monkeypatch)


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[VendorModel] = []

    def make(
        fake: Fake, upstream: Upstream, model: str | None = None, limits: dict[str, float] = SLOW, **more: Any
    ) -> VendorModel:
        wanted = entry(fake, upstream, model, options=limits, **more)
        made.append(VENDORS[fake.kind]("mine", wanted, Path()))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for model in made:
        await model.close()


WEATHER = FunctionTool(
    "get_weather",
    "Tells the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)

COST = Usage(input={"text": 12}, output={"text": 4}, cached={"text": 5}, thought=3)
UNTOLD = {"huggingface": {"cached", "thought"}, "bedrock": {"thought"}}
"""What some layers do not tell of the cost."""


def cost(fake: Fake) -> Usage:
    untold = UNTOLD.get(fake.kind, set())
    return Usage(
        input=COST.input,
        output={"text": 7} if "thought" in untold else COST.output,
        cached={} if "cached" in untold else COST.cached,
        thought=0 if "thought" in untold else COST.thought,
    )


@EVERY
async def test_a_streamed_answer_comes_piece_by_piece_with_its_cost_and_its_end(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("Hel"), Said("lo"))) as upstream:
        fragments = await read(ask(fake, upstream), prompt())
    assert fragments[:3] == [Taken(), TextFragment("Hel"), TextFragment("lo")]
    assert usage(fragments) == cost(fake)
    assert fragments[-1] == Finished("stop")


@EVERY
async def test_an_answer_that_nobody_reads_along_is_one_call_and_one_fragment(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("Hello"))) as upstream:
        fragments = await read(ask(fake, upstream), prompt(streaming=False, max_output_tokens=99))
    assert not fake.streams(upstream.requests[0])
    assert [type(fragment).__name__ for fragment in fragments] == [
        "Taken",
        "TextFragment",
        "UsageFragment",
        "Finished",
    ]
    assert (text(fragments), usage(fragments)) == ("Hello", cost(fake))


TAKEN: dict[str, dict[str, Any]] = {
    "anthropic": {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "max_tokens": 99, "stop_sequences": ["END"]},
    "gemini": {
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 20,
            "seed": 7,
            "maxOutputTokens": 99,
            "stopSequences": ["END"],
            "responseModalities": ["TEXT"],
        }
    },
    "mistral": {"temperature": 0.5, "top_p": 0.9, "random_seed": 7, "max_tokens": 99, "stop": ["END"]},
    "groq": {"temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 99, "stop": ["END"]},
    "openrouter": {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "seed": 7, "max_tokens": 99, "stop": ["END"]},
    "huggingface": {"temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 99, "stop": ["END"]},
    "bedrock": {
        "inferenceConfig": {"temperature": 0.5, "topP": 0.9, "maxTokens": 99, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"top_k": 20},
    },
}
"""What is found in a request of what was asked."""

UNTAKEN = {
    "anthropic": {"seed"},
    "bedrock": {"seed"},
    "mistral": {"top_k"},
    "groq": {"top_k"},
    "huggingface": {"top_k"},
}
ASKED = {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "seed": 7, "max_output_tokens": 99, "stop_sequences": ("END",)}


@BOTH
@EVERY
async def test_the_call_says_everything_that_the_prompt_says(ask: Ask, fake: Fake, streaming: bool) -> None:
    asked = {name: value for name, value in ASKED.items() if name not in UNTAKEN.get(fake.kind, ())}
    steps = said("Hi", "Hello!", "Bye")
    async with serve(fake.answer(Said("ok"))) as upstream:
        generation = GenerationConfig(**asked)  # type: ignore[arg-type]
        model = ask(fake, upstream)
        await read(model, Prompt(steps, "Be kind.", generation=generation, streaming=streaming))
    request = upstream.requests[0]
    assert {name: request.body.get(name) for name in TAKEN[fake.kind]} == TAKEN[fake.kind]
    words = str(request.body)
    assert words.index("Hi") < words.index("Hello!") < words.index("Bye")
    assert "Be kind." in words
    assert "secret" in str(request.headers)


@BOTH
@EVERY
async def test_a_parameter_that_would_be_dropped_is_refused_by_name(ask: Ask, fake: Fake, streaming: bool) -> None:
    async with serve(fake.answer(Said("ok"))) as upstream:
        model = ask(fake, upstream)
        for name in UNTAKEN.get(fake.kind, ()):
            with pytest.raises(InvalidRequest, match=rf"generation_config\.{name}: .* leave it out"):
                await read(model, prompt(streaming=streaming, **{name: ASKED[name]}))
    assert not upstream.requests


@BOTH
@pytest.mark.filterwarnings("ignore:Sampling parameters")
@pytest.mark.parametrize(("kind", "model"), [("anthropic", "claude-sonnet-5"), ("openrouter", "openai/gpt-5-mini")])
async def test_a_parameter_that_only_some_models_take_is_refused_by_name(
    ask: Ask, kind: str, model: str, streaming: bool
) -> None:
    fake = FAKES[kind]
    async with serve(fake.answer(Said("ok"))) as upstream:
        with pytest.raises(InvalidRequest, match=r"generation_config\.temperature: .* leave it out"):
            await read(ask(fake, upstream, model), prompt(temperature=0.5, streaming=streaming))
        assert not upstream.requests
        assert text(await read(ask(fake, upstream, model), prompt(streaming=streaming))) == "ok"


@BOTH
@pytest.mark.filterwarnings("ignore:Sampling parameters")
@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-sonnet-5"])
async def test_what_only_the_engine_wishes_is_left_out_where_it_cannot_be_taken(
    ask: Ask, model: str, streaming: bool
) -> None:
    fake = FAKES["anthropic"]
    wishes = frozenset({"temperature", "seed"})
    async with serve(fake.answer(Said("ok"))) as upstream:
        asked = replace(prompt(temperature=0.5, seed=1, streaming=streaming), wishes=wishes)
        assert text(await read(ask(fake, upstream, model), asked)) == "ok"
        assert "seed" not in str(upstream.requests[0].body)


async def test_a_parameter_that_would_be_changed_is_refused_with_what_is_possible(ask: Ask) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(Said("ok"))) as upstream:
        with pytest.raises(InvalidRequest, match=r"max_output_tokens: 9000000 is not possible .* 64000 would be"):
            await read(ask(fake, upstream), prompt(max_output_tokens=9_000_000))
    assert not upstream.requests


@BOTH
@EVERY
async def test_a_call_comes_with_its_name_and_its_arguments(ask: Ask, fake: Fake, streaming: bool) -> None:
    pieces = Called("call00001", "get_weather", {"city": "Paris"}), Called("call00002", "get_weather", {"city": "Rome"})
    async with serve(fake.answer(Said("Let me see."), *pieces, finish="calls")) as upstream:
        asked = Prompt(said("Weather?"), tools=(WEATHER,), streaming=streaming)
        fragments = await read(ask(fake, upstream), asked)
    assert text(fragments) == "Let me see."
    assert calls(fragments) == [
        ("call00001", "get_weather", '{"city":"Paris"}'),
        ("call00002", "get_weather", '{"city":"Rome"}'),
    ]
    assert finish(fragments) == "calls"
    assert "Tells the weather." in str(upstream.requests[0].body)


def calls(fragments: list[Fragment]) -> list[tuple[str | None, str | None, str]]:
    """The calls, put together as the engine does."""
    made: dict[int, tuple[str | None, str | None, str]] = {}
    for fragment in fragments:
        if isinstance(fragment, CallFragment):
            id, name, before = made.get(fragment.index, (fragment.id, fragment.name, ""))
            made[fragment.index] = (id, name, before + fragment.arguments)
    return list(made.values())


@EVERY
async def test_a_call_without_arguments_is_whole(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Called("call00001", "now"), finish="calls")) as upstream:
        fragments = await read(ask(fake, upstream), Prompt(said("What time?"), tools=(FunctionTool("now"),)))
    [(id, name, arguments)] = calls(fragments)
    assert (id, name, arguments or "{}") == ("call00001", "now", "{}")


ROUND_TRIP: list[Step] = [
    *said("Weather in Paris and Rome?"),
    FunctionCall("call00001", "get_weather", {"city": "Paris"}),
    FunctionCall("call00002", "get_weather", {"city": "Rome"}),
    UserInput((Text("Are you done?"),)),
    FunctionResult("call00001", "sunny", "get_weather"),
    FunctionResult("call00002", {"sky": "grey"}, "get_weather", is_error=True),
]


@EVERY
async def test_results_go_back_behind_the_calls_that_they_answer(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("Sunny and grey."))) as upstream:
        fragments = await read(ask(fake, upstream), Prompt(ROUND_TRIP, tools=(WEATHER,)))
    assert text(fragments) == "Sunny and grey."
    (first, sunny), (second, grey) = fake.results(upstream.requests[0].body)
    assert (first, second) == ("call00001", "call00002")
    assert "sunny" in sunny
    assert "grey" in grey
    words = str(upstream.requests[0].body)
    assert words.index("Paris and Rome") < words.index("call00001") < words.index("sunny") < words.index("done?")


async def test_an_id_that_a_vendor_does_not_take_is_fitted_alike_in_the_call_and_its_result(ask: Ask) -> None:
    fake = FAKES["mistral"]
    steps: list[Step] = [
        *said("Weather?"),
        FunctionCall("call_of_another_vendor", "get_weather", {"city": "Paris"}),
        FunctionResult("call_of_another_vendor", "sunny"),
    ]
    async with serve(fake.answer(Said("Sunny."))) as upstream:
        await read(ask(fake, upstream), Prompt(steps, tools=(WEATHER,)))
    sent = upstream.requests[0].body
    [called] = [message["tool_calls"][0]["id"] for message in sent["messages"] if message.get("tool_calls")]
    [(answered, _)] = fake.results(sent)
    assert called == answered
    assert len(called) == 9
    assert called.isalnum()


DEMANDED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "anthropic": lambda body: body["tool_choice"]["type"] == "any",
    "gemini": lambda body: body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY",
    "mistral": lambda body: body["tool_choice"] == "any",
    "groq": lambda body: body["tool_choice"] == "required",
    "openrouter": lambda body: body["tool_choice"] == "required",
    "huggingface": lambda body: body["tool_choice"] == "required",
    "bedrock": lambda body: body["toolConfig"]["toolChoice"] == {"any": {}},
}


@EVERY
async def test_a_call_can_be_demanded(ask: Ask, fake: Fake) -> None:
    asked = Prompt(said("Weather?"), tools=(WEATHER,), tool_choice=ToolChoice("any"))
    async with serve(fake.answer(Called("call00001", "get_weather", {"city": "Rome"}), finish="calls")) as upstream:
        await read(ask(fake, upstream), asked)
    assert DEMANDED[fake.kind](upstream.requests[0].body)


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_where_thinking_and_a_demand_are_at_odds_it_thinks(ask: Ask, kind: str) -> None:
    fake = FAKES[kind]
    generation = GenerationConfig(thinking_level="low")
    asked = Prompt(said("Weather?"), tools=(WEATHER,), tool_choice=ToolChoice("any"), generation=generation)
    async with serve(fake.answer(Said("It is sunny."))) as upstream:
        await read(ask(fake, upstream), asked)
    sent = upstream.requests[0].body
    assert "'thinking'" in str(sent)
    assert sent.get("tool_choice", {"type": "auto"}) == {"type": "auto"}
    assert "any" not in sent.get("toolConfig", {}).get("toolChoice", {})


@BOTH
@EVERY_THINKER
async def test_reasoning_is_a_thought(ask: Ask, fake: Fake, streaming: bool) -> None:
    async with serve(fake.answer(Thought("hmm", "c2lnbmVk"), Said("yes"))) as upstream:
        model = ask(fake, upstream, fake.thinker)
        fragments = await read(model, prompt(streaming=streaming))
    assert model.card.thinks
    assert (thought(fragments), text(fragments)) == ("hmm", "yes")


@BOTH
async def test_reasoning_between_tags_is_a_thought_too(ask: Ask, streaming: bool) -> None:
    fake = FAKES["huggingface"]
    async with serve(fake.answer(Said("<think>"), Said("hmm"), Said("</think>"), Said("yes"))) as upstream:
        fragments = await read(ask(fake, upstream), prompt(streaming=streaming))
    assert (thought(fragments), text(fragments)) == ("hmm", "yes")


HARD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "anthropic": lambda body: body["thinking"] == {"type": "enabled", "budget_tokens": 16384},
    "gemini": lambda body: body["generationConfig"]["thinkingConfig"]["thinking_budget"] == 24576,
    "mistral": lambda body: body["reasoning_effort"] == "high",
    "groq": lambda body: body["reasoning_effort"] == "high",
    "openrouter": lambda body: body["reasoning"]["effort"] == "high",
    "bedrock": lambda body: body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 16384,
}


@EVERY_THINKER
async def test_how_hard_to_think_is_said_in_the_vendors_words(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("yes"))) as upstream:
        await read(ask(fake, upstream, fake.thinker), prompt(thinking_level="high", max_output_tokens=30_000))
    assert HARD[fake.kind](upstream.requests[0].body), upstream.requests[0].body


async def test_thoughts_are_asked_to_be_shown_where_only_their_signature_would_come(ask: Ask) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(Thought("hmm", "c2lnbmVk"), Said("yes"))) as upstream:
        await read(ask(fake, upstream, "claude-sonnet-4-6"), prompt(thinking_level="low"))
    sent = upstream.requests[0].body
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert sent["output_config"] == {"effort": "low"}


async def test_a_model_that_cannot_be_told_how_hard_to_think_is_not_told(ask: Ask) -> None:
    fake = FAKES["huggingface"]
    async with serve(fake.answer(Said("yes"))) as upstream:
        model = ask(fake, upstream)
        await read(model, prompt(thinking_level="high"))
    assert not model.card.thinks
    assert "high" not in str(upstream.requests[0].body)


@EVERY_THINKER
async def test_an_open_thought_is_shown_to_the_model_again(ask: Ask, fake: Fake) -> None:
    steps = [*said("Hi"), ThoughtStep(None, (Text("they greet me"),)), *said("", "Hello!", "Bye")[1:]]
    async with serve(fake.answer(Said("Bye!"))) as upstream:
        await read(ask(fake, upstream, fake.thinker), Prompt(steps))
    assert "they greet me" in str(upstream.requests[0].body)


@BOTH
@pytest.mark.parametrize("reason", ["stop", "length", "refusal"])
@EVERY
async def test_the_reason_of_the_end_is_told(ask: Ask, fake: Fake, reason: str, streaming: bool) -> None:
    async with serve(fake.answer(Said("a"), finish=reason)) as upstream:
        assert finish(await read(ask(fake, upstream), prompt(streaming=streaming))) == reason


@BOTH
async def test_a_prompt_that_is_blocked_is_a_refusal(ask: Ask, streaming: bool) -> None:
    fake = FAKES["gemini"]
    blocked = b'{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}'
    reply = body(b"data: " + blocked + b"\n\n", content_type="text/event-stream") if streaming else body(blocked)
    async with serve(reply) as upstream:
        fragments = await read(ask(fake, upstream), prompt(streaming=streaming))
    assert (text(fragments), finish(fragments)) == ("", "refusal")


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}

BINDERS = {
    "anthropic": (None, lambda body: body["output_config"]["format"]["type"] == "json_schema"),
    "gemini": (None, lambda body: body["generationConfig"]["responseMimeType"] == "application/json"),
    "groq": ("openai/gpt-oss-120b", lambda body: body["response_format"]["type"] == "json_schema"),
    "openrouter": ("openai/gpt-5-mini", lambda body: body["response_format"]["type"] == "json_schema"),
    "bedrock": (None, lambda body: body["outputConfig"]["textFormat"]["type"] == "json_schema"),
}


@BOTH
@pytest.mark.parametrize("kind", BINDERS)
async def test_a_text_is_bound_to_a_schema_where_the_vendor_can(ask: Ask, kind: str, streaming: bool) -> None:
    fake, (model, is_bound) = FAKES[kind], BINDERS[kind]
    async with serve(fake.answer(Said('{"name": "Ann"}'))) as upstream:
        binder = ask(fake, upstream, model)
        fragments = await read(binder, Prompt(said("Who?"), schema=SCHEMA, streaming=streaming))
    assert binder.card.schemas
    assert text(fragments) == '{"name": "Ann"}'
    assert is_bound(upstream.requests[0].body)


@pytest.mark.parametrize("kind", sorted(FAKES.keys() - BINDERS.keys()))
async def test_where_the_vendor_cannot_the_card_says_so(ask: Ask, kind: str) -> None:
    async with serve(FAKES[kind].answer(Said("a"))) as upstream:
        assert not ask(FAKES[kind], upstream).card.schemas


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_a_schema_that_would_lose_something_is_told_and_not_bound(ask: Ask, kind: str) -> None:
    fake = FAKES[kind]
    schema = {"type": "object", "properties": {"ages": {"type": "object", "additionalProperties": {"type": "integer"}}}}
    async with serve(fake.answer(Said('{"ages": {"Ann": 3}}'))) as upstream:
        await read(ask(fake, upstream), Prompt(said("Who?"), schema=schema))
    sent = upstream.requests[0].body
    assert "output_config" not in sent
    assert "outputConfig" not in sent
    assert "additionalProperties" in str(sent["system"])


async def test_tools_and_a_schema_go_together_where_the_vendor_takes_one_or_the_other(ask: Ask) -> None:
    fake = FAKES["gemini"]
    async with serve(fake.answer(Said('{"name": "Ann"}'))) as upstream:
        await read(ask(fake, upstream), Prompt(said("Who?"), schema=SCHEMA, tools=(WEATHER,)))
    sent = upstream.requests[0].body
    assert "responseMimeType" not in sent["generationConfig"]
    assert "'name'" in str(sent["systemInstruction"]) or '"name"' in str(sent["systemInstruction"])
    assert "get_weather" in str(sent["tools"])


async def test_what_cannot_be_shown_is_refused_and_not_dropped(ask: Ask) -> None:
    async with serve(FAKES["anthropic"].answer(Said("a"))) as upstream:
        steps = [UserInput((Text("What is this?"), Media("audio", "audio/wav", data="aGk=")))]
        with pytest.raises(Unimplemented, match="type 'audio'"):
            await read(ask(FAKES["anthropic"], upstream), Prompt(steps))


REFUSALS: dict[str, tuple[int, type[TurnwiseError], str]] = {
    "a wrong field": (400, InvalidRequest, "refused the request: that field is odd"),
    "no key": (401, ModelUnavailable, "turnwise's own key"),
    "not this key": (403, ModelUnavailable, "turnwise's own key"),
    "no such model": (404, ModelFailed, "is not known to its upstream"),
    "too busy": (429, RateLimited, "that field is odd"),
    "broken": (500, ModelUnavailable, "that field is odd"),
    "down": (503, ModelUnavailable, "that field is odd"),
}


@BOTH
@pytest.mark.parametrize("case", REFUSALS)
@EVERY
async def test_a_refusal_says_what_it_was_before_anything_is_taken(
    ask: Ask, fake: Fake, case: str, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    status, kind, words = REFUSALS[case]
    told = "that field is odd" if fake.kind == "bedrock" else "that field is odd: secret"  # it is given no key here
    async with serve(fake.refused(status, told)) as upstream:
        _, error = await read_until_it_breaks(ask(fake, upstream), prompt(streaming=streaming))
    assert type(error) is kind
    assert words in error.message
    assert len(upstream.requests) == 1
    hides(error, upstream, caplog)


def hides(error: TurnwiseError, upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """No key and no address is told."""
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("turnwise"))
    for secret in ("secret", upstream.url.removesuffix("/v1").removeprefix("http://")):
        assert secret not in error.message + logged


@BOTH
@EVERY
async def test_a_prompt_over_the_context_is_the_requests_fault(ask: Ask, fake: Fake, streaming: bool) -> None:
    async with serve(fake.refused(400, fake.over)) as upstream:
        _, error = await read_until_it_breaks(ask(fake, upstream), prompt(streaming=streaming))
    assert type(error) is InvalidRequest
    assert error.field == "input"
    assert "5031" in error.message
    assert "4096" in error.message


@EVERY
async def test_how_long_to_wait_is_passed_on(ask: Ask, fake: Fake) -> None:
    async with serve(fake.refused(429, "slow down", Retry_After="7")) as upstream:
        with pytest.raises(RateLimited) as caught:
            await read(ask(fake, upstream), prompt())
    assert caught.value.retry_after == 7.0


async def test_what_a_moderation_refuses_is_blocked_and_not_about_the_key(ask: Ask) -> None:
    fake = FAKES["openrouter"]
    flagged = (
        b'{"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}'
    )
    async with serve(body(flagged, 403)) as upstream:
        with pytest.raises(ContentBlocked, match="flagged"):
            await read(ask(fake, upstream), prompt())


@BOTH
@EVERY
async def test_nobody_there_is_unavailable(ask: Ask, fake: Fake, streaming: bool) -> None:
    with socket.socket() as held:  # a port that nobody else gets, and nobody listens at
        held.bind(("127.0.0.1", 0))
        upstream = Upstream(f"http://127.0.0.1:{held.getsockname()[1]}/v1")
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await read(ask(fake, upstream, limits=QUICK), prompt(streaming=streaming))


PAGE = body(b"<html>Bad Gateway</html>", 502, "text/html")
NO_ANSWERS: dict[str, tuple[Reply, tuple[type[TurnwiseError], ...]]] = {
    "a proxy's page": (PAGE, (ModelUnavailable,)),
    "a page instead of an answer": (body(b"<html>", 200, "text/html"), (ModelFailed, ModelUnavailable)),
    "JSON that is no answer": (body(b'{"hello": 1}'), (ModelFailed, ModelUnavailable)),
    "nothing": (body(b""), (ModelFailed, ModelUnavailable)),
    "a redirect": (body(b"", 302, Location="http://127.0.0.1:1/"), (ModelFailed, ModelUnavailable)),
    "no HTTP": (raw(b"hello\r\n\r\n"), (ModelFailed, ModelUnavailable)),
    "hung up": (raw(), (ModelUnavailable,)),
}


@BOTH
@pytest.mark.parametrize("case", NO_ANSWERS)
@EVERY
async def test_what_is_no_answer_is_a_failure(
    ask: Ask, fake: Fake, case: str, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reply, kinds = NO_ANSWERS[case]
    async with serve(reply) as upstream:
        fragments, error = await read_until_it_breaks(ask(fake, upstream, limits=QUICK), prompt(streaming=streaming))
    assert type(error) in kinds
    assert not text(fragments)
    hides(error, upstream, caplog)


@EVERY
async def test_a_stream_that_is_cut_says_so_after_what_came(ask: Ask, fake: Fake) -> None:
    async with serve(raw(fake.begun("a"))) as upstream:
        fragments, error = await read_until_it_breaks(ask(fake, upstream), prompt())
    assert text(fragments) == "a"
    assert type(error) is ModelUnavailable
    assert "broke off" in error.message


@EVERY
async def test_a_stream_that_ends_before_its_end_was_cut(ask: Ask, fake: Fake) -> None:
    async with serve(raw(fake.begun("a") + END)) as upstream:
        fragments, error = await read_until_it_breaks(ask(fake, upstream), prompt())
    assert text(fragments) == "a"
    assert type(error) is ModelUnavailable
    assert "broke off" in error.message


@EVERY
async def test_an_error_in_a_stream_says_so_after_what_came(ask: Ask, fake: Fake) -> None:
    async with serve(raw(fake.begun("a") + piece(fake.broken) + END)) as upstream:
        fragments, error = await read_until_it_breaks(ask(fake, upstream), prompt())
    assert text(fragments) == "a"
    assert isinstance(error, ModelFailed | RateLimited)


@EVERY
async def test_a_stream_that_hangs_ends_with_the_limit(ask: Ask, fake: Fake) -> None:
    async with serve(silent(fake.begun("a"))) as upstream:
        fragments, error = await read_until_it_breaks(ask(fake, upstream, limits=QUICK), prompt())
    assert text(fragments) == "a"
    assert type(error) is ModelTimeout


@BOTH
@EVERY
async def test_silence_before_the_answer_ends_with_the_limit(ask: Ask, fake: Fake, streaming: bool) -> None:
    async with serve(silent()) as upstream:
        with pytest.raises(ModelTimeout):
            await read(ask(fake, upstream, limits=QUICK), prompt(streaming=streaming))


@EVERY
async def test_an_answer_that_drips_on_for_ever_is_ended(ask: Ask, fake: Fake) -> None:
    pieces = fake.begun("a")[len(head(content_type=fake.content_type)) :]

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head(content_type=fake.content_type))
        while not request.gone.is_set():
            out.write(pieces)
            try:
                await asyncio.wait_for(request.gone.wait(), 0.05)
            except TimeoutError:
                continue
        out.close()

    async with serve(reply) as upstream:
        model = ask(fake, upstream, limits={"connect": 1.0, "idle": 1.0, "total": 0.5})
        _, error = await read_until_it_breaks(model, prompt())
    assert isinstance(error, ModelTimeout)


@EVERY
async def test_leaving_early_closes_the_connection(ask: Ask, fake: Fake) -> None:
    async with serve(silent(fake.begun("a"))) as upstream, asyncio.timeout(BOUND):
        async with aclosing(ask(fake, upstream).stream(prompt())) as fragments:
            assert await anext(fragments) == Taken()
            assert await anext(fragments) == TextFragment("a")
        await upstream.requests[0].gone.wait()


@BOTH
@EVERY
async def test_cancelling_a_turn_that_waits_closes_the_connection(ask: Ask, fake: Fake, streaming: bool) -> None:
    asked = asyncio.Event()

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        asked.set()
        await silent(fake.begun("a") if streaming else b"")(request, out)

    async with serve(reply) as upstream, asyncio.timeout(BOUND):
        limits = QUICK if fake.kind == "bedrock" else SLOW  # a thread waits for AWS, and cannot be told to stop
        turn = asyncio.create_task(read(ask(fake, upstream, limits=limits), prompt(streaming=streaming)))
        await asked.wait()
        turn.cancel()
        await asyncio.wait([turn])
        await upstream.requests[0].gone.wait()


@EVERY
async def test_another_name_is_asked_of_the_same_vendor(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("a"))) as upstream:
        model = ask(fake, upstream)
        other = model.named("someone/another-model")
        assert text(await read(other, prompt())) == "a"
    request = upstream.requests[0]
    assert "another-model" in request.path + str(request.body)
    assert (model.card.name, other.card.name) == (fake.model, "someone/another-model")


@EVERY
async def test_turns_side_by_side_do_not_mix(ask: Ask, fake: Fake) -> None:
    async def echo(request: Request, out: asyncio.StreamWriter) -> None:
        [word] = [word for word in ("one", "two", "three", "four") if f"say {word}" in str(request.body)]
        await fake.answer(Said(word))(request, out)

    async with serve(echo) as upstream:
        model = ask(fake, upstream)
        words = ["one", "two", "three", "four"]
        answers = await asyncio.gather(*(read(model, prompt(f"say {word}")) for word in words))
    assert [text(answer) for answer in answers] == words


async def test_an_entry_may_know_better_what_its_model_can_do(ask: Ask) -> None:
    fake = FAKES["groq"]
    async with serve(fake.answer(Said("{}"))) as upstream:
        model = ask(fake, upstream, "a-new-model", can={"tools": False, "schemas": True, "thinks": True})
        assert (model.card.tools, model.card.schemas, model.card.thinks) == (False, True, True)
        await read(model, Prompt(said("Who?"), schema=SCHEMA, generation=GenerationConfig(thinking_level="low")))
    sent = upstream.requests[0].body
    assert sent["response_format"]["type"] == "json_schema"
    assert sent["reasoning_format"] == "parsed"


def test_a_card_says_what_the_layer_knows() -> None:
    model = VENDORS["anthropic"]("claude-haiku-4-5", ModelEntry("anthropic", api_key="k"), Path())
    card = model.card
    assert (card.name, card.context_tokens) == ("claude-haiku-4-5", 200_000)
    assert (card.tools, card.schemas, card.thinks) == (True, True, True)


WRONG: dict[str, tuple[str, ModelEntry, str]] = {
    "no key": ("anthropic", ModelEntry("anthropic"), "needs an api_key"),
    "no such name": ("openrouter", ModelEntry("openrouter", api_key="k", model="gpt"), "'openai/gpt'"),
    "an unknown limit": ("gemini", ModelEntry("gemini", api_key="k", options={"ide": 3}), "'ide'"),
    "a schema that cannot be told": ("mistral", ModelEntry("mistral", api_key="k", can={"schemas": True}), "schemas"),
    "thinking that cannot be told": (
        "huggingface",
        ModelEntry("huggingface", api_key="k", can={"thinks": True}),
        "thinks: ",
    ),
    "no region": ("bedrock", ModelEntry("bedrock", api_key="k"), "needs a region"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_entry_that_cannot_be_is_refused_where_it_stands(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    kind, wrong, words = WRONG[case]
    with pytest.raises(ValueError, match=r"^models\.mine: ") as caught:
        VENDORS[kind]("mine", wrong, Path())
    assert words in str(caught.value)


async def test_no_credentials_at_all_is_about_ours(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    fake = FAKES["bedrock"]
    async with serve(fake.answer(Said("a"))) as upstream:
        with pytest.raises(ModelUnavailable, match="turnwise has no key for the model"):
            await read(ask(fake, upstream), prompt())
    assert not upstream.requests


def python(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=BOUND, check=True)
    return done.stdout


def test_nothing_is_imported_before_an_entry_chooses_a_vendor() -> None:
    script = "import sys, turnwise.models.vendors; print([m for m in sys.modules if m.startswith('pydantic_ai')])"
    assert python(script).strip() == "[]"


def test_missing_parts_are_named_with_what_installs_them() -> None:
    script = """
import sys
from pathlib import Path
from turnwise.models.engines import ModelEntry
from turnwise.models.vendors import VENDORS
sys.modules["pydantic_ai"] = None
try:
    VENDORS["anthropic"]("mine", ModelEntry("anthropic", api_key="k"), Path())
except ValueError as error:
    print(error)
"""
    assert "models.mine: engine 'anthropic' needs parts that are not installed: pip install 'turnwise[vendors]'" in (
        python(script)
    )
