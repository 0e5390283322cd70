"""The embedding model in its child process: a real GGUF file, whose weights by chance say something of any text."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from models.tiny import write_model
from turnwise.domain.errors import ModelUnavailable
from turnwise.models import embedding
from turnwise.models.embedding import EmbeddingModel

BOUND = 60.0
"""Seconds that no test waits longer for anything."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("weights") / "tiny.gguf")


@pytest.fixture
async def model(weights: Path) -> AsyncIterator[EmbeddingModel]:
    opened = of(weights)
    yield opened
    await opened.close()


def of(path: Path) -> EmbeddingModel:
    async def found() -> Path:
        return path

    return EmbeddingModel("tiny", found, threads=1)


async def test_each_text_has_a_vector_and_the_same_text_the_same(model: EmbeddingModel):
    async with asyncio.timeout(BOUND):
        first, second, third = await model.embed(["hello", "world", "hello"])
        (again,) = await model.embed(["hello"])
    assert len(first) == len(second) == 64
    assert first == pytest.approx(third)
    assert first == pytest.approx(again, abs=1e-3)
    assert first != pytest.approx(second, abs=1e-2)


@pytest.mark.parametrize("text", ["", " ", "\n", "a\0b", "\ud800", "\U0001f4a5", "我的狗"])
async def test_any_text_has_one(model: EmbeddingModel, text: str):
    async with asyncio.timeout(BOUND):
        (vector,) = await model.embed([text])
    assert len(vector) == 64


async def test_a_text_that_is_too_long_is_cut(model: EmbeddingModel):
    async with asyncio.timeout(BOUND):
        (vector,) = await model.embed(["hello world " * 5000])
    assert len(vector) == 64


async def test_several_may_ask_at_once_and_one_that_leaves_disturbs_nobody(model: EmbeddingModel):
    async with asyncio.timeout(BOUND):
        (alone,) = await model.embed(["beetle"])
        leaving = asyncio.create_task(model.embed(["hello world " * 200] * 8))
        await asyncio.sleep(0)
        leaving.cancel()
        others = await asyncio.gather(*(model.embed([text]) for text in ("beetle", "fish", "beetle")))
    assert others[0][0] == pytest.approx(alone, abs=1e-3)
    assert others[2][0] == pytest.approx(alone, abs=1e-3)
    assert others[1][0] != pytest.approx(alone, abs=1e-2)


async def test_a_child_that_died_is_followed_by_another(model: EmbeddingModel):
    async with asyncio.timeout(BOUND):
        await model.embed(["hello"])
        first = model.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        while model.pid is not None:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)
        (vector,) = await model.embed(["hello"])
    assert len(vector) == 64
    assert model.pid not in (None, first)


async def test_weights_that_are_none_are_told_of_and_not_tried_again_at_once(tmp_path: Path):
    (tmp_path / "none.gguf").write_text("no weights")
    model = of(tmp_path / "none.gguf")
    async with asyncio.timeout(BOUND):
        with pytest.raises(ModelUnavailable, match="GGUF"):
            await model.embed(["hello"])
        write_model(tmp_path / "none.gguf")
        with pytest.raises(ModelUnavailable, match="GGUF"):
            await model.embed(["hello"])
    await model.close()


async def test_after_a_while_it_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedding, "PAUSE", 0.0)
    (tmp_path / "none.gguf").write_text("no weights")
    model = of(tmp_path / "none.gguf")
    async with asyncio.timeout(BOUND):
        with pytest.raises(ModelUnavailable):
            await model.embed(["hello"])
        write_model(tmp_path / "none.gguf")
        assert len(await model.embed(["hello"])) == 1
    await model.close()


async def test_when_it_is_closed_nothing_is_left(weights: Path, monkeypatch: pytest.MonkeyPatch):
    with TemporaryDirectory() as folder:  # a socket's path must be short
        monkeypatch.setattr("tempfile.tempdir", folder)
        model = of(weights)
        async with asyncio.timeout(BOUND):
            await model.embed(["hello"])
            pid = model.pid
            assert pid is not None
            assert os.listdir(folder) != []
            await model.close()
        assert os.listdir(folder) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
