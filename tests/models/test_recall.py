"""What is found in a conversation for a model that cannot find it."""

import pytest

from models.prompts import said
from turnwise.models.messages import render_messages
from turnwise.models.recall import name_item, recall, recalled


@pytest.mark.parametrize(
    ("told", "question", "found"),
    [
        ("Hi, my name is Zoltan.", "What is my name?", "Your name is Zoltan."),
        ("I'm Yuki", "Who am I?", "You are Yuki."),
        ("I live in Oslo.", "Where do I live?", "You live in Oslo."),
        ("My dog is called Rex.", "What is my dog's name?", "Your dog is called Rex."),
        ("I am 34 years old.", "How old am I?", "You are 34 years old."),
        ("My favourite colour is green.", "What is my favourite colour?", "Your favourite colour is green."),
        ("My name is Max. I work as a baker.", "What is my job?", "You work as a baker."),
    ],
)
def test_what_the_user_said_is_turned_to_the_second_person(told: str, question: str, found: str) -> None:
    assert recalled(question, render_messages(said(told, "Nice."))) == found


def test_what_was_said_of_another_matter_is_not_taken() -> None:
    before = render_messages(said("My name is Ada.", "Hello.", "I live in Rome.", "Nice."))
    assert recalled("What is my name?", before) == "Your name is Ada."


def test_what_was_never_said_is_not_made_up() -> None:
    assert recalled("What is my name?", render_messages(said("Hello there", "Hi."))) == "You have not told me yet."


def test_the_models_own_words_are_not_the_users() -> None:
    before = render_messages(said("Hello", "My name is Robo."))
    assert recalled("What is my name?", before) == "You have not told me yet."


def test_the_answer_begins_like_what_was_said() -> None:
    note = recall("What is my name?", render_messages(said("My name is Ada.", "Hello.")))
    assert note.text == "What is my name? (Your name is Ada.)"
    assert note.beginning == "Your name"


@pytest.mark.parametrize(
    "listing",
    [
        "The largest are Berlin, Hamburg and Munich.",
        "1. Berlin\n2. Hamburg\n3. Munich",
        "They are: Berlin, Hamburg, Munich.",
    ],
)
@pytest.mark.parametrize(("ordinal", "item"), [("second", "Hamburg"), ("first", "Berlin"), ("last", "Munich")])
def test_an_item_of_the_last_list_is_named(listing: str, ordinal: str, item: str) -> None:
    note = name_item(f"What is the {ordinal} one known for?", render_messages(said("List!", listing)))
    assert note.text == f"What is the {ordinal} one ({item}) known for?"


def test_without_a_list_nothing_is_named() -> None:
    before = render_messages(said("Hi", "Hello."))
    assert name_item("And the second one?", before).text == "And the second one?"
    assert name_item("And the second one?", []).text == "And the second one?"


def test_an_item_that_the_list_does_not_have_is_not_named() -> None:
    before = render_messages(said("List!", "They are Berlin and Munich."))
    assert name_item("And the fifth one?", before).text == "And the fifth one?"
