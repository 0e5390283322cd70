"""Every symbol can be drawn in every way, and every word of the vocabulary has one."""

from random import Random
from xml.etree import ElementTree

import pytest

from turnwise.models.drawing.colours import Tint
from turnwise.models.drawing.painting import BLUEPRINT
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.words.vocabulary import HAMLETS, NOUNS, OWN_COLOURS


def drawing(name: str, tint: Tint, pen: Pen) -> str:
    SYMBOLS[name].draw(pen, tint, Random(1))
    return f"<svg><defs>{pen.definitions}</defs>{pen.elements}</svg>"


@pytest.mark.parametrize("name", SYMBOLS)
def test_a_symbol_is_well_formed_and_shows_its_colour(name: str) -> None:
    red, blue = (drawing(name, Tint(colour), Pen()) for colour in ("#e23b34", "#2f74d8"))
    assert len(ElementTree.fromstring(red)) > 1
    assert red != blue or name in ("rainbow", "traffic_light")


@pytest.mark.parametrize("name", SYMBOLS)
def test_a_symbol_has_an_outline(name: str) -> None:
    outlined = drawing(name, Tint("#e23b34", "#2f74d8"), Pen(BLUEPRINT))
    ElementTree.fromstring(outlined)
    assert BLUEPRINT.line in outlined
    assert "gradient" not in outlined.partition("</defs>")[2]


def test_every_word_has_a_symbol() -> None:
    assert set(NOUNS.values()) <= set(SYMBOLS)
    assert len(NOUNS) > 800
    assert len(set(NOUNS.values())) > 150


def test_every_symbol_but_the_nameless_one_has_a_word() -> None:
    assert set(SYMBOLS) - set(NOUNS.values()) == {"thing"}


def test_own_colours_are_those_of_words() -> None:
    assert set(OWN_COLOURS) <= set(NOUNS) | set(HAMLETS)
