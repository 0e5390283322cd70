"""Texts said in a few of their own sentences."""

import pytest

from engine.rules.told import EURO, PORTAL, UNREAD
from turnwise.engine.rules.summing_up import summary, wants_summary


def test_a_summary_is_made_of_the_texts_own_sentences() -> None:
    said = summary("Summarize the content of https://www.wikipedia.org/", PORTAL)
    assert "Wikipedia is hosted by the Wikimedia Foundation" in said
    assert all(part.strip(" .") in PORTAL for part in said.split(". "))


@pytest.mark.parametrize(
    ("request_", "sentences"),
    [("Summarize it in one sentence", 1), ("Sum it up in two sentences", 2), ("Summarize", 3)],
)
def test_a_summary_has_as_many_sentences_as_are_wanted(request_: str, sentences: int) -> None:
    assert summary(request_, EURO).count(".") - summary(request_, EURO).count("1.08") == sentences


def test_points_are_a_list() -> None:
    lines = summary("Give me the key points in 2 bullet points", EURO).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("- ") for line in lines)


def test_of_nothing_there_is_no_summary() -> None:
    assert summary("Summarize it", UNREAD) == ""
    assert summary("Summarize it", "") == ""


def test_a_page_without_sentences_is_told_by_its_lines() -> None:
    assert summary("Summarize it", "Home page\nAll our prices\nContact and imprint\nJobs") == (
        "- Home page\n- All our prices\n- Contact and imprint"
    )


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("Summarize the content of https://www.wikipedia.org/", True),
        ("What is this page about? https://a.example", True),
        ("Who wrote https://about.example/story?", False),
        ("How much does the first book cost at https://books.example?", False),
    ],
)
def test_a_wish_for_a_summary_is_told_from_a_question(request_: str, wanted: bool) -> None:
    assert wants_summary(request_) == wanted
