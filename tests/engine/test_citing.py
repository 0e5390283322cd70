"""Citations: which sentences of an answer rest on which sources, by what both of them say."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from turnwise.engine.citing import Citations
from turnwise.tools.tool import Source

GAME = Source(
    "Super Bowl LX was played in Santa Clara, California, on February 8, 2026. The Seattle Seahawks defeated the New "
    "England Patriots, 29-13, for their second title.",
    {"type": "url_citation", "url": "http://game.example", "title": "Super Bowl LX"},
)
CITY = Source(
    "Madrid is the capital and the largest city of Spain. It has about 3.3 million inhabitants.",
    {"type": "url_citation", "url": "http://city.example", "title": "Madrid"},
)
PAGE = Source(
    "The warranty lasts 24 months from the day of purchase.",
    {"type": "file_citation", "file_name": "terms.pdf", "page_number": 3},
)


def cite(text: str, sources: Sequence[Source]) -> list[Mapping[str, Any]]:
    citations = Citations()
    citations.add(sources)
    return citations.cite(text)


def cited(text: str, *sources: Source) -> list[tuple[str, str]]:
    """The parts of a text that are cited, and as what."""
    return [
        (text.encode()[found["start_index"] : found["end_index"]].decode(), found.get("url") or found["file_name"])
        for found in cite(text, sources)
    ]


def test_an_address_stands_under_its_first_name_too():
    (found,) = cite("Madrid is the capital of Spain.", [CITY])
    assert found["source"] == found["url"] == "http://city.example"


SUPPORTED = {
    "word for word": "The Seattle Seahawks defeated the New England Patriots, 29-13, for their second title.",
    "in other words": "The Seahawks of Seattle won their second title by defeating the Patriots 29-13.",
    "shorter": "The Seattle Seahawks defeated the New England Patriots.",
}


@pytest.mark.parametrize("sentence", SUPPORTED.values(), ids=SUPPORTED)
def test_a_sentence_that_a_source_says_is_cited(sentence: str):
    assert cited(sentence, GAME, CITY) == [(sentence, "http://game.example")]


UNSUPPORTED = {
    "something else": "I do not know who won.",
    "another number": "The Seattle Seahawks defeated the New England Patriots, 31-13.",
    "one word in common": "Spain is lovely.",
    "much that is new": "The Seahawks celebrated with a parade, fireworks, a concert and free pizza for everyone.",
    "nothing": "",
    "only marks": "*** --- ***",
}


@pytest.mark.parametrize("text", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_no_source_says_is_not_cited(text: str):
    assert cite(text, [GAME, CITY]) == []


def test_each_sentence_is_cited_as_its_own_source():
    text = "Madrid is the capital of Spain. The Seattle Seahawks defeated the Patriots. Both are nice."
    assert cited(text, GAME, CITY) == [
        ("Madrid is the capital of Spain.", "http://city.example"),
        ("The Seattle Seahawks defeated the Patriots.", "http://game.example"),
    ]


def test_offsets_are_of_bytes():
    assert cited("Überall 🎉 grüßt man. Madrid is the capital of Spain.", CITY) == [
        ("Madrid is the capital of Spain.", "http://city.example")
    ]


def test_the_marks_of_a_list_are_not_cited():
    text = "# Spain\n\n- Madrid is the capital of Spain\n- It is sunny\n\n1. Madrid has 3.3 million inhabitants"
    assert cited(text, CITY) == [
        ("Madrid is the capital of Spain", "http://city.example"),
        ("Madrid has 3.3 million inhabitants", "http://city.example"),
    ]


def test_a_single_word_may_be_an_answer():
    assert cited("Madrid.", CITY) == [("Madrid.", "http://city.example")]


def test_a_decimal_point_ends_no_sentence():
    text = "Madrid has about 3.3 million inhabitants."
    assert cited(text, CITY) == [(text, "http://city.example")]


def test_a_sentence_may_rest_on_several_sources():
    again = Source(CITY.text, {"type": "url_citation", "url": "http://again.example", "title": "Again"})
    sentence = "Madrid is the capital of Spain."
    assert cited(sentence, CITY, again) == [(sentence, "http://city.example"), (sentence, "http://again.example")]


def test_the_same_source_is_cited_once():
    sentence = "Madrid is the capital of Spain."
    assert cited(sentence, CITY, CITY) == [(sentence, "http://city.example")]


def test_a_page_of_a_file_is_cited_with_all_that_is_known_of_it():
    sentence = "The warranty lasts 24 months."
    assert cite(sentence, [PAGE]) == [
        {"type": "file_citation", "file_name": "terms.pdf", "page_number": 3, "start_index": 0, "end_index": 29}
    ]


def test_texts_without_blanks_are_cited():
    source = Source(
        "東京は日本の首都であり、人口は約1400万人です。", {"type": "url_citation", "url": "http://tokyo.example"}
    )
    sentence = "東京は日本の首都です。"
    assert cited(sentence + "いい天気。", source) == [(sentence, "http://tokyo.example")]


def test_without_sources_nothing_is_cited():
    assert cite("Madrid is the capital of Spain.", []) == []
    assert cite("Madrid is the capital of Spain.", [Source("", {"type": "url_citation"})]) == []


def test_long_answers_on_many_sources_are_cited_in_time():
    sources = [Source(f"{GAME.text} Number {number}. " * 40, GAME.citation) for number in range(50)]
    answer = " ".join(SUPPORTED.values()) * 30
    before = time.process_time()
    assert cite(answer, sources)
    assert time.process_time() - before < 5
