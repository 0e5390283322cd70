"""Chat completions as JSON: tools, schemas and reasoning in a request; calls and thoughts in an answer.

What the wire does around them (sampling, errors, broken connections) is in `test_openai.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest

from models.prompts import finish, said
from turnwise.domain.content import Text
from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, Thought
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.models.completions import JOINED, AnswerReader, render_format, render_request
from turnwise.models.model import CallFragment, Fragment, Prompt, TextFragment, ThoughtFragment
from turnwise.models.profile import PLAIN

LOCATION = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
WEATHER = FunctionTool("get_weather", "Gets the weather.", LOCATION)


def request(*, thinks: bool = False, **fields: Any) -> dict[str, Any]:
    return render_request(Prompt(fields.pop("steps", said("Hi")), **fields), "qwen", PLAIN, thinks=thinks)


# --- Requests


def test_functions_are_declared_with_their_schemas() -> None:
    assert request(tools=[WEATHER, FunctionTool("get_news")])["tools"] == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "Gets the weather.", "parameters": LOCATION},
        },
        {
            "type": "function",
            "function": {"name": "get_news", "description": "", "parameters": {"type": "object", "properties": {}}},
        },
    ]


@pytest.mark.parametrize(
    ("mode", "word"), [("auto", "auto"), ("validated", "auto"), ("any", "required")], ids=lambda value: value
)
def test_a_choice_is_said_in_the_upstreams_words(mode: Any, word: str) -> None:
    assert request(tools=[WEATHER], tool_choice=ToolChoice(mode))["tool_choice"] == word


def test_without_functions_nothing_is_said_of_them() -> None:
    body = request(tool_choice=ToolChoice("none"))
    assert not {"tools", "tool_choice", "response_format", "reasoning_effort"} & set(body)


def test_earlier_calls_results_and_thoughts_are_said_again() -> None:
    steps = [
        *said("Weather?"),
        Thought("sealed", (Text("I must look."),)),
        FunctionCall("c1", "get_weather", {"location": "Paris"}),
        FunctionResult("c1", {"sky": "sunny"}),
    ]
    called = {"name": "get_weather", "arguments": '{"location":"Paris"}'}
    assert request(steps=steps)["messages"] == [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "I must look.",
            "tool_calls": [{"id": "c1", "type": "function", "function": called}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"sky":"sunny"}'},
    ]


def test_any_json_is_asked_for_as_an_object() -> None:
    assert request(schema={})["response_format"] == {"type": "json_object"}


CLOSED = {**LOCATION, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (LOCATION, False),
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "properties": {"location": LOCATION}}, False),
        ({**CLOSED, "properties": {"location": CLOSED}}, True),
        ({**CLOSED, "properties": {"location": {"anyOf": [CLOSED, LOCATION]}}}, False),
    ],
    ids=["open", "closed", "optional", "open-within", "closed-within", "open-in-a-union"],
)
def test_a_schema_is_strict_where_it_keeps_the_rules_of_strict_ones(schema: dict[str, Any], strict: bool) -> None:
    form = render_format(schema)
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"] == schema
    assert form["json_schema"].get("strict", False) is strict
    assert form["json_schema"]["name"]


@pytest.mark.parametrize("level", ["minimal", "low", "medium", "high", "xhigh"])
def test_a_level_is_said_to_a_model_that_thinks(level: Any) -> None:
    generation = GenerationConfig(thinking_level=level)
    assert request(generation=generation, thinks=True)["reasoning_effort"] == level
    assert "reasoning_effort" not in request(generation=generation)


def test_a_level_that_is_not_set_is_left_to_the_model() -> None:
    assert "reasoning_effort" not in request(thinks=True)


# --- Answers


def stream(*deltas: dict[str, Any], end: str = "tool_calls") -> list[Fragment]:
    """The fragments of a streamed answer."""
    reader = AnswerReader()
    chunks: list[Any] = [{"choices": [{"delta": each, "finish_reason": None}]} for each in deltas]
    chunks.append({"choices": [{"delta": {}, "finish_reason": end}]})
    fragments = [fragment for chunk in chunks for fragment in reader.chunk(orjson.dumps(chunk))]
    return [*fragments, *reader.closing()]


def together(*deltas: dict[str, Any], joins_text: bool = True, behind: Sequence[bytes] = ()) -> Iterable[Fragment]:
    """The fragments of pieces that came together, and of what came behind them."""
    payloads = [orjson.dumps({"choices": [{"delta": each}]}) for each in deltas]
    return AnswerReader().chunks([*payloads, *behind], joins_text=joins_text)


def whole(end: str = "tool_calls", **message: Any) -> list[Fragment]:
    """The fragments of an answer in one piece."""
    reader = AnswerReader()
    answer = {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": end}]}
    return [*reader.whole(orjson.dumps(answer)), *reader.closing()]


def called(arguments: Any, name: str | None = "get_weather", **fields: Any) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"type": "function", "function": function, **fields}


def joined(fragments: Sequence[Fragment]) -> list[tuple[int, str | None, str | None, str]]:
    """Each call with all of its arguments."""
    calls: dict[int, list[Any]] = {}
    for fragment in fragments:
        if isinstance(fragment, CallFragment):
            call = calls.setdefault(fragment.index, [fragment.index, fragment.id, fragment.name, ""])
            call[3] += fragment.arguments
    return [tuple(call) for call in calls.values()]


def test_pieces_of_text_that_came_together_are_one_where_nobody_would_see_them() -> None:
    pieces = [{"content": "Hel"}, {"content": "lo"}, {"content": " you"}]
    assert [*together(*pieces)] == [TextFragment("Hello you")]
    assert [*together(*pieces, joins_text=False)] == [TextFragment("Hel"), TextFragment("lo"), TextFragment(" you")]


def test_text_is_not_joined_across_what_is_no_text() -> None:
    thought = {"reasoning": "hm"}
    pieces = [{"content": "a"}, {"content": "b"}, thought, thought, {"content": "c"}, {"content": "d"}]
    hm = ThoughtFragment("hm")
    assert [*together(*pieces)] == [TextFragment("ab"), hm, hm, TextFragment("cd")]


def test_text_is_joined_up_to_a_length() -> None:
    pieces = [{"content": "x" * 1000}] * 10
    lengths = [len(fragment.text) for fragment in together(*pieces) if isinstance(fragment, TextFragment)]
    assert lengths == [4000, 4000, 2000]
    long = TextFragment("x" * (JOINED + 1))
    fragments = [*together({"content": "y"}, {"content": long.text}, {"content": "z"})]
    assert fragments == [TextFragment("y"), long, TextFragment("z")]


@pytest.mark.parametrize("joins_text", [False, True], ids=["pieces", "joined"])
def test_text_that_came_before_an_error_comes_before_it(joins_text: bool) -> None:
    fragments = iter(together({"content": "a"}, {"content": "b"}, behind=[b"<html>"], joins_text=joins_text))
    text = ""
    with pytest.raises(ModelFailed, match="no completion"):  # noqa: PT012
        for fragment in fragments:
            assert isinstance(fragment, TextFragment)
            text += fragment.text
    assert text == "ab"


PARIS = '{"location":"Paris"}'
ROME = '{"location":"Rome"}'


def test_a_call_comes_in_pieces() -> None:
    pieces = [called("", index=0, id="a"), *(called(part, None, index=0) for part in (PARIS[:7], PARIS[7:]))]
    fragments = stream(*({"tool_calls": [piece]} for piece in pieces))
    assert fragments[:3] == [
        CallFragment(0, "a", "get_weather", ""),
        CallFragment(0, None, None, PARIS[:7]),
        CallFragment(0, None, None, PARIS[7:]),
    ]
    assert finish(fragments) == "calls"


def test_calls_of_a_whole_answer_are_numbered_in_order() -> None:
    fragments = whole(content="Both.", tool_calls=[called(PARIS, id="a"), called(ROME, id="b")])
    assert fragments[:3] == [
        TextFragment("Both."),
        CallFragment(0, "a", "get_weather", PARIS),
        CallFragment(1, "b", "get_weather", ROME),
    ]
    assert finish(fragments) == "calls"


@pytest.mark.parametrize("repeated", [False, True], ids=["id-once", "id-in-each-piece"])
def test_calls_side_by_side_are_told_apart(repeated: bool) -> None:
    again = {"id": "a"} if repeated else {}
    fragments = stream(
        {"tool_calls": [called("", index=0, id="a"), called(ROME, index=1, id="b")]},
        {"tool_calls": [called(PARIS, None, index=0, **again)]},
    )
    assert joined(fragments) == [(0, "a", "get_weather", PARIS), (1, "b", "get_weather", ROME)]


@pytest.mark.parametrize("place", [{"index": 0}, {"index": None}, {}], ids=["one-index", "null-index", "no-index"])
def test_calls_that_an_upstream_does_not_number_are_told_apart_by_their_ids(place: dict[str, Any]) -> None:
    fragments = stream(
        {"tool_calls": [called(PARIS, id="a", **place)]},
        {"tool_calls": [called(ROME, id="b", **place)]},
    )
    assert joined(fragments) == [(0, "a", "get_weather", PARIS), (1, "b", "get_weather", ROME)]


def test_pieces_of_a_call_that_is_not_numbered_belong_to_the_last_one() -> None:
    fragments = stream(
        {"tool_calls": [called("", id="a")]},
        {"tool_calls": [called(PARIS, None)]},
        {"tool_calls": [called("", id="b")]},
        {"tool_calls": [called(ROME, None)]},
    )
    assert joined(fragments) == [(0, "a", "get_weather", PARIS), (1, "b", "get_weather", ROME)]


@pytest.mark.parametrize("arguments", [{"location": "Paris"}, PARIS], ids=["object", "text"])
def test_arguments_may_be_written_as_an_object(arguments: Any) -> None:
    assert joined(whole(tool_calls=[called(arguments, id="a")])) == [(0, "a", "get_weather", PARIS)]


@pytest.mark.parametrize("arguments", [None, "", {}], ids=["null", "empty", "object"])
def test_arguments_may_be_missing(arguments: Any) -> None:
    ((_, _, _, text),) = joined(whole(tool_calls=[called(arguments, id="a")]))
    assert orjson.loads(text or "{}") == {}


@pytest.mark.parametrize(
    "calls", [["get_weather"], [{"function": "get_weather"}], [called(7)], {"function": {}}, 7], ids=str
)
def test_calls_that_are_none_are_a_broken_answer(calls: Any) -> None:
    with pytest.raises(ModelFailed, match="no completion"):
        whole(tool_calls=calls)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_comes_before_the_answer(field: str) -> None:
    expected = [ThoughtFragment("hm"), TextFragment("Yes.")]
    assert whole("stop", content="Yes.", **{field: "hm"})[:2] == expected
    assert stream({field: "hm", "content": None}, {"content": "Yes."}, end="stop")[:2] == expected


def test_reasoning_under_both_of_its_names_is_told_once() -> None:
    assert whole("stop", content="Yes.", reasoning="hm", reasoning_content="hm")[:2] == [
        ThoughtFragment("hm"),
        TextFragment("Yes."),
    ]


def test_an_end_for_calls_without_a_call_is_a_broken_answer() -> None:
    with pytest.raises(ModelFailed, match="made none"):
        whole("tool_calls", content="Let me look.")
