"""Profiles: what they put around a conversation, and who wins when both say something."""

import pytest

from models.prompts import said
from turnwise.domain.interaction import GenerationConfig
from turnwise.models.messages import Message, render_messages
from turnwise.models.profile import PLAIN, Kind, Note, Profile, kind_of, prepare, sampling
from turnwise.models.smollm2 import SMOLLM2

LOUD = render_messages(said("be loud"))
TALK = render_messages(said("Hi", "Hello!", "Bye"))


def shout(text: str, before: list[Message]) -> Note:
    return Note(text.upper(), "LOUD AND CLEAR")


SORTED = Profile(
    system="You are small.",
    kinds=(
        Kind("joke", r"\bjoke\b", (("A joke?", "Ha."),), {"temperature": 0.5}),
        Kind("loud", r"\bloud\b", note=shout, always=True, examples=(("loud?", "LOUD."),)),
        Kind("further", r"\bmore\b", later=True),
        Kind("other", "", (("one?", "One."), ("two?", "Two."))),
    ),
    sampling={"temperature": 0.0, "repeat_penalty": 1.1},
    bound_sampling={"temperature": 0.1},
    output_tokens=64,
)


def texts(messages: list[Message]) -> list[str]:
    return [message["content"] for message in messages]


def test_the_plain_profile_changes_nothing() -> None:
    assert prepare(TALK, PLAIN, None) == (TALK, {})
    assert sampling(GenerationConfig(), {}) == {}


def test_the_examples_of_a_kind_stand_before_its_first_request() -> None:
    messages, _ = prepare(render_messages(said("Tell a joke", "Ha!", "Another joke")), SORTED, None)
    assert texts(messages) == ["You are small.", "A joke?", "Ha.", "Tell a joke", "Ha!", "Another joke"]


def test_each_kind_has_its_own_examples_and_sampling() -> None:
    messages, defaults = prepare(render_messages(said("Hi", "Hello!", "A joke please")), SORTED, None)
    assert texts(messages)[1:7] == ["one?", "One.", "two?", "Two.", "Hi", "Hello!"]
    assert texts(messages)[7:] == ["A joke?", "Ha.", "A joke please"]
    assert defaults == {"temperature": 0.5, "repeat_penalty": 1.1}


def test_a_note_changes_the_request_and_binds_the_answer() -> None:
    messages, defaults = prepare(render_messages(said("be loud")), SORTED, None)
    assert texts(messages)[-1] == "BE LOUD"
    assert defaults["grammar"] == r'root ::= "LOUD AND CLEAR" [^\n]*'


@pytest.mark.parametrize(
    ("said", "grammar"),
    [
        ("LOUD", r'root ::= " AND CLEAR" [^\n]*'),
        ("LOUD AND CLEAR", r'root ::= "" [^\n]*'),
        ("LOUD AND CLEAR, indeed", r'root ::= "" [^\n]*'),
    ],
)
def test_an_answer_that_was_begun_is_bound_to_what_is_left_of_its_beginning(said: str, grammar: str) -> None:
    _, defaults = prepare(LOUD, SORTED, None, said=said)
    assert defaults["grammar"] == grammar


def test_an_instruction_stands_behind_the_profiles_line_and_silences_the_examples() -> None:
    messages, _ = prepare(render_messages(said("Tell a joke")), SORTED, "Be kind.")
    assert texts(messages) == ["You are small. Be kind.", "Tell a joke"]


def test_an_instruction_leaves_the_examples_that_are_always_shown() -> None:
    messages, _ = prepare(render_messages(said("be loud")), SORTED, "Be kind.")
    assert texts(messages) == ["You are small. Be kind.", "loud?", "LOUD.", "BE LOUD"]


def test_an_instruction_that_says_nothing_of_its_own_silences_nobody() -> None:
    messages, _ = prepare(render_messages(said("Tell a joke")), SORTED, "You are a helpful assistant.")
    assert texts(messages)[1:3] == ["A joke?", "Ha."]


def test_some_kinds_are_found_only_behind_an_answer() -> None:
    assert kind_of("more", SORTED.kinds).name == "other"
    assert kind_of("more", SORTED.kinds, later=True).name == "further"


def test_text_that_is_bound_to_a_schema_gets_no_examples() -> None:
    assert prepare(TALK, SORTED, None, bound=True) == (
        [{"role": "system", "content": "You are small."}, *TALK],
        {"temperature": 0.1},
    )


def test_the_request_wins_over_the_profiles_defaults() -> None:
    own = GenerationConfig(temperature=0.7, max_output_tokens=8)
    assert sampling(own, SORTED.sampling, 64) == {"temperature": 0.7, "repeat_penalty": 1.1, "max_tokens": 8}
    assert sampling(GenerationConfig(), SORTED.sampling, 64) == {
        "temperature": 0.0,
        "repeat_penalty": 1.1,
        "max_tokens": 64,
    }


def test_values_that_are_zero_are_said_too() -> None:
    own = GenerationConfig(temperature=0.0, seed=0, top_p=0.0)
    assert sampling(own, {"temperature": 1.0}) == {"temperature": 0.0, "seed": 0, "top_p": 0.0}


def test_preparing_changes_nothing_that_it_was_given() -> None:
    before = [dict(message) for message in TALK]
    prepare(TALK, SORTED, "Be kind.")
    assert before == TALK


CONVERSATION = ["Hi, my name is Ada.", "Hello Ada!", "Tell me a joke.", "Ha.", "What is my name?", "Ada.", "Thanks!"]


@pytest.mark.parametrize("length", [1, 3, 5])
def test_the_default_models_prompt_is_the_beginning_of_the_next_turns(length: int) -> None:
    shorter, _ = prepare(render_messages(said(*CONVERSATION[:length])), SMOLLM2, None)
    longer, _ = prepare(render_messages(said(*CONVERSATION[: length + 2])), SMOLLM2, None)
    assert longer[: len(shorter)] == shorter


def test_every_request_is_of_some_kind_of_the_default_models() -> None:
    assert [kind_of(text, SMOLLM2.kinds).name for text in ("", "?", "xyzzy", "你好")] == ["fact"] * 4


@pytest.mark.parametrize("word", ["phil", "spain", "madrid", "barcelona", "programming", "quantum", "knight", "240"])
def test_no_example_holds_the_answer_to_a_question_that_is_shown(word: str) -> None:
    examples = str([kind.examples for kind in SMOLLM2.kinds]).lower()
    assert word not in examples
