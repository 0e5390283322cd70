"""The input, in every form that any client generation sends: whatever the form, the same steps."""

from typing import Any, get_args

import pytest

from turnwise.domain.content import MEDIA_TYPES, Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    ServerTool,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UserInput,
)
from turnwise.wire.input import parse_input

HI = {"type": "text", "text": "Hi"}
YOU = {"type": "text", "text": "you"}
IMAGE = {"type": "image", "data": "AAAA", "mime_type": "image/png"}
CALL = {"type": "function_call", "id": "1", "name": "look", "arguments": {"at": "it"}}
RESULT = {"type": "function_result", "call_id": "1", "result": "sunny"}
THOUGHT = {"type": "thought", "signature": "c2VhbGVk", "summary": [{"type": "text", "text": "Hm."}]}


def user(*pieces: Text | Media) -> UserInput:
    return UserInput(pieces)


def model(*pieces: Text | Media) -> ModelOutput:
    return ModelOutput(pieces)


FORMS: dict[str, tuple[Any, tuple[Step, ...]]] = {
    "a string": ("Hi", (user(Text("Hi")),)),
    "one content object": (HI, (user(Text("Hi")),)),
    "one content object without a type": ({"text": "Hi"}, (user(Text("Hi")),)),
    "one turn": ({"role": "user", "content": "Hi"}, (user(Text("Hi")),)),
    "one step": ({"type": "user_input", "content": [HI]}, (user(Text("Hi")),)),
    "one function result": (RESULT, (FunctionResult("1", "sunny"),)),
    "a list of content": ([HI, YOU], (user(Text("Hi"), Text("you")),)),
    "a list of content without types": ([{"text": "Hi"}, {"text": "you"}], (user(Text("Hi"), Text("you")),)),
    "text and media": ([HI, IMAGE], (user(Text("Hi"), Media("image", "image/png", "AAAA")),)),
    "media by address, of no stated kind": (
        [{"type": "image", "uri": "https://example.org/a"}],
        (user(Media("image", uri="https://example.org/a")),),
    ),
    "turns with strings": (
        [{"role": "user", "content": "Hi"}, {"role": "model", "content": "Yes?"}, {"role": "user", "content": "Bye"}],
        (user(Text("Hi")), model(Text("Yes?")), user(Text("Bye"))),
    ),
    "turns with one content object": (
        [{"role": "user", "content": HI}, {"role": "model", "content": YOU}],
        (user(Text("Hi")), model(Text("you"))),
    ),
    "two turns of the user's, one after the other": (
        [{"role": "user", "content": "Hi"}, {"role": "user", "content": "you"}],
        (user(Text("Hi")), user(Text("you"))),
    ),
    "a turn of the model's with its thought, words and call": (
        [{"role": "user", "content": "Hi"}, {"role": "model", "content": [THOUGHT, HI, CALL]}],
        (
            user(Text("Hi")),
            Thought("c2VhbGVk", (Text("Hm."),)),
            model(Text("Hi")),
            FunctionCall("1", "look", {"at": "it"}),
        ),
    ),
    "a turn of the user's with a result among its content": (
        [{"role": "user", "content": [HI, RESULT, YOU]}],
        (user(Text("Hi")), FunctionResult("1", "sunny"), user(Text("you"))),
    ),
    "steps": (
        [
            {"type": "user_input", "content": [HI]},
            THOUGHT,
            {"type": "model_output", "content": [HI, IMAGE]},
            CALL,
            RESULT,
        ],
        (
            user(Text("Hi")),
            Thought("c2VhbGVk", (Text("Hm."),)),
            model(Text("Hi"), Media("image", "image/png", "AAAA")),
            FunctionCall("1", "look", {"at": "it"}),
            FunctionResult("1", "sunny"),
        ),
    ),
    "a step whose content is a string": ([{"type": "user_input", "content": "Hi"}], (user(Text("Hi")),)),
    "a step whose content is one object": ([{"type": "model_output", "content": HI}], (model(Text("Hi")),)),
    "a step whose content has no type": ([{"type": "user_input", "content": [{"text": "Hi"}]}], (user(Text("Hi")),)),
    "a result inside a step": (
        [{"type": "user_input", "content": [RESULT, HI]}],
        (FunctionResult("1", "sunny"), user(Text("Hi"))),
    ),
    "a call and its result together": (
        [CALL, RESULT],
        (FunctionCall("1", "look", {"at": "it"}), FunctionResult("1", "sunny")),
    ),
    "a bare thought beside what is said": (
        [{"type": "thought", "signature": "c2"}, HI],
        (Thought("c2"), user(Text("Hi"))),
    ),
    "turns, steps and content mixed": (
        [{"role": "user", "content": "Hi"}, {"type": "model_output", "content": "Yes?"}, HI, IMAGE, RESULT, YOU],
        (
            user(Text("Hi")),
            model(Text("Yes?")),
            user(Text("Hi"), Media("image", "image/png", "AAAA")),
            FunctionResult("1", "sunny"),
            user(Text("you")),
        ),
    ),
    "content beside a whole message is a message of its own": (
        [HI, {"type": "user_input", "content": "you"}, HI],
        (user(Text("Hi")), user(Text("you")), user(Text("Hi"))),
    ),
    "a message that says nothing beside one that does": (
        [{"role": "user", "content": "Hi"}, {"role": "model", "content": []}, {"type": "model_output"}],
        (user(Text("Hi")),),
    ),
}
"""Every form, and the steps that it means."""


@pytest.mark.parametrize(("sent", "meant"), FORMS.values(), ids=FORMS)
def test_every_form_of_input_is_understood(sent: Any, meant: tuple[Step, ...]):
    assert parse_input(sent) == meant


FIELDS: dict[str, tuple[Any, Step]] = {
    "annotations of a text": (
        {"type": "text", "text": "Hi", "annotations": [{"type": "url_citation", "url": "x", "start_index": 0}]},
        user(Text("Hi", ({"type": "url_citation", "url": "x", "start_index": 0},))),
    ),
    "every option of media": (
        {
            "type": "video",
            "uri": "https://example.org/v",
            "mime_type": "video/mp4",
            "resolution": "ultra_high",
            "channels": 2,
            "rate": 16000,
            "sample_rate": 24000,
            "name": "clip",
        },
        user(
            Media(
                "video",
                "video/mp4",
                uri="https://example.org/v",
                options={
                    "resolution": "ultra_high",
                    "channels": 2,
                    "rate": 16000,
                    "sample_rate": 24000,
                    "name": "clip",
                },
            )
        ),
    ),
    "an image in a thought's summary": (
        {"type": "thought", "summary": [IMAGE]},
        Thought(None, (Media("image", "image/png", "AAAA"),)),
    ),
    "a call's signature": ({**CALL, "signature": "c2"}, FunctionCall("1", "look", {"at": "it"}, "c2")),
    "every field of a result": (
        {**RESULT, "name": "look", "is_error": True, "signature": "c2"},
        FunctionResult("1", "sunny", "look", True, "c2"),
    ),
    "the fields of an MCP server's call": (
        {
            "type": "mcp_server_tool_call",
            "id": "1",
            "arguments": {"q": 1},
            "name": "find",
            "server_name": "books",
            "signature": "c2",
        },
        ToolCall("mcp_server_tool", "1", {"q": 1}, {"name": "find", "server_name": "books"}, "c2"),
    ),
    "a call without arguments": ({"type": "file_search_call", "id": "1"}, ToolCall("file_search", "1")),
    "a result without a result": ({"type": "file_search_result", "call_id": "1"}, ToolResult("file_search", "1")),
    "a search of a kind": (
        {"type": "google_search_call", "id": "1", "search_type": "image_search"},
        ToolCall("google_search", "1", {}, {"search_type": "image_search"}),
    ),
}


@pytest.mark.parametrize(("sent", "meant"), FIELDS.values(), ids=FIELDS)
def test_every_field_of_an_item_is_kept(sent: Any, meant: Step):
    assert parse_input([sent]) == (meant,)


@pytest.mark.parametrize("result", ["sunny", {"content": [HI]}, [HI, IMAGE], 20, True, None, []])
def test_a_function_gives_back_what_it_likes(result: Any):
    sent = {"type": "function_result", "call_id": "1", "result": result}
    assert parse_input(sent) == (FunctionResult("1", result),)


@pytest.mark.parametrize("tool", get_args(ServerTool))
def test_every_tool_of_the_server_can_be_given_back(tool: ServerTool):
    sent = [
        {"type": f"{tool}_call", "id": "1", "arguments": {"x": 1}},
        {"type": f"{tool}_result", "call_id": "1", "result": ["x"]},
    ]
    assert parse_input(sent) == (ToolCall(tool, "1", {"x": 1}), ToolResult(tool, "1", ["x"]))


# -- what is refused

NOTHING = {
    "an empty string": "",
    "an empty list": [],
    "empty text": [{"type": "text", "text": ""}],
    "an empty message": [{"role": "user", "content": []}],
    "a message of empty text": {"type": "user_input", "content": ""},
}


@pytest.mark.parametrize("sent", NOTHING.values(), ids=NOTHING)
def test_an_input_that_says_nothing_is_refused(sent: Any):
    with pytest.raises(InvalidRequest, match=r"^input: there is nothing in it; say something$"):
        parse_input(sent)


REFUSED: dict[str, tuple[Any, str]] = {
    "no input": (None, "input: this field is required: a string, content, turns or steps"),
    "a number": (3, "input: a string, an object or a list, not 3"),
    "a bare string in a list": (["Hi"], "input[0]: an object with a `type` or a `role`, not 'Hi'"),
    "a list in a list": ([HI, [HI]], "input[1]: an object with a `type` or a `role`, not [{'type'"),
    "an object without a type": ([{"data": "AAAA"}], "input[0].type: unknown type null; one of text, image"),
    "an unknown type": ({"type": "hologram"}, "input.type: unknown type 'hologram'; one of text, image"),
    "a type that is no string": ([{"type": ["text"], "text": "Hi"}], "input[0].type: unknown type ['text']; one of"),
    "an unknown role": (
        [{"role": "system", "content": "Hi"}],
        "input[0].role: input should be 'user' or 'model', not 'system'",
    ),
    "a turn without content": ([{"role": "user"}], "input[0].content: this field is required"),
    "a turn whose content is a number": (
        [{"role": "user", "content": 3}],
        "input[0].content: a string or a list of content, not 3",
    ),
    "a bare string in a turn": (
        [{"role": "user", "content": ["Hi"]}],
        "input[0].content[0]: an object with a `type`, not 'Hi'",
    ),
    "a turn inside a turn": (
        [{"role": "user", "content": [{"role": "user", "content": "Hi"}]}],
        "input[0].content[0].type: unknown type null; one of text",
    ),
    "a message inside a message": (
        [{"type": "user_input", "content": [{"type": "user_input", "content": "Hi"}]}],
        "input[0].content[0].type: unknown type 'user_input'",
    ),
    "text that is a number": ([{"type": "text", "text": 3}], "input[0].text: input should be a valid string, not 3"),
    "text without text": ([{"type": "text"}], "input[0].text: this field is required"),
    "media with nothing": ([{"type": "image"}], "input[0]: media has either `data` (base64) or a `uri`"),
    "media by value and by address": (
        [{**IMAGE, "uri": "https://example.org/a"}],
        "input[0]: media has either `data` (base64) or a `uri`",
    ),
    "an unknown resolution": (
        [{**IMAGE, "resolution": "huge"}],
        "input[0].resolution: input should be 'low', 'medium', 'high' or 'ultra_high', not 'huge'",
    ),
    "a call without a name": (
        [{"type": "function_call", "id": "1", "arguments": {}}],
        "input[0].name: this field is required",
    ),
    "a call whose arguments are text": (
        [{**CALL, "arguments": "{}"}],
        "input[0].arguments: input should be a valid dictionary, not '{}'",
    ),
    "a result without a result": (
        [{"type": "function_result", "call_id": "1"}],
        "input[0].result: this field is required",
    ),
    "a result of no call": (
        [{"type": "function_result", "result": "sunny"}],
        "input[0].call_id: this field is required",
    ),
    "a flag in words": (
        [{**RESULT, "is_error": "yes"}],
        "input[0].is_error: input should be a valid boolean, not 'yes'",
    ),
    "a tool's result of no call": (
        [{"type": "google_search_result", "result": []}],
        "input[0].call_id: this field is required",
    ),
    "a call in a thought's summary": (
        [{"type": "thought", "summary": [HI, CALL]}],
        "input[0].summary[1].type: a summary holds text and images, not a 'function_call'",
    ),
    "a wrong piece deep inside": (
        [HI, {"role": "model", "content": [HI, {"type": "thought", "summary": [{"type": "text"}]}]}],
        "input[1].content[1].summary[0].text: this field is required",
    ),
}


@pytest.mark.parametrize(("sent", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_field_the_value_and_the_remedy(sent: Any, message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_input(sent)
    assert refused.value.message.startswith(message)


UNKNOWN: dict[str, tuple[Any, str]] = {
    "of a text": ({"type": "text", "text": "Hi", "txet": 1}, "did you mean 'text'?"),
    "of media": ({**IMAGE, "mimetype": "x"}, "did you mean 'mime_type'?"),
    "of a call": ({**CALL, "args": {}}, "did you mean 'arguments'?"),
    "of a result": ({**RESULT, "callid": "1"}, "did you mean 'call_id'?"),
    "of a thought": ({**THOUGHT, "sumary": []}, "did you mean 'summary'?"),
    "of a turn": ({"role": "user", "content": "Hi", "contents": []}, "did you mean 'content'?"),
    "of a step": ({"type": "user_input", "content": "Hi", "colour": "red"}, "leave it out"),
    "called like a branch of a union": ({"type": "text", "text": "Hi", "a[b]": 1}, "leave it out"),
}


@pytest.mark.parametrize(("sent", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_field_is_refused_with_a_hint(sent: Any, hint: str):
    name = list(sent)[-1]
    with pytest.raises(UnknownParameter) as refused:
        parse_input([sent])
    assert refused.value.field == f"input[0].{name}"
    assert refused.value.message.endswith(hint)


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_preparing_media_is_refused_until_it_can_be_done(kind: str):
    with pytest.raises(
        Unimplemented, match=r"^input\[0\].processing: turnwise does not support this yet; leave it out"
    ):
        parse_input([{"type": kind, "data": "AAAA", "processing": {"type": "static"}}])


def test_a_message_that_broke_off_is_refused_until_it_can_be_shown():
    sent = {"type": "model_output", "content": "Hi", "error": {"code": 3, "message": "It broke."}}
    with pytest.raises(Unimplemented, match=r"^input\[1\].error: turnwise does not support this yet"):
        parse_input([HI, sent])


def test_a_refusal_never_quotes_a_whole_document():
    with pytest.raises(InvalidRequest) as refused:
        parse_input([["x" * 100_000]])
    assert len(refused.value.message) < 300
