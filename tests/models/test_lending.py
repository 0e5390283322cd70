"""Engines that several processes share: the real one, with the default model, lent over a real socket."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.prompts import BOUND, prompt, read, text
from turnwise.domain.errors import ModelUnavailable
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import Child, EngineOptions, Explained, Load
from turnwise.models.lending import Lender, borrowing
from turnwise.models.smollm2 import SMOLLM2

pytestmark = pytest.mark.model


@pytest.fixture
async def lender() -> AsyncIterator[str]:
    async with Lender(2).open() as path:
        yield path
    assert not Path(path).parent.exists()


@pytest.fixture
def load(weights: Path) -> Load:
    return Load("m", weights, EngineOptions(threads=2, context=1024, slots=2, cache_mib=0))


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def gone(pid: int) -> None:
    async with asyncio.timeout(BOUND):
        while is_there(pid):  # noqa: ASYNC110  (it need not be a child of ours)
            await asyncio.sleep(0.02)


async def test_who_asks_for_the_same_gets_the_same_engine_and_it_ends_with_the_last(lender: str, load: Load) -> None:
    borrow = borrowing(lender)
    one, other = await asyncio.gather(borrow(load), borrow(load))
    assert one.process.pid == other.process.pid
    assert (one.context, one.takes) == (1024, frozenset({"text"}))
    more = await borrow(Load("m", load.path, EngineOptions(threads=1, context=512, slots=1, cache_mib=0)))
    assert more.process.pid != one.process.pid
    await asyncio.gather(one.close(), more.close())
    await gone(more.process.pid)
    assert await other.is_well()
    await other.close()
    await gone(one.process.pid)


async def test_one_that_is_killed_by_whom_it_does_not_answer_is_gone_for_all(lender: str, load: Load) -> None:
    borrow = borrowing(lender)
    one, other = await asyncio.gather(borrow(load), borrow(load))
    one.kill()
    async with asyncio.timeout(BOUND):
        words = await asyncio.gather(one.obituary(), other.obituary())
    assert words == ["the embedded engine died with code -9"] * 2
    again = await borrow(load)
    assert again.process.pid != one.process.pid
    for child in (one, other, again):
        await child.close()


async def test_what_cannot_be_loaded_is_said_to_all_who_asked(lender: str, tmp_path: Path) -> None:
    (tmp_path / "none.gguf").write_bytes(b"GGUF and nothing else")
    broken = Load("m", tmp_path / "none.gguf")
    for outcome in await asyncio.gather(*(borrowing(lender)(broken) for _ in range(2)), return_exceptions=True):
        assert isinstance(outcome, Explained)
        assert "cannot load the model" in outcome.message


async def test_where_nobody_lends_there_is_no_engine(tmp_path: Path, load: Load) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be had"):
        await borrowing(str(tmp_path / "none.sock"))(load)


async def test_a_lender_that_stops_ends_its_engines_and_says_so(load: Load) -> None:
    async with Lender(1).open() as path:
        child: Child = await borrowing(path)(load)
    assert not is_there(child.process.pid)
    async with asyncio.timeout(BOUND):
        assert await child.obituary() == "the embedded engine is not lent any more"
    await child.close()


async def test_a_model_that_is_lent_answers_again_after_the_engine_died(lender: str, weights: Path) -> None:
    async def at_hand() -> Path:
        return weights

    options = EngineOptions(threads=2, context=1024, slots=2)
    model = EmbeddedModel(at_hand, options, profile=SMOLLM2, spawn=borrowing(lender))
    question = prompt("What is the capital of France?")
    first = text(await read(model, question))
    assert "Paris" in first
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    assert text(await read(model, question)) == first
    await model.close()
