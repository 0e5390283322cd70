"""The rendering of conversations as chat messages."""

import pytest

from models.prompts import said
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UnknownStep,
    UserInput,
)
from turnwise.models.messages import render_messages


def test_a_conversation_is_messages_in_turns() -> None:
    assert render_messages(said("Hi", "Hello!", "Bye")) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Bye"},
    ]


def test_parts_of_the_user_are_lines_and_parts_of_the_model_are_one_text() -> None:
    parts = (Text("one"), Text("two"))
    assert render_messages([UserInput(parts), ModelOutput(parts)]) == [
        {"role": "user", "content": "one\ntwo"},
        {"role": "assistant", "content": "onetwo"},
    ]


def test_neighbours_of_one_role_are_one_message() -> None:
    steps = [UserInput((Text("one"),)), UserInput((Text("two"),))]
    assert render_messages(steps) == [{"role": "user", "content": "one\n\ntwo"}]


def test_thoughts_are_left_out() -> None:
    steps = [*said("Hi"), Thought("sealed", (Text("hmm"),)), ModelOutput((Text("Yes."),))]
    assert render_messages(steps) == render_messages(said("Hi", "Yes."))


def test_a_longer_conversation_begins_with_the_very_messages_of_the_shorter_one() -> None:
    texts = ["Hi", "Hello!", "And?", "Well.", "Bye"]
    assert render_messages(said(*texts))[:3] == render_messages(said(*texts[:3]))


@pytest.mark.parametrize(
    "step",
    [
        FunctionCall("1", "f"),
        FunctionResult("1", {}),
        ToolCall("google_search", "1"),
        ToolResult("google_search", "1"),
        UnknownStep("new", {}),
    ],
    ids=lambda step: step.type,
)
def test_a_step_that_cannot_be_said_is_refused_by_its_type(step: Step) -> None:
    with pytest.raises(Unimplemented, match=f"type '{step.type}'"):
        render_messages([*said("Hi"), step])


@pytest.mark.parametrize("message", [UserInput, ModelOutput])
def test_content_that_cannot_be_said_is_refused_by_its_type(message: type[UserInput | ModelOutput]) -> None:
    with pytest.raises(Unimplemented, match="type 'image'"):
        render_messages([message((Text("look"), Media("image", "image/png", data="")))])
