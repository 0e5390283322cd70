"""The thirty names, and what the guide says of them."""

import re
from pathlib import Path

import pytest

from turnwise.models.speech.voices import VOICES, named, standing_in

GUIDE = Path(__file__).parents[3] / "docs/guides/speech.md"

NAMES = (
    "Zephyr Puck Charon Kore Fenrir Leda Orus Aoede Callirrhoe Autonoe Enceladus Iapetus Umbriel Algieba Despina"
    " Erinome Algenib Rasalgethi Laomedeia Achernar Alnilam Schedar Gacrux Pulcherrima Achird Zubenelgenubi"
    " Vindemiatrix Sadachbia Sadaltager Sulafat"
)


def test_they_are_the_apis() -> None:
    assert [voice.name for voice in VOICES] == NAMES.split()


def test_the_guide_lists_them_as_they_are() -> None:
    rows = re.findall(r"^\| ([A-Z][a-z]+) \| (\w+), ([\w-]+) \| (\w+) \|$", GUIDE.read_text(), re.MULTILINE)
    assert rows == [(voice.name, voice.gender, voice.character, voice.openai) for voice in VOICES]


@pytest.mark.parametrize("name", ["", None, "nobody", "kor"])
def test_other_names_are_none_of_them(name: str | None) -> None:
    assert named(name) is None


def test_each_has_the_same_stand_in_always() -> None:
    chosen = [standing_in(voice, ["one", "two", "three"]) for voice in VOICES]
    assert chosen[:4] == ["one", "two", "three", "one"]
    assert {chosen.count(name) for name in ("one", "two", "three")} == {10}
