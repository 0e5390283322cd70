"""Long documents fitted to what a model reads."""

import pytest

from turnwise.engine.fitting import CHARACTERS_A_TOKEN, fit, rank
from turnwise.media.media import Passage

WEATHER = "It rained on the hills all day, and the river rose."


def pages(count: int, **special: str) -> list[Passage]:
    """A document of so many pages about the weather, but for the special ones (`p3`)."""
    return [Passage(special.get(f"p{n}", f"{WEATHER} Day {n}."), f"page {n}") for n in range(1, count + 1)]


def room_for(passages: int) -> int:
    return round(passages * (len(WEATHER) + 10) / CHARACTERS_A_TOKEN)


def test_what_fits_is_told_whole():
    text = fit(pages(2), "What happened?", room_for(3))
    assert text == f"[page 1]\n{WEATHER} Day 1.\n[page 2]\n{WEATHER} Day 2."


def test_the_page_with_the_answer_is_found_among_three_hundred():
    document = pages(300, p217="The code of the vault is 4711.")
    text = fit(document, "What is the code for the vault?", room_for(3))
    assert "[page 217]\nThe code of the vault is 4711." in text


def test_it_is_said_what_was_left_out():
    document = pages(9, p4="The code of the vault is 4711.", p5="Nobody knows the vault but Ann.")
    text = fit(document, "Who knows the code of the vault?", room_for(2))
    assert text.endswith("[left out, as it did not fit: page 1 to page 3, page 6 to page 9]")


def test_what_was_chosen_stands_in_the_order_of_the_document():
    document = pages(9, p2="Ann has the vault.", p8="The vault, the vault, the vault.")
    text = fit(document, "vault", room_for(1))
    assert text.index("Ann has") < text.index("The vault, the")


def test_a_question_that_shares_no_word_is_given_the_beginning():
    text = fit(pages(50), "Please summarize this document.", room_for(2))
    assert text.startswith("[page 1]")
    assert "page 3 to page 50" in text


def test_a_rare_word_counts_more_than_a_common_one():
    document = pages(20, p7="The hills have a bridge.")
    assert rank(document, "Is there a bridge on the river?")[0] == 6


def test_words_are_found_in_another_form():
    assert rank(pages(3, p2="Two bridges were painted."), "painting a bridge")[0] == 1


@pytest.mark.parametrize(
    ("weather", "answer", "question"),
    [
        ("山上整天下雨，河水上涨。", "巴塞尔金库的密码是四七一一。", "金库的密码是多少？"),
        ("一日中雨が降り、川の水が増えた。", "金庫の暗証番号は4711です。", "金庫の暗証番号は何ですか。"),
        ("하루 종일 비가 와서 강물이 불었다.", "금고의 비밀번호는 4711이다.", "금고 비밀번호가 뭐야?"),
    ],
    ids=["Chinese", "Japanese", "Korean"],
)
def test_words_are_found_where_nothing_parts_them(weather: str, answer: str, question: str):
    document = [Passage(answer if n == 217 else weather, f"page {n}") for n in range(1, 301)]
    assert rank(document, question)[0] == 216


def test_a_passage_longer_than_the_room_is_cut_and_not_dropped():
    assert fit([Passage("word " * 1000)], "word", 100) == ("word " * 1000)[: round(100 * CHARACTERS_A_TOKEN)]


def test_a_document_without_places_says_how_much_was_left_out():
    text = fit([Passage(WEATHER) for _ in range(5)], "rain", room_for(2))
    assert text.endswith("passages]")


def test_a_document_without_words_is_no_error():
    assert fit([], "What?", 10) == ""
