"""The server's tools, seen from outside: the founding document's snippets unchanged, and both forms in every SDK.

The names in the snippets lead to stand-ins (`outside.py`), which say what nobody knows who did not ask them; so an
answer that has it was read there. What a model of this size computes may be wrong: of the default model it is asked
that it tells what its code printed, and of the other that this is right.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .conftest import script_of
from .founding import at_server
from .outside import CHAMPION, FINAL, NAMES, SNOW, Outside, open_outside, serve_led
from .programs import run_sdk, run_shell
from .sdks import ALL, PYTHON, Sdk, locked
from .selection import each_sdk_and_some_on_default, marks_of, over_every_model, over_outputs_sdks_and_models
from .serving import DEFAULT_MODEL, UPSTREAM
from .upstream import Upstream

FIFTIETH = "12586269025"

MODEL_SETTINGS = {
    DEFAULT_MODEL: '[models."*".defaults]\ntemperature = 0\n',
    UPSTREAM: '[models."*"]\nengine = "openai"\nbase_url = "{upstream}"\n',
}

STEPS_OF = {
    "google_search": ["google_search_call", "google_search_result"],
    "code_execution": ["code_execution_call", "code_execution_result"],
    "url_context": ["url_context_call", "url_context_result"],
    "mcp_server": ["mcp_server_tool_call", "mcp_server_tool_result"],
    "structured": ["google_search_call", "google_search_result"],
}
"""Which steps the use of a tool leaves before its answer."""

MESSAGE = {"outputs": "text", "steps": "model_output"}
FORMS = {
    "outputs": ("interaction.start", "interaction.complete", "content"),
    "steps": ("interaction.created", "interaction.completed", "step"),
}

over_every_sdk_and_model = each_sdk_and_some_on_default(ALL)
over_python_sdks_and_models = each_sdk_and_some_on_default(PYTHON)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with open_outside(tmp_path_factory.mktemp("outside")) as outside:
        yield outside


@pytest.fixture(scope="module")
def address_of(
    cache: Path, tmp_path_factory: pytest.TempPathFactory, competent_upstream: Upstream, outside: Outside
) -> Iterator[Callable[[str], str]]:
    """The address of a server with a model behind it, for which the names lead to the stand-ins."""
    addresses: dict[str, str] = {}
    with ExitStack() as stack:

        def open_once(model: str) -> str:
            if model not in addresses:
                folder = tmp_path_factory.mktemp(f"tools-{model}")
                settings = folder / "turnwise.toml"
                of_model = MODEL_SETTINGS[model].format(upstream=competent_upstream.address)
                settings.write_text(outside.settings + of_model)
                opened = serve_led(folder / "data", cache / "models", outside, "--config", str(settings))
                addresses[model] = stack.enter_context(opened)
            return addresses[model]

        yield open_once


@pytest.fixture
def run_snippet(snippets, server, environment_of, tmp_path):
    """Run a snippet with an SDK and give what it printed."""

    def run_now(sdk: Sdk, name: str) -> str:
        script = tmp_path / ("snippet.py" if sdk.language == "python" else "snippet.mjs")
        script.write_text(snippets[name][sdk.language], encoding="utf-8")
        return run_sdk(sdk, environment_of(sdk), script, tmp_path, server).succeeded().stdout

    return run_now


@pytest.fixture
def run_curl(program, snippets, server, tmp_path):
    """Run a REST snippet and give the interaction that the server answered."""
    program("curl")

    def run_now(name: str) -> dict:
        return json.loads(run_shell(at_server(snippets[name]["rest"], server), tmp_path, server).succeeded().stdout)

    return run_now


@pytest.fixture
def is_right(request: pytest.FixtureRequest) -> bool:
    """Whether the model computes rightly."""
    return request.node.callspec.params["server"] == UPSTREAM


def types_of(interaction: dict) -> list[str]:
    return [output["type"] for output in interaction["outputs"]]


# --- what the founding document shows, with the SDKs of its time


@over_outputs_sdks_and_models
def test_search_answers_with_what_it_found(sdk, run_snippet):
    assert CHAMPION in run_snippet(sdk, "google_search")


@over_outputs_sdks_and_models
def test_code_is_run_and_its_outcome_told(sdk, run_snippet, is_right):
    printed = run_snippet(sdk, "code_execution")
    assert FIFTIETH in printed.replace(",", "") if is_right else printed.strip()


@over_outputs_sdks_and_models
def test_page_is_read_and_summed_up(sdk, run_snippet):
    printed = run_snippet(sdk, "url_context")
    assert "encyclopedia" in printed
    assert "cannot" not in printed


@over_outputs_sdks_and_models
def test_computer_is_asked_for_an_action(sdk, run_snippet):
    printed = run_snippet(sdk, "computer_use")
    assert "function_call" in printed
    assert "drag_and_drop" not in printed


@over_outputs_sdks_and_models
def test_weather_is_told_as_the_mcp_server_has_it(sdk, run_snippet, outside):
    assert SNOW in run_snippet(sdk, "remote_mcp")
    name, arguments = outside.mcp.called[-1]
    assert (name, "New York" in arguments["location"]) == ("get_weather", True)


@over_outputs_sdks_and_models
def test_structured_output_with_tools_is_printed(sdk, run_snippet):
    printed = run_snippet(sdk, "structured_output_with_tools").strip()
    if sdk.language == "python":
        assert re.match(r"decision=(Not)?SpamDetails\(", printed)
    else:
        assert printed == "undefined", "the document prints the text of its first output, which is the search"


# --- and with curl


@over_every_model
def test_search_by_curl_cites_the_page_that_says_so(run_curl):
    interaction = run_curl("google_search")
    assert types_of(interaction) == ["google_search_call", "google_search_result", "text"]
    call, result, said = interaction["outputs"]
    assert call["arguments"]["queries"]
    assert result["call_id"] == call["id"]
    assert any(CHAMPION in json.dumps(hit) for hit in result["result"])
    text = said["text"].encode()
    supported = {
        note["url"]: text[note["start_index"] : note["end_index"]].decode()
        for note in said["annotations"]
        if note["type"] == "url_citation"
    }
    assert CHAMPION in supported["https://sports.example.org/super-bowl"]
    assert {"type": "google_search", "count": 1} in interaction["usage"]["grounding_tool_count"]


@over_every_model
def test_code_by_curl_is_shown_with_what_it_printed(run_curl, is_right):
    interaction = run_curl("code_execution")
    *tries, said = interaction["outputs"]
    calls, results = tries[::2], tries[1::2]
    assert 1 <= len(calls) <= 3
    assert {call["type"] for call in calls} == {"code_execution_call"}
    assert all(call["arguments"]["code"] and call["arguments"]["language"] == "python" for call in calls)
    assert [result["call_id"] for result in results] == [call["id"] for call in calls]
    assert {result["type"] for result in results} == {"code_execution_result"}
    assert said["type"] == "text"
    last = results[-1]
    if is_right:
        assert last["result"].strip() == FIFTIETH
    if last.get("is_error"):
        assert "Fibonacci number is" not in said["text"]
    else:
        assert last["result"].split()[-1].strip("[](),") in said["text"].replace(",", "")


@over_every_model
def test_page_by_curl_has_its_status_and_is_cited(run_curl, outside):
    interaction = run_curl("url_context")
    assert types_of(interaction) == ["url_context_call", "url_context_result", "text"]
    call, result, said = interaction["outputs"]
    assert [url.rstrip("/") for url in call["arguments"]["urls"]] == ["https://www.wikipedia.org"]
    (page,) = result["result"]
    assert (page["url"].rstrip("/"), page["status"]) == ("https://www.wikipedia.org", "success")
    assert "encyclopedia" in said["text"]
    assert {note["url"].rstrip("/") for note in said["annotations"]} == {"https://www.wikipedia.org"}
    assert (NAMES[0], "/") in outside.read


@over_every_model
def test_action_by_curl_is_the_clients_to_carry_out(run_curl):
    interaction = run_curl("computer_use")
    assert interaction["status"] == "requires_action"
    call = interaction["outputs"][-1]
    assert call["type"] == "function_call"
    assert call["id"]
    assert call["name"] != "drag_and_drop"


@over_every_model
def test_mcp_by_curl_names_its_server_and_its_tool(run_curl):
    interaction = run_curl("remote_mcp")
    assert types_of(interaction) == ["mcp_server_tool_call", "mcp_server_tool_result", "text"]
    call, result, said = interaction["outputs"]
    assert (call["name"], call["server_name"]) == ("get_weather", "weather_service")
    assert "New York" in call["arguments"]["location"]
    assert (result["call_id"], result["name"], result["server_name"]) == (call["id"], "get_weather", "weather_service")
    assert SNOW in json.dumps(result["result"])
    assert SNOW in said["text"]


@over_every_model
def test_structured_output_by_curl_is_filled_with_what_was_found(run_curl):
    interaction = run_curl("structured_output_with_tools")
    assert types_of(interaction) == ["google_search_call", "google_search_result", "text"]
    euro = json.loads(interaction["outputs"][-1]["text"])
    assert (euro["winning_team"], euro["score"]) == FINAL


# --- what every SDK makes of them

FAILED = {
    "nothing_found": ("google_search", "[]"),
    "missing_page": ("url_context", "error"),
    "wrong_code": ("code_execution", "TypeError"),
    "wrong_tool": ("mcp_server_tool", "There is no forecast for Boston."),
}
"""Of what comes to nothing: whose steps it has, and what its result says."""

over_every_sdk_on_upstream = pytest.mark.parametrize(
    ("sdk", "server"),
    [pytest.param(sdk, UPSTREAM, id=str(sdk), marks=marks_of(sdk)) for sdk in ALL],
    indirect=["server"],
    scope="module",
)


@pytest.fixture
def tools(sdk, server, request, environment_of, tmp_path_factory, tmp_path) -> dict:
    """What an SDK reports of them; each is asked once on each model, by whichever of the test processes is first."""
    processes = tmp_path_factory.getbasetemp()
    shared = processes.parent if "PYTEST_XDIST_WORKER" in os.environ else processes
    report = shared / f"tools-{sdk}-{request.node.callspec.params['server']}.json"
    with locked(report):
        if not report.exists():
            outcome = run_sdk(sdk, environment_of(sdk), script_of(sdk, "tools"), tmp_path, server)
            report.write_text(json.dumps(outcome.report()))
    return json.loads(report.read_text())


@pytest.fixture
def failing(sdk, server, environment_of, tmp_path) -> dict:
    """What an SDK reports of what comes to nothing."""
    return run_sdk(sdk, environment_of(sdk), script_of(sdk, "tools"), tmp_path, server, "failing").report()


@over_every_sdk_on_upstream
def test_tool_that_fails_is_a_result_that_says_so(sdk, failing):
    for name, (tool, says) in FAILED.items():
        report = failing[name]
        whole, live = report["whole"], report["live"]
        assert (whole["status"], live["status"]) == ("completed", "completed")
        assert whole["types"] == [f"{tool}_call", f"{tool}_result", MESSAGE[sdk.dialect]]
        result = whole["steps"][1]
        assert says in json.dumps(result["result"])
        assert (result.get("is_error") is True) == (name != "nothing_found"), result
        assert whole["text"]
        assert live["text"] == whole["text"]
        assert report["replayed"] == live
        if sdk.language == "python":
            assert set(whole["valid"]) == {True}, (name, whole["valid"])
            check_classes(sdk, name, live)


@over_every_sdk_and_model
def test_call_and_result_come_before_the_answer(sdk, tools, is_right):
    for name, steps in STEPS_OF.items():
        whole = tools[name]["whole"]
        assert whole["status"] == "completed"
        *used, message = whole["types"]
        assert message == MESSAGE[sdk.dialect]
        tries = len(used) // 2
        assert used == steps * tries
        assert 1 <= tries <= (3 if name == "code_execution" and not is_right else 1)


@over_every_sdk_and_model
def test_answers_say_what_only_the_tools_know(sdk, tools, is_right):
    texts = {name: tools[name]["whole"]["text"] for name in STEPS_OF}
    assert CHAMPION in texts["google_search"]
    assert "encyclopedia" in texts["url_context"]
    assert SNOW in texts["mcp_server"]
    assert json.loads(texts["structured"]) == dict(zip(("winning_team", "score"), FINAL, strict=True))
    if is_right:
        assert FIFTIETH in texts["code_execution"].replace(",", "")


@over_every_sdk_and_model
def test_answers_from_pages_are_annotated(sdk, tools):
    for name, url in (("google_search", "https://sports.example.org/super-bowl"), ("url_context", "wikipedia.org")):
        whole = tools[name]["whole"]
        notes = [note for note in whole["annotations"] if url in (note.get("url") or note["source"])]
        assert notes
        text = whole["text"].encode()
        assert all(text[note["start_index"] : note["end_index"]].strip() for note in notes)


@over_every_sdk_and_model
def test_annotations_stream_in_a_delta_that_each_generation_reads(sdk, tools):
    for name in ("google_search", "url_context"):
        whole, live = tools[name]["whole"], tools[name]["live"]
        told = [{key: note[key] for key in ("start_index", "end_index", "source")} for note in whole["annotations"]]
        assert told
        assert [{key: note[key] for key in told[0]} for note in live["notes"]] == told


@over_every_sdk_and_model
def test_computer_use_asks_the_client(sdk, tools):
    whole = tools["computer_use"]["whole"]
    assert (whole["status"], whole["types"][-1]) == ("requires_action", "function_call")
    assert whole["steps"][-1]["name"] != "drag_and_drop"


@over_python_sdks_and_models
def test_each_piece_is_of_its_own_class_and_valid_in_it(sdk, tools):
    for name, report in tools.items():
        whole = report["whole"]
        for kind, own in zip(whole["types"], whole["classes"], strict=True):
            assert kind.replace("_", "") in own.lower(), (name, kind, own)
        assert set(whole["valid"]) == {True}, (name, whole["valid"])
        assert all(note["valid"] is True for note in whole["annotations"]), (name, whole["annotations"])


@over_python_sdks_and_models
def test_each_piece_of_a_stream_is_of_its_own_class(sdk, tools):
    for name, report in tools.items():
        check_classes(sdk, name, report["live"])


def check_classes(sdk: Sdk, name: str, live: dict) -> None:
    for event, kind, own in live["classes"]:
        assert own == class_of(sdk, event, kind) or kind.replace("_", "") in own.lower(), (name, event, kind, own)
        assert not own.startswith("Unknown")


def class_of(sdk: Sdk, event: str, kind: str) -> str | None:
    """The class of a piece in generations that have none of its own for it."""
    if sdk.version == "1.55.0" and event == "content.start":
        return "dict"
    if sdk.version == "2.0.0" and event == "step.delta" and kind.endswith(("_call", "_result")):
        return "DeltaText"  # its first; the type and the fields are kept
    return None


@over_every_sdk_and_model
def test_stream_tells_what_the_whole_reply_has(sdk, tools):
    begin, end, item = FORMS[sdk.dialect]
    for name, report in tools.items():
        live, whole = report["live"], report["whole"]
        assert (live["events"][0], live["events"][-1]) == (begin, end)
        assert "error" not in live["events"]
        assert live["status"] == whole["status"]
        assert live["events"].count(f"{item}.start") == live["events"].count(f"{item}.stop") == len(whole["types"])
        assert live["text"] == whole["text"], name


@over_every_sdk_and_model
def test_replay_is_the_stream(sdk, tools):
    for report in tools.values():
        assert report["replayed"] == report["live"]


@over_every_sdk_and_model
def test_what_is_read_back_is_what_was_told(sdk, tools):
    for report in tools.values():
        whole, stored = report["whole"], report["stored"]
        told = [step for step in stored["steps"] if step["type"] != "user_input"]
        assert told == whole["steps"]
        whole["usage"].pop("initial_input_tokens", None)  # later generations work it out for themselves
        assert stored["usage"] == whole["usage"]


@over_every_sdk_and_model
def test_tools_are_echoed_as_they_were_declared(sdk, tools):
    for name, report in tools.items():
        (tool,) = report["whole"]["tools"]
        assert tool["type"] == ("google_search" if name == "structured" else name)
    (weather,) = tools["mcp_server"]["whole"]["tools"]
    assert (weather["name"], weather["url"]) == ("weather_service", f"https://{NAMES[2]}/mcp")
