"""What a person reads of steps, and that the union of them is closed."""

from typing import get_args

from domain.samples import EVERY_STEP, IMAGE
from turnwise.domain.content import Text, is_text
from turnwise.domain.steps import ModelOutput, Step, Thought, UserInput, messages_text


def test_the_text_of_an_answer_is_what_the_model_said_and_nothing_else():
    steps = (
        UserInput((Text("Hi"),)),
        Thought(summary=(Text("Hm."),)),
        ModelOutput((Text("Hel"), IMAGE, Text("lo"))),
        ModelOutput((Text("!"),)),
    )
    assert messages_text(steps) == "Hello!"


def test_only_text_is_text():
    assert is_text(Text(""))
    assert not is_text(IMAGE)


def test_there_is_a_sample_of_every_kind_of_step():
    assert {type(step) for step in EVERY_STEP.values()} == set(get_args(Step))
