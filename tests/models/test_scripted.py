"""The scripted model: it plays exactly what is written, and tells what it saw."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from models.prompts import BOUND, prompt, read, read_until_it_breaks, text
from turnwise.domain.errors import ModelFailed, ModelUnavailable
from turnwise.domain.interaction import Usage
from turnwise.models.model import Finished, Taken, TextFragment, ThoughtFragment, UsageFragment, prompt_text
from turnwise.models.scripted import ScriptedModel, say


async def test_scripts_are_played_in_their_order_and_prompts_are_kept() -> None:
    model = ScriptedModel(say("one"), say("t", "wo"))
    assert [text(await read(model, prompt(asked))) for asked in ("a", "b")] == ["one", "two"]
    assert [prompt_text(seen) for seen in model.prompts] == ["a", "b"]


async def test_say_is_a_whole_answer() -> None:
    cost = Usage(input={"text": 1})
    assert say("a", usage=cost) == [Taken(), TextFragment("a"), UsageFragment(cost), Finished("stop")]


async def test_an_exception_is_raised_where_it_stands() -> None:
    model = ScriptedModel([Taken(), TextFragment("a"), ModelUnavailable("gone")])
    seen, error = await read_until_it_breaks(model, prompt())
    assert seen == [Taken(), TextFragment("a")]
    assert isinstance(error, ModelUnavailable)


async def test_an_event_is_waited_for() -> None:
    go = asyncio.Event()
    model = ScriptedModel([Taken(), go, *say("b")[1:]])
    async with asyncio.timeout(BOUND), aclosing(model.stream(prompt())) as fragments:
        assert await anext(fragments) == Taken()
        rest = asyncio.ensure_future(anext(fragments))
        await asyncio.wait([rest], timeout=0)
        assert not rest.done()
        go.set()
        assert await rest == TextFragment("b")


async def test_it_counts_who_left_early_and_who_closed_it() -> None:
    model = ScriptedModel(say("a", "b"), say("c"))
    async with aclosing(model.stream(prompt())) as fragments:
        await anext(fragments)
    await read(model, prompt())
    await model.close()
    assert (model.left_early, model.closes) == (1, 1)


async def test_a_function_answers_when_the_scripts_are_over() -> None:
    model = ScriptedModel(say("first"), answer=lambda asked: say(prompt_text(asked).upper()))
    assert [text(await read(model, prompt("hi"))) for _ in range(2)] == ["first", "HI"]


async def test_without_a_script_it_says_so() -> None:
    with pytest.raises(ModelFailed, match="no script left"):
        await read(ScriptedModel(), prompt())


@pytest.mark.parametrize("cut", range(len("one two") + 1))
async def test_one_that_continues_says_the_rest_of_its_script(cut: int) -> None:
    said = "one two"[:cut]
    script = [Taken(), ThoughtFragment("hm"), *say("one", " two")[1:]]
    fragments = await read(ScriptedModel(script, continues=True), replace(prompt(), said=said))
    assert said + text(fragments) == "one two"
    assert TextFragment("") not in fragments
    assert (ThoughtFragment("hm") in fragments) is (not said)


async def test_a_script_that_says_something_else_is_no_continuation() -> None:
    _, error = await read_until_it_breaks(ScriptedModel(say("one"), continues=True), replace(prompt(), said="two"))
    assert isinstance(error, ModelFailed)
