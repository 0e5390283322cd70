"""The founding document's own snippets run unchanged, but for the server, with the SDKs of their time and with curl.

These are the snippets of the text, history, get, stream, configuration, function, structured output and thinking
sections. What a snippet prints is all that is known of it, so each test reads the printed words.
"""

import json
import re
from base64 import b64decode

import pytest

from .founding import at_server, read_model_names, second_request, with_client, with_id, with_quotes_closed
from .programs import run_sdk, run_shell
from .selection import over_every_model, over_outputs_sdks_and_models

pytestmark = pytest.mark.founding


@pytest.fixture
def run_snippet(snippets, server, environment_of, tmp_path):
    """Run a snippet with an SDK and give what it printed."""

    def run_now(sdk, name: str, interaction_id: str | None = None) -> str:
        snippet = snippets[name][sdk.language]
        if interaction_id is not None:
            snippet = with_id(snippet, interaction_id)
        if "client = " not in snippet:
            snippet = with_client(snippet, sdk.language)
        script = tmp_path / ("snippet.py" if sdk.language == "python" else "snippet.mjs")
        script.write_text(snippet, encoding="utf-8")
        return run_sdk(sdk, environment_of(sdk), script, tmp_path, server).succeeded().stdout

    return run_now


@pytest.fixture
def run_curl(program, snippets, server, tmp_path):
    """Run a REST snippet, or a request made from one, and give what the server answered."""
    program("curl")

    def run_now(name: str, request: str | None = None) -> str:
        snippet = at_server(request or snippets[name]["rest"], server)
        return run_shell(snippet, tmp_path, server).succeeded().stdout

    return run_now


def answers(printed: str) -> list[str]:
    """What stands after each "Model:" that a conversation snippet prints."""
    return [answer.strip() for answer in re.split(r"^Model: ", printed, flags=re.MULTILINE)[1:]]


def names_both_cities(text: str) -> bool:
    return "Madrid" in text and "Barcelona" in text


# --- with the SDKs


@over_outputs_sdks_and_models
def test_first_request_prints_a_text(sdk, run_snippet):
    assert run_snippet(sdk, "first_request").strip()


@over_outputs_sdks_and_models
def test_stateful_conversation_remembers_the_name(sdk, run_snippet):
    greeting, name = answers(run_snippet(sdk, "stateful_conversation"))
    assert greeting
    assert "Phil" in name


@over_outputs_sdks_and_models
def test_get_interaction_prints_what_was_stored(sdk, run_snippet, create_interaction):
    stored = create_interaction("What are the three largest cities in Spain?")
    printed = run_snippet(sdk, "get_interaction", stored["id"])
    assert stored["id"] in printed
    assert "completed" in printed
    assert names_both_cities(printed)


@over_outputs_sdks_and_models
def test_stateless_conversation_answers_from_the_sent_history(sdk, run_snippet):
    cities, landmark = answers(run_snippet(sdk, "stateless_conversation"))
    assert names_both_cities(cities)
    assert landmark


@over_outputs_sdks_and_models
def test_streaming_prints_the_text_and_then_the_tokens(sdk, run_snippet):
    text, end = run_snippet(sdk, "streaming").split("--- Stream Finished ---")
    assert text.strip()
    assert int(re.fullmatch(r"Total Tokens: (\d+)", end.strip())[1]) > 0


@over_outputs_sdks_and_models
def test_configuration_prints_a_story(sdk, run_snippet):
    assert len(run_snippet(sdk, "configuration").split()) > 5


@over_outputs_sdks_and_models
def test_function_calling_prints_the_call_and_the_answer(sdk, run_snippet):
    call, response = run_snippet(sdk, "function_calling").strip().split("\nResponse: ")
    location = re.fullmatch(r"Tool Call: get_weather\(\{['\"]location['\"]: ?['\"](.*)['\"]\}\)", call)
    assert "Paris" in location[1]
    assert "sunny" in response.lower()


@over_outputs_sdks_and_models
def test_function_calling_with_client_state_schedules_the_meeting(sdk, run_snippet):
    printed = run_snippet(sdk, "function_calling_with_client_state").strip()
    call, response = printed.split("\nFinal response: ")
    assert call.startswith("Function call: schedule_meeting with arguments ")
    for words in ("Peter", "Amir", "2025-11-01", "Next Gen API"):
        assert words in call
    assert "10:00" in call or "10 am" in call
    assert "meeting" in response.lower()
    assert "scheduled" in response.lower()


@over_outputs_sdks_and_models
def test_structured_output_prints_a_decision(sdk, run_snippet):
    printed = run_snippet(sdk, "structured_output").strip()
    if sdk.language == "python":
        assert re.match(r"decision=(Not)?SpamDetails\(", printed)
        return
    decision = json.loads(printed)["decision"]
    assert is_moderation(decision)


def is_moderation(decision: dict) -> bool:
    """Whether this is valid against the union of the document's schema, as pydantic and zod read it."""
    match decision:
        case {"reason": str(), "spam_type": "phishing" | "scam" | "unsolicited promotion" | "other"}:
            return True
        case {"summary": str(), "is_safe": bool()}:
            return True
        case _:
            return False


@over_outputs_sdks_and_models
def test_thinking_prints_the_thought_and_then_the_answer(sdk, run_snippet):
    printed = run_snippet(sdk, "thinking")
    thought, answer = printed.split("\nAnswer: ", 1)
    assert thought.startswith("Thinking: ")
    assert answer.strip()


# --- with curl


@over_every_model
def test_first_request_by_curl_is_answered_with_a_whole_interaction(run_curl):
    interaction = json.loads(run_curl("first_request"))
    assert interaction["id"]
    assert interaction["object"] == "interaction"
    assert interaction["role"] == "model"
    assert interaction["status"] == "completed"
    assert interaction["model"] == "gemini-3-flash-preview"
    assert interaction["outputs"][-1]["type"] == "text"
    assert interaction["outputs"][-1]["text"]
    assert interaction["usage"]["total_tokens"] > 0


@over_every_model
def test_stateful_conversation_by_curl_remembers_the_name(run_curl, snippets):
    first = json.loads(run_curl("stateful_conversation"))
    request = with_id(second_request(snippets["stateful_conversation"]["rest"]), first["id"])
    second = json.loads(run_curl("stateful_conversation", request))
    assert second["previous_interaction_id"] == first["id"]
    assert "Phil" in second["outputs"][-1]["text"]


@over_every_model
def test_get_interaction_by_curl_answers_what_was_stored(run_curl, snippets, create_interaction):
    stored = create_interaction("What are the three largest cities in Spain?")
    got = json.loads(run_curl("get_interaction", with_id(snippets["get_interaction"]["rest"], stored["id"])))
    assert got["id"] == stored["id"]
    assert got["status"] == "completed"
    assert got["outputs"] == stored["outputs"]


@over_every_model
def test_stateless_conversation_by_curl_answers_from_the_sent_history(run_curl):
    interaction = json.loads(run_curl("stateless_conversation"))
    assert interaction["status"] == "completed"
    assert interaction["outputs"][-1]["text"]


@over_every_model
def test_streaming_by_curl_sends_named_events_up_to_done(run_curl):
    frames = [parse_frame(frame) for frame in run_curl("streaming").strip().split("\n\n")]
    assert frames[-1] == ("done", "[DONE]")
    events = [(name, json.loads(data)) for name, data in frames[:-1]]
    assert all(name == event["event_type"] for name, event in events)
    assert events[0][0] == "interaction.start"
    assert events[-1][0] == "interaction.complete"
    assert events[-1][1]["interaction"]["usage"]["total_tokens"] > 0
    assert any(event["delta"]["text"] for name, event in events if name == "content.delta")


@over_every_model
def test_configuration_by_curl_keeps_to_its_limit(run_curl):
    interaction = json.loads(run_curl("configuration"))
    assert interaction["status"] in ("completed", "incomplete")
    assert interaction["outputs"][-1]["text"]
    assert 0 < interaction["usage"]["total_output_tokens"] <= 500


@over_every_model
def test_function_calling_by_curl_calls_and_then_answers(run_curl, snippets):
    called = json.loads(run_curl("function_calling"))
    assert called["status"] == "requires_action"
    (call,) = called["outputs"]
    assert (call["type"], call["name"]) == ("function_call", "get_weather")
    assert "Paris" in call["arguments"]["location"]
    request = second_request(snippets["function_calling"]["rest"]).replace("FUNCTION_CALL_ID", call["id"])
    answered = json.loads(run_curl("function_calling", with_id(request, called["id"])))
    assert (answered["status"], answered["previous_interaction_id"]) == ("completed", called["id"])
    assert "sunny" in answered["outputs"][-1]["text"].lower()


@over_every_model
def test_structured_output_by_curl_keeps_to_its_schema(run_curl, snippets):
    interaction = json.loads(run_curl("structured_output", with_quotes_closed(snippets["structured_output"]["rest"])))
    assert interaction["status"] == "completed"
    decision = json.loads(interaction["outputs"][-1]["text"])["decision"]
    assert isinstance(decision["reason"], str)
    assert isinstance(decision["spam_type"], str)


@over_every_model
def test_thinking_by_curl_has_a_signed_thought_and_then_a_text(run_curl):
    interaction = json.loads(run_curl("thinking"))
    assert [output["type"] for output in interaction["outputs"]] == ["thought", "text"]
    thought = interaction["outputs"][0]
    assert b64decode(thought["signature"], validate=True)
    assert thought["summary"][0]["text"]
    usage = interaction["usage"]
    assert usage["total_thought_tokens"] == usage["total_reasoning_tokens"] > 0


@over_every_model
def test_every_model_that_the_document_names_answers(snippets, create_interaction):
    names = read_model_names()
    assert {"gemini-2.5-pro", "gemini-2.5-flash-lite", "gemini-3-pro-preview", "gemini-3-flash-preview"} <= names
    for name in names:
        interaction = create_interaction("Hi", name)
        assert (interaction["model"], interaction["status"]) == (name, "completed")
        answer = interaction["outputs"][-1]
        assert answer["type"] == modality_of(name)
        assert answer.get("text") or answer.get("data")


def modality_of(model: str) -> str:
    """What a model of the document answers in, which stands in its name."""
    if "image" in model:
        return "image"
    return "audio" if "tts" in model else "text"


def parse_frame(frame: str) -> tuple[str, str]:
    """The event's name and its data; a stream may hold comments, and nothing else."""
    fields = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
    assert set(fields) == {"event", "data"}
    return fields["event"], fields["data"]
