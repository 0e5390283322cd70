"""Names to agents: which of the agents that there are answers to a name, what model it asks, and what it may cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from turnwise.agents.agent import Agent, Budget, Hired
from turnwise.domain.errors import ModelNotFound

ANY = "*"
"""The entry that answers every name that is not listed, if there is one."""


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An agent under a name."""

    agent: str
    """Which of those that there are."""
    model: str
    """The name of the model that it asks."""
    budget: Budget


class Catalogue:
    """An `Agents`. See `agent.py`."""

    def __init__(self, entries: Mapping[str, AgentEntry], agents: Mapping[str, Callable[[], Agent]]) -> None:
        """`agents` makes those that there are, each when it is first asked for.

        Raises:
            ValueError: an entry names one that there is not.
        """
        for name, entry in entries.items():
            if entry.agent not in agents:
                known = ", ".join(agents) or "none"
                raise ValueError(f"agents.{name}: agent: there is no agent {entry.agent!r}; there are: {known}")
        self._entries = dict(entries)
        self._agents = agents
        self._made: dict[str, Agent] = {}

    def find(self, name: str) -> Hired:
        """The agent that answers to a name (see the contract)."""
        entry = self._entries.get(name) or self._entries.get(ANY)
        if entry is None:
            known = ", ".join(repr(listed) for listed in self.names()) or "none"
            raise ModelNotFound(f"there is no agent {name!r}; this server has: {known}")
        if entry.agent not in self._made:
            self._made[entry.agent] = self._agents[entry.agent]()
        return Hired(self._made[entry.agent], entry.model, entry.budget)

    def names(self) -> Sequence[str]:
        """Every listed name, in the order of the settings; `"*"` is no name."""
        return [name for name in self._entries if name != ANY]
