"""Thoughts: sealed on their way to the client and back, and thought with help by models that do not think."""

from base64 import b64decode, b64encode, urlsafe_b64encode
from typing import Any

import pytest

from engine.behind import behind, spoken, tool_calls
from models.prompts import finish, read, text, thought, usage
from support import App, open_app, open_engine
from support import turn as ask
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.thoughts import ASK, BUDGETS, NOTES, Sealer, Secret, Thinking, told
from turnwise.models.model import (
    Finished,
    Fragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.store import Store

AT = "/v1beta/interactions"
OLD_SDK = {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11.7"}
NEW_SDK = {"x-goog-api-client": "google-genai-sdk/3.4.0 gl-python/3.11.7"}

PLAIN = ModelCard("plain")
THINKS = ModelCard("thinker", tools=True, schemas=True, thinks=True)

ASKED = UserInput((Text("What is 15% of 240?"),))
SEALER = Sealer(b"k" * 32)
SECRET = Secret("Ten percent is 24.", "what the vendor gave")
EARLIER = "AQABAgMEBQYHCAkKCz64mg50tfQWJvUnqg22KGrMwBBg6s7QDEWc0XtjLv85KK8="
"""A signature as it was made before it could hold more than a thought."""


def sealed(text: str = "Ten percent is 24.", owner: str = "ann") -> Thought:
    return Thought(SEALER.seal(Secret(text), owner), (Text("For people."),))


# --- Seals


def test_what_is_sealed_opens_for_its_owner_and_nobody_else():
    signature = SEALER.seal(SECRET, "ann")
    assert SEALER.open(signature, "ann") == SECRET
    assert SEALER.open(signature, "bob") is None
    assert Sealer(b"k" * 32).open(signature, "ann") == SECRET
    assert Sealer(b"l" * 32).open(signature, "ann") is None


def test_a_signature_is_standard_padded_base64_and_hides_what_it_holds():
    for length in range(40):
        raw = "\u00fe\u00ff" * length
        signature = SEALER.seal(Secret(raw), "ann")
        assert b64encode(b64decode(signature, validate=True)).decode() == signature
        assert len(signature) % 4 == 0
        assert raw.encode() not in b64decode(signature) or not raw
        assert SEALER.open(signature, "ann") == Secret(raw)


def test_the_same_thought_is_sealed_differently_each_time():
    assert SEALER.seal(SECRET, "ann") != SEALER.seal(SECRET, "ann")


def test_a_signature_opens_whole_and_unchanged_only():
    raw = b64decode(SEALER.seal(SECRET, "ann"))
    for place in range(len(raw)):
        for bit in (1, 2, 3):
            changed = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            assert SEALER.open(b64encode(changed).decode(), "ann") is None
    for length in range(len(raw)):
        assert SEALER.open(b64encode(raw[:length]).decode(), "ann") is None


def test_a_long_secret_is_packed_and_opens_for_its_owner_and_nobody_else():
    page = Secret(call_id="c1", told="A page about owls, who sleep by day. " * 500)
    signature = SEALER.seal(page, "ann")
    assert len(signature) < 2000
    assert SEALER.open(signature, "ann") == page
    assert SEALER.open(signature, "bob") is None
    form, *rest = b64decode(signature)
    assert SEALER.open(b64encode(bytes([form - 1, *rest])).decode(), "ann") is None


@pytest.mark.parametrize("signature", ["", "=", "abc", "a b=", "not base64!", "é" * 40, "A" * 4096])
def test_what_was_never_a_signature_does_not_open(signature: str):
    assert SEALER.open(signature, "ann") is None


def test_the_alphabet_of_urls_is_another():
    signatures = (SEALER.seal(SECRET, "ann") for _ in range(200))
    signature = next(each for each in signatures if "+" in each or "/" in each)
    assert SEALER.open(urlsafe_b64encode(b64decode(signature)).decode(), "ann") is None


def test_what_was_sealed_before_there_were_tokens_still_opens():
    assert SEALER.opened((Thought(EARLIER, (Text("For people."),)),), "ann") == (
        Thought(None, (Text("Ten percent is 24."),)),
    )


def test_in_a_prompt_a_thoughts_summary_is_the_reasoning_itself():
    assert SEALER.opened((ASKED, sealed()), "ann") == (ASKED, Thought(None, (Text("Ten percent is 24."),)))


def test_in_a_prompt_a_signature_is_what_the_vendor_gave():
    hidden = Thought(SEALER.seal(Secret(token="t1"), "ann"))
    call = FunctionCall("c1", "f", {"a": 1}, SEALER.seal(Secret(token="t2", call_id="c1"), "ann"))
    assert SEALER.opened((hidden, call), "ann") == (Thought("t1"), FunctionCall("c1", "f", {"a": 1}, "t2"))


def test_a_call_needs_no_signature():
    steps = (ASKED, FunctionCall("c1", "f"), FunctionResult("c1", 36))
    assert SEALER.opened(steps, "ann") == steps


OF_A_CALL = Secret(token="t", call_id="c1")


@pytest.mark.parametrize(
    "step",
    [
        FunctionCall("c1", "f", signature="made-up"),
        FunctionCall("c1", "f", signature=SEALER.seal(OF_A_CALL, "bob")),
        FunctionCall("c2", "f", signature=SEALER.seal(OF_A_CALL, "ann")),
        FunctionCall("c1", "f", signature=SEALER.seal(Secret("hm", "t"), "ann")),
        Thought(SEALER.seal(OF_A_CALL, "ann")),
    ],
    ids=["made-up", "another-owners", "another-calls", "a-thoughts", "a-calls"],
)
def test_a_signature_opens_in_its_own_place_only(step: Step):
    with pytest.raises(InvalidRequest, match="was not made by this server"):
        SEALER.opened((step,), "ann")


def test_a_thought_that_comes_again_is_the_same_thought():
    kept, other = sealed(), sealed()
    steps = (ASKED, kept, ModelOutput((Text("36."),)), kept, other, ASKED)
    assert [type(step) for step in SEALER.opened(steps, "ann")] == [UserInput, Thought, ModelOutput, Thought, UserInput]


@pytest.mark.parametrize(
    ("thought", "words"),
    [
        (Thought(None, (Text("hm"),)), "a thought needs the `signature`"),
        (Thought("made-up", ()), "the signature 'made-up...' of a thought was not made by this server"),
        (sealed(owner="bob"), "was not made by this server, or was changed"),
    ],
    ids=["missing", "made-up", "another-owners"],
)
def test_a_thought_that_does_not_open_is_refused(thought: Thought, words: str):
    with pytest.raises(InvalidRequest, match=f"input: .*{words}"):
        SEALER.opened((ASKED, thought), "ann")


# --- A model that does not think by itself


def prompt(level: Any = None, *, steps: tuple[Step, ...] = (ASKED,), **fields: Any) -> Prompt:
    return Prompt(steps, generation=GenerationConfig(thinking_level=level), **fields)


async def thinking(model: ScriptedModel, asked: Prompt) -> list[Fragment]:
    return await read(Thinking(model), asked)


def two_passes() -> ScriptedModel:
    first = say("Ten percent ", "is 24. ", usage=Usage({"text": 20}, {"text": 7}, {"text": 2}))
    return ScriptedModel(first, say("36.", usage=Usage({"text": 30}, {"text": 3})), card=PLAIN)


@pytest.mark.parametrize("level", [None, "minimal"])
async def test_at_the_least_level_it_answers_at_once(level: Any):
    model = ScriptedModel(say("36."), card=PLAIN)
    assert await thinking(model, prompt(level)) == say("36.")
    assert model.prompts == [prompt(level)]


async def test_a_prompt_without_thoughts_is_passed_on_as_it_is():
    model, asked = ScriptedModel(say("36."), card=PLAIN), prompt()
    await thinking(model, asked)
    assert model.prompts[0] is asked


@pytest.mark.parametrize("level", ["low", "medium", "high", "xhigh"])
async def test_at_a_higher_level_it_thinks_first_within_a_budget(level: Any):
    model = two_passes()
    fragments = await thinking(model, prompt(level))
    assert (thought(fragments), text(fragments), finish(fragments)) == ("Ten percent is 24. ", "36.", "stop")
    first, second = model.prompts
    assert first.generation.max_output_tokens == BUDGETS[level]
    assert second.generation.max_output_tokens is None
    assert [type(f) for f in fragments].count(Taken) == 1


def test_each_level_thinks_longer_than_the_one_below():
    budgets = list(BUDGETS.values())
    assert budgets == sorted(set(budgets))
    assert list(BUDGETS) == ["minimal", "low", "medium", "high", "xhigh"]


async def test_the_thought_comes_before_the_answer_as_it_is_thought():
    fragments = await thinking(two_passes(), prompt("low"))
    assert [type(f) for f in fragments] == [
        Taken,
        ThoughtFragment,
        ThoughtFragment,
        TextFragment,
        UsageFragment,
        Finished,
    ]


async def test_the_answer_is_given_with_the_thought_in_view():
    model = two_passes()
    await thinking(model, prompt("low", system_instruction="Be brief."))
    first, second = model.prompts
    assert (first.system_instruction, second.system_instruction) == (f"Be brief.\n\n{ASK}", "Be brief.")
    assert tuple(first.steps) == (ASKED,)
    assert tuple(second.steps) == (UserInput((Text(f"{NOTES}Ten percent is 24.\n\n"), *ASKED.content)),)


async def test_what_it_thinks_is_bound_to_nothing_and_calls_nothing():
    tool = FunctionTool("f")
    asked = prompt("low", tools=(tool,), schema={"type": "object"})
    model = ScriptedModel(say("Hm."), say("{}"), card=PLAIN)
    await thinking(model, asked)
    first, second = model.prompts
    assert (first.tools, first.schema) == ((), None)
    assert (second.tools, second.schema) == ((tool,), {"type": "object"})


async def test_a_stop_sequence_ends_the_answer_and_not_the_thought():
    asked = Prompt((ASKED,), generation=GenerationConfig(thinking_level="low", stop_sequences=("is",)))
    model = two_passes()
    await thinking(model, asked)
    assert [p.generation.stop_sequences for p in model.prompts] == [(), ("is",)]


async def test_what_it_thought_is_counted_as_thought():
    assert usage(await thinking(two_passes(), prompt("low"))) == Usage(
        input={"text": 50}, output={"text": 3}, cached={"text": 2}, thought=7
    )


async def test_a_thought_of_nothing_is_no_thought():
    model = ScriptedModel(say(" \n"), say("36."), card=PLAIN)
    fragments = await thinking(model, prompt("low"))
    assert thought(fragments).strip() == ""
    assert tuple(model.prompts[1].steps) == (ASKED,)


def test_earlier_thoughts_are_notes_in_the_message_before_them():
    steps = (ASKED, Thought("s", (Text("Ten percent is 24."),)), ModelOutput((Text("36."),)), ASKED)
    assert told(steps) == (
        UserInput((Text(f"{NOTES}Ten percent is 24.\n\n"), *ASKED.content)),
        ModelOutput((Text("36."),)),
        ASKED,
    )


def test_a_thought_behind_a_result_is_a_note_of_its_own():
    steps = (FunctionCall("c1", "f"), FunctionResult("c1", 36), Thought("s", (Text("So it is 36."),)))
    assert told(steps) == (*steps[:2], UserInput((Text(f"{NOTES}So it is 36."),)))


# --- What clients see


HIGH = {"thinking_level": "high", "thinking_summaries": "auto"}
SILENT = {"thinking_level": "high", "thinking_summaries": "none"}


def thinker(*thoughts: str, answer: str = "36.", cost: Usage | None = None) -> ScriptedModel:
    """A model that thinks by itself, and always this."""
    told = [UsageFragment(cost)] if cost else []
    script = [Taken(), *map(ThoughtFragment, thoughts), TextFragment(answer), *told, Finished("stop")]
    return ScriptedModel(answer=lambda _: script, card=THINKS)


async def refusal(app: App, **fields: Any) -> tuple[int, str, str]:
    reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi", **fields})
    return reply.status, reply.json["error"]["code"], reply.json["error"]["message"]


def produced(body: dict[str, Any]) -> list[Any]:
    return body["outputs"] if "outputs" in body else body["steps"]


@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
async def test_a_thought_stands_first_with_its_summary_and_its_signature(headers: dict[str, str]):
    async with open_app(model=thinker("Ten percent is 24.\n\nHalf of it ", "is 12.")) as app:
        thought, _ = produced(await app.create(generation_config=HIGH, headers=headers))
    assert thought["type"] == "thought"
    assert thought["summary"] == [
        {"type": "text", "text": "Ten percent is 24."},
        {"type": "text", "text": "Half of it is 12."},
    ]
    assert b64decode(thought["signature"], validate=True)
    assert "percent" not in thought["signature"]


@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
@pytest.mark.parametrize("stream", [False, True])
async def test_without_summaries_a_thought_has_its_signature_alone(headers: dict[str, str], stream: bool):
    async with open_app(model=thinker("Ten percent ", "is 24.")) as app:
        await app.create(generation_config=SILENT, headers=headers, stream=stream)
        kept = (await app.ask("GET", f"{AT}/int_1", headers=headers)).json
    thought = next(each for each in produced(kept) if each["type"] == "thought")
    assert set(thought) == {"type", "signature"}


async def test_a_model_that_does_not_think_is_made_to_when_a_level_asks_for_it():
    model = ScriptedModel(answer=lambda p: say("24 and 12.") if p.system_instruction else say("36."), card=PLAIN)
    async with open_app(model=model) as app:
        assert [step["type"] for step in (await app.create(headers=NEW_SDK))["steps"]] == ["model_output"]
        made = await app.create(generation_config=HIGH, headers=NEW_SDK)
        assert [step["type"] for step in made["steps"]] == ["thought", "model_output"]
        assert made["steps"][0]["summary"] == [{"type": "text", "text": "24 and 12."}]
        assert made["generation_config"] == HIGH


async def test_a_model_that_thinks_by_itself_is_told_the_level_and_asked_once():
    async with open_app(model=thinker("hm")) as app:
        await app.create(generation_config={"thinking_level": "xhigh"})
        (prompt,) = app.model.prompts
        assert prompt.generation.thinking_level == "xhigh"


async def test_thought_tokens_are_counted_under_both_of_their_names():
    async with open_app(model=thinker("hm", cost=Usage({"text": 5}, {"text": 2}, thought=9))) as app:
        usage = (await app.create(headers=NEW_SDK))["usage"]
        assert (usage["total_thought_tokens"], usage["total_reasoning_tokens"], usage["total_tokens"]) == (9, 9, 16)
        frames = await app.create(stream=True, headers=OLD_SDK)
        assert frames[-2].data["interaction"]["usage"] == usage


async def test_a_streamed_thought_is_summaries_and_then_its_signature():
    async with open_app(model=thinker("One.\n\nTwo", " and three.")) as app:
        steps = await app.create(generation_config=HIGH, stream=True, headers=NEW_SDK)
        outputs = await app.create(generation_config=HIGH, stream=True, headers=OLD_SDK)
    for frames, item, skeleton in ((steps, "step", "step"), (outputs, "content", "content")):
        start, one, two, signature, stop = frames[2:7]
        assert (start.name, start.data[skeleton]) == (f"{item}.start", {"type": "thought"})
        summaries = [
            {"type": "thought_summary", "content": {"type": "text", "text": t}} for t in ("One.", "Two and three.")
        ]
        assert [one.data["delta"], two.data["delta"]] == summaries
        assert set(signature.data["delta"]) == {"type", "signature"}
        assert signature.data["delta"]["type"] == "thought_signature"
        assert (stop.name, stop.data["index"]) == (f"{item}.stop", 0)


@pytest.mark.parametrize("config", [HIGH, SILENT], ids=["summaries", "no-summaries"])
@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
async def test_thoughts_are_kept_and_told_again_as_they_came(
    any_store: Store, headers: dict[str, str], config: dict[str, str]
):
    async with open_app(model=thinker("One.\n\nTwo", " and three."), store=any_store) as app:
        live = await app.create(generation_config=config, stream=True, headers=headers)
        again = await app.ask("GET", f"{AT}/int_1?stream=true", headers=headers)
        assert [frame.raw for frame in again.frames] == [frame.raw for frame in live]
        rest = await app.ask("GET", f"{AT}/int_1?stream=true&last_event_id={live[3].id}", headers=headers)
        assert [frame.raw for frame in rest.frames] == [frame.raw for frame in live[4:]]
        plain = await app.create(generation_config=config, headers=headers)
        thought = produced(plain)[0]
        told = (await app.ask("GET", f"{AT}/{plain['id']}?stream=true", headers=headers)).frames
        deltas = [frame.data["delta"] for frame in told if frame.name.endswith(".delta")]
        assert [delta["content"] for delta in deltas if "content" in delta] == thought.get("summary", [])
        assert [delta["signature"] for delta in deltas if "signature" in delta] == [thought["signature"]]


# --- Thoughts that come back


def history(thought: Any, said: Any) -> list[Any]:
    return [
        {"role": "user", "content": "What is 15% of 240?"},
        {"role": "model", "content": [thought, said]},
        {"role": "user", "content": "And of 480?"},
    ]


async def test_a_thought_that_is_sent_back_shows_the_model_its_own_reasoning_again():
    async with open_app(model=thinker("Ten percent ", "is 24.")) as app:
        made = await app.create("What is 15% of 240?", store=False, generation_config=SILENT, headers=OLD_SDK)
        await app.create(input=history(*made["outputs"]), store=False, headers=OLD_SDK)
        thought = app.model.prompts[1].steps[1]
        assert isinstance(thought, Thought)
        assert thought.summary == (Text("Ten percent is 24."),)


async def test_steps_that_are_sent_back_as_they_came_show_it_again():
    asked = {"type": "user_input", "content": [{"type": "text", "text": "And?"}]}
    async with open_app(model=thinker("Ten percent is 24.")) as app:
        made = await app.create(store=False, headers=NEW_SDK)
        await app.create(input=[asked, *made["steps"], asked], store=False, headers=NEW_SDK)
        assert [step.type for step in app.model.prompts[1].steps] == [
            "user_input",
            "thought",
            "model_output",
            "user_input",
        ]


async def test_a_chain_shows_it_again():
    async with open_app(model=thinker("Ten percent is 24.")) as app:
        made = await app.create(generation_config=SILENT)
        await app.create(previous_interaction_id=made["id"])
        thought = app.model.prompts[1].steps[1]
        assert isinstance(thought, Thought)
        assert thought.summary == (Text("Ten percent is 24."),)


async def test_a_thought_that_comes_again_beside_its_chain_is_shown_once():
    async with open_app(model=thinker("Ten percent is 24.")) as app:
        made = await app.create(headers=NEW_SDK)
        again = {"type": "thought", "signature": made["steps"][0]["signature"]}
        body = await app.create(
            input=[again, {"type": "text", "text": "And?"}], previous_interaction_id=made["id"], headers=NEW_SDK
        )
        assert body["status"] == "completed"
        assert [step.type for step in app.model.prompts[1].steps] == [
            "user_input",
            "thought",
            "model_output",
            "user_input",
        ]


async def test_a_model_that_does_not_think_reads_earlier_thoughts_as_notes():
    model = ScriptedModel(answer=lambda _: say("24 and 12."), card=PLAIN)
    async with open_app(model=model) as app:
        made = await app.create("What is 15% of 240?", store=False, generation_config=SILENT, headers=OLD_SDK)
        await app.create(input=history(*made["outputs"]), store=False, headers=OLD_SDK)
        first = app.model.prompts[-1].steps[0]
        assert first == UserInput((Text(f"{NOTES}24 and 12.\n\n"), *ASKED.content))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {}, "a thought needs the `signature`"),
        (lambda s: {"signature": ("B" if s[30] == "A" else "A").join((s[:30], s[31:]))}, "was changed"),
        (lambda s: {"signature": "c2VjcmV0"}, "the signature 'c2VjcmV0...' of a thought"),
        (lambda s: {"signature": ""}, "the signature"),
        (lambda s: {"signature": Sealer(b"x" * 32).seal(Secret("hm"), "")}, "was not made by this server"),
    ],
    ids=["missing", "tampered", "made-up", "empty", "another-servers"],
)
async def test_a_thought_that_is_not_as_it_came_is_refused_before_the_model_is_asked(
    change: Any, words: str, stream: bool
):
    async with open_app(model=thinker("hm")) as app:
        thought, said = (await app.create(headers=OLD_SDK))["outputs"]
        changed = {"type": "thought", **change(thought["signature"])}
        status, code, message = await refusal(app, input=history(changed, said), stream=stream)
        assert (status, code, len(app.model.prompts)) == (400, "invalid_request", 1)
        assert message.startswith("input: ")
        assert words in message


async def test_another_owners_thought_is_refused():
    async with open_engine(model=thinker("hm")) as engine:
        made = await engine.interactions.create(ask(), "ann", "steps")
        again = ask()
        again = type(again)((*again.input, *made.steps, *again.input), model="m")
        assert (await engine.interactions.create(again, "ann", "steps")).steps
        with pytest.raises(InvalidRequest, match="was not made by this server"):
            await engine.interactions.create(again, "bob", "steps")


# --- Through an upstream


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_upstreams_own_reasoning_is_a_thought_and_goes_back_to_it(stream: bool):
    reply = spoken("36.", reasoning=("Ten percent ", "is 24."))
    async with behind(THINKS, reply) as (app, upstream):
        made = await app.create("15% of 240?", generation_config=HIGH, stream=stream, headers=NEW_SDK)
        kept = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
        question, thought, said = kept["steps"]
        assert thought["summary"] == [{"type": "text", "text": "Ten percent is 24."}]
        assert said["content"] == [{"type": "text", "text": "36."}]
        assert kept["usage"]["total_thought_tokens"] == 3
        assert made[-2].data["interaction"]["usage"] == kept["usage"] if stream else made["steps"] == [thought, said]
        await app.create(input=[question, thought, said, question], store=False, stream=stream)
    first, second = (request.body for request in upstream.requests)
    assert first["reasoning_effort"] == "high"
    assert second["messages"] == [
        {"role": "user", "content": "15% of 240?"},
        {"role": "assistant", "content": "36.", "reasoning_content": "Ten percent is 24."},
        {"role": "user", "content": "15% of 240?"},
    ]


async def test_reasoning_before_a_call_goes_back_with_the_call():
    tool = {"type": "function", "name": "get_weather"}
    replies = tool_calls(("a", "get_weather", {}), reasoning="I must look."), spoken("Sunny.")
    async with behind(THINKS, *replies) as (app, upstream):
        made = await app.create("Weather?", tools=[tool], headers=NEW_SDK)
        assert [step["type"] for step in made["steps"]] == ["thought", "function_call"]
        result = {"type": "function_result", "call_id": "a", "result": "sunny"}
        again = {"type": "thought", "signature": made["steps"][0]["signature"]}
        await app.create(input=[again, result], previous_interaction_id=made["id"], headers=NEW_SDK)
    _, called, _ = upstream.requests[1].body["messages"]
    assert (called["reasoning_content"], len(called["tool_calls"])) == ("I must look.", 1)


async def test_an_upstream_that_does_not_think_is_asked_twice():
    card = ModelCard("plain", tools=True, schemas=True)
    async with behind(card, spoken("24 and 12."), spoken("36.")) as (app, upstream):
        made = await app.create("15% of 240?", generation_config=HIGH, headers=NEW_SDK)
        assert [step["type"] for step in made["steps"]] == ["thought", "model_output"]
    first, second = (request.body for request in upstream.requests)
    assert first["max_tokens"] == BUDGETS["high"]
    assert not {"reasoning_effort", "tools"} & (set(first) | set(second))
    assert second["messages"] == [{"role": "user", "content": f"{NOTES}24 and 12.\n\n\n15% of 240?"}]
