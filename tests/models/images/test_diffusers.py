"""Images by diffusers: the real package, with a pipeline that is as small as it can be, and real all the same.

The package and torch are the user's, and not among what the tests install. Where they are not, what needs none of them
is tested still.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from models.pictures import opened, picture, shown
from models.prompts import BOUND, finish, prompt, read, said
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest, ModelTimeout, ModelUnavailable
from turnwise.domain.formats import ImageFormat
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.images.diffusers import DiffusersModel, Order, Worker
from turnwise.models.model import Fragment, MediaFragment, ModelCard, Prompt, Taken
from turnwise.models.openai import Limits

CARD = ModelCard("tiny", inputs=frozenset({"text", "image"}), outputs=frozenset({"image"}))

real = pytest.mark.skipif(
    not all(map(find_spec, ("diffusers", "torch", "transformers"))), reason="diffusers is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pipeline, written by a process of its own: importing what writes it warns of this and that."""
    folder = tmp_path_factory.mktemp("pipeline")
    script = Path(__file__).with_name("tiny_pipeline.py")
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True, timeout=BOUND)
    return folder


@pytest.fixture
async def model(folder: Path) -> AsyncIterator[DiffusersModel]:
    model = DiffusersModel(CARD, folder)
    await model.start()
    yield model
    await model.close()


def drawing(*texts: str, seed: int | None = None, **fields: Any) -> Prompt:
    return replace(prompt(*texts, seed=seed), modalities=("image",), **fields)


def image(fragments: list[Fragment]) -> bytes:
    (made,) = [fragment for fragment in fragments if isinstance(fragment, MediaFragment)]
    return made.data


@real
async def test_an_image_is_made_in_the_pixels_that_are_wanted(model: DiffusersModel) -> None:
    fragments = await read(model, drawing("a red cat"))
    assert (fragments[0], finish(fragments)) == (Taken(), "stop")
    assert opened(image(fragments)).size == (64, 64)
    wide = await read(model, drawing("a cat", image=ImageFormat("8:1", "512", "image/jpeg")))
    assert (opened(image(wide)).size, opened(image(wide)).format) == ((1536, 192), "JPEG")


@real
async def test_a_seed_makes_it_repeat_itself(model: DiffusersModel) -> None:
    first, again, other = [image(await read(model, drawing("a cat", seed=seed))) for seed in (1, 1, 2)]
    assert first == again != other


@real
async def test_a_picture_of_the_conversation_is_changed(model: DiffusersModel) -> None:
    def asked(colour: str) -> Prompt:
        steps = [*said("a cat"), ModelOutput((shown(picture(colour, size=(48, 32))),)), *said("make it blue")]
        return replace(drawing(seed=1), steps=steps)

    red, green = [image(await read(model, asked(colour))) for colour in ("red", "green")]
    assert opened(red).size == (48, 32)
    assert red != green


@real
async def test_what_is_done_is_told_step_by_step_and_stopped_behind_a_step(folder: Path) -> None:
    worker = await Worker.spawn(folder)
    told: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(BOUND), worker.making(Order(1, "a cat", None, None, None)) as messages:
            async for message in messages:
                told.append(message)
                if message.get("step") == 2:
                    worker.cancel(1)
    finally:
        await worker.close()
    assert told[:3] == [{"id": 1, "taken": True}, {"id": 1, "step": 1}, {"id": 1, "step": 2}]
    assert told[-1] == {"id": 1, "cancelled": True}
    assert len(told) < 40  # of fifty steps


@real
async def test_leaving_a_turn_makes_room_for_the_next(model: DiffusersModel) -> None:
    async with asyncio.timeout(BOUND), aclosing(model.stream(drawing("a cat"))) as fragments:
        assert await anext(fragments) == Taken()
    pid = model.pid
    assert image(await read(model, drawing("a cat")))
    assert model.pid == pid


@real
async def test_images_are_made_one_by_one(model: DiffusersModel) -> None:
    first, second = await asyncio.gather(*(read(model, drawing("a cat", seed=1)) for _ in range(2)))
    assert image(first) == image(second)


@real
async def test_a_process_that_is_killed_says_so_and_the_next_turn_has_another(model: DiffusersModel) -> None:
    await read(model, drawing("a cat"))
    pid = model.pid
    assert pid is not None
    async with asyncio.timeout(BOUND), aclosing(model.stream(drawing("a cat"))) as fragments:
        await anext(fragments)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ModelUnavailable, match="died with code -9"):
            await anext(fragments)
    assert image(await read(model, drawing("a cat")))
    assert model.pid != pid


@real
async def test_a_process_that_says_nothing_any_more_is_made_to_go(folder: Path) -> None:
    model = DiffusersModel(CARD, folder, limits=Limits(idle=60.0))
    try:
        await read(model, drawing("a cat"))
        assert model.pid is not None
        os.kill(model.pid, signal.SIGSTOP)
        model._limits = Limits(idle=0.2)
        with pytest.raises(ModelTimeout, match="in time"):
            await read(model, drawing("a cat"))
    finally:
        await model.close()


@real
async def test_weights_that_may_run_code_are_not_loaded(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "unet/diffusion_pytorch_model.safetensors").rename(tmp_path / "unet/diffusion_pytorch_model.bin")
    model = DiffusersModel(CARD, tmp_path)
    try:
        with pytest.raises(ModelUnavailable, match="cannot load the pipeline"):
            await read(model, drawing("a cat"))
    finally:
        await model.close()


def empty(folder: Path) -> Path:
    """A folder that looks like that of a pipeline."""
    (folder / "model_index.json").write_text("{}")
    return folder


async def test_packages_that_are_missing_are_named_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError(\"No module named 'torch'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    model = DiffusersModel(CARD, empty(tmp_path))
    try:
        with pytest.raises(ModelUnavailable, match="run `pip install diffusers transformers accelerate torch`"):
            await read(model, drawing("a cat"))
    finally:
        await model.close()


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no folder of a pipeline: there is no model_index\.json"):
        DiffusersModel(CARD, tmp_path)


async def test_what_cannot_be_asked_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    model = DiffusersModel(CARD, empty(tmp_path))
    with pytest.raises(InvalidRequest, match=r"generation_config\.temperature"):
        await read(model, replace(prompt(temperature=0.5), modalities=("image",)))
    hat = UserInput((Text("Put this on it"), shown(picture("blue"))))
    with pytest.raises(InvalidRequest, match="start from one other here, and the conversation has 2"):
        await read(model, Prompt([ModelOutput((shown(picture()),)), hat]))
    assert model.pid is None
    await model.close()
