"""Agents for tests of the engine, and what they work with."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.test_run import AROUND
from engine.tooling import ToolForTests
from support import NOON, OneModel
from turnwise.agents.agent import Agent, AgentCard, Budget, Desk, Hired, Said, Task
from turnwise.domain.content import JSON, Text
from turnwise.domain.events import Checkpoint, Event, PartDelta, TextDelta
from turnwise.domain.interaction import Turn
from turnwise.domain.steps import UserInput
from turnwise.engine.agency import work
from turnwise.engine.thoughts import Sealer
from turnwise.models.scripted import ScriptedModel, say
from turnwise.tools.toolbox import Toolbox

Work = Callable[[Task, Desk], AsyncGenerator[Said, None]]

SEALER = Sealer(bytes(32))
PLENTY = Budget(tokens=1_000_000, seconds=3600.0)


@dataclass(slots=True)
class AgentForTests:
    """An agent that works as it is told."""

    do: Work
    card: AgentCard = field(default_factory=lambda: AgentCard("tester"))

    def check(self, config: Mapping[str, JSON]) -> None:
        pass

    def work(self, task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        return self.do(task, desk)


def asked(text: str = "Look into it.", **fields: Any) -> Turn:
    """A request for an agent, whose thoughts are shown."""
    fields = {"agent_config": {"thinking_summaries": "auto"}, **fields}
    return Turn((UserInput((Text(text),)),), agent="tester", background=True, **fields)


def around(*tools: ToolForTests, **fields: Any) -> Any:
    """Surroundings with tools, each under its own type; signatures are real, and differ each time."""
    fields = {
        "toolbox": Toolbox({str(tool.tool): tool for tool in tools}),
        "seal": lambda secret: SEALER.seal(secret, "ann"),
        "opened": lambda steps: SEALER.opened(steps, "ann"),
        "owner": "ann",
        "began": NOON,
        **fields,
    }
    return replace(AROUND, **fields)


async def work_on(
    do: Work | Agent,
    turn: Turn | None = None,
    *tools: ToolForTests,
    model: ScriptedModel | None = None,
    budget: Budget = PLENTY,
    told: Sequence[Event] = (),
    **fields: Any,
) -> list[Event]:
    """All events of an agent's work; or those behind what was told."""
    agent = AgentForTests(do) if callable(do) else do
    turn = turn or asked()
    catalogue = OneModel(model or ScriptedModel(answer=lambda _: say("Hello")))
    task = Task(turn.input, (), turn.system_instruction, turn.agent_config)
    hired = Hired(agent, "m", budget)
    return [event async for event in work(turn, hired, task, around(*tools, **fields), catalogue, told=told)]


def joined(events: Sequence[Event]) -> list[Event]:
    """The same events as a journal may keep them: adjacent pieces of a text are one."""
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept else None
        if (
            isinstance(event, PartDelta)
            and isinstance(event.delta, TextDelta)
            and isinstance(last, PartDelta)
            and isinstance(last.delta, TextDelta)
        ):
            kept[-1] = replace(last, delta=TextDelta(last.delta.text + event.delta.text))
        else:
            kept.append(event)
    return kept


def shown(events: Sequence[Event]) -> list[Event]:
    """Those that a reader is shown."""
    return [event for event in events if not isinstance(event, Checkpoint)]
