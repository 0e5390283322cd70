"""Going on with an answer that was begun: natively where the model can, and else by what it says once more."""

from dataclasses import replace
from typing import Any

import pytest

from engine.functions import WEATHER
from models.prompts import finish, prompt, read, read_until_it_breaks, text, thought, usage
from turnwise.domain.content import Text
from turnwise.domain.errors import ModelFailed, ModelUnavailable
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.domain.tools import ToolChoice
from turnwise.engine.continuing import Again
from turnwise.engine.helping import helped
from turnwise.engine.thoughts import NOTES
from turnwise.models.cooldown import Cooldown
from turnwise.models.fallback import Fallback, Member
from turnwise.models.instead import speak
from turnwise.models.manner import InManner, Manner
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    MediaFragment,
    Model,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
)
from turnwise.models.scripted import ScriptedModel, say

WHOLE = "It is sunny in Paris."
EVERY_CUT = pytest.mark.parametrize("cut", range(1, len(WHOLE) + 1))
COST = Usage(input={"text": 7}, output={"text": 6})
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

PLAIN = ModelCard("plain")
CALLS = ModelCard("caller", tools=True)
THINKS = ModelCard("thinker", tools=True, schemas=True, thinks=True)


def asked(said: str, **more: Any) -> Prompt:
    return replace(prompt("How is the weather in Paris?"), said=said, **more)


async def helped_with(model: Model, told: Prompt) -> list[Fragment]:
    return await read(helped(model, told), told)


def whole() -> list[Fragment]:
    return say("It is ", "sunny", " in Paris.", usage=COST)


# --- Models that go on by themselves


@EVERY_CUT
async def test_a_model_that_goes_on_is_given_what_was_said(cut: int) -> None:
    model = ScriptedModel(whole(), continues=True)
    fragments = await helped_with(model, asked(WHOLE[:cut]))
    assert WHOLE[:cut] + text(fragments) == WHOLE
    assert (fragments[0], fragments[-1]) == (Taken(), Finished("stop"))
    assert [seen.said for seen in model.prompts] == [WHOLE[:cut]]


async def test_it_does_not_think_first_once_more() -> None:
    model = ScriptedModel(whole(), continues=True)
    told = asked("It is", generation=GenerationConfig(thinking_level="high"))
    fragments = await helped_with(model, told)
    assert (text(fragments), thought(fragments)) == (" sunny in Paris.", "")
    assert len(model.prompts) == 1


async def test_the_thought_that_it_began_with_stands_where_it_stood_for_the_first_words() -> None:
    """Else it would go on from a prompt that its beginning was never an answer to."""
    first = ScriptedModel(say("It is mild."), whole())
    level = GenerationConfig(thinking_level="low")
    await helped_with(first, asked("", generation=level))
    begun = asked("It is", generation=level)
    begun = replace(begun, steps=(*begun.steps, Thought(None, (Text("It is mild."),))))
    second = ScriptedModel(whole(), continues=True)
    await helped_with(second, begun)
    assert second.prompts[0].steps == first.prompts[1].steps
    assert NOTES in str(second.prompts[0].steps)


async def test_an_answer_that_began_with_a_thought_alone_is_not_thought_of_twice() -> None:
    model = ScriptedModel(whole())
    told = asked("", generation=GenerationConfig(thinking_level="low"))
    told = replace(told, steps=(*told.steps, Thought(None, (Text("It is mild."),))))
    fragments = await helped_with(model, told)
    assert (text(fragments), thought(fragments)) == (WHOLE, "")


async def test_it_may_call_behind_its_words() -> None:
    call = CallFragment(0, "c1", "get_weather", '{"location": "Paris"}')
    script = [Taken(), TextFragment("I look it up."), call, Finished("calls")]
    model = ScriptedModel(script, card=CALLS, continues=True)
    fragments = await helped_with(model, asked("I look", tools=(WEATHER,)))
    assert text(fragments) == " it up."
    assert call in fragments
    assert model.prompts[0].tools == (WEATHER,)


async def test_a_call_that_is_not_valid_is_asked_for_again_behind_all_that_was_said() -> None:
    wrong = CallFragment(0, "c1", "get_weather", "{}")
    right = CallFragment(0, "c2", "get_weather", '{"location": "Paris"}')
    model = ScriptedModel(
        [Taken(), TextFragment("I look it up."), wrong, Finished("calls")],
        [Taken(), right, Finished("calls")],
        card=CALLS,
        continues=True,
    )
    fragments = await helped_with(model, asked("I look", tools=(WEATHER,)))
    assert right in fragments
    again = model.prompts[1]
    assert again.said == ""
    assert again.steps[-2] == ModelOutput((Text("I look it up."),))


async def test_words_in_place_of_a_wrong_call_are_a_paragraph_of_their_own_behind_what_was_said() -> None:
    wrong = CallFragment(0, "c1", "get_weather", "{}")
    model = ScriptedModel(
        [Taken(), TextFragment("I look"), wrong, Finished("calls")], say("No."), card=CALLS, continues=True
    )
    assert text(await helped_with(model, asked("I look", tools=(WEATHER,)))) == "\n\nNo."


# --- Models that answer again


@EVERY_CUT
@pytest.mark.parametrize("card", [PLAIN, CALLS, THINKS], ids=lambda card: card.name)
async def test_a_model_that_cannot_go_on_says_it_all_again_and_the_rest_is_shown(cut: int, card: ModelCard) -> None:
    model = ScriptedModel(whole(), card=card)
    fragments = await helped_with(model, asked(WHOLE[:cut]))
    assert text(fragments) == WHOLE[cut:]
    assert (fragments[0], fragments[-1]) == (Taken(), Finished("stop"))
    assert usage(fragments) == COST
    assert not any(fragment == TextFragment("") for fragment in fragments)
    assert [seen.said for seen in model.prompts] == [""]


@EVERY_CUT
async def test_wherever_it_says_something_else_the_turn_fails(cut: int) -> None:
    other = WHOLE[: cut - 1] + "#" + WHOLE[cut:]
    fragments, error = await read_until_it_breaks(*_told(ScriptedModel(say(other[:4], other[4:])), asked(WHOLE[:cut])))
    assert type(error) is ModelFailed
    assert "'scripted' did not say the same again" in error.message
    assert fragments == [Taken()]


def _told(model: Model, told: Prompt) -> tuple[Model, Prompt]:
    return helped(model, told), told


@pytest.mark.parametrize(
    "ends",
    [
        [Finished("stop")],
        [CallFragment(0, "c", "f", "{}"), Finished("calls")],
        [MediaFragment(0, "image", "image/png", b"x"), TextFragment(" sunny"), Finished("stop")],
    ],
    ids=["it ends", "it calls", "it shows an image"],
)
async def test_something_else_before_all_of_it_was_said_is_not_the_same(ends: list[Fragment]) -> None:
    model = Again(ScriptedModel([Taken(), TextFragment("It is"), *ends]))
    _, error = await read_until_it_breaks(model, asked("It is sunny"))
    assert type(error) is ModelFailed


@pytest.mark.parametrize("reason", ["length", "refusal"])
async def test_an_answer_that_is_cut_before_is_cut(reason: Any) -> None:
    model = Again(ScriptedModel([Taken(), TextFragment("It is"), Finished(reason)]))
    assert await read(model, asked("It is sunny")) == [Taken(), Finished(reason)]


async def test_what_goes_wrong_while_it_is_said_again_is_told() -> None:
    gone = ModelUnavailable("gone")
    _, error = await read_until_it_breaks(
        Again(ScriptedModel([Taken(), TextFragment("It"), gone])), asked("It is sunny")
    )
    assert error is gone


async def test_thoughts_in_front_of_it_are_not_shown_again_and_those_behind_are() -> None:
    script = [Taken(), ThoughtFragment("Hm"), TextFragment("It is"), ThoughtFragment("So"), *whole()[-2:]]
    fragments = await helped_with(ScriptedModel(script, card=THINKS), asked("It "))
    assert [one.text for one in fragments if isinstance(one, TextFragment | ThoughtFragment)] == ["is", "So"]


async def test_a_model_that_thinks_with_help_thinks_again_unseen() -> None:
    model = ScriptedModel(say("Mild.", usage=COST), whole())
    told = asked("It is", generation=GenerationConfig(thinking_level="low"))
    fragments = await helped_with(model, told)
    assert (text(fragments), thought(fragments)) == (" sunny in Paris.", "")
    assert usage(fragments).thought == 6


@pytest.mark.parametrize("continues", [True, False])
@pytest.mark.parametrize("card", [PLAIN, THINKS], ids=lambda card: card.name)
async def test_what_is_bound_to_a_schema_is_always_made_anew(card: ModelCard, continues: bool) -> None:
    model = ScriptedModel(say('{"a": 1}'), card=card, continues=continues)
    assert text(await helped_with(model, asked('{"a"', schema=SCHEMA))) == ": 1}"
    assert model.prompts[0].said == ""


async def test_a_call_that_is_demanded_is_made_anew() -> None:
    call = CallFragment(0, "c1", "get_weather", '{"location": "Paris"}')
    model = ScriptedModel([Taken(), TextFragment("I look it up."), call, Finished("calls")], card=CALLS, continues=True)
    told = asked("I look", tools=(WEATHER,), tool_choice=ToolChoice("any"))
    fragments = await helped_with(model, told)
    assert text(fragments) == " it up."
    assert call in fragments
    assert model.prompts[0].said == ""


# --- Answers by rules

RESULTS: tuple[Step, ...] = (
    UserInput((Text("How is the weather in Paris?"),)),
    FunctionCall("c1", "get_weather", {"location": "Paris"}),
    FunctionResult("c1", "It is sunny in Paris, at 21 degrees.", "get_weather"),
)


async def test_what_rules_say_of_a_result_is_said_again() -> None:
    told = Prompt(RESULTS, tools=(WEATHER,))
    said = text(await helped_with(ScriptedModel(answer=lambda _: say("Well.")), told))
    assert said
    for cut in range(1, len(said) + 1):
        model = ScriptedModel(answer=lambda _: say("Well."), continues=cut % 2 == 0)
        fragments = await helped_with(model, replace(told, said=said[:cut]))
        assert text(fragments) == said[cut:]
        assert all(seen.said == "" for seen in model.prompts)


async def test_what_rules_do_not_say_is_not_the_same() -> None:
    told = Prompt(RESULTS, tools=(WEATHER,), said="It rains")
    _, error = await read_until_it_breaks(*_told(ScriptedModel(answer=lambda _: say("Well.")), told))
    assert type(error) is ModelFailed


@EVERY_CUT
@pytest.mark.parametrize("continues", [True, False])
async def test_what_the_model_itself_says_beside_rules_it_goes_on_with_if_it_can(cut: int, continues: bool) -> None:
    told = replace(prompt("Tell me a story."), tools=(WEATHER,), said=WHOLE[:cut])
    model = ScriptedModel(whole(), continues=continues)
    fragments = await helped_with(model, told)
    assert text(fragments) == WHOLE[cut:]
    assert (fragments[0], fragments[-1]) == (Taken(), Finished("stop"))
    assert [seen.said for seen in model.prompts] == [WHOLE[:cut] if continues else ""]


async def test_rules_look_past_the_thought_that_an_answer_began_with() -> None:
    steps = (UserInput((Text("What is the weather in Paris?"),)), Thought(None, (Text("Mild."),)))
    fragments = await helped_with(ScriptedModel(), Prompt(steps, tools=(WEATHER,)))
    assert finish(fragments) == "calls"
    story = Prompt((UserInput((Text("Tell me a story."),)), steps[1]), tools=(WEATHER,), said="It is")
    model = ScriptedModel(whole(), continues=True)
    assert text(await helped_with(model, story)) == " sunny in Paris."
    assert NOTES in str(model.prompts[0].steps)


# --- Models that stand on others


def in_manner(model: ScriptedModel) -> InManner:
    return InManner(model.card.name, model, Manner(GenerationConfig(temperature=0.3)), helped)


@EVERY_CUT
@pytest.mark.parametrize("continues", [True, False])
async def test_a_name_goes_on_as_its_model_does(cut: int, continues: bool) -> None:
    model = ScriptedModel(whole(), continues=continues)
    assert text(await helped_with(in_manner(model), asked(WHOLE[:cut]))) == WHOLE[cut:]
    assert [seen.said for seen in model.prompts] == [WHOLE[:cut] if continues else ""]


def in_line(*models: ScriptedModel) -> Fallback:
    return Fallback([Member(in_manner(model), Cooldown(lambda: 0.0)) for model in models])


@pytest.mark.parametrize("continues", [True, False])
async def test_whoever_can_goes_on_with_what_another_one_may_have_begun(continues: bool) -> None:
    first, second = ScriptedModel(say("No idea.")), ScriptedModel(whole(), continues=continues)
    fragments = await helped_with(in_line(first, second), asked("It is"))
    assert text(fragments) == " sunny in Paris."
    assert fragments.count(Taken()) == 1


async def test_if_nobody_in_a_line_can_go_on_the_first_ones_reason_is_told() -> None:
    _, error = await read_until_it_breaks(
        *_told(in_line(ScriptedModel(say("No idea.")), ScriptedModel(say("Nor I."))), asked("It is"))
    )
    assert type(error) is ModelFailed


async def test_an_answer_that_is_spoken_too_is_spoken_whole() -> None:
    heard: list[Prompt] = []

    def voice(reading: Prompt) -> list[Fragment]:
        heard.append(reading)
        return [Taken(), MediaFragment(0, "audio", "audio/l16", b"x"), Finished("stop")]

    writer = in_manner(ScriptedModel(whole(), continues=True))
    aloud = speak("plain", writer, ScriptedModel(answer=voice), ("text", "audio"))
    fragments = await helped_with(aloud, asked("It is", modalities=("text", "audio")))
    assert text(fragments) == " sunny in Paris."
    assert heard[0].steps == (ModelOutput((Text(WHOLE),)),)
