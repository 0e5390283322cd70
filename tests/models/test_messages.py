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
from turnwise.models.messages import render_messages, render_result


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


def test_an_open_thought_is_the_reasoning_of_the_answer_behind_it() -> None:
    steps = [*said("Hi"), Thought("sealed", (Text("hm"), Text("m"))), ModelOutput((Text("Yes."),))]
    assert render_messages(steps) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes.", "reasoning_content": "hmm"},
    ]


def test_thoughts_of_one_answer_are_joined() -> None:
    steps = [Thought("a", (Text("one"),)), ModelOutput((Text("Hm."),)), Thought("b", (Text("two"),)), CALL]
    (message,) = render_messages(steps)
    assert message["reasoning_content"] == "one\n\ntwo"
    assert (message["content"], len(message["tool_calls"])) == ("Hm.", 1)


def test_a_thought_that_holds_nothing_is_left_out() -> None:
    assert render_messages([*said("Hi"), Thought("sealed")]) == render_messages(said("Hi"))


CALL = FunctionCall("c1", "get_weather", {"location": "Paris"})
OTHER = FunctionCall("c2", "get_time", {})
CALLED = {
    "id": "c1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"location":"Paris"}'},
}
ALSO_CALLED = {"id": "c2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}


def tool(id: str, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def test_calls_of_one_answer_are_one_message_with_its_words_and_each_result_is_its_own() -> None:
    results = [FunctionResult("c1", "sunny"), FunctionResult("c2", "noon")]
    steps = [*said("Weather?"), ModelOutput((Text("Let me look."),)), CALL, OTHER, *results]
    assert render_messages(steps) == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [CALLED, ALSO_CALLED]},
        tool("c1", "sunny"),
        tool("c2", "noon"),
    ]


def test_rounds_of_calls_are_messages_of_their_own() -> None:
    steps = [CALL, FunctionResult("c1", "sunny"), OTHER, FunctionResult("c2", "noon"), *said("", "It is.")[1:]]
    assert render_messages(steps) == [
        {"role": "assistant", "content": "", "tool_calls": [CALLED]},
        tool("c1", "sunny"),
        {"role": "assistant", "content": "", "tool_calls": [ALSO_CALLED]},
        tool("c2", "noon"),
        {"role": "assistant", "content": "It is."},
    ]


def test_results_stand_right_behind_their_calls_whatever_was_said_in_between() -> None:
    between = UserInput((Text("Here:"),))
    steps = [CALL, OTHER, between, FunctionResult("c2", "noon"), FunctionResult("c1", "sunny")]
    assert render_messages(steps) == [
        {"role": "assistant", "content": "", "tool_calls": [CALLED, ALSO_CALLED]},
        tool("c2", "noon"),
        tool("c1", "sunny"),
        {"role": "user", "content": "Here:"},
    ]


def test_words_of_the_model_behind_its_calls_are_in_the_message_that_calls() -> None:
    steps = [CALL, ModelOutput((Text("Wait."),)), FunctionResult("c1", "sunny")]
    assert render_messages(steps) == [
        {"role": "assistant", "content": "Wait.", "tool_calls": [CALLED]},
        tool("c1", "sunny"),
    ]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("sunny", "sunny"),
        ("", ""),
        ({"sky": "sunny", "rain": None}, '{"sky":"sunny","rain":null}'),
        ([1, 2], "[1,2]"),
        ([], "[]"),
        (21.5, "21.5"),
        (None, "null"),
        ([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
        ({"content": [{"type": "text", "text": "one"}]}, "one"),
        ({"content": "one"}, '{"content":"one"}'),
        ([{"type": "train", "text": "ICE"}], '[{"type":"train","text":"ICE"}]'),
        ([{"type": "video", "title": "Cats"}], '[{"type":"video","title":"Cats"}]'),
    ],
    ids=str,
)
def test_a_result_is_text_as_it_is_and_else_json(result: object, text: str) -> None:
    assert render_result(FunctionResult("c1", result)) == text
    assert render_result(FunctionResult("c1", result, is_error=True)) == f"Error: {text}"


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document"])
def test_media_in_a_result_is_refused_by_its_type(kind: str) -> None:
    media = [{"type": "text", "text": "look"}, {"type": kind, "data": "aGk="}]
    for result in (media, {"content": media}):
        with pytest.raises(Unimplemented, match=f"'{kind}' in a function's result"):
            render_messages([CALL, FunctionResult("c1", result)])


def test_a_longer_conversation_begins_with_the_very_messages_of_the_shorter_one() -> None:
    texts = ["Hi", "Hello!", "And?", "Well.", "Bye"]
    assert render_messages(said(*texts))[:3] == render_messages(said(*texts[:3]))


@pytest.mark.parametrize(
    "step",
    [
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
