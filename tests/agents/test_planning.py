"""Plans by rule, and plans as text."""

import pytest

from turnwise.agents.deep_research.effort import Effort
from turnwise.agents.deep_research.planning import (
    Plan,
    Question,
    approves,
    changed_by_rule,
    parse_plan,
    plan_by_rule,
    render_plan,
)

PLAN = Plan(
    "Solar panels",
    (
        Question("What do they cost?", ("solar panel prices", "solar panel cost")),
        Question("How long do they last?", ("solar panel lifetime",)),
    ),
)


def planned(asked: str, before: str = "") -> Plan:
    return plan_by_rule(asked, before, Effort())


@pytest.mark.parametrize(
    ("asked", "title", "queries"),
    [
        ("Research the history of Google TPUs.", "The history of Google TPUs", ["history Google TPUs", "Google TPUs"]),
        ("Please write me a detailed report on solar panels", "Solar panels", ["solar panels"]),
        ("Can you find out about rye bread?", "Rye bread", ["rye bread"]),
        (
            "What is the tallest mountain in Spain?",
            "What is the tallest mountain in Spain?",
            ["tallest mountain Spain"],
        ),
        ("研究谷歌TPU的历史", "谷歌TPU的历史", ["谷歌TPU的历史"]),
        ("请写一份关于中国茶的报告。", "中国茶", ["中国茶"]),
        ("I need a thorough report on rye bread.", "Rye bread", ["rye bread"]),
        ("Hello! I would be very grateful for help. I need a report on rye bread.", "Rye bread", ["rye bread"]),
        ("Hi there, can you look into rye bread?", "Rye bread", ["rye bread"]),
        ("???", "???", ["???"]),
    ],
)
def test_the_subject_of_a_request_is_its_title_and_its_query(asked: str, title: str, queries: list[str]):
    plan = planned(asked)
    assert plan.title == title
    assert list(plan.questions[0].queries) == queries


def test_each_thing_to_focus_on_is_a_question():
    plan = planned("Research solar panels with a focus on prices, lifetime and recycling. Include subsidies.")
    assert [question.text for question in plan.questions] == [
        "Solar panels",
        "Prices",
        "Lifetime",
        "Recycling",
        "Subsidies",
    ]
    assert plan.questions[1].queries == ("solar panels prices",)


def test_a_letter_is_about_what_it_asks_for_and_not_about_its_writer():
    plan = planned(
        "Hello! I am preparing a talk for my history club next month. I need a report on the lighthouses of the "
        "British coast: who built them, what they cost, and how tall they are. Please pay particular attention to the "
        "Eddystone. "
        "Also, I would like to know what happened to Henry Winstanley. Don't include anything about fog signals. "
        "Thanks a lot in advance, and best regards, Anna"
    )
    assert plan.title == "The lighthouses of the British coast"
    assert [question.text for question in plan.questions[1:]] == [
        "Who built them",
        "What they cost",
        "How tall they are",
        "Eddystone",
        "What happened to Henry Winstanley",
    ]


def test_two_questions_in_chinese_are_two():
    plan = planned("中国茶的起源是什么？什么时候传入欧洲？")
    assert [question.text for question in plan.questions] == ["中国茶的起源是什么？", "什么时候传入欧洲？"]


def test_whatever_is_asked_beside_what_a_plan_can_have_is_in_its_last_question():
    plan = planned("Research ships with a focus on " + ", ".join(f"masts{number}" for number in range(20)))
    assert len(plan.questions) == 12
    assert all(f"asts{number}" in plan.words for number in range(20))


def test_a_query_ends_with_a_word():
    (query, *_) = planned(f"Research {'lighthouses and harbours ' * 30}").questions[0].queries
    assert len(query) <= 200
    assert not query.endswith(" ")


def test_a_request_that_only_points_means_what_was_said_before():
    assert planned("Do some research on this topic.", "What is photosynthesis?").title.startswith(
        "What is photosynthesis"
    )


def test_a_plan_is_read_back_as_it_was_shown():
    assert parse_plan(render_plan(PLAN)) == PLAN
    assert parse_plan("# Solar panels\n\n1. They cost little.") is None


@pytest.mark.parametrize(
    "said", ["Plan looks good!", "OK, go ahead.", "Yes", "lgtm", "Perfect, please start the research."]
)
def test_approval_is_nothing_but_approval(said: str):
    assert approves(said)


@pytest.mark.parametrize("said", ["Looks good, but add costs", "Less history", "Only 2025", "No prices please"])
def test_whoever_wants_something_changed_does_not_merely_approve(said: str):
    assert not approves(said)


def test_what_is_to_be_added_is_added_and_what_is_to_be_left_out_is_not_there():
    changed = changed_by_rule(PLAN, "Focus more on recycling, and skip how long they last. Looks good.", Effort())
    assert [question.text for question in changed.questions] == ["What do they cost?", "Recycling"]
    assert changed.questions[1].queries == ("Solar panels recycling",)


def test_a_plan_always_has_a_question():
    assert changed_by_rule(PLAN, "Drop cost. Drop last.", Effort()).questions


def test_what_is_to_be_left_out_after_a_comma_is_left_out():
    changed = changed_by_rule(PLAN, "Add recycling, drop how long they last", Effort())
    assert [question.text for question in changed.questions] == ["What do they cost?", "Recycling"]


def test_a_part_of_the_subject_can_be_left_out():
    plan = planned("Research lighthouses of England and Scotland")
    changed = changed_by_rule(plan, "Drop Scotland.", Effort())
    assert changed.title == "Lighthouses of England"
    assert "Scotland" not in changed.words
    assert changed_by_rule(plan, "Without England", Effort()).title == "Lighthouses of Scotland"


def test_the_whole_subject_cannot_be_left_out():
    plan = planned("Research lighthouses")
    assert changed_by_rule(plan, "No lighthouses please", Effort()) == plan
