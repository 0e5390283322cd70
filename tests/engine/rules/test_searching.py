"""What to search for, and the answer out of what was found."""

import pytest

from engine.rules.told import BOWL, EURO, HANDBOOK
from turnwise.engine.rules.questions import query_of
from turnwise.engine.rules.searching import answer_from, closest


@pytest.mark.parametrize(
    ("request_", "query"),
    [
        ("Who won the last Super Bowl?", "Who won the last Super Bowl"),
        ("Hi! Could you please look up the weather in Rome online?", "the weather in Rome"),
        ("Search the web for the tallest building in Africa, please.", "the tallest building in Africa"),
        ("Tell me about the Thirty Years' War.", "the Thirty Years' War"),
    ],
)
def test_a_query_is_the_question_without_what_is_said_around_it(request_: str, query: str) -> None:
    assert query_of(request_) == query


@pytest.mark.parametrize(
    ("request_", "before", "query"),
    [
        ("And who came second?", "Who won the last euro?", "who came second last euro"),
        ("And of Italy?", "Who is the president of France?", "of Italy president"),
    ],
)
def test_a_query_that_goes_on_says_what_it_goes_on_from(request_: str, before: str, query: str) -> None:
    assert query_of(request_, before) == query


def test_a_query_is_bounded() -> None:
    assert len(query_of("Why " + "oh why " * 500)) <= 200


@pytest.mark.parametrize(
    ("question", "told", "answer"),
    [
        ("Who won the last euro?", EURO, "Spain won the match 2–1 against England to claim their record fourth title."),
        ("Who scored the winning goal?", EURO, "Mikel Oyarzabal scored the winning goal in the 86th minute."),
        (
            "Where was Super Bowl LIX played?",
            BOWL,
            "The game was played on February 9, 2025, at Caesars Superdome in New Orleans, Louisiana.",
        ),
        ("How many days of leave do I get?", HANDBOOK, "Every employee gets 28 days of leave a year."),
        ("When does the office open?", HANDBOOK, "The office opens at 8 am."),
    ],
)
def test_the_sentence_that_holds_what_is_asked_for_answers(question: str, told: str, answer: str) -> None:
    assert answer_from(question, told) == answer


def test_of_the_last_of_something_the_latest_that_has_happened_is_told() -> None:
    answer = answer_from("Who won the last Super Bowl?", BOWL)
    assert "Philadelphia Eagles defeated" in answer
    assert "2022" not in answer
    assert "LX will" not in answer


@pytest.mark.parametrize("question", ["Who wrote Faust?", "How many people live in Rome?", "When was Bach born?"])
def test_what_no_result_says_is_not_said(question: str) -> None:
    assert answer_from(question, BOWL) == ""
    assert answer_from(question, EURO) == ""


def test_every_sentence_of_an_answer_stands_in_the_results() -> None:
    for question in ("Who won the last Super Bowl?", "Tell me about Euro 2024", "What is the euro?"):
        told = BOWL if "Bowl" in question else EURO
        assert answer_from(question, told)
        assert all(part.strip(" .") in told for part in answer_from(question, told).split(". "))


def test_where_an_answer_is_to_be_found_is_no_part_of_the_question() -> None:
    told = "Wikipedia is hosted by the Wikimedia Foundation. It has many pages."
    question = "Who hosts Wikipedia according to https://www.wikipedia.org/?"
    assert answer_from(question, told) == "Wikipedia is hosted by the Wikimedia Foundation."


def test_a_sentence_that_leans_on_the_one_before_comes_with_it() -> None:
    told = "The tower was designed by Stephen Sauvestre. It was built by Gustave Eiffel in Paris."
    assert answer_from("Who built the tower in Paris?", told) == told


def test_what_comes_closest_is_a_sentence_of_the_results() -> None:
    assert closest("What does a euro buy in Japan?", EURO) in EURO
    assert closest("Who wrote Faust?", BOWL) == ""


def test_questions_in_chinese_find_their_sentence() -> None:
    assert answer_from("谁赢得了决赛？", "西班牙赢得了决赛。天气很好。") == "西班牙赢得了决赛。"
