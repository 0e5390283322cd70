"""Agents of your own: a Python file, or a module that is installed, which turnwise loads when it starts.

    from turnwise.plugins import Desk, Says, Task, Thinks, agent

    @agent("parrot")
    async def parrot(task: Task, desk: Desk):
        yield Thinks("I have to say it again.")
        yield Says(await desk.step("say", lambda: desk.ask("Say it again.", task.text)))

Every agent that such a module has under some name is one that requests and settings can name. What they work with is
described in `agents/agent.py`: that file is the contract. Plug-ins are part of the server, and may do what it may do.
"""

import importlib
import importlib.util
import logging
import sys
import traceback
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.metadata import entry_points
from inspect import isasyncgenfunction
from pathlib import Path
from types import ModuleType
from typing import TypeAlias, cast

from turnwise.agents.agent import (
    Agent,
    AgentCard,
    Budget,
    Cites,
    Desk,
    Done,
    Said,
    Says,
    Shows,
    Spent,
    Task,
    Thinks,
    Used,
)
from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, UnknownParameter

__all__ = [
    "Agent",
    "AgentCard",
    "Budget",
    "Cites",
    "Desk",
    "Done",
    "Said",
    "Says",
    "Shows",
    "Spent",
    "Task",
    "Thinks",
    "Used",
    "agent",
]

log = logging.getLogger("turnwise")

GROUP = "turnwise.agents"
"""The entry points by which installed packages bring agents along."""

DYNAMIC = "dynamic"
"""The `type` that an `agent_config` may have for any agent."""

Work: TypeAlias = Callable[[Task, Desk], AsyncGenerator[Said, None]]


class PluginError(Exception):
    """A plug-in cannot be used: which one, and why, in one line."""


@dataclass(frozen=True, slots=True)
class FunctionAgent:
    """An `Agent` that is a function."""

    card: AgentCard
    fields: frozenset[str]
    """What may stand in an `agent_config` beside `type` and `thinking_summaries`."""
    function: Work

    def check(self, config: Mapping[str, JSON]) -> None:
        """See `Agent.check`."""
        allowed = {"type": (DYNAMIC, self.card.name), "thinking_summaries": ("auto", "none")}
        for name, value in config.items():
            if name not in allowed and name not in self.fields:
                known = ", ".join([*allowed, *sorted(self.fields)])
                raise UnknownParameter(
                    f"the agent '{self.card.name}' has no such setting; it has: {known}", field=f"agent_config.{name}"
                )
            if name in allowed and value not in allowed[name]:
                known = " or ".join(map(repr, allowed[name]))
                raise InvalidRequest(f"{known}, not {value!r}", field=f"agent_config.{name}")

    async def work(self, task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        """See `Agent.work`. When the function ends without Done, its work is completed."""
        async with aclosing(self.function(task, desk)) as saying:
            async for said in saying:
                yield said
                if isinstance(said, Done):
                    return
        yield Done()


def agent(
    name: str, *, description: str = "", tools: Sequence[str] = (), fields: Collection[str] = ()
) -> Callable[[Work], FunctionAgent]:
    """Make an agent of an async generator function.

    `tools` are the types of tools that it uses when a request declares none; `fields` are what an `agent_config` may
    say to it.
    """

    def make(function: Work) -> FunctionAgent:
        if not isasyncgenfunction(function):
            raise TypeError(f"the agent {name!r} has to be an async function that yields what it says")
        return FunctionAgent(AgentCard(name, description, tuple(tools)), frozenset(fields), function)

    return make


# -- loading


def load_agents(plugins: Sequence[str], taken: Collection[str] = ()) -> dict[str, Agent]:
    """The agents of these plug-ins, and of all that installed packages bring along, by their names.

    Raises:
        PluginError: one of `plugins` cannot be used, or has an agent whose name is `taken`. What packages bring along
            and cannot be used is left out, with a line in the log.
    """
    found: dict[str, Agent] = {}
    for source in plugins:
        for one in _agents_of(source):
            _add(found, one, source, taken)
    for entry in entry_points(group=GROUP):
        try:
            for one in _agents_in(_loaded(entry.load, entry.value), entry.value):
                _add(found, one, entry.value, taken)
        except PluginError as error:
            log.warning("left out: %s", error)
    return found


def _add(found: dict[str, Agent], one: Agent, source: str, taken: Collection[str]) -> None:
    name = one.card.name
    if name in taken or name in found:
        raise PluginError(f"plugins: {source}: there is an agent {name!r} already; give it another name")
    found[name] = one


def _agents_of(source: str) -> list[Agent]:
    """The agents of a file or a module."""
    return _agents_in(_loaded(lambda: _module(source), source), source)


def _module(source: str) -> ModuleType:
    if not (source.endswith(".py") or "/" in source):
        return importlib.import_module(source)
    path = Path(source).expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    name = f"turnwise_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where what it defines looks for itself
    spec.loader.exec_module(module)
    return module


def _loaded(load: Callable[[], object], source: str) -> object:
    try:
        return load()
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split()) or "it gave no reason"
        raise PluginError(f"plugins: {source}: {_line(error)}{type(error).__name__}: {said}") from error


def _line(error: BaseException) -> str:
    """In which line of a plug-in it broke: the last one that is no part of Python's own way to import."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    outside = [frame for frame in frames if frame.filename != __file__]
    return f"line {outside[-1].lineno} of {Path(outside[-1].filename).name}: " if outside else ""


def _agents_in(loaded: object, source: str) -> list[Agent]:
    agents = list(_each_agent(loaded))
    if not agents:
        raise PluginError(f"plugins: {source}: there is no agent in it; make one with @agent(name)")
    return agents


def _each_agent(loaded: object) -> Iterator[Agent]:
    values = vars(loaded).values() if isinstance(loaded, ModuleType) else [loaded]
    seen: list[object] = []
    for value in values:
        if isinstance(getattr(value, "card", None), AgentCard) and not isinstance(value, type) and value not in seen:
            seen.append(value)
            yield cast(Agent, value)
