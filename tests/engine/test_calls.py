"""Function calls: who may make which, what is checked, and what clients and upstreams see of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from engine.behind import behind, spoken, tool_calls
from models.prompts import finish, read, read_until_it_breaks, text, usage
from models.upstream import Reply, Request, refused
from support import App, open_app
from turnwise.domain.content import Text
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, ModelFailed
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, Step, UserInput
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.engine.calls import ATTEMPTS, DEMAND, CheckedCalls, check_calls
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
    prompt_text,
)
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.store import Store

AT = "/v1beta/interactions"
OLD_SDK = {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11.7"}
NEW_SDK = {"x-goog-api-client": "google-genai-sdk/3.4.0 gl-python/3.11.7"}

CARD = ModelCard("caller", tools=True, schemas=True, thinks=True)

LOCATION = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
WEATHER = {"type": "function", "name": "get_weather", "description": "Gets the weather.", "parameters": LOCATION}
CLOCK = {"type": "function", "name": "get_time", "parameters": LOCATION}
TOOL = FunctionTool("get_weather", "Gets the weather.", LOCATION)

ASKED = UserInput((Text("What is the weather in Paris?"),))
CALL = FunctionCall("c1", "get_weather", {"location": "Paris"})
RESULT = FunctionResult("c1", "sunny", "get_weather")


def call(arguments: Any, index: int = 0, *, id: str | None = "c1", name: str = "get_weather") -> CallFragment:
    """A call as a model makes it. Arguments that are a text are no JSON, or meant to be."""
    return CallFragment(index, id, name, arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode())


def script(*fragments: Fragment, end: FinishReason = "calls", cost: Usage | None = None) -> list[Fragment]:
    told = [UsageFragment(cost)] if cost is not None else []
    return [Taken(), *fragments, *told, Finished(end)]


PARIS = {"location": "Paris"}
GOOD = script(call(PARIS))
BAD = script(call({"location": 75}))


def calls(fragments: Sequence[Fragment]) -> list[tuple[str | None, Any]]:
    """What was called, with which arguments."""
    made = [fragment for fragment in fragments if isinstance(fragment, CallFragment)]
    return [(fragment.name, orjson.loads(fragment.arguments)) for fragment in made]


def asking(mode: Any = "auto", *tools: FunctionTool, steps: Sequence[Step] = (ASKED,)) -> Prompt:
    return Prompt(steps, tools=tools or (TOOL,), tool_choice=ToolChoice(mode))


async def checked(*scripts: Any, asked: Prompt | None = None) -> tuple[list[Fragment], ScriptedModel]:
    model = ScriptedModel(*scripts, card=CARD)
    return await read(CheckedCalls(model), asked or asking()), model


def caller(*scripts: Any) -> ScriptedModel:
    return ScriptedModel(*scripts, answer=lambda _: say("It is sunny in Paris."), card=CARD)


async def refusal(app: App, **fields: Any) -> tuple[int, str, str]:
    """The status, the code and the message of a request that is refused."""
    reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi", **fields})
    return reply.status, reply.json["error"]["code"], reply.json["error"]["message"]


# --- What may stand in a conversation


def test_calls_with_their_results_pass_and_a_result_learns_its_function():
    steps = (ASKED, CALL, FunctionResult("c1", "sunny"))
    assert check_calls(steps) == (ASKED, CALL, RESULT)


def test_a_call_that_comes_again_with_its_result_is_the_same_call():
    assert check_calls((ASKED, CALL, CALL, RESULT)) == (ASKED, CALL, RESULT)


def test_two_calls_of_one_id_that_differ_are_refused():
    with pytest.raises(InvalidRequest, match="two different function calls have the id 'c1'"):
        check_calls((ASKED, CALL, FunctionCall("c1", "get_weather", {"location": "Rome"}), RESULT))


def test_results_may_come_in_another_order_than_their_calls():
    other = FunctionCall("c2", "get_time", PARIS)
    steps = (ASKED, CALL, other, FunctionResult("c2", "noon", "get_time"), RESULT)
    assert check_calls(steps) == steps


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ((ASKED, RESULT), InvalidRequest, "input.call_id: there was no function call 'c1'"),
        ((ASKED, RESULT, CALL), InvalidRequest, "there was no function call 'c1'"),
        ((ASKED, CALL, RESULT, RESULT), InvalidRequest, "'c1' has two results"),
        (
            (ASKED, CALL, FunctionResult("c1", "x", "get_time")),
            InvalidRequest,
            "was of 'get_weather', not of 'get_time'",
        ),
        ((ASKED, CALL), FailedPrecondition, r"no result yet: 'c1' \(get_weather\)"),
        ((ASKED, CALL, UserInput((Text("Well?"),))), FailedPrecondition, "no result yet"),
    ],
    ids=["never-made", "made-later", "doubled", "another-name", "unanswered", "talked-over"],
)
def test_a_conversation_whose_calls_and_results_do_not_fit_is_refused(
    steps: tuple[Step, ...], error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        check_calls(steps)


# --- What a model may call


async def test_arguments_that_could_not_be_written_down_are_no_good():
    deep = call('{"a": ' + "[" * 300 + "]" * 300 + "}", name="f")
    model = ScriptedModel(*[script(deep)] * ATTEMPTS, card=CARD)
    with pytest.raises(ModelFailed, match="the arguments of f are nested deeper than"):
        await read(CheckedCalls(model), asking("auto", FunctionTool("f")))


async def test_a_valid_call_is_passed_on_and_ends_the_turn():
    fragments, model = await checked(GOOD)
    assert calls(fragments) == [("get_weather", PARIS)]
    assert finish(fragments) == "calls"
    assert len(model.prompts) == 1


async def test_a_call_in_pieces_is_passed_on_whole():
    pieces = [
        CallFragment(0, "c1", "get_weather"),
        CallFragment(0, None, None, '{"loc'),
        CallFragment(0, None, None, 'ation": "Paris"}'),
    ]
    fragments, _ = await checked(script(*pieces))
    assert [f for f in fragments if isinstance(f, CallFragment)] == [
        CallFragment(0, "c1", "get_weather", '{"location": "Paris"}')
    ]


async def test_a_calls_signature_is_passed_on_whenever_it_comes():
    pieces = (
        call("", name="get_weather"),
        CallFragment(0, arguments='{"location": "Paris"}'),
        CallFragment(0, signature="s"),
    )
    fragments, _ = await checked(script(*pieces))
    assert [f.signature for f in fragments if isinstance(f, CallFragment)] == ["s"]


async def test_calls_side_by_side_keep_their_order_even_if_their_pieces_come_mixed():
    mixed = [
        CallFragment(0, "c1", "get_weather", '{"location":'),
        CallFragment(1, "c2", "get_weather", '{"location":'),
        CallFragment(0, None, None, '"Paris"}'),
        CallFragment(1, None, None, '"Rome"}'),
    ]
    fragments, _ = await checked(script(*mixed))
    assert calls(fragments) == [("get_weather", PARIS), ("get_weather", {"location": "Rome"})]


async def test_words_come_as_they_are_said_and_calls_behind_them():
    fragments, _ = await checked(
        script(TextFragment("Let me "), ThoughtFragment("hm"), TextFragment("look."), call(PARIS))
    )
    assert [type(f).__name__ for f in fragments[:5]] == [
        "Taken",
        "TextFragment",
        "ThoughtFragment",
        "TextFragment",
        "CallFragment",
    ]


async def test_a_model_need_not_call():
    fragments, _ = await checked(say("No idea."))
    assert (text(fragments), calls(fragments), finish(fragments)) == ("No idea.", [], "stop")


@pytest.mark.parametrize("end", ["stop", "calls"])
async def test_whether_a_turn_ends_for_calls_is_read_off_the_calls(end: FinishReason):
    assert finish((await checked(script(call(PARIS), end=end)))[0]) == "calls"
    assert finish((await checked(script(TextFragment("No."), end=end)))[0]) == "stop"


WRONG = {
    "schema": (
        call({"location": 75}),
        "the arguments of get_weather are not valid: 75 is not of type 'string' at ['location']",
    ),
    "missing": (call({}), "'location' is a required property"),
    "not-json": (call('{"location": "Pa'), "the arguments of get_weather are not JSON"),
    "not-an-object": (call(["Paris"]), "the arguments of get_weather are not an object"),
    "unknown": (call(PARIS, name="get_whether"), "there is no function 'get_whether'; there are: get_weather"),
    "nameless": (call(PARIS, name=""), "there is no function ''"),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
async def test_a_call_that_is_wrong_is_not_shown_and_the_model_is_told_why_and_asked_again(
    wrong: Fragment, reason: str
):
    fragments, model = await checked(
        script(wrong, cost=Usage({"text": 3}, {"text": 1})), script(call(PARIS), cost=Usage({"text": 5}))
    )
    assert calls(fragments) == [("get_weather", PARIS)]
    assert reason in prompt_text(model.prompts[1])
    assert model.prompts[1].steps[: len(model.prompts[0].steps)] == tuple(model.prompts[0].steps)
    assert [type(f) for f in fragments].count(Taken) == 1
    assert usage(fragments) == Usage({"text": 8}, {"text": 1})


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
async def test_a_model_that_stays_wrong_fails_with_the_reason(wrong: Fragment, reason: str):
    model = ScriptedModel(*[script(wrong)] * ATTEMPTS, card=CARD)
    fragments, error = await read_until_it_breaks(CheckedCalls(model), asking())
    assert isinstance(error, ModelFailed)
    assert reason in error.message
    assert calls(fragments) == []


async def test_one_wrong_call_among_good_ones_is_asked_again_for_all():
    both = script(call(PARIS), call({"location": 1}, 1, id="c2"))
    fragments, _ = await checked(both, GOOD)
    assert calls(fragments) == [("get_weather", PARIS)]


async def test_what_a_model_says_beside_a_second_try_is_not_shown():
    fragments, model = await checked(
        script(TextFragment("Let me look."), call({})), script(TextFragment("Sorry!"), call(PARIS))
    )
    assert text(fragments) == "Let me look."
    assert "Let me look." in prompt_text(model.prompts[1])


async def test_a_model_that_answers_in_words_when_it_is_asked_again_is_heard():
    fragments, _ = await checked(script(TextFragment("Let me look."), call({})), say("I ", "cannot."))
    assert (text(fragments), calls(fragments), finish(fragments)) == ("Let me look.\n\nI cannot.", [], "stop")


async def test_a_call_that_is_demanded_and_not_made_is_demanded_again():
    fragments, model = await checked(say("Well..."), GOOD, asked=asking("any"))
    assert (text(fragments), calls(fragments)) == ("", [("get_weather", PARIS)])
    assert DEMAND in prompt_text(model.prompts[1])


async def test_words_before_a_call_that_is_demanded_are_shown_with_it():
    fragments, _ = await checked(
        script(TextFragment("Let me "), TextFragment("look."), call(PARIS)), asked=asking("any")
    )
    assert (text(fragments), calls(fragments)) == ("Let me look.", [("get_weather", PARIS)])


async def test_a_model_that_never_makes_the_call_that_is_demanded_fails():
    model = ScriptedModel(*[say("Well...")] * ATTEMPTS, card=CARD)
    fragments, error = await read_until_it_breaks(CheckedCalls(model), asking("any"))
    assert isinstance(error, ModelFailed)
    assert (text(fragments), len(model.prompts)) == ("", ATTEMPTS)


@pytest.mark.parametrize("mode", ["auto", "any"])
async def test_a_call_that_the_token_limit_cut_is_no_call(mode: str):
    cut = script(TextFragment("Let me look."), call({"location": "Paris"}), call('{"loc', 1, id="c2"), end="length")
    fragments, model = await checked(cut, asked=asking(mode))
    assert (text(fragments), calls(fragments), finish(fragments)) == ("Let me look.", [], "length")
    assert len(model.prompts) == 1


async def test_a_stream_that_breaks_off_within_a_call_gives_no_call():
    fragments, _ = await checked([Taken(), call('{"loc')])
    assert not any(isinstance(fragment, CallFragment | Finished) for fragment in fragments)


async def test_an_id_that_was_used_before_is_not_used_again():
    before = (ASKED, CALL, RESULT, ASKED)
    again = script(call(PARIS), call(PARIS, 1, id="c2"), call(PARIS, 2, id="c2"))
    fragments, _ = await checked(again, asked=asking(steps=before))
    assert [f.id for f in fragments if isinstance(f, CallFragment)] == [None, "c2", None]


async def test_leaving_early_leaves_the_model():
    model = ScriptedModel([Taken(), TextFragment("a"), asyncio.Event()], card=CARD)
    fragments = CheckedCalls(model).stream(asking())
    assert await anext(fragments) == Taken()
    await fragments.aclose()
    assert model.left_early == 1


# --- What clients see


async def test_a_call_is_an_output_in_one_dialect_and_a_step_in_the_other():
    shown = {"type": "function_call", "id": "c1", "name": "get_weather", "arguments": PARIS}
    async with open_app(model=caller(GOOD, GOOD)) as app:
        founding = await app.create(tools=[WEATHER], headers=OLD_SDK)
        assert (founding["status"], founding["outputs"]) == ("requires_action", [shown])
        current = await app.create(tools=[WEATHER], headers=NEW_SDK)
        assert (current["status"], current["steps"]) == ("requires_action", [shown])
        assert current["tools"] == [WEATHER]


async def test_a_streamed_call_is_one_whole_delta_in_the_founding_dialect():
    async with open_app(model=caller(GOOD)) as app:
        frames = await app.create(tools=[WEATHER], stream=True, headers=OLD_SDK)
    start, delta_, stop = frames[2:5]
    shown = {"type": "function_call", "id": "c1", "name": "get_weather"}
    assert (start.name, start.data["content"]) == ("content.start", {**shown, "arguments": {}})
    assert (delta_.name, delta_.data["delta"]) == ("content.delta", {**shown, "arguments": PARIS})
    assert [frame.name for frame in (stop, *frames[5:])] == ["content.stop", "interaction.complete", "done"]
    assert frames[-2].data["interaction"]["status"] == "requires_action"


async def test_a_streamed_call_is_a_start_and_pieces_of_its_arguments_in_the_current_dialect():
    async with open_app(model=caller(GOOD)) as app:
        frames = await app.create(tools=[WEATHER], stream=True, headers=NEW_SDK)
    start, *pieces, stop = frames[2:-2]
    shown = {"type": "function_call", "id": "c1", "name": "get_weather", "arguments": {}}
    assert (start.name, start.data["step"]) == ("step.start", shown)
    assert {(piece.name, piece.data["delta"]["type"]) for piece in pieces} == {("step.delta", "arguments_delta")}
    assert orjson.loads("".join(piece.data["delta"]["arguments"] for piece in pieces)) == PARIS
    assert (stop.name, stop.data["index"]) == ("step.stop", 0)
    assert (frames[-2].name, frames[-2].data["interaction"]["status"]) == ("interaction.completed", "requires_action")


async def test_a_call_without_arguments_has_an_empty_object_of_them():
    bare = {"type": "function", "name": "get_news"}
    async with open_app(model=caller(*[script(call("", name="get_news"))] * 2)) as app:
        made = await app.create(tools=[bare], headers=OLD_SDK)
        assert made["outputs"][0]["arguments"] == {}
        frames = await app.create(tools=[bare], stream=True, headers=NEW_SDK)
    pieces = [frame.data["delta"]["arguments"] for frame in frames if frame.name == "step.delta"]
    assert "".join(pieces) == "{}"


async def test_a_call_that_its_model_gave_no_id_gets_one():
    async with open_app(model=caller(script(call(PARIS, id=None), call(PARIS, 1, id="")))) as app:
        made = await app.create(tools=[WEATHER], headers=NEW_SDK)
        ids = [step["id"] for step in made["steps"]]
        assert all(id.startswith("call_") for id in ids)
        assert len(set(ids)) == 2


async def test_calls_side_by_side_are_answered_side_by_side():
    both = script(TextFragment("Both."), call(PARIS), call({"location": "Rome"}, 1, id="c2"))
    async with open_app(model=caller(both)) as app:
        made = await app.create(tools=[WEATHER], headers=OLD_SDK)
        assert [output["type"] for output in made["outputs"]] == ["text", "function_call", "function_call"]
        results = [{"type": "function_result", "call_id": id, "result": id} for id in ("c2", "c1")]
        answered = await app.create(input=results, previous_interaction_id=made["id"], headers=OLD_SDK)
        assert answered["status"] == "completed"
    told = app.model.prompts[1].steps
    assert [step.type for step in told[-4:]] == ["function_call", "function_call", "function_result", "function_result"]
    assert [step.result for step in told if isinstance(step, FunctionResult)] == ["c2", "c1"]


RESULTS: dict[str, Any] = {
    "text": "sunny",
    "object": {"sky": "sunny", "degrees": [21, 22.5], "rain": None},
    "list": [1, 2, 3],
    "number": 21,
    "content": [{"type": "text", "text": "sunny"}],
    "wrapped-content": {"content": [{"type": "text", "text": "sunny"}]},
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
async def test_a_result_of_any_form_continues_the_stored_turn(result: Any, headers: dict[str, str]):
    async with open_app(model=caller(GOOD)) as app:
        made = await app.create("Weather?", tools=[WEATHER], headers=headers)
        given = {"type": "function_result", "call_id": "c1", "name": "get_weather", "result": result, "is_error": True}
        body = await app.create(input=[given], previous_interaction_id=made["id"], headers=headers)
        assert body["status"] == "completed"
        assert tuple(app.model.prompts[1].steps) == (
            UserInput((Text("Weather?"),)),
            CALL,
            FunctionResult("c1", result, "get_weather", is_error=True),
        )
        read_back = await app.ask("GET", f"{AT}/{body['id']}?include_input=true", headers=headers)
        told = read_back.json["input"][0]
        assert (told["content"][0] if headers is OLD_SDK else told) == given


USER = {"role": "user", "content": "Weather?"}
SAID = {"type": "function_call", "id": "c1", "name": "get_weather", "arguments": PARIS}
GIVEN = {"type": "function_result", "call_id": "c1", "result": "sunny"}

HISTORIES = {
    "turns": [USER, {"role": "model", "content": [SAID]}, {"role": "user", "content": [GIVEN]}],
    "steps": [{"type": "user_input", "content": [{"type": "text", "text": "Weather?"}]}, SAID, GIVEN],
    "result-in-user-input": [USER, SAID, {"type": "user_input", "content": [GIVEN]}],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
async def test_a_history_of_the_clients_own_carries_calls_and_results(history: list[Any]):
    async with open_app(model=caller()) as app:
        made = await app.create(input=history, store=False)
        assert made["status"] == "completed"
        assert tuple(app.model.prompts[0].steps) == (UserInput((Text("Weather?"),)), CALL, RESULT)


async def test_the_call_may_come_again_with_its_result():
    async with open_app(model=caller(GOOD)) as app:
        made = await app.create(tools=[WEATHER])
        await app.create(input=[SAID, GIVEN], previous_interaction_id=made["id"])
        assert tuple(app.model.prompts[1].steps[-2:]) == (CALL, RESULT)


async def test_the_call_may_come_with_its_result_where_the_chain_does_not_have_it():
    async with open_app(model=caller(say("Hello"))) as app:
        made = await app.create("Hello")
        await app.create(input=[USER, SAID, GIVEN], previous_interaction_id=made["id"])
        assert tuple(app.model.prompts[1].steps[-2:]) == (CALL, RESULT)


async def test_rounds_of_calls_follow_one_another(any_store: Store):
    rounds = [script(call({"location": city})) for city in ("Paris", "Rome", "Oslo")]
    async with open_app(model=caller(*rounds, say("All are sunny.")), store=any_store) as app:
        made = await app.create(tools=[WEATHER], headers=NEW_SDK)
        ids = []
        for _ in range(3):
            assert made["status"] == "requires_action"
            ids.append(made["steps"][0]["id"])
            result = {"type": "function_result", "call_id": ids[-1], "result": "sunny"}
            made = await app.create(
                input=[result], previous_interaction_id=made["id"], tools=[WEATHER], headers=NEW_SDK
            )
        assert (made["status"], made["steps"][0]["content"][0]["text"]) == ("completed", "All are sunny.")
        assert len(set(ids)) == 3
        assert [step.type for step in app.model.prompts[-1].steps] == [
            "user_input",
            *["function_call", "function_result"] * 3,
        ]


async def test_tools_hold_for_the_turn_that_names_them():
    async with open_app(model=caller(GOOD)) as app:
        made = await app.create(tools=[WEATHER])
        await app.create(input=[GIVEN], previous_interaction_id=made["id"])
        assert [len(prompt.tools) for prompt in app.model.prompts] == [1, 0]


@pytest.mark.parametrize(
    ("choice", "shown", "mode"),
    [
        (None, ["get_weather", "get_time"], "auto"),
        ("auto", ["get_weather", "get_time"], "auto"),
        ("validated", ["get_weather", "get_time"], "validated"),
        ("any", ["get_weather", "get_time"], "any"),
        ("none", [], "none"),
        ({"allowed_tools": {"mode": "any", "tools": ["get_time"]}}, ["get_time"], "any"),
        ({"allowed_tools": {"tools": ["get_time"]}}, ["get_time"], "auto"),
        ({"allowed_tools": {"mode": "none", "tools": ["get_time"]}}, [], "none"),
    ],
    ids=["unset", "auto", "validated", "any", "none", "allowed-any", "allowed", "allowed-none"],
)
async def test_a_model_is_shown_the_tools_that_it_may_choose(choice: Any, shown: list[str], mode: str):
    answer = script(call(PARIS, name=shown[-1])) if shown else say("No.")
    async with open_app(model=caller(answer)) as app:
        await app.create(tools=[WEATHER, CLOCK], generation_config={"tool_choice": choice} if choice else None)
        (prompt,) = app.model.prompts
        assert [tool.name for tool in prompt.tools] == shown
        assert prompt.tool_choice.mode == mode


async def test_a_call_of_a_tool_that_is_not_allowed_is_not_made():
    async with open_app(model=caller(*[GOOD] * ATTEMPTS)) as app:
        made = await app.create(
            tools=[WEATHER, CLOCK],
            generation_config={"tool_choice": {"allowed_tools": {"tools": ["get_time"]}}},
            headers=NEW_SDK,
        )
    assert made["status"] == "failed"
    assert "there is no function 'get_weather'; there are: get_time" in made["errors"][0]["message"]


@pytest.mark.parametrize("choice", [None, "none"])
async def test_a_call_by_a_model_that_was_offered_no_function_is_not_made(choice: str | None):
    offered = {"tools": [WEATHER], "generation_config": {"tool_choice": "none"}} if choice else {}
    async with open_app(model=caller(script(call('{"loc')))) as app:
        status, _, message = await refusal(app, **offered)
    assert (status, message) == (500, "the model 'caller' called 'get_weather', but was offered none")


async def test_a_turn_that_fails_for_its_calls_ends_as_failed_with_the_reason():
    async with open_app(model=caller(*[BAD] * ATTEMPTS)) as app:
        made = await app.create(tools=[WEATHER], headers=NEW_SDK)
        assert (made["status"], len(app.model.prompts)) == ("failed", ATTEMPTS)
        assert "75 is not of type 'string'" in made["errors"][0]["message"]
        kept = (await app.ask("GET", f"{AT}/{made['id']}", headers=NEW_SDK)).json
        assert (kept["status"], kept["errors"]) == ("failed", made["errors"])


async def test_a_streamed_turn_that_fails_for_its_calls_ends_as_failed_with_the_reason():
    async with open_app(model=caller(*[BAD] * ATTEMPTS)) as app:
        frames = await app.create(tools=[WEATHER], stream=True, headers=NEW_SDK)
        error, end, _ = frames[-3:]
        assert (error.name, end.data["interaction"]["status"]) == ("error", "failed")
        assert "75 is not of type 'string'" in error.data["error"]["message"]
        kept = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
        assert kept["errors"] == [error.data["error"]]
        assert [step["type"] for step in kept["steps"]] == ["user_input"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("input", "code", "words"),
    [
        ([GIVEN], "invalid_request", "there was no function call 'c1'"),
        ([USER, SAID, GIVEN, GIVEN], "invalid_request", "two results"),
        ([USER, SAID, {**GIVEN, "name": "get_time"}], "invalid_request", "not of 'get_time'"),
        ([USER, SAID], "failed_precondition", "no result yet"),
    ],
    ids=["never-made", "doubled", "another-name", "unanswered"],
)
async def test_results_that_do_not_fit_are_refused_before_the_model_is_asked(
    input: list[Any], code: str, words: str, stream: bool
):
    async with open_app(model=caller()) as app:
        status, said, message = await refusal(app, input=input, stream=stream)
        assert (status, said, app.model.prompts) == (400, code, [])
        assert words in message


async def test_a_call_that_nobody_answered_cannot_be_talked_over():
    async with open_app(model=caller(GOOD)) as app:
        made = await app.create(tools=[WEATHER])
        status, code, message = await refusal(app, input="Well?", previous_interaction_id=made["id"])
        assert (status, code) == (400, "failed_precondition")
        assert "'c1' (get_weather)" in message


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([WEATHER, WEATHER], "tools[1].name: there are two functions called 'get_weather'"),
        ([{"type": "function", "name": "get weather"}], "tools[0].name: 'get weather' cannot be a function's name"),
        ([{"type": "function", "name": ""}], "tools[0].name"),
        ([{"type": "function"}], "tools[0].name"),
        ([{**WEATHER, "parameters": {"type": "objekt"}}], "tools[0].parameters.type: this is not a JSON Schema"),
        ([{**WEATHER, "parameters": {"$ref": "#/$defs/none"}}], "'#/$defs/none' points to nothing"),
        ([{**WEATHER, "parameters": {"properties": {"a": {"minimum": "1"}}}}], "tools[0].parameters.properties.a"),
        ([{**WEATHER, "params": {}}], "tools[0].params"),
        ([{"type": "functions", "name": "f"}], "tools[0].type: unknown tool 'functions'"),
    ],
    ids=["doubled", "illegal", "empty", "nameless", "no-schema", "dangling", "deep", "unknown-field", "unknown-type"],
)
async def test_tools_that_cannot_be_are_refused_by_name_before_the_model_is_asked(tools: list[Any], words: str):
    async with open_app(model=caller()) as app:
        status, _, message = await refusal(app, tools=tools)
        assert (status, app.model.prompts) == (400, [])
        assert words in message


async def test_schemas_are_accepted_as_clients_generate_them():
    bounds = {"type": "integer", "minimum": -(2**53 - 1), "maximum": 2**53 - 1}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"days": {"anyOf": [bounds, {"type": "null"}], "title": "Days", "default": None}},
        "additionalProperties": False,
    }
    made_calls = script(call({"days": 2**53 - 1}), call({"days": None}, 1, id="c2"))
    async with open_app(model=caller(made_calls, say('{"days":3}'))) as app:
        made = await app.create(tools=[{**WEATHER, "parameters": schema}], headers=NEW_SDK)
        assert [step["arguments"] for step in made["steps"]] == [{"days": 2**53 - 1}, {"days": None}]
        assert made["tools"][0]["parameters"] == schema
        said = await app.create(response_format=schema, headers=NEW_SDK)
        assert said["steps"][0]["content"][0]["text"] == '{"days":3}'


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("always", "unknown mode 'always'"),
        ({"allowed_tools": {"tools": ["get_news"]}}, "there is no tool 'get_news'; one of get_weather"),
        ({"allowed": []}, "tool_choice"),
    ],
)
async def test_a_choice_that_cannot_be_is_refused(choice: Any, words: str):
    async with open_app(model=caller()) as app:
        status, _, message = await refusal(app, tools=[WEATHER], generation_config={"tool_choice": choice})
        assert status == 400
        assert message.startswith("generation_config.tool_choice")
        assert words in message


async def test_a_demanded_call_needs_tools():
    async with open_app(model=caller()) as app:
        status, _, message = await refusal(app, generation_config={"tool_choice": "any"})
        assert (status, message) == (
            400,
            "generation_config.tool_choice: 'any' demands a call, but there are no tools; add `tools`",
        )


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK], ids=["outputs", "steps"])
async def test_calls_are_kept_and_told_again_as_they_came(any_store: Store, headers: dict[str, str], streamed: bool):
    both = script(TextFragment("Both."), call(PARIS), call({"location": "Rome"}, 1, id="c2"))
    async with open_app(model=caller(both), store=any_store) as app:
        live = await app.create(tools=[WEATHER], stream=streamed, headers=headers)
        again = await app.ask("GET", f"{AT}/int_1?stream=true", headers=headers)
        made = (await app.ask("GET", f"{AT}/int_1", headers=headers)).json
        produced = made["outputs"] if headers is OLD_SDK else made["steps"][1:]
        assert [part["arguments"]["location"] for part in produced[1:]] == ["Paris", "Rome"]
        if streamed:
            assert [frame.raw for frame in again.frames] == [frame.raw for frame in live]
        else:
            assert live["status"] == again.frames[-2].data["interaction"]["status"] == "requires_action"
            told = [frame for frame in again.frames if frame.name.endswith(".start")][-2:]
            assert [(frame.data.get("step") or frame.data.get("content"))["id"] for frame in told] == ["c1", "c2"]


async def test_a_background_turn_that_calls_waits_for_its_results():
    async with open_app(model=caller(GOOD)) as app:
        made = await app.create(tools=[WEATHER], background=True, headers=NEW_SDK)
        await app.ask("GET", f"{AT}/{made['id']}?stream=true")
        kept = (await app.ask("GET", f"{AT}/{made['id']}", headers=NEW_SDK)).json
        assert (kept["status"], kept["steps"][-1]["id"]) == ("requires_action", "c1")


# --- Through an upstream


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_upstreams_calls_come_through_and_results_go_back_to_it(stream: bool):
    made = tool_calls(("a", "get_weather", PARIS), ("b", "get_time", {"location": "Rome"}))
    async with behind(CARD, made, spoken("It is sunny, and noon.")) as (app, upstream):
        first = await app.create("Weather and time?", tools=[WEATHER, CLOCK], stream=stream, headers=NEW_SDK)
        kept = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
        assert (kept["status"], [step["type"] for step in kept["steps"]]) == (
            "requires_action",
            ["user_input", "function_call", "function_call"],
        )
        assert [step["arguments"] for step in kept["steps"][1:]] == [PARIS, {"location": "Rome"}]
        assert first[-2].data["interaction"]["status"] == "requires_action" if stream else first["id"] == "int_1"
        results = [
            {"type": "function_result", "call_id": "a", "result": {"sky": "sunny"}},
            {"type": "function_result", "call_id": "b", "result": "no clock", "is_error": True},
        ]
        await app.create(input=results, previous_interaction_id="int_1", stream=stream)
    asked, answered = (request.body for request in upstream.requests)
    assert asked["tools"][0] == {
        "type": "function",
        "function": {"name": "get_weather", "description": "Gets the weather.", "parameters": LOCATION},
    }
    assert asked["tool_choice"] == "auto"
    assert "tools" not in answered
    said = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": text}}
        for id, name, text in (("a", "get_weather", '{"location":"Paris"}'), ("b", "get_time", '{"location":"Rome"}'))
    ]
    assert answered["messages"] == [
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": "", "tool_calls": said},
        {"role": "tool", "tool_call_id": "a", "content": '{"sky":"sunny"}'},
        {"role": "tool", "tool_call_id": "b", "content": "Error: no clock"},
    ]


async def test_an_upstream_whose_call_is_wrong_is_told_so_and_asked_again():
    replies = tool_calls(("a", "get_weather", {"place": "Paris"})), tool_calls(("b", "get_weather", PARIS))
    async with behind(CARD, *replies) as (app, upstream):
        made = await app.create("Weather?", tools=[WEATHER], headers=NEW_SDK)
    assert [step["arguments"] for step in made["steps"]] == [PARIS]
    complaint = upstream.requests[1].body["messages"][-1]
    assert complaint["role"] == "user"
    assert "'location' is a required property" in complaint["content"]


BROKEN = {"type": "image", "mime_type": "image/png", "data": "aGk="}
GONE = {"content": [{"type": "text", "text": "look"}, {"type": "image", "uri": "files/a"}]}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("result", "refused"),
    [([BROKEN], (400, "invalid_request")), (GONE, (404, "not_found"))],
    ids=["content", "wrapped-content"],
)
async def test_an_image_in_a_result_that_is_none_is_refused_and_named(result: Any, refused: Any, stream: bool):
    async with behind(CARD, spoken("A cat.")) as (app, upstream):
        status, code, message = await refusal(app, input=[USER, SAID, {**GIVEN, "result": result}], stream=stream)
        assert (status, code) == refused
        assert message.startswith("input, image 1: ")
        assert upstream.requests == []


@pytest.mark.parametrize("tools", [[], [WEATHER]], ids=["without-tools", "with-tools"])
async def test_an_image_in_a_result_is_looked_at_for_models_that_need_help_too(tools: list[Any]):
    given = {**GIVEN, "result": [BROKEN]}
    async with open_app(model=ScriptedModel(card=ModelCard("plain"))) as app:
        status, code, message = await refusal(app, input=[USER, SAID, given], tools=tools)
        assert (status, code, app.model.prompts) == (400, "invalid_request", [])
        assert message.startswith("input, image 1: ")


async def test_words_between_a_call_and_its_result_stand_behind_the_result_for_the_upstream():
    words = {"type": "user_input", "content": [{"type": "text", "text": "Here it is."}]}
    async with behind(CARD, spoken("Thanks.")) as (app, upstream):
        await app.create(input=[USER, SAID, words, GIVEN], store=False)
    roles = [message["role"] for message in upstream.requests[0].body["messages"]]
    assert roles == ["user", "assistant", "tool", "user"]


# --- Through a server that offers functions to its model and demands nothing, as llama.cpp's does


LLAMA = ModelCard("llama", tools=True, schemas=True, schemas_beside_tools=False)
DEMANDS = {
    "any": {"tool_choice": "any"},
    "named": {"tool_choice": {"allowed_tools": {"mode": "any", "tools": ["get_weather"]}}},
}
demanding = pytest.mark.parametrize("config", DEMANDS.values(), ids=DEMANDS)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def llama(reply: Reply) -> Reply:
    """The reply, if the request is one that such a server takes: no grammar beside tools."""

    async def answer(request: Request, out: asyncio.StreamWriter) -> None:
        both = "tools" in request.body and {"grammar", "response_format"} & request.body.keys()
        refusal = refused(400, "Cannot use custom grammar constraints with tools.")
        await (refusal if both else reply)(request, out)

    return answer


@streamed_or_not
@demanding
async def test_a_demand_that_the_server_ignores_is_made_in_words(config: dict[str, Any], stream: bool):
    replies = llama(spoken("It is sunny, I guess.")), llama(tool_calls(("a", "get_weather", PARIS)))
    async with behind(LLAMA, *replies) as (app, upstream):
        await app.create(tools=[WEATHER, CLOCK], generation_config=config, stream=stream, headers=NEW_SDK)
        made = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
    assert made["status"] == "requires_action"
    assert [step["type"] for step in made["steps"]] == ["user_input", "function_call"]
    first, second = (request.body for request in upstream.requests)
    assert first["tool_choice"] == second["tool_choice"] == "required"
    assert second["messages"][1:] == [
        {"role": "assistant", "content": "It is sunny, I guess."},
        {"role": "user", "content": DEMAND},
    ]


@demanding
async def test_a_demand_that_is_never_met_fails_the_turn(config: dict[str, Any]):
    async with behind(LLAMA, llama(spoken("It is sunny, I guess."))) as (app, upstream):
        made = await app.create(tools=[WEATHER, CLOCK], generation_config=config, headers=NEW_SDK)
        assert made["status"] == "failed"
        assert f"made no valid function call in {ATTEMPTS} attempts" in made["errors"][0]["message"]
        frames = await app.create(tools=[WEATHER, CLOCK], generation_config=config, stream=True, headers=NEW_SDK)
        assert frames[-2].data["interaction"]["status"] == "failed"
    assert len(upstream.requests) == 2 * ATTEMPTS


async def test_a_demanded_function_is_the_only_one_that_can_be_called():
    replies = llama(tool_calls(("a", "get_time", PARIS))), llama(tool_calls(("b", "get_weather", PARIS)))
    async with behind(LLAMA, *replies) as (app, upstream):
        made = await app.create(tools=[WEATHER, CLOCK], generation_config=DEMANDS["named"], headers=NEW_SDK)
    assert [step["name"] for step in made["steps"]] == ["get_weather"]
    assert [tool["function"]["name"] for tool in upstream.requests[0].body["tools"]] == ["get_weather"]
    assert "there is no function 'get_time'" in upstream.requests[1].body["messages"][-1]["content"]


FORM = {
    "type": "text",
    "mime_type": "application/json",
    "schema": {"type": "object", "properties": {"sky": {"type": "string"}}, "required": ["sky"]},
}


@streamed_or_not
async def test_beside_functions_a_form_is_told_and_checked_and_not_bound(stream: bool):
    replies = spoken("It is sunny."), tool_calls(("a", "get_weather", PARIS)), spoken('{"sky": "sunny"}')
    async with behind(LLAMA, *map(llama, replies)) as (app, upstream):
        fields: dict[str, Any] = {"tools": [WEATHER], "response_format": FORM, "stream": stream, "headers": NEW_SDK}
        await app.create(**fields)
        called = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
        result = {"type": "function_result", "call_id": called["steps"][-1]["id"], "result": "sunny"}
        await app.create(input=[result], previous_interaction_id=called["id"], **fields)
        told = (await app.ask("GET", f"{AT}/int_2", headers=NEW_SDK)).json
    assert [step["type"] for step in called["steps"]] == ["user_input", "function_call"]
    assert told["steps"][-1]["content"] == [{"type": "text", "text": '{"sky": "sunny"}'}]
    assert all("sky" in request.body["messages"][0]["content"] for request in upstream.requests)


@streamed_or_not
async def test_a_form_does_not_stand_in_the_way_of_a_demand(stream: bool):
    replies = llama(spoken("It is sunny, I guess.")), llama(tool_calls(("a", "get_weather", PARIS)))
    async with behind(LLAMA, *replies) as (app, upstream):
        await app.create(tools=[WEATHER], response_format=FORM, generation_config=DEMANDS["any"], stream=stream)
        made = (await app.ask("GET", f"{AT}/int_1", headers=NEW_SDK)).json
    assert made["status"] == "requires_action"
    assert [request.body["messages"][-1]["content"] for request in upstream.requests] == ["Hi", DEMAND]
