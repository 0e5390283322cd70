"""Other clients that speak the API: an agent of google-adk, and the AI SDK.

On the default model they get sensible answers; on a scripted one that thinks, every step of their course is known.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .clients import ADK, AI_SDK, Client, open_client
from .programs import run_sdk
from .sdks import EnvironmentUnavailable
from .serving import serve
from .upstream import THINKER, Upstream, open_upstream

SETTINGS = """
[models."*"]
engine = "openai"
base_url = "{address}"

[models.{thinker}]
engine = "openai"
base_url = "{address}"
model = "{thinker}"
thinks = true
"""

MODES = pytest.mark.parametrize("mode", ["whole", "streamed"])
PARIS = [["get_weather", {"location": "Paris"}]]
SUNNY = 'You said: {"weather":"The weather in Paris is sunny."}'

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def scripted(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose models are all scripted."""
    folder = tmp_path_factory.mktemp("scripted")
    settings = folder / "turnwise.toml"
    settings.write_text(SETTINGS.format(address=upstream.address, thinker=THINKER))
    with serve(folder / "data", folder / "models", "--config", str(settings)) as address:
        yield address


@pytest.fixture(scope="module")
def run_client(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Client, str, str], dict]:
    """What a client's program reports of a model on a server; each is run once."""
    reports: dict[tuple[Client, str], dict] = {}

    def run_once(client: Client, model: str, server: str) -> dict:
        if (client, model) not in reports:
            try:
                environment = open_client(client, cache)
            except EnvironmentUnavailable as unavailable:
                pytest.skip(f"{client}: {unavailable}")
            folder = tmp_path_factory.mktemp(str(client))
            outcome = run_sdk(client, environment, client.script, folder, server, model)
            reports[client, model] = outcome.report()
        return reports[client, model]

    return run_once


@pytest.fixture(scope="module")
def run_scripted(run_client, scripted: str, upstream: Upstream) -> Callable[[Client, str], tuple[dict, list[dict]]]:
    """What a client's program reports of a scripted model, and what that model was asked meanwhile."""
    asked: dict[tuple[Client, str], list[dict]] = {}

    def run_once(client: Client, model: str) -> tuple[dict, list[dict]]:
        before = len(upstream.asked)
        report = run_client(client, model, scripted)
        return report, asked.setdefault((client, model), upstream.asked[before:])

    return run_once


# --- google-adk


@MODES
def test_adk_agent_remembers_and_calls_on_the_default_model(run_client, server, mode):
    report = run_client(ADK, "gemini-3-flash-preview", server)[mode]
    assert "Phil" in report["chain"][1]["text"]
    (weather,) = report["tools"]
    ((name, arguments),) = weather["calls"]
    assert name == "get_weather"
    assert "Paris" in arguments["location"]
    assert "sunny" in weather["text"].lower()
    assert not any(turn["errors"] for turns in report.values() for turn in turns)


@MODES
@pytest.mark.parametrize("model", ["plain", THINKER])
def test_adk_agents_tool_loop_runs_to_its_end(run_scripted, mode, model):
    report = run_scripted(ADK, model)[0][mode]
    assert [turn["text"] for turn in report["chain"]] == [
        "You said: Hi, my name is Phil.",
        "You said: What is my name?",
    ]
    (weather,) = report["tools"]
    assert (weather["calls"], weather["text"], weather["errors"]) == (PARIS, SUNNY, [])
    assert weather["results"] == [{"weather": "The weather in Paris is sunny."}]
    assert len(set(weather["interactions"])) == 2
    assert (weather["pieces"] > 0) is (mode == "streamed")


@MODES
def test_adk_agents_thoughts_come_back_and_are_shown_to_the_model_once(run_scripted, mode):
    report, asked = run_scripted(ADK, THINKER)
    assert report[mode]["tools"][0]["signatures"] == 2
    streamed = mode == "streamed"
    with_result = [b["messages"] for b in asked if b["stream"] is streamed and b["messages"][-1]["role"] == "tool"]
    ((_, _, called, _),) = with_result
    assert (called["role"], called["reasoning_content"]) == ("assistant", "I look it up.")
    assert [call["function"]["name"] for call in called["tool_calls"]] == ["get_weather"]


# --- the AI SDK


@pytest.mark.node
@MODES
def test_ai_sdk_talks_remembers_and_calls_on_the_default_model(run_client, server, mode):
    report = run_client(AI_SDK, "gemini-3-flash-preview", server)[mode]
    assert report["first"]["text"]
    assert report["first"]["finish"] == "stop"
    assert report["first"]["tokens"] > 0
    assert "Phil" in report["chain"]["text"]
    assert "Phil" in report["history"]["text"]
    ((name, arguments),) = report["tools"]["calls"]
    assert name == "get_weather"
    assert "Paris" in arguments["location"]
    assert "sunny" in report["tools"]["text"].lower()


@pytest.mark.node
@MODES
@pytest.mark.parametrize("model", ["plain", THINKER])
def test_ai_sdks_tool_loop_runs_to_its_end(run_scripted, mode, model):
    report = run_scripted(AI_SDK, model)[0][mode]
    assert [report[name]["text"] for name in ("first", "chain", "history")] == [
        "You said: Hi, my name is Phil.",
        "You said: What is my name?",
        "You said: What is my name?",
    ]
    tools = report["tools"]
    assert (tools["calls"], tools["text"], tools["finish"]) == (PARIS, SUNNY, "stop")
    assert tools["reasoned"] == [model == THINKER] * 2


@pytest.mark.node
def test_ai_sdks_stream_has_every_part_begun_and_ended(run_scripted):
    streamed = run_scripted(AI_SDK, THINKER)[0]["streamed"]
    assert streamed["first"]["errors"] == streamed["tools"]["errors"] == []
    assert [part for part in streamed["tools"]["parts"] if not part.endswith("-delta")] == [
        *("start", "start-step", "reasoning-start", "reasoning-end"),
        *("tool-input-start", "tool-input-end", "tool-call", "tool-result", "finish-step"),
        *("start-step", "reasoning-start", "reasoning-end", "text-start", "text-end", "finish-step", "finish"),
    ]


@pytest.mark.node
def test_ai_sdks_background_work_is_polled_and_followed_over_a_line_that_breaks(run_scripted):
    report = run_scripted(AI_SDK, "plain")[0]
    for mode in ("whole", "streamed"):
        background = report[mode]["background"]
        assert (background["text"], background["finish"]) == ("You said: Hi, my name is Phil.", "stop")
    assert report["streamed"]["background"]["errors"] == []
    first, second = report["reads"]
    assert first == "stream=true"
    assert re.fullmatch(r"stream=true&last_event_id=\d+", second)


@pytest.mark.node
def test_ai_sdks_history_shows_the_model_its_own_reasoning_again(run_scripted):
    asked = [body["messages"] for body in run_scripted(AI_SDK, THINKER)[1]]
    continued = [messages for messages in asked if messages[-1]["content"] == "What is my name?"]
    assert [messages[1]["reasoning_content"] for messages in continued] == ["I know."] * 4


@pytest.mark.node
def test_ai_sdk_shows_what_kind_of_error_it_is(run_scripted):
    refused = run_scripted(AI_SDK, "plain")[0]["refused"]
    assert (refused["name"], refused["message"], refused["status"]) == ("AI_APICallError", "Bad Request", 400)
    assert "temperature" in json.loads(refused["body"])["error"]["message"]
