"""Who paints and who speaks in the place of a model that only writes."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from models.prompts import prompt, read
from turnwise.domain.content import Text, Told
from turnwise.domain.errors import Unimplemented
from turnwise.domain.formats import Modality
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.catalogue import ANY, Catalogue
from turnwise.models.engines import PAINTING, ModelEntry
from turnwise.models.model import (
    Finished,
    Fragment,
    MediaFragment,
    Model,
    ModelCard,
    Taken,
    TextFragment,
    UsageFragment,
)
from turnwise.models.scripted import ScriptedModel, say

PAINTER = ModelCard("painter", outputs=frozenset({"image"}))
SPEAKER = ModelCard("speaker", outputs=frozenset({"audio"}))


@asynccontextmanager
async def catalogue(
    models: dict[str, ScriptedModel], tmp_path: Path, **entries: ModelEntry
) -> AsyncIterator[Catalogue]:
    """Names and the models behind them, each an engine of its own."""
    listed = {name: entries.get(name, ModelEntry("scripted", source=name)) for name in {**models, **entries}}
    built = Catalogue(listed, tmp_path, engines={"scripted": lambda name, entry, _: models[entry.source or ""]})
    try:
        yield built
    finally:
        await built.close()


def writer(words: str = "Hello there, my friend.") -> ScriptedModel:
    usage = Usage({"text": 3}, {"text": 5})
    return ScriptedModel(answer=lambda _: say(words, usage=usage), card=ModelCard("writer"))


def speaker() -> ScriptedModel:
    sound = [Taken(), MediaFragment(0, "audio", "audio/l16", b"pcm!"), Finished("stop")]
    return ScriptedModel(answer=lambda _: sound, card=SPEAKER)


def painter() -> ScriptedModel:
    picture = [Taken(), MediaFragment(0, "image", "image/png", b"png"), Finished("stop")]
    return ScriptedModel(answer=lambda _: picture, card=PAINTER)


async def answer(model: Model, said: str = "Hi", *modalities: Modality) -> Sequence[Fragment]:
    return await read(model, replace(prompt(said), modalities=modalities))


def kinds(fragments: Sequence[Fragment]) -> set[str]:
    return {type(fragment).__name__ for fragment in fragments}


async def test_a_name_that_is_asked_for_its_own_modality_is_itself(tmp_path: Path) -> None:
    models = {"paint": painter(), "write": writer()}
    async with catalogue(models, tmp_path) as names:
        assert names.find("paint").card is PAINTER
        assert names.find("paint", ("image",)).card is PAINTER
        assert names.find("paint", ("text", "image")).card is PAINTER
        assert names.find("write", ("text",)).card.name == "writer"


@pytest.mark.parametrize("asked", [("text",), ("audio",), ("image", "audio")])
async def test_a_painter_neither_writes_nor_speaks(tmp_path: Path, asked: tuple[Modality, ...]) -> None:
    async with catalogue({"paint": painter()}, tmp_path) as names:
        with pytest.raises(Unimplemented, match="'paint' answers with image, not with " + " and ".join(asked)):
            names.find("paint", asked)


async def test_a_model_that_writes_cannot_paint_and_speak_at_once(tmp_path: Path) -> None:
    async with catalogue({"write": writer()}, tmp_path) as names:
        with pytest.raises(Unimplemented, match="'write' answers with text, not with image and audio"):
            names.find("write", ("image", "audio"))


async def test_who_is_set_to_paint_in_its_place_does(tmp_path: Path) -> None:
    models = {"write": writer(), "paint": painter()}
    entry = ModelEntry("scripted", source="write", image="paint")
    async with catalogue(models, tmp_path, write=entry) as names:
        assert names.find("write", ("text", "image")).card is PAINTER
        assert names.find("write").card.name == "writer"


async def test_any_other_name_is_painted_by_who_paints_for_the_star(tmp_path: Path) -> None:
    models = {ANY: writer(), "paint": painter()}
    async with catalogue(models, tmp_path, **{ANY: ModelEntry("scripted", source=ANY, image="paint")}) as names:
        assert names.find("anything", ("image",)).card is PAINTER


@pytest.mark.parametrize(
    ("name", "modality"), [("gemini-3-pro-image-preview", "image"), ("gemini-2.5-flash-preview-tts", "audio")]
)
async def test_the_apis_own_painters_and_speakers_need_not_be_asked_twice(
    tmp_path: Path, name: str, modality: str
) -> None:
    async with catalogue({ANY: writer()}, tmp_path) as names:
        assert names.find(name).card.outputs == {modality}
        assert names.find(name, ("text",)).card.name == "writer"
        assert names.find("gemini-3-flash-preview").card.name == "writer"


async def test_a_name_of_the_settings_is_what_the_settings_say(tmp_path: Path) -> None:
    async with catalogue({"gemini-3-pro-image-preview": writer()}, tmp_path) as names:
        assert names.find("gemini-3-pro-image-preview").card.outputs == {"text"}


WRONG: dict[str, tuple[dict[str, ModelEntry], str]] = {
    "a painter that is not listed": (
        {"a": ModelEntry("scripted", source="a", image="b")},
        r"models\.a: image: 'b' is not listed; listed are: 'a'",
    ),
    "a drawing without anyone who lays it out": (
        {"a": ModelEntry(PAINTING)},
        r"models\.a: model: '\*' is not listed",
    ),
    "a drawing laid out by a drawing": (
        {"a": ModelEntry(PAINTING, model="b"), "b": ModelEntry(PAINTING, model="a")},
        r"models\.a: model: 'b' paints itself; name one that writes",
    ),
    "a drawing laid out by who does not write": (
        {"a": ModelEntry(PAINTING, model="b"), "b": ModelEntry("paints")},
        r"models\.a: model: 'b' does not write; name one that does",
    ),
    "who paints in its own place": (
        {"a": ModelEntry("scripted", image="a")},
        r"models\.a: its image goes in a circle: a, a",
    ),
    "two that paint in each other's place": (
        {"a": ModelEntry("scripted", source="a", image="b"), "b": ModelEntry("scripted", source="b", image="a")},
        r"models\.a: its image goes in a circle: a, b, a",
    ),
    "a voice by who paints": (
        {"a": ModelEntry("scripted", audio="b"), "b": ModelEntry("paints")},
        r"models\.a: audio: 'b' answers with image",
    ),
    "a voice for who does not write": (
        {"a": ModelEntry("paints", audio="b"), "b": ModelEntry("scripted")},
        r"models\.a: audio: it does not write, and nobody does this in its place",
    ),
    "a drawing at an address": (
        {"a": ModelEntry(PAINTING, model="b", base_url="http://a/v1"), "b": ModelEntry("scripted")},
        r"models\.a: engine 'drawing' has no base_url",
    ),
    "a drawing that calls functions": (
        {"a": ModelEntry(PAINTING, model="b", can={"tools": True}), "b": ModelEntry("scripted")},
        r"models\.a: engine 'drawing' has no tools",
    ),
}


@pytest.mark.parametrize(("entries", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_at_the_start(tmp_path: Path, entries: dict[str, ModelEntry], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Catalogue(entries, tmp_path, engines={"scripted": lambda *_: writer(), "paints": lambda *_: painter()})


# -- pictures that are laid out


@pytest.mark.parametrize("entry", [None, ModelEntry(PAINTING)])
async def test_a_model_that_only_writes_has_its_pictures_drawn(tmp_path: Path, entry: ModelEntry | None) -> None:
    entries = {} if entry is None else {"draw": entry}
    async with catalogue({ANY: writer()}, tmp_path, **entries) as names:
        fragments = await answer(names.find("draw", ("image",)), "A red circle on white", "image")
    (picture,) = [fragment for fragment in fragments if isinstance(fragment, MediaFragment)]
    with Image.open(io.BytesIO(picture.data)) as image:
        assert (image.format, image.size) == ("PNG", (1024, 1024))


# -- answers that are spoken


async def test_an_answer_is_spoken(tmp_path: Path) -> None:
    async with catalogue({"write": writer()}, tmp_path) as names:
        fragments = await answer(names.find("write", ("audio",)), "How are you?", "audio")
    sound = b"".join(fragment.data for fragment in fragments if isinstance(fragment, MediaFragment))
    assert len(sound) > 24_000
    assert "TextFragment" not in kinds(fragments)
    usage = [fragment.usage for fragment in fragments if isinstance(fragment, UsageFragment)][-1]
    assert (usage.input, usage.output["text"]) == ({"text": 3}, 5)
    assert usage.output["audio"] > 10


async def test_the_words_are_shown_too_when_they_are_wanted(tmp_path: Path) -> None:
    async with catalogue({"write": writer()}, tmp_path) as names:
        fragments = await answer(names.find("write", ("text", "audio")), "How are you?", "text", "audio")
    assert "".join(f.text for f in fragments if isinstance(f, TextFragment)) == "Hello there, my friend."
    assert "MediaFragment" in kinds(fragments)
    assert [type(fragment).__name__ for fragment in fragments].count("Taken") == 1


async def test_words_that_are_handed_over_are_spoken_and_nobody_is_asked(tmp_path: Path) -> None:
    model = writer()
    async with catalogue({"write": model}, tmp_path) as names:
        fragments = await answer(names.find("write", ("audio",)), "Say the following: Good morning!", "audio")
    assert "MediaFragment" in kinds(fragments)
    assert model.prompts == []


@pytest.mark.parametrize("asked", [("audio",), ("text", "audio")])
async def test_who_is_set_to_speak_in_its_place_speaks_its_answer(tmp_path: Path, asked: tuple[Modality, ...]) -> None:
    voice = speaker()
    entry = ModelEntry("scripted", source="write", audio="voice")
    async with catalogue({"write": writer(), "voice": voice}, tmp_path, write=entry) as names:
        fragments = await answer(names.find("write", asked), "How are you?", *asked)
    assert ("TextFragment" in kinds(fragments)) == ("text" in asked)
    assert "MediaFragment" in kinds(fragments)
    assert [said for one in voice.prompts for said in one.steps] == [ModelOutput((Text("Hello there, my friend."),))]


async def test_who_is_set_to_speak_is_handed_the_words_that_the_request_has(tmp_path: Path) -> None:
    model, voice = writer(), speaker()
    entry = ModelEntry("scripted", source=ANY, audio="voice")
    async with catalogue({ANY: model, "voice": voice}, tmp_path, **{ANY: entry}) as names:
        await answer(names.find("any", ("audio",)), "Say the following: Good morning!", "audio")
        await answer(names.find("gemini-2.5-pro-preview-tts"), "Good morning!", "audio")
    assert (len(voice.prompts), model.prompts) == (2, [])


async def test_who_writes_for_itself_answers_in_anothers_place(tmp_path: Path) -> None:
    model, other = writer(), writer("Other words.")
    entry = ModelEntry("scripted", source="write", audio="other")
    async with catalogue({"write": model, "other": other}, tmp_path, write=entry) as names:
        await answer(names.find("write", ("audio",)), "How are you?", "audio")
    assert (len(other.prompts), model.prompts) == (1, [])


async def test_what_is_told_of_a_file_was_handed_over_by_nobody(tmp_path: Path) -> None:
    model = writer()
    page = UserInput((Text("Read this aloud:"), Told("[document: text, 1 line. Its text:]\nHi\n[end of document]")))
    async with catalogue({"write": model}, tmp_path) as names:
        asked = replace(prompt(), steps=[page], modalities=("audio",))
        assert "MediaFragment" in kinds(await read(names.find("write", ("audio",)), asked))
    assert [one.steps for one in model.prompts] == [[page]]


async def test_the_apis_own_speakers_read_what_they_are_given(tmp_path: Path) -> None:
    model = writer()
    async with catalogue({ANY: model}, tmp_path) as names:
        fragments = await answer(names.find("gemini-2.5-pro-preview-tts"), "Good morning!", "audio")
    assert "MediaFragment" in kinds(fragments)
    assert model.prompts == []


async def test_an_instruction_for_who_writes_is_none_for_a_voice(tmp_path: Path) -> None:
    async with catalogue({"write": writer()}, tmp_path) as names:
        asked = replace(prompt("Say: Good morning!", system="You are a lawyer."), modalities=("audio",))
        assert "MediaFragment" in kinds(await read(names.find("write", ("audio",)), asked))


async def test_a_refusal_is_not_spoken(tmp_path: Path) -> None:
    refusing = ScriptedModel([Taken(), TextFragment("I won't."), Finished("refusal")], card=ModelCard("writer"))
    async with catalogue({"write": refusing}, tmp_path) as names:
        fragments = await answer(names.find("write", ("audio",)), "How are you?", "audio")
    assert fragments[-1] == Finished("refusal")
    assert "MediaFragment" not in kinds(fragments)
