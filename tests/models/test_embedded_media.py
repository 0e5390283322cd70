"""Embedded models that see: the real engine, with real files of a model and of its eyes that are made here."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from models.pictures import picture, shown
from models.prompts import BOUND, prompt, read, usage
from models.tiny import IMAGE_TOKENS, write_eyes, write_model
from turnwise.domain.content import Content, Media, Text
from turnwise.domain.errors import ModelUnavailable, Unimplemented
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, UserInput
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions
from turnwise.models.model import Finished, Prompt

SMALL = EngineOptions(threads=1, context=512, slots=1, cache_mib=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its eyes, and eyes of another model."""
    folder = tmp_path_factory.mktemp("tiny")
    write_model(folder / "tiny.gguf")
    write_eyes(folder / "eyes.gguf")
    write_eyes(folder / "others.gguf", width=32)
    return folder


def at_hand(path: Path) -> Callable[[], Awaitable[Path]]:
    async def give() -> Path:
        return path

    return give


def tiny(folder: Path, eyes: str | None) -> EmbeddedModel:
    projector = None if eyes is None else at_hand(folder / eyes)
    return EmbeddedModel(at_hand(folder / "tiny.gguf"), SMALL, name="tiny", projector=projector)


async def tokens_of(model: EmbeddedModel, *content: Content) -> int:
    """How many tokens a message is."""
    asked = Prompt([UserInput(content)], generation=GenerationConfig(max_output_tokens=2))
    fragments = await read(model, asked)
    assert isinstance(fragments[-1], Finished)
    return usage(fragments).input_tokens


async def test_a_picture_goes_through_and_words_alone_do_too(folder: Path) -> None:
    model = tiny(folder, "eyes.gguf")
    try:
        words = await tokens_of(model, Text("What is this?"))
        one = await tokens_of(model, Text("What is this?"), shown(picture()))
        two = await tokens_of(model, Text("What is this?"), shown(picture()), shown(picture("blue")))
    finally:
        await model.close()
    assert one - words >= IMAGE_TOKENS
    assert two - one == one - words


@pytest.mark.parametrize("form", ["JPEG", "GIF", "BMP", "WEBP"])
async def test_pictures_of_other_forms_are_shown_too(folder: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # with ffmpeg on the machine the engine would read more by itself
    model = tiny(folder, "eyes.gguf")
    try:
        as_png = await tokens_of(model, shown(picture()))
        as_asked = await tokens_of(model, shown(picture(form=form), f"image/{form.lower()}"))
    finally:
        await model.close()
    assert as_asked == as_png


async def test_a_picture_in_a_functions_result_is_shown(folder: Path) -> None:
    call = FunctionCall("c1", "look", {})
    item = {"type": "image", "mime_type": "image/webp", "data": shown(picture(form="WEBP")).data}
    model = tiny(folder, "eyes.gguf")
    try:
        counted = []
        for result in ([{"type": "text", "text": "here"}], [{"type": "text", "text": "here"}, item]):
            steps = [UserInput((Text("Look!"),)), call, FunctionResult("c1", result)]
            fragments = await read(model, Prompt(steps, generation=GenerationConfig(max_output_tokens=2)))
            counted.append(usage(fragments).input_tokens)
    finally:
        await model.close()
    assert counted[1] - counted[0] >= IMAGE_TOKENS


async def test_the_card_says_what_the_engine_says_once_it_is_loaded(folder: Path) -> None:
    seeing, blind = tiny(folder, "eyes.gguf"), tiny(folder, None)
    try:
        assert seeing.card.inputs == {"text", "image"}
        async with asyncio.timeout(BOUND):
            await seeing.loaded()
            await blind.loaded()
        assert seeing.card.inputs == {"text", "image"}
        assert blind.card.inputs == {"text"}
    finally:
        await seeing.close()
        await blind.close()


async def test_a_picture_for_a_model_without_eyes_is_refused_before_it_is_asked(folder: Path) -> None:
    model = tiny(folder, None)
    result = FunctionResult("c1", [{"type": "image", "mime_type": "image/png", "data": "aGk="}])
    try:
        for step in (UserInput((Text("What is this?"), shown(picture()))), result):
            with pytest.raises(Unimplemented, match="'image' cannot be shown to this model: it takes text"):
                await read(model, Prompt([step]))
        assert await tokens_of(model, Text("Never mind."))
    finally:
        await model.close()


async def test_a_document_is_refused_to_eyes_too(folder: Path) -> None:
    model = tiny(folder, "eyes.gguf")
    try:
        with pytest.raises(Unimplemented, match="'document' cannot be shown"):
            await read(model, Prompt([UserInput((Media("document", "application/pdf", "aGk="),))]))
    finally:
        await model.close()


async def test_a_file_that_is_a_model_itself_is_no_eyes(folder: Path) -> None:
    model = tiny(folder, "tiny.gguf")
    try:
        with pytest.raises(ModelUnavailable, match=r"mmproj: .*tiny\.gguf holds a model of the architecture 'llama'"):
            await read(model, prompt())
    finally:
        await model.close()


async def test_eyes_of_another_model_are_refused_by_their_name(folder: Path) -> None:
    model = tiny(folder, "others.gguf")
    try:
        with pytest.raises(ModelUnavailable, match=r"with the mmproj .*others\.gguf: is it that model's own\?"):
            await read(model, prompt())
    finally:
        await model.close()


async def test_a_file_that_is_no_gguf_is_no_eyes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_bytes(b"<html>")
    (tmp_path / "cut.gguf").write_bytes((folder / "eyes.gguf").read_bytes()[:30])
    for name, reason in [("page.gguf", "it is no GGUF file"), ("cut.gguf", "its head cannot be read")]:
        model = EmbeddedModel(at_hand(folder / "tiny.gguf"), SMALL, projector=at_hand(tmp_path / name))
        try:
            with pytest.raises(ModelUnavailable, match=reason):
                await read(model, prompt())
        finally:
            await model.close()
