"""Deep research as its users have it: the founding document's snippets unchanged, every SDK in its own form, and other
clients; over a folder of documents, on the default model and on one that can read.

What a report says stands in the documents, and its citations say where: each of them is looked up there.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.researcher import Researcher
from agents.tpus import ABOUT_TPUS

from .balanced import balanced
from .clients import ADK, AI_SDK, SCRIPTS, Client, open_client
from .conftest import script_of
from .founding import at_server, second_request, with_id
from .programs import TIMEOUT, run_sdk, run_shell
from .sdks import ALL, JAVASCRIPT, PYTHON, EnvironmentUnavailable, Sdk, locked
from .selection import FIRST_AND_LAST, OUTPUTS, each_sdk_and_some_on_default, over_every_model
from .serving import MODELS, UPSTREAM, end, free_port, launch, serve, server_settings
from .upstream import Upstream, open_upstream

SETTINGS = """
[tools.google_search]
engine = "folder"

[agents.hasty]
agent = "deep-research"
tokens = 1500
"""
READER = """
[models."*"]
engine = "openai"
base_url = "{address}"
schemas = true
"""

PACE = 0.001
"""Seconds that the reader takes over a word. What it says is for the agent, which asks much."""

AGENTS = (
    "deep-research-pro-preview-12-2025",
    "deep-research-preview-04-2026",
    "deep-research-max-preview-04-2026",
)
PLAN = "# Research plan: "

FORMS = {
    "outputs": ("interaction.start", "interaction.complete", "content"),
    "steps": ("interaction.created", "interaction.completed", "step"),
}
CLASSES = {
    "interaction.start": "InteractionStartEvent",
    "interaction.complete": "InteractionCompleteEvent",
    "interaction.created": "InteractionCreatedEvent",
    "interaction.completed": "InteractionCompletedEvent",
    "interaction.status_update": "InteractionStatusUpdate",
    "content.start": "ContentStart",
    "content.delta": "ContentDelta",
    "content.stop": "ContentStop",
    "step.start": "StepStart",
    "step.delta": "StepDelta",
    "step.stop": "StepStop",
}
"""Which class an SDK has for an event."""

DEAF = Sdk("python", "3.4.0")
"""It tries again where a balancer says 503, and not where a connection is refused."""

over_sdks_and_models = each_sdk_and_some_on_default(ALL, (JAVASCRIPT[0], PYTHON[-1]))
over_planning_sdks = pytest.mark.parametrize(
    ("sdk", "server"),
    [
        pytest.param(Sdk("python", version), UPSTREAM, id=version, marks=pytest.mark.sdk)
        for version in ("1.75.0", "3.4.0")
    ],
    indirect=["server"],
    scope="module",
)
on_reader = pytest.mark.parametrize("server", [UPSTREAM], indirect=True, scope="module")


class Reader(Researcher):
    """A model that is good at research, and tells of what was said before the sentence that has most to do with what
    is asked. It can be made to wait before it judges what is missing, which it is asked once."""

    def __init__(self) -> None:
        super().__init__()
        self.may_judge, self.waiting = threading.Event(), threading.Semaphore(0)

    def __call__(self, body: dict) -> dict:
        """The message that answers a request."""
        if "response_format" not in body:
            return {"role": "assistant", "content": recall([message["content"] for message in body["messages"]])}
        if "open" in body["response_format"]["json_schema"]["schema"]["properties"]:
            self.waiting.release()
            self.may_judge.wait(TIMEOUT)
        return {"role": "assistant", "content": self.answer(body)}


def recall(said: list[str]) -> str:
    """The sentence of what was said before that shares most words with what was said last."""
    *before, asked = said
    sentences = [sentence for text in before for sentence in re.findall(r"[^\n.]+\.", text)]
    return max(sentences, key=lambda sentence: len(words_of(sentence) & words_of(asked)), default="I do not know.")


def words_of(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


@pytest.fixture(scope="module")
def reader() -> Iterator[Upstream]:
    model = Reader()
    model.may_judge.set()
    with open_upstream(model, PACE) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def address_of(
    cache: Path, tmp_path_factory: pytest.TempPathFactory, reader: Upstream
) -> Iterator[Callable[[str], str]]:
    """The address of a server with a model behind it and a folder to search in."""
    addresses: dict[str, str] = {}
    with ExitStack() as stack:

        def open_once(model: str) -> str:
            if model not in addresses:
                folder, models = tmp_path_factory.mktemp(f"research-{model}"), cache / "models"
                options = prepare(folder, models, reader.address if model == UPSTREAM else None)
                with locked(models):  # the first of several test processes fetches the weights
                    addresses[model] = stack.enter_context(serve(folder / "data", models, *options))
            return addresses[model]

        yield open_once


def prepare(folder: Path, models: Path, upstream: str | None) -> list[str]:
    """Index the documents and write the settings of a server; gives the options that name them."""
    settings, library = folder / "turnwise.toml", folder / "library"
    settings.write_text(SETTINGS + (READER.format(address=upstream) if upstream else ""))
    library.mkdir()
    for name, text in ABOUT_TPUS.items():
        (library / name).write_text(text)
    command = [sys.executable, "-m", "turnwise", "index", str(library), "--data-dir", str(folder / "data")]
    subprocess.run(command, env=server_settings(models), check=True, capture_output=True, timeout=TIMEOUT)
    return ["--config", str(settings)]


def report_in(interaction: dict) -> dict:
    """The text that an interaction ends with, and its citations."""
    last = (interaction.get("outputs") or interaction["steps"])[-1]
    part = last["content"][-1] if last["type"] == "model_output" else last
    assert part["type"] == "text"
    return part


def check_report(report: dict) -> None:
    """Whether it is a report, and every citation names a document that says so."""
    text = report["text"]
    assert text.startswith("# ")
    assert "\n## Sources\n" in text
    assert "[1]" in text
    assert report["annotations"]
    for note in report["annotations"]:
        claim = text.encode()[note["start_index"] : note["end_index"]].decode()
        document = ABOUT_TPUS[note["url"].removeprefix("library/")]
        assert len(claim) > 10
        assert plain(claim) in plain(document)
        assert f"{note['title']}, {note['url']}\n" in text


def plain(text: str) -> str:
    """A text on one line, as it is read."""
    return " ".join(text.split())


# --- the founding document


@pytest.mark.founding
@pytest.mark.sdk
@pytest.mark.parametrize("language", ["python", pytest.param("javascript", marks=pytest.mark.node)])
def test_snippet_polls_until_the_report_is_there(language, address_of, snippets, environment_of, tmp_path):
    """It waits ten seconds between its looks, so all generations of its time wait side by side, on every model."""
    snippet = snippets["deep_research"][language]
    environments = {sdk: environment_of(sdk) for sdk in OUTPUTS if sdk.language == language}
    runs = [(sdk, address_of(model), tmp_path / f"{sdk}-{model}") for sdk in environments for model in MODELS]

    def run_now(sdk: Sdk, server: str, folder: Path) -> str:
        folder.mkdir()
        script = folder / ("snippet.py" if language == "python" else "snippet.mjs")
        script.write_text(snippet, encoding="utf-8")
        return run_sdk(sdk, environments[sdk], script, folder, server).succeeded().stdout

    with ThreadPoolExecutor(len(runs)) as pool:
        printed = dict(zip(runs, pool.map(run_now, *zip(*runs, strict=True)), strict=True))
    for run, text in printed.items():
        progress, report = text.split("Final Report:\n")
        *before, last = re.findall(r"^Status: (\w+)$", progress, re.MULTILINE)
        assert (set(before) <= {"in_progress"}, last) == (True, "completed"), run
        assert report.strip().startswith("# "), run
        assert "[1]" in report, run
        assert "library/first-tpu.md" in report.partition("## Sources")[2], run


@over_every_model
@pytest.mark.founding
def test_snippet_by_curl_is_answered_at_once_and_polled_by_its_id(server, snippets, program, tmp_path):
    program("curl")
    snippet = at_server(snippets["deep_research"]["rest"], server)
    begun = read = asked(snippet, tmp_path, server)
    assert (begun["object"], begun["status"], begun["outputs"]) == ("interaction", "in_progress", [])
    assert begun["agent"] == AGENTS[0]
    again = with_id(second_request(snippet), begun["id"])
    while read["status"] == "in_progress":
        read = asked(again, tmp_path, server)
    assert (read["id"], read["status"]) == (begun["id"], "completed")
    check_report(report_in(read))


def asked(request: str, folder: Path, server: str) -> dict:
    """What curl is answered."""
    return json.loads(run_shell(request, folder, server).succeeded().stdout)


# --- the SDKs


@pytest.fixture
def report(sdk, report_of):
    return report_of(sdk, "research")


@over_sdks_and_models
def test_research_is_polled_until_its_report_is_there(sdk, report):
    begun, ended = report["polled"]["begun"], report["polled"]["ended"]
    *before, last = report["polled"]["statuses"]
    assert (set(before), last) == ({"in_progress"}, "completed")
    assert (begun["agent"], begun["id"]) == (AGENTS[1], ended["id"])
    assert begun.get("outputs", []) == begun.get("steps", []) == []
    check_report(report_in(ended))
    assert ended["usage"]["grounding_tool_count"][0]["type"] == "google_search"


@over_sdks_and_models
def test_research_tells_its_thoughts_and_its_report_as_it_goes(sdk, report):
    begin, last, item = FORMS[sdk.dialect]
    events = report["streamed"]["whole"]
    types = [event["type"] for event in events]
    assert (types[0], types[1], types[-1]) == (begin, "interaction.status_update", last)
    assert set(types[2:-1]) == {f"{item}.start", f"{item}.delta", f"{item}.stop"}
    assert (events[0]["status"], events[-1]["status"]) == ("in_progress", "completed")
    assert events[0]["agent"] == events[-1]["agent"] == AGENTS[2]
    thoughts = [event["text"] for event in events if event.get("delta") == "thought_summary"]
    headings = [re.match(r"\*\*(\w+)\*\*\n\n\S", thought)[1] for thought in thoughts]
    assert (headings[0], headings[-1]) == ("Planning", "Writing")
    assert "Searching" in headings
    assert said(events) == report_in(report["streamed"]["ended"])["text"]
    check_report(report_in(report["streamed"]["ended"]))


@over_sdks_and_models
def test_stream_that_is_cut_again_and_again_goes_on_where_it_was(sdk, report):
    pieces, whole = report["streamed"]["pieces"], report["streamed"]["whole"]
    assert [len(piece) for piece in pieces[:-1]] == [2, 3, 1, 4]
    assert pieces[-1]
    assert [event for piece in pieces for event in piece] == whole


@over_sdks_and_models
def test_every_event_and_delta_is_of_its_own_class(sdk, report):
    """Where the SDK has classes: JavaScript has none."""
    for event in report["streamed"]["whole"]:
        assert event.get("class") == (class_of(event["type"], sdk) if sdk.language == "python" else None)
        if "delta_class" in event:
            name = event["delta_class"].removeprefix("Delta").removesuffix("Delta")
            assert name == event["delta"].removesuffix("_delta").title().replace("_", "")


def class_of(event_type: str, sdk: Sdk) -> str:
    """The class that an SDK has for an event. The first had one for both ends of an interaction."""
    shared = sdk.version == "1.55.0" and event_type in FORMS["outputs"][:2]
    return "InteractionEvent" if shared else CLASSES[event_type]


def said(events: list[dict]) -> str:
    return "".join(event["text"] for event in events if event.get("delta") == "text")


@over_planning_sdks
def test_plan_is_changed_approved_and_carried_out_and_its_report_asked_about(sdk, report_of):
    turns = report_of(sdk, "planning")
    assert {turn["status"] for turn in turns.values()} == {"completed"}
    texts = {name: report_in(turn)["text"] for name, turn in turns.items()}
    assert texts["plan"].startswith(PLAN)
    assert texts["changed"].startswith(PLAN)
    assert "cooling" not in texts["plan"]
    assert "cooling of the chips" in texts["changed"]
    check_report(report_in(turns["report"]))
    assert "cooling of the chips" in texts["report"]
    assert "in May 2024 [1]." in texts["by_agent"]
    assert report_in(turns["by_agent"])["annotations"]
    assert "Trillium, in May 2024" in texts["by_model"]
    previous = {name: turn.get("previous_interaction_id") for name, turn in turns.items()}
    plan, changed, done = (turns[name]["id"] for name in ("plan", "changed", "report"))
    assert previous == {"plan": None, "changed": plan, "report": changed, "by_agent": done, "by_model": done}


# --- a server that is killed


@pytest.mark.sdk
@pytest.mark.node
def test_polls_go_on_as_if_the_server_had_not_been_killed(environment_of, cache, tmp_path):
    """One SDK of each kind, side by side, all of them in the middle of their work."""
    model, models, port = Reader(), cache / "models", free_port()
    environments = {sdk: environment_of(sdk) for sdk in FIRST_AND_LAST}
    with ExitStack() as stack:
        options = prepare(tmp_path, models, stack.enter_context(open_upstream(model, PACE)).address)
        first, output = launch(port, tmp_path / "data", models, *options)
        stack.callback(end, first)
        address = output.address()
        balancer = stack.enter_context(balanced(address))

        def poll(sdk: Sdk) -> dict:
            folder = tmp_path / str(sdk)
            folder.mkdir()
            script = script_of(sdk, "polling")
            return run_sdk(sdk, environments[sdk], script, folder, balancer if sdk == DEAF else address).report()

        pool = stack.enter_context(ThreadPoolExecutor(len(environments)))
        polls = [pool.submit(poll, sdk) for sdk in environments]
        assert all(model.waiting.acquire(timeout=TIMEOUT) for _ in polls)
        first.kill()
        first.wait()
        before = list(model.prompts)
        model.may_judge.set()
        second, _ = launch(port, tmp_path / "data", models, *options)
        stack.callback(end, second)
        interactions = [each.result() for each in polls]
    assert [each["status"] for each in interactions] == ["completed"] * len(polls)
    for interaction in interactions:
        check_report(report_in(interaction))
    again = [prompt for prompt in model.prompts[len(before) :] if prompt in before]
    assert len(again) <= len(polls), "only what was finished in the last moment may not have been written down yet"


# --- other clients


@pytest.fixture
def run_client(cache, server, tmp_path) -> Callable[[Client, str], dict | list]:
    """What a script reports that another client runs."""

    def run_now(client: Client, script: str) -> dict | list:
        try:
            environment = open_client(client, cache)
        except EnvironmentUnavailable as unavailable:
            pytest.skip(f"{client}: {unavailable}")
        return run_sdk(client, environment, SCRIPTS / script, tmp_path, server).report()

    return run_now


@over_every_model
@pytest.mark.sdk
def test_adks_managed_agent_streams_research_and_goes_on_from_it(run_client, server):
    research, answer = run_client(ADK, "google-adk-research.py")
    assert research["errors"] == answer["errors"] == []
    assert "**Searching**" in research["thoughts"]
    assert research["text"].startswith("# ")
    assert research["pieces"] > 4
    assert "Trillium, in May 2024 [1]" in answer["text"]
    assert len({*research["interactions"], *answer["interactions"]}) == 2


@on_reader
@pytest.mark.sdk
@pytest.mark.node
def test_ai_sdk_polls_and_streams_research_and_reads_of_a_budget_as_of_a_limit(run_client, server):
    report = run_client(AI_SDK, "ai-sdk-research.mjs")
    for agent, finish in ((AGENTS[1], ["stop", "completed"]), ("hasty", ["length", "incomplete"])):
        whole, streamed = report[agent]["whole"], report[agent]["streamed"]
        assert whole["text"].startswith("# ")
        assert streamed["text"] == whole["text"]
        assert set(streamed["sources"]) == set(whole["sources"]) != set()
        assert "**Searching**" in whole["thoughts"]
        assert whole["finish"] == streamed["finish"] == finish
        assert streamed["errors"] == []
        assert streamed["parts"][-1] == "finish"
