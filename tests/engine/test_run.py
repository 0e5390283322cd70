"""One turn: what the model is shown, what comes of its fragments, and what becomes of its failures."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from support import NOON, turn, within
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed, ModelUnavailable
from turnwise.domain.events import End, Event, StatusUpdate, fold
from turnwise.domain.formats import ImageFormat, ResponseFormat
from turnwise.domain.interaction import GenerationConfig, Status, Turn, Usage
from turnwise.domain.steps import FunctionCall, ModelOutput, Step, UserInput
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.engine.delivery import Delivering
from turnwise.engine.run import run
from turnwise.engine.surroundings import Surroundings
from turnwise.models.model import CallFragment, Finished, Fragment, MediaFragment, ModelCard, Taken, TextFragment
from turnwise.models.scripted import ScriptedModel, say
from turnwise.tools.toolbox import Toolbox


async def as_they_are(steps: Sequence[Step], card: ModelCard) -> Sequence[Step]:
    return steps


async def keep(data: bytes, mime_type: str, name: str = "") -> str:
    return f"files/{data.decode()}"


AROUND = Surroundings(
    clock=lambda: NOON,
    seal=lambda secret: f"sealed {secret.thought}",
    opened=lambda steps: steps,
    new_call_id=lambda: "call_new",
    present=as_they_are,
    delivering=Delivering(keep, inline_bytes=4),
    toolbox=Toolbox({}),
)
EARLIER = (UserInput((Text("Before"),)), ModelOutput((Text("Yes"),)))


async def run_all(model: ScriptedModel, asked: Turn | None = None) -> list[Event]:
    asked = asked or turn()
    return [event async for event in run(asked, (*EARLIER, *asked.input), model, AROUND)]


async def test_a_turn_is_its_status_its_steps_and_its_end():
    usage = Usage({"text": 3}, {"text": 2})
    events = await run_all(ScriptedModel(say("Hel", "lo", usage=usage)))
    assert events[0] == StatusUpdate(Status.IN_PROGRESS)
    assert events[-1] == End(Status.COMPLETED, usage, NOON)
    assert fold(events).steps == (ModelOutput((Text("Hello"),)),)


async def test_the_model_is_shown_history_then_input_and_this_turns_own_settings():
    model = ScriptedModel(say("Hi"))
    generation = GenerationConfig(temperature=0.5)
    await run_all(model, turn("Now", system_instruction="Be brief", generation=generation))
    (prompt,) = model.prompts
    assert tuple(prompt.steps) == (*EARLIER, UserInput((Text("Now"),)))
    assert (prompt.system_instruction, prompt.generation) == ("Be brief", generation)


@pytest.mark.parametrize(
    ("fields", "streaming"),
    [({}, False), ({"stream": True}, True), ({"background": True}, True), ({"store": False}, False)],
)
async def test_the_model_is_told_whether_anyone_reads_along(fields: dict[str, bool], streaming: bool):
    model = ScriptedModel(say("Hi"))
    await run_all(model, turn(**fields))
    assert model.prompts[0].streaming is streaming


@pytest.mark.parametrize("store", [True, False])
async def test_the_model_is_told_whether_the_pieces_of_its_text_are_joined_anyway(store: bool):
    model = ScriptedModel(say("Hi"))
    await run_all(model, turn(store=store))
    assert model.prompts[0].joins_text is store


async def test_an_answer_that_reached_its_limit_is_incomplete():
    events = await run_all(ScriptedModel([Taken(), TextFragment("On and"), Finished("length")]))
    assert isinstance(events[-1], End)
    assert events[-1].status is Status.INCOMPLETE


LOOK = FunctionTool("look")
LISTEN = FunctionTool("listen")
CALLING = ModelCard("calling", tools=True)


async def test_a_call_ends_the_turn_and_waits_for_its_result():
    model = ScriptedModel([Taken(), CallFragment(0, "c1", "look"), Finished("calls")], card=CALLING)
    events = await run_all(model, turn(tools=(LOOK,)))
    assert isinstance(events[-1], End)
    assert events[-1].status is Status.REQUIRES_ACTION
    assert fold(events).steps == (FunctionCall("c1", "look", {}),)


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        (ToolChoice(), (LOOK, LISTEN)),
        (ToolChoice("any", allowed=("listen",)), (LISTEN,)),
        (ToolChoice("none"), ()),
    ],
)
async def test_the_model_is_shown_the_tools_that_it_may_call(choice: ToolChoice, shown: tuple[FunctionTool, ...]):
    script = [Taken(), *(CallFragment(0, "c1", tool.name) for tool in shown[:1]), Finished("stop")]
    model = ScriptedModel(script, card=CALLING)
    await run_all(model, turn(tools=(LOOK, LISTEN), tool_choice=choice))
    assert tuple(model.prompts[0].tools) == shown


async def test_a_refusal_is_an_error_of_its_own():
    with pytest.raises(ContentBlocked):
        await run_all(ScriptedModel([Taken(), TextFragment("No"), Finished("refusal")]))


@pytest.mark.parametrize("cut", [[Taken()], [Taken(), TextFragment("Hal")]])
async def test_a_stream_that_was_cut_is_a_failed_model(cut: list[Fragment]):
    with pytest.raises(ModelFailed, match="stopped in the middle"):
        await run_all(ScriptedModel(cut))


@pytest.mark.parametrize("wrong", [[], [TextFragment("Hi"), Finished("stop")]])
async def test_a_model_that_does_not_take_the_prompt_breaks_its_contract(wrong: list[Fragment]):
    with pytest.raises(AssertionError, match="not Taken"):
        await run_all(ScriptedModel(wrong))


@pytest.mark.parametrize("error", [InvalidRequest("too long"), ModelUnavailable("gone"), ZeroDivisionError()])
async def test_what_the_model_raises_before_it_took_the_prompt_comes_before_any_event(error: Exception):
    events = run(turn(), (), ScriptedModel([error]), AROUND)
    with pytest.raises(type(error)):
        await anext(events)


async def test_media_are_presented_to_the_model_by_its_card():
    seen: list[ModelCard] = []

    async def in_words(steps: Sequence[Step], card: ModelCard) -> Sequence[Step]:
        seen.append(card)
        return (UserInput((Text("a dog"),)),)

    model = ScriptedModel(say("A dog"))
    around = replace(AROUND, present=in_words)
    asked = replace(turn(), input=(UserInput((Media("image", data="aGk="),)),))
    assert [event async for event in run(asked, asked.input, model, around)]
    assert model.prompts[0].steps == (UserInput((Text("a dog"),)),)
    assert seen == [model.card]


PAINTER = ModelCard("painter", outputs=frozenset({"image"}))


def painted(data: bytes) -> list[Fragment]:
    return [Taken(), MediaFragment(0, "image", "image/png", data), Finished("stop")]


async def test_a_painter_is_asked_for_images_as_the_request_has_them():
    model = ScriptedModel(painted(b"png"), card=PAINTER)
    (step,) = fold(await run_all(model, turn("A cat", image=ImageFormat("16:9")))).steps
    assert step == ModelOutput((Media("image", "image/png", "cG5n"),))
    assert (model.prompts[0].modalities, model.prompts[0].image) == (("image",), ImageFormat("16:9"))


async def test_what_is_large_comes_as_a_file():
    model = ScriptedModel(painted(b"large"), card=PAINTER)
    (step,) = fold(await run_all(model)).steps
    assert step == ModelOutput((Media("image", "image/png", uri="files/large"),))


@pytest.mark.parametrize(
    ("field", "value"), [("tools", (FunctionTool("look"),)), ("response_format", ResponseFormat({"type": "object"}))]
)
async def test_a_painter_has_no_use_for_what_is_asked_of_words(field: str, value: object):
    with pytest.raises(InvalidRequest, match=f"^{field}: 'm' answers with image, and has no use for this"):
        await run_all(ScriptedModel(painted(b"png"), card=PAINTER), turn(**{field: value}))


async def test_leaving_a_turn_closes_the_models_stream():
    model = ScriptedModel([Taken(), TextFragment("Hi"), asyncio.Event()])
    async with aclosing(run(turn(), (), model, AROUND)) as events:
        assert await within(anext(events)) == StatusUpdate(Status.IN_PROGRESS)
    assert model.left_early == 1
