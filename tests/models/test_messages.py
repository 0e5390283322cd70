"""The rendering of conversations as chat messages."""

from dataclasses import replace
from typing import Any

import pytest

from models.prompts import said
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
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


DATA = "aGk="
IMAGE = Media("image", "image/png", DATA)
SHOWN = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}


def words(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def user(*parts: object) -> dict[str, object]:
    return {"role": "user", "content": list(parts)}


def test_an_image_stands_among_the_words_of_the_user() -> None:
    content = (Text("one"), Text("two"), IMAGE, Text("three"))
    assert render_messages([UserInput(content)]) == [user(words("one\ntwo"), SHOWN, words("three"))]


def test_neighbours_of_one_role_are_one_message_with_media_too() -> None:
    steps = [UserInput((Text("one"),)), UserInput((IMAGE,)), UserInput((Text("two"),))]
    assert render_messages(steps) == [user(words("one"), SHOWN, words("two"))]


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (replace(IMAGE, options={"resolution": "low"}), {**SHOWN["image_url"], "detail": "low"}),
        (replace(IMAGE, options={"resolution": "medium"}), {**SHOWN["image_url"], "detail": "auto"}),
        (replace(IMAGE, options={"resolution": "ultra_high"}), {**SHOWN["image_url"], "detail": "high"}),
        (Media("audio", "audio/wav", DATA, options={"channels": 1}), {"data": DATA, "format": "wav"}),
        (Media("audio", "audio/mpeg", DATA), {"data": DATA, "format": "mp3"}),
        (Media("video", "video/mp4", DATA), {"url": f"data:video/mp4;base64,{DATA}"}),
        (
            Media("document", "application/pdf", DATA),
            {"filename": "document.pdf", "file_data": f"data:application/pdf;base64,{DATA}"},
        ),
        (
            Media("document", "text/plain", DATA, options={"name": "notes.txt"}),
            {"filename": "notes.txt", "file_data": f"data:text/plain;base64,{DATA}"},
        ),
    ],
    ids=lambda value: value.type if isinstance(value, Media) else "",
)
def test_each_kind_of_media_has_its_part(media: Media, part: dict[str, str]) -> None:
    kinds = {"image": "image_url", "audio": "input_audio", "video": "video_url", "document": "file"}
    kind = kinds[media.type]
    assert render_messages([UserInput((media,))]) == [user({"type": kind, kind: part})]


def test_a_video_is_shown_under_the_name_that_the_prompt_calls_it_by() -> None:
    video = Media("video", "video/mp4", DATA, options={"name": "the race"})
    (message,) = render_messages([UserInput((Text("Who won the race?"), video))])
    assert message["content"][:2] == [words("Who won the race?"), words("[the race]")]


@pytest.mark.parametrize("kind", ["video", "document"])
def test_how_closely_to_look_is_refused_where_it_cannot_be_said(kind: Any) -> None:
    with pytest.raises(InvalidRequest, match=f"resolution: 'low' of a {kind}"):
        render_messages([UserInput((Media(kind, "video/mp4", DATA, options={"resolution": "low"}),))])


def test_a_form_of_sound_that_the_protocol_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"'audio/flac'.*send WAV or MP3"):
        render_messages([UserInput((Media("audio", "audio/flac", DATA),))])


def test_media_without_their_bytes_are_refused() -> None:
    with pytest.raises(Unimplemented, match=r"'image'.* without its bytes"):
        render_messages([UserInput((Media("image", "image/png", uri="https://example.com/cat.png"),))])


LOOK = [{"type": "text", "text": "look"}, {"type": "image", "mime_type": "image/png", "data": DATA}]
TITLE = "[image 1 of the result of get_weather]"


@pytest.mark.parametrize("result", [LOOK, {"content": LOOK}], ids=["bare", "within"])
def test_an_image_in_a_result_is_named_there_and_shown_in_the_next_message_of_the_user(result: object) -> None:
    assert render_messages([CALL, FunctionResult("c1", result)])[1:] == [
        tool("c1", f"look\n{TITLE}"),
        user(words(TITLE), SHOWN),
    ]


def test_images_of_several_results_are_shown_behind_all_of_them_and_before_what_was_said() -> None:
    between = UserInput((Text("Here:"),))
    two = [*LOOK, LOOK[1]]
    results = [FunctionResult("c1", two), FunctionResult("c2", [LOOK[1]], is_error=True)]
    second, other = "[image 2 of the result of get_weather]", "[image 1 of the result of get_time]"
    assert render_messages([CALL, OTHER, between, *results])[1:] == [
        tool("c1", f"look\n{TITLE}\n{second}"),
        tool("c2", f"Error: {other}"),
        user(words(TITLE), SHOWN, words(second), SHOWN, words(other), SHOWN, words("Here:")),
    ]


def test_what_the_model_made_is_shown_to_it_in_the_next_message_of_the_user() -> None:
    steps = [*said("Draw!"), ModelOutput((Text("Here."), IMAGE)), *said("Make it blue.")]
    assert render_messages(steps)[1:] == [
        {"role": "assistant", "content": "Here."},
        user(words("[image 1 of the answer above]"), SHOWN, words("Make it blue.")),
    ]


def test_an_answer_that_is_only_an_image_is_not_empty() -> None:
    title = "[image 1 of the answer above]"
    assert render_messages([ModelOutput((IMAGE,))]) == [
        {"role": "assistant", "content": title},
        user(words(title), SHOWN),
    ]


def test_a_longer_conversation_with_images_begins_with_the_very_messages_of_the_shorter_one() -> None:
    steps = [UserInput((Text("Look!"), IMAGE)), CALL, FunctionResult("c1", LOOK), *said("", "A cat.", "And?")[1:]]
    longer = render_messages(steps)
    assert longer[: len(render_messages(steps[:3]))] == render_messages(steps[:3])


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


def test_a_thought_of_media_is_refused() -> None:
    with pytest.raises(Unimplemented, match="type 'image'"):
        render_messages([Thought("sealed", (IMAGE,))])
