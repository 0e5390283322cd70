"""Profiles: what they put around a conversation, and who wins when both say something."""

from models.prompts import said
from turnwise.domain.interaction import GenerationConfig
from turnwise.models.messages import render_messages
from turnwise.models.profile import PLAIN, SMOLLM2, Profile, prepare, sampling

TALK = render_messages(said("Hi", "Hello!", "Bye"))

FULL = Profile(
    system="You are small.",
    examples=(("one?", "One."), ("two?", "Two.")),
    sampling={"temperature": 0.0, "repeat_penalty": 1.1},
    output_tokens=64,
)


def test_the_plain_profile_changes_nothing() -> None:
    assert prepare(TALK, PLAIN, None) == (TALK, {})
    assert sampling(GenerationConfig(), {}) == {}


def test_the_system_line_and_the_examples_stand_before_the_conversation() -> None:
    messages, _ = prepare(TALK, FULL, None)
    assert messages == [
        {"role": "system", "content": "You are small."},
        *render_messages(said("one?", "One.", "two?", "Two.")),
        *TALK,
    ]


def test_the_requests_own_instruction_follows_the_profiles_line() -> None:
    assert prepare(TALK, FULL, "Be kind.")[0][0] == {"role": "system", "content": "You are small.\n\nBe kind."}
    assert prepare(TALK, PLAIN, "Be kind.")[0][0] == {"role": "system", "content": "Be kind."}


def test_the_request_wins_over_the_profiles_defaults() -> None:
    own = GenerationConfig(temperature=0.7, max_output_tokens=8)
    assert sampling(own, FULL.sampling, 64) == {"temperature": 0.7, "repeat_penalty": 1.1, "max_tokens": 8}
    assert sampling(GenerationConfig(), FULL.sampling, 64) == {
        "temperature": 0.0,
        "repeat_penalty": 1.1,
        "max_tokens": 64,
    }


def test_values_that_are_zero_are_said_too() -> None:
    own = GenerationConfig(temperature=0.0, seed=0, top_p=0.0)
    assert sampling(own, {"temperature": 1.0}) == {"temperature": 0.0, "seed": 0, "top_p": 0.0}


def test_a_profile_may_compose_the_messages_itself() -> None:
    profile = Profile(compose=lambda messages, instruction: (messages[-1:], {"temperature": 0.3}))
    assert prepare(TALK, profile, "Be kind.") == (TALK[-1:], {"temperature": 0.3})


def test_preparing_changes_nothing_that_it_was_given() -> None:
    before = [dict(message) for message in TALK]
    prepare(TALK, FULL, "Be kind.")
    assert before == TALK


def test_the_default_models_front_is_the_same_from_turn_to_turn() -> None:
    texts = ["Hi", "Hello!", "And?", "Well.", "Bye"]
    shorter, _ = prepare(render_messages(said(*texts[:3])), SMOLLM2, None)
    longer, _ = prepare(render_messages(said(*texts)), SMOLLM2, None)
    assert longer[: len(shorter)] == shorter
