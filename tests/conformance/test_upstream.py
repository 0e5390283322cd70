"""What reaches a model behind chat completions, and that the one of these tests answers as such a model does."""

import json
import urllib.request
from collections.abc import Callable

import pytest

from .programs import TIMEOUT
from .selection import over_every_model
from .serving import UPSTREAM
from .upstream import Answer, Upstream, parrot, words

on_upstream = pytest.mark.parametrize("server", [UPSTREAM], indirect=True)

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Gets the weather for a given location.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
FORM = {
    "type": "object",
    "properties": {"summary": {"type": "string", "description": "The weather in a few words."}},
    "required": ["summary"],
    "additionalProperties": False,
}


@pytest.fixture
def post(server: str) -> Callable[..., dict]:
    """Make an interaction with a plain request of today's form."""

    def create(asked: object, **fields: object) -> dict:
        request = urllib.request.Request(
            f"{server}/v1/interactions",
            data=json.dumps({"model": "gemini-3-flash-preview", "input": asked, **fields}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            return json.load(reply)

    return create


# --- what reaches it


@on_upstream
def test_everything_that_is_asked_reaches_the_upstream_in_its_own_words(post, competent_upstream: Upstream):
    post(
        "What is the weather in Paris?",
        system_instruction="Be brief.",
        tools=[WEATHER],
        generation_config={
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "max_output_tokens": 99,
            "stop_sequences": ["END"],
            "thinking_level": "high",
            "tool_choice": "any",
        },
    )
    asked = competent_upstream.asked[-1]
    said = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 99, "stop": ["END"]}
    assert {name: asked[name] for name in said} == said
    assert (asked["model"], asked["reasoning_effort"]) == ("gemini-3-flash-preview", "high")
    assert (asked["stream"], asked["tool_choice"]) == (False, "required")
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is the weather in Paris?"},
    ]
    function = {name: WEATHER[name] for name in ("name", "description", "parameters")}
    assert asked["tools"] == [{"type": "function", "function": function}]


@on_upstream
def test_a_schema_binds_the_upstreams_text(post, competent_upstream: Upstream):
    post("How is the weather?", response_format=FORM)
    form = competent_upstream.asked[-1]["response_format"]
    assert (form["type"], form["json_schema"]["schema"], form["json_schema"]["strict"]) == ("json_schema", FORM, True)


@on_upstream
def test_thoughts_calls_and_results_go_back_to_the_upstream_as_they_came(post, competent_upstream: Upstream):
    level = {"thinking_level": "low"}
    asked = post("What is the weather in Paris?", tools=[WEATHER], generation_config=level)
    assert [step["type"] for step in asked["steps"]] == ["thought", "function_call"]
    call = asked["steps"][-1]
    result = {"type": "function_result", "call_id": call["id"], "result": "Sunny."}
    post([result], previous_interaction_id=asked["id"], generation_config=level)
    question, called, answered = competent_upstream.asked[-1]["messages"]
    assert question == {"role": "user", "content": "What is the weather in Paris?"}
    assert called["reasoning_content"] == "I look at what is asked.\n\nThen I answer it."
    assert [made["id"] for made in called["tool_calls"]] == [call["id"]]
    assert answered == {"role": "tool", "tool_call_id": call["id"], "content": "Sunny."}


@over_every_model
def test_a_function_is_called_and_its_result_told_in_a_form(post):
    both = {"tools": [WEATHER], "response_format": FORM}
    asked = post("What is the weather in Paris?", **both)
    assert asked["status"] == "requires_action"
    (call,) = asked["steps"]
    assert call["arguments"] == {"location": "Paris"}
    result = {"type": "function_result", "call_id": call["id"], "result": "The weather in Paris is sunny."}
    told = post([result], previous_interaction_id=asked["id"], **both)
    assert told["status"] == "completed"
    assert isinstance(json.loads(told["steps"][-1]["content"][0]["text"])["summary"], str)


# --- how it answers


def answer(**body: object) -> dict:
    """The parrot's answer to a request, in one piece."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "one two three"}], **body}
    return json.loads(Answer(asked, parrot(asked)).whole())


def said(answer: dict) -> tuple[str, str]:
    return answer["choices"][0]["message"]["content"], answer["choices"][0]["finish_reason"]


def test_scripted_model_keeps_to_the_limits_of_a_request():
    assert said(answer()) == ("You said: one two three", "stop")
    assert said(answer(stop=["two", "one"])) == ("You said: ", "stop")
    assert said(answer(max_tokens=3)) == ("You said: one", "length")
    assert said(answer(max_tokens=3, model="thinker")) == ("You", "length")


def test_scripted_models_tokens_are_the_words_that_it_thought_and_said():
    usage = answer(model="thinker")["usage"]
    assert (usage["completion_tokens"], usage["completion_tokens_details"]) == (7, {"reasoning_tokens": 2})
    assert usage["total_tokens"] == usage["prompt_tokens"] + 7


@pytest.mark.parametrize("model", ["plain", "thinker"])
@pytest.mark.parametrize("tools", [[], [{"function": WEATHER}]], ids=["words", "call"])
def test_scripted_models_stream_adds_up_to_its_whole_answer(model: str, tools: list):
    asked = {"model": model, "messages": [{"role": "user", "content": "one two"}], "tools": tools}
    asked |= {"stream_options": {"include_usage": True}}
    whole = json.loads(Answer(asked, parrot(asked)).whole())
    *events, done = (event.decode().removeprefix("data: ") for event in Answer(asked, parrot(asked)).events())
    chunks = [json.loads(event) for event in events]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    message = whole["choices"][0]["message"]
    for name in ("content", "reasoning_content"):
        assert "".join(delta.get(name) or "" for delta in deltas) == (message.get(name) or "")
    pieces = [piece["function"] for delta in deltas for piece in delta.get("tool_calls", ())]
    calls = message.get("tool_calls", [])
    assert [piece["name"] for piece in pieces if "name" in piece] == [call["function"]["name"] for call in calls]
    assert "".join(piece["arguments"] for piece in pieces) == "".join(call["function"]["arguments"] for call in calls)
    assert (chunks[-1]["usage"], chunks[-2]["choices"][0]["finish_reason"]) == (
        whole["usage"],
        whole["choices"][0]["finish_reason"],
    )
    assert done.strip() == "[DONE]"


def test_words_join_to_their_text():
    assert words("a  b c") == ["a", " ", " b", " c"]
    assert words(None) == words("") == []
