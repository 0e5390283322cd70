"""A scene travels inside of a picture, and comes back as it was; from a stranger's picture, as one to be drawn."""

import json
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from turnwise.models.drawing.carried import LONGEST_NOTE, note_of, scene_of, with_note
from turnwise.models.drawing.composing.composer import compose
from turnwise.models.drawing.composing.figures import Frame
from turnwise.models.drawing.painting import paint
from turnwise.models.drawing.scene import MOST_THINGS, Scene, scene_from_json
from turnwise.models.drawing.sizes import Size
from turnwise.models.drawing.words.reading import read

PROMPT = 'a red house next to a tree and a sign that says "Über <uns> & 你好" at night in winter, pixel art'


def scene() -> Scene:
    return compose(read(PROMPT), Frame(1.0, 1.0), 5, PROMPT)


def png() -> bytes:
    made = BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "PNG")
    return made.getvalue()


def test_a_scene_comes_back_as_it_was() -> None:
    told = json.loads(note_of(scene()))
    back = scene_from_json(told)
    assert back is not None
    assert json.loads(note_of(back)) == told
    assert len(back.things) == len(scene().things)
    assert back.prompt == PROMPT


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg", "image/webp"])
def test_a_picture_carries_its_scene(mime_type: str) -> None:
    note = note_of(scene())
    picture = Image.open(BytesIO(with_note(png(), Size(8, 8), mime_type, note)))
    picture.load()
    assert picture.size == (8, 8)
    back = scene_of(picture)
    assert back is not None
    assert note_of(back) == note


def test_a_picture_without_a_note_has_no_scene() -> None:
    assert scene_of(Image.open(BytesIO(png()))) is None


@pytest.mark.parametrize(
    "note",
    ["", "no JSON", "[]", "null", "[" * 5_000, '"text"', "x" * (LONGEST_NOTE + 1)],
    ids=["empty", "no JSON", "a list", "null", "deep", "text", "long"],
)
def test_a_note_that_is_no_scene_is_none(note: str) -> None:
    assert scene_of(Image.open(BytesIO(with_note(png(), Size(8, 8), "image/png", note)))) is None


THING = {"symbol": "cat", "x": 0.5, "y": 0.8, "size": 0.3}

HOSTILE: dict[str, Any] = {
    "nothing": {},
    "unknown symbol": {"things": [{**THING, "symbol": "__class__"}]},
    "no names": {"things": [{**THING, "symbol": ["cat"]}, 7, None]},
    "no list": {"things": "cat"},
    "no numbers": {"things": [{**THING, "x": "1", "y": None, "size": float("nan")}]},
    "huge numbers": {"things": [{**THING, "x": 1e300, "size": -1e300, "turn": 1e300}], "horizon": 1e9, "seed": 1e300},
    "markup as a colour": {
        "things": [{**THING, "colour": '"/><script>'}],
        "background": '#"/><b>',
        "sky": "#ggg",
        "ground": "url(http://x)",
    },
    "markup as a text": {"things": [{**THING, "text": "</text><image href='file:///etc/passwd'/>", "label": "<b>"}]},
    "unknown names": {"setting": "../..", "time": 7, "weather": [], "styles": ["x", {}, 3], "season": {}},
    "very many": {"things": [THING] * 10_000},
}


@pytest.mark.parametrize("told", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_picture_carries_can_be_drawn(told: Any) -> None:
    back = scene_from_json(told)
    assert back is not None
    assert len(back.things) <= MOST_THINGS
    svg = paint(back, Size(64, 64))
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<b>" not in svg
    assert "href" not in svg.replace("&lt;image href", "")
    assert "http://x" not in svg
    assert "nan" not in svg
