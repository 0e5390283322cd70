"""How a name speaks: its defaults, which the request overrules, its time limit, and the help that it is given."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from models.prompts import prompt, read, read_until_it_breaks, text
from turnwise.domain.errors import ModelTimeout
from turnwise.domain.interaction import GenerationConfig
from turnwise.engine.helping import helped
from turnwise.models.manner import InManner, Manner
from turnwise.models.model import Fragment, Model, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.scripted import ScriptedModel, say

DEFAULTS = GenerationConfig(
    temperature=0.2, top_p=0.9, top_k=40, seed=7, max_output_tokens=64, stop_sequences=("END",), thinking_level="low"
)


async def asked(manner: Manner, told: Prompt) -> Prompt:
    """What a model is asked in this manner."""
    model = ScriptedModel(say("Well"))
    await read(InManner("a", model, manner), told)
    return model.prompts[0]


async def test_defaults_are_for_what_the_request_does_not_say() -> None:
    manner = Manner(DEFAULTS, system_instruction="Be brief.")
    got = await asked(manner, prompt("Hello"))
    assert got.generation == DEFAULTS
    assert got.system_instruction == "Be brief."


@pytest.mark.parametrize(
    "own",
    [
        {"temperature": 0.0},
        {"top_p": 0.0},
        {"top_k": 1},
        {"seed": 0},
        {"max_output_tokens": 1},
        {"stop_sequences": ("X",)},
        {"thinking_level": "minimal"},
    ],
    ids=lambda own: next(iter(own)),
)
async def test_what_the_request_says_wins(own: dict[str, object]) -> None:
    got = await asked(Manner(DEFAULTS), prompt("Hello", **own))
    assert got.generation == replace(DEFAULTS, **own)


async def test_a_system_instruction_of_the_request_stands_alone() -> None:
    got = await asked(Manner(system_instruction="Be brief."), prompt("Hello", system="Be long."))
    assert got.system_instruction == "Be long."


async def test_the_models_own_limit_holds_where_nobody_sets_another() -> None:
    limited = Manner(output_tokens=500)
    assert (await asked(limited, prompt())).generation.max_output_tokens == 500
    assert (await asked(limited, prompt(max_output_tokens=9))).generation.max_output_tokens == 9
    assert (await asked(replace(limited, generation=DEFAULTS), prompt())).generation.max_output_tokens == 64


def test_the_card_says_that_it_needs_no_help_and_what_it_can_do_by_itself() -> None:
    card = ModelCard("m", schemas_beside_tools=False, context_tokens=9)
    model = InManner("a", ScriptedModel(card=card), Manner(can={"schemas": True}))
    assert (model.card.tools, model.card.schemas, model.card.thinks) == (True, True, True)
    assert model.card.schemas_beside_tools
    assert (model.own_card.tools, model.own_card.schemas, model.own_card.thinks) == (False, True, False)
    assert model.card.context_tokens == model.own_card.context_tokens == 9


async def test_it_is_helped_with_what_its_own_card_lacks_and_the_help_sees_the_defaults() -> None:
    model = ScriptedModel(say("It is a question of taste."), say("Blue"))
    manner = Manner(GenerationConfig(thinking_level="low", stop_sequences=("END",)), system_instruction="Be brief.")
    await read(helped(InManner("a", model, manner, helped), prompt()), prompt())
    thinking, answering = model.prompts
    assert thinking.system_instruction is not None
    assert thinking.system_instruction.startswith("Be brief.\n\nBefore you answer, think.")
    assert thinking.generation.stop_sequences == ()
    assert (answering.system_instruction, answering.generation.stop_sequences) == ("Be brief.", ("END",))


async def test_it_is_not_helped_with_what_it_can_do() -> None:
    model = ScriptedModel(say("Blue"))
    manner = Manner(GenerationConfig(thinking_level="low"), can={"thinks": True})
    await read(helped(InManner("a", model, manner, helped), prompt()), prompt())
    assert [told.generation.thinking_level for told in model.prompts] == ["low"]


# -- time


@pytest.mark.parametrize("before", [[], [Taken()], [Taken(), TextFragment("He")]], ids=["silent", "taken", "speaking"])
async def test_an_answer_that_takes_too_long_is_left(before: list[Fragment]) -> None:
    model = ScriptedModel([*before, asyncio.Event()])
    seen, error = await read_until_it_breaks(InManner("a", model, Manner(total=0.05)), prompt())
    assert seen == before
    assert isinstance(error, ModelTimeout)
    assert "'a' did not answer within 0.05 s" in error.message
    assert model.left_early == 1


async def test_the_limit_is_for_the_answer_and_not_for_whoever_reads_it() -> None:
    model = InManner("a", ScriptedModel(say("He", "llo")), Manner(total=0.2))
    fragments = model.stream(prompt())
    first = await anext(fragments)
    await asyncio.sleep(0.05)
    assert [first, *[fragment async for fragment in fragments]] == say("He", "llo")


async def test_the_time_that_help_takes_counts() -> None:
    def slowly(model: Model, told: Prompt) -> Model:
        return Slow(model)

    class Slow:
        def __init__(self, model: Model) -> None:
            self.card = model.card

        async def stream(self, told: Prompt) -> AsyncGenerator[Fragment, None]:
            await asyncio.Event().wait()
            yield Taken()

    model = InManner("a", ScriptedModel(), Manner(total=0.05), slowly)
    _, error = await read_until_it_breaks(model, prompt())
    assert isinstance(error, ModelTimeout)


async def test_leaving_early_stops_the_models_work() -> None:
    model = ScriptedModel(say("He", "llo"))
    fragments = InManner("a", model, Manner(total=5)).stream(prompt())
    await anext(fragments)
    await fragments.aclose()
    assert model.left_early == 1
    assert text(await read(InManner("a", ScriptedModel(say("Hi")), Manner(total=5)), prompt())) == "Hi"
