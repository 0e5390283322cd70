"""Saved agents: an agent of the server with an instruction, tools and settings of its owner's, under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from turnwise.domain.content import JSON


@dataclass(frozen=True, slots=True)
class SavedAgent:
    """An agent as its owner has defined it. A request that names it may say otherwise."""

    id: str
    """What requests name it by."""
    base_agent: str
    """The agent of the server that does the work."""
    description: str | None = None
    """For people."""
    system_instruction: str | None = None
    tools: tuple[Mapping[str, JSON], ...] = field(default=(), repr=False)
    """As they were declared, and known to be good. Headers in them may hold keys."""
    agent_config: Mapping[str, JSON] = field(default_factory=dict)
