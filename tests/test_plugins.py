"""Agents of plug-ins: what makes one, what it may be told, and what becomes of plug-ins that break."""

import logging
from collections.abc import AsyncGenerator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from acceptance.readme import read_blocks
from engine.working import asked, work_on
from turnwise import plugins
from turnwise.app.agents import build_agents
from turnwise.domain.content import JSON, Text
from turnwise.domain.errors import InvalidRequest, UnknownParameter
from turnwise.domain.events import End, fold
from turnwise.domain.interaction import Status
from turnwise.domain.steps import ModelOutput, Thought
from turnwise.models.model import Prompt
from turnwise.models.scripted import Script, ScriptedModel, say
from turnwise.plugins import AgentCard, Desk, Done, PluginError, Said, Says, Task, agent, load_agents
from turnwise.settings import Settings, SettingsError, load_settings

GUIDE = Path(__file__).parents[1] / "docs/guides/agents.md"

PARROT = """
from turnwise.plugins import Desk, Says, Task, agent

@agent("parrot", description="Says it again.", fields=("loud",))
async def parrot(task: Task, desk: Desk):
    answer = await desk.step("say", lambda: desk.ask("Say it again.", task.text))
    yield Says(answer.upper() if task.config.get("loud") else answer)
"""


def written(folder: Path, code: str, name: str = "my_agent.py") -> str:
    """A plug-in as a file."""
    (folder / name).write_text(dedent(code))
    return str(folder / name)


@agent("plain")
async def plain(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    yield Says("Hello")


# -- what an agent is


async def test_a_function_is_an_agent_whose_work_is_completed_when_it_ends():
    events = await work_on(plain)
    assert fold(events).steps == (ModelOutput((Text("Hello"),)),)
    assert isinstance(events[-1], End)
    assert events[-1].status is Status.COMPLETED


async def test_a_function_may_end_its_work_otherwise():
    @agent("brief")
    async def brief(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Done("incomplete")
        yield Says("never said")

    events = await work_on(brief)
    assert fold(events).steps == ()
    assert fold(events).status is Status.INCOMPLETE


def test_a_function_that_yields_nothing_is_no_agent():
    with pytest.raises(TypeError, match="the agent 'deaf' has to be an async function that yields what it says"):

        @agent("deaf")  # type: ignore[arg-type]
        async def deaf(task: Task, desk: Desk) -> None:
            pass


@pytest.mark.parametrize(
    "config",
    [{}, {"type": "dynamic"}, {"type": "plain"}, {"thinking_summaries": "auto"}, {"thinking_summaries": "none"}],
)
def test_every_agent_takes_these_settings(config: Mapping[str, JSON]):
    plain.check(config)


@pytest.mark.parametrize(
    ("config", "error", "why"),
    [
        ({"type": "deep-research"}, InvalidRequest, "agent_config.type: 'dynamic' or 'plain', not 'deep-research'"),
        ({"type": None}, InvalidRequest, "agent_config.type: 'dynamic' or 'plain', not None"),
        ({"thinking_summaries": 1}, InvalidRequest, "agent_config.thinking_summaries: 'auto' or 'none', not 1"),
        ({"loud": True}, UnknownParameter, "agent_config.loud: the agent 'plain' has no such setting; it has: type"),
    ],
)
def test_a_setting_that_an_agent_does_not_have_is_refused(config: Any, error: type[Exception], why: str):
    with pytest.raises(error) as refused:
        plain.check(config)
    assert why in str(refused.value)


# -- loading


async def test_an_agent_in_a_file_works(tmp_path: Path):
    (parrot,) = load_agents([written(tmp_path, PARROT)]).values()
    assert parrot.card == AgentCard("parrot", "Says it again.")
    model = ScriptedModel(answer=lambda prompt: say("It is sunny."))
    parrot.check({"type": "dynamic", "loud": True})
    events = await work_on(parrot, asked(agent_config={"loud": True}), model=model)
    assert fold(events).steps == (ModelOutput((Text("IT IS SUNNY."),)),)


def test_an_agent_in_a_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written(tmp_path, PARROT, "module_of_a_parrot.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(load_agents(["module_of_a_parrot"])) == ["parrot"]


def test_an_agent_may_be_an_object_of_a_class(tmp_path: Path):
    code = """
    from turnwise.plugins import AgentCard, Done

    class Owl:
        card = AgentCard("owl")

        def check(self, config):
            pass

        async def work(self, task, desk):
            yield Done()

    owl = also_owl = Owl()
    """
    assert list(load_agents([written(tmp_path, code)])) == ["owl"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("x = 1\n\nraise ValueError('the key is\\n missing')", "line 3 of my_agent.py: ValueError: the key is missing"),
        ("import nowhere_at_all", "line 1 of my_agent.py: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def (", "SyntaxError: "),
        ("raise SystemExit", "line 1 of my_agent.py: SystemExit: it gave no reason"),
        ("x = 1", "there is no agent in it; make one with @agent(name)"),
        (PARROT.replace("parrot", "taken"), "there is an agent 'taken' already; give it another name"),
    ],
)
def test_a_plug_in_that_breaks_is_named_with_the_reason_in_one_line(tmp_path: Path, code: str, why: str):
    source = written(tmp_path, code)
    with pytest.raises(PluginError) as broken:
        load_agents([source], taken=["taken"])
    message = str(broken.value)
    assert message.startswith(f"plugins: {source}: {why}")
    assert "\n" not in message


def test_a_plug_in_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(
        PluginError, match=r"^plugins: \./nowhere\.py: FileNotFoundError: there is no file /.*/nowhere\.py$"
    ):
        load_agents(["./nowhere.py"])
    with pytest.raises(PluginError, match=r"^plugins: nowhere_at_all: ModuleNotFoundError: No module named"):
        load_agents(["nowhere_at_all"])


def test_packages_bring_agents_along_and_those_that_break_are_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    entries = [
        EntryPoint("plain", f"{__name__}:plain", plugins.GROUP),
        EntryPoint("gone", "nowhere_at_all:agents", plugins.GROUP),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries if group == "turnwise.agents" else [])
    with caplog.at_level(logging.WARNING):
        assert list(load_agents([])) == ["plain"]
    (record,) = caplog.records
    assert record.getMessage().startswith("left out: plugins: nowhere_at_all:agents: ")


async def test_the_agent_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocks = {block.name: block.code for block in read_blocks(GUIDE.read_text())}
    monkeypatch.chdir(tmp_path)
    written(tmp_path, blocks["agents-plugin"])
    (tmp_path / "turnwise.toml").write_text(blocks["agents-plugin-settings"])
    debater = build_agents(load_settings()).find("debater").agent

    def answer(prompt: Prompt) -> Script:
        told = prompt.system_instruction or ""
        return say("Try it." if told.startswith("Draw") else f"Much is {told.split()[4]} it.")

    turn = asked("Should cities ban cars?", agent_config={"type": "dynamic", "thinking_summaries": "auto"})
    debater.check(turn.agent_config)
    first, message, second, conclusion = fold(await work_on(debater, turn, model=ScriptedModel(answer=answer))).steps
    assert isinstance(first, Thought)
    assert isinstance(second, Thought)
    assert first.summary == (Text("**Arguing**\n\nI look for what speaks for and against."),)
    assert message == ModelOutput((Text("## For\n\nMuch is for it.\n\n## Against\n\nMuch is against it.\n\n"),))
    assert conclusion == ModelOutput((Text("Try it."),))


# -- the agents of the settings


def test_the_names_of_deep_research_are_there_from_the_start():
    agents = build_agents(Settings())
    assert agents.names() == [
        "deep-research-pro-preview-12-2025",
        "deep-research-preview-04-2026",
        "deep-research-max-preview-04-2026",
    ]
    hired = agents.find("deep-research-preview-04-2026")
    assert (hired.model, hired.budget.seconds) == ("*", 3000.0)
    hired.agent.check({"type": "deep-research", "thinking_summaries": "auto"})
    assert agents.find("deep-research-max-preview-04-2026").agent is not hired.agent


def test_agents_are_set_in_the_file_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, PARROT)
    (tmp_path / "turnwise.toml").write_text(
        dedent(
            """
            plugins = ["./my_agent.py"]

            [models.qwen]
            engine = "openai"
            base_url = "http://127.0.0.1:9/v1"

            [agents.deep-research-preview-04-2026]
            tokens = 1000

            [agents.polly]
            agent = "parrot"
            minutes = 5
            """
        )
    )
    agents = build_agents(load_settings())
    assert list(agents.names())[-2:] == ["parrot", "polly"]
    assert agents.find("deep-research-preview-04-2026").budget.tokens == 1000
    polly = agents.find("polly")
    assert polly.agent.card.name == "parrot"
    assert (polly.model, polly.budget.seconds) == ("qwen", 300.0)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"agents": {"x": {"agent": "owl"}}}, "agents.x: agent: there is no agent 'owl'; there are: deep-research"),
        ({"agents": {"x": {}}}, "agents.x: agent: say which agent answers to it; one of deep-research"),
        ({"plugins": ["./nowhere.py"]}, "plugins: ./nowhere.py: FileNotFoundError"),
        (
            {"agents": {"x": {"agent": "deep-research", "model": "b"}}, "models": {"a": {}}},
            "agents.x: model: 'b' is not listed; listed are: 'a'",
        ),
    ],
)
def test_agents_that_cannot_be_are_named(settings: Any, why: str):
    with pytest.raises(SettingsError) as refused:
        build_agents(Settings(**settings))
    assert str(refused.value).startswith(why)
