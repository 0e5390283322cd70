"""What every model promises, tried on each of them: scripted, behind an upstream, of a vendor, and embedded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from models.prompts import BOUND, finish, models_dir, prompt, read, text, usage
from models.upstream import Request, answer, refused, serve
from models.vendor_servers import FAKES, Said, entry, lend_credentials
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import UnknownStep, UserInput
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions
from turnwise.models.engines import Engine
from turnwise.models.model import Finished, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.openai import OpenAIModel
from turnwise.models.scripted import Script, ScriptedModel, say
from turnwise.models.smollm2 import SMOLLM2
from turnwise.models.vendors import VENDORS
from turnwise.models.weights import BUILTIN, fetch

CONTEXT = 512

OVER = "the prompt has 9000 tokens, but the model's context holds 512"


@asynccontextmanager
async def scripted() -> AsyncIterator[Engine]:
    def play(asked: Prompt) -> Script:
        if any(isinstance(step, UnknownStep) for step in asked.steps):
            return [Unimplemented("a step of type 'unknown' cannot be shown to this model yet")]
        if len(str(asked.steps)) > 10_000:
            return [InvalidRequest(OVER)]
        return say("Well", ", hello", usage=Usage(input={"text": 3}, output={"text": 2}))

    yield ScriptedModel(answer=play, card=ModelCard("scripted", context_tokens=CONTEXT))


@asynccontextmanager
async def openai() -> AsyncIterator[Engine]:
    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        over = len(str(request.body)) > 10_000
        limit = refused(400, "", type="exceed_context_size_error", n_prompt_tokens=9000, n_ctx=CONTEXT)
        await (limit if over else answer("Well", ", hello"))(request, out)

    async with serve(reply) as upstream:
        model = OpenAIModel(ModelCard("qwen", context_tokens=CONTEXT), upstream.url, "qwen")
        yield model
        await model.close()


@asynccontextmanager
async def vendor(kind: str) -> AsyncIterator[Engine]:
    fake = FAKES[kind]

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        over = len(str(request.body)) > 10_000
        limit = fake.refused(400, fake.over.replace("5031", "9000").replace("4096", str(CONTEXT)))
        await (limit if over else fake.answer(Said("Well"), Said(", hello")))(request, out)

    with pytest.MonkeyPatch.context() as patch:
        lend_credentials(patch)
        async with serve(reply) as upstream:
            model = VENDORS[kind]("mine", entry(fake, upstream, context_tokens=CONTEXT), Path())
            yield model
            await model.close()


@asynccontextmanager
async def embedded() -> AsyncIterator[Engine]:
    options = EngineOptions(threads=2, context=CONTEXT, slots=2)
    model = EmbeddedModel(lambda: fetch(BUILTIN, models_dir()), options, profile=SMOLLM2)
    yield model
    await model.close()


MODELS: dict[str, Callable[[], AbstractAsyncContextManager[Engine]]] = {
    "scripted": scripted,
    "openai": openai,
    **{kind: partial(vendor, kind) for kind in FAKES},
    "embedded": embedded,
}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.model] * (name == "embedded")) for name in MODELS])
async def model(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    async with MODELS[request.param]() as opened:
        await opened.start()
        yield opened


@pytest.mark.parametrize("streaming", [True, False])
async def test_taken_comes_first_and_finished_last_and_each_once(model: Engine, streaming: bool) -> None:
    fragments = await read(model, prompt("Hello", streaming=streaming, max_output_tokens=16))
    kinds = [type(fragment) for fragment in fragments]
    assert (kinds[0], kinds[-1]) == (Taken, Finished)
    assert (kinds.count(Taken), kinds.count(Finished)) == (1, 1)
    assert text(fragments)
    assert finish(fragments) in ("stop", "length")


@pytest.mark.parametrize("streaming", [True, False])
async def test_the_cost_is_told_by_modality(model: Engine, streaming: bool) -> None:
    counted = usage(await read(model, prompt("Hello", streaming=streaming, max_output_tokens=16)))
    assert set(counted.input) == set(counted.output) == {"text"}
    assert counted.input_tokens > 0 < counted.output_tokens


async def test_no_piece_is_empty(model: Engine) -> None:
    fragments = await read(model, prompt("Hello", max_output_tokens=16))
    assert all(fragment.text for fragment in fragments if isinstance(fragment, TextFragment))


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_prompt_over_the_context_is_refused_before_it_is_taken_with_both_numbers(
    model: Engine, streaming: bool
) -> None:
    async with asyncio.timeout(BOUND):
        with pytest.raises(InvalidRequest, match=rf"has 90\d\d tokens, but the model's context holds {CONTEXT}"):
            await anext(model.stream(prompt("word " * 9000, streaming=streaming)))


async def test_what_cannot_be_shown_is_refused_and_not_dropped(model: Engine) -> None:
    steps = [UserInput((Text("What is this?"),)), UnknownStep("new", {})]
    with pytest.raises(Unimplemented, match="type 'unknown'"):
        await anext(model.stream(Prompt(steps)))


async def test_a_turn_may_be_left_at_any_point_and_the_next_one_works(model: Engine) -> None:
    for after in range(3):
        fragments = model.stream(prompt("Hello", max_output_tokens=16))
        async with asyncio.timeout(BOUND):
            for _ in range(after):
                await anext(fragments)
            await fragments.aclose()
    assert text(await read(model, prompt("Hello", max_output_tokens=16)))


async def test_turns_side_by_side_do_not_mix(model: Engine) -> None:
    asked = prompt("Hello", max_output_tokens=8, temperature=0.0)
    alone = text(await read(model, asked))
    assert [text(answer) for answer in await asyncio.gather(*(read(model, asked) for _ in range(4)))] == [alone] * 4


async def test_the_card_says_what_it_is(model: Engine) -> None:
    await read(model, prompt("Hello", max_output_tokens=2))
    assert model.card.name
    assert model.card.context_tokens == CONTEXT
    assert "text" in model.card.inputs
