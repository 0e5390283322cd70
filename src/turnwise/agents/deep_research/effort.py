"""How much work a piece of research may be, and how it is to be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnwise.agents.agent import Desk
from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter

TYPE = "deep-research"

ENOUGH = 0.7
"""When so much of the budget is spent, nothing more is looked for."""

LITTLE_LEFT = 0.9
"""When so much of it is spent, the model is asked for nothing more: what there is, is put together."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much may be done for one report."""

    questions: int = 6
    """How many a plan has."""
    rounds: int = 3
    """How often what is missing is looked for, with the first time."""
    searches: int = 24
    pages: int = 24
    """How many pages are read."""
    calls: int = 8
    """How many calls of further tools (MCP servers, code) are made."""


MAX = Effort(questions=10, rounds=6, searches=80, pages=100, calls=32)
"""For whoever wants all that there is."""


@dataclass(frozen=True, slots=True)
class Config:
    """An `agent_config`, understood."""

    only_plan: bool = False
    """Whether the plan is what is wanted: research begins when somebody has seen it."""
    draws: bool = False
    """Whether there may be charts."""


def parse_config(config: Mapping[str, JSON]) -> Config:
    """Understand an `agent_config`.

    Raises:
        UnknownParameter: it has a field that deep research does not have.
        InvalidRequest: a value that a field cannot have.
        Unimplemented: what turnwise cannot do.
    """
    for name, value in config.items():
        field = f"agent_config.{name}"
        match name:
            case "type":
                _one_of(field, value, (TYPE,))
            case "thinking_summaries":
                _one_of(field, value, ("auto", "none"))
            case "visualization":
                _one_of(field, value, ("off", "auto"))
            case "collaborative_planning":
                _boolean(field, value)
            case "enable_bigquery_tool":
                if _boolean(field, value):
                    raise Unimplemented(
                        f"{field}: there is no BigQuery on this server; leave it out, and give the agent your tables "
                        "as an MCP server in `tools`"
                    )
            case _:
                raise UnknownParameter(
                    "deep research has no such setting; it has type, thinking_summaries, visualization, "
                    "collaborative_planning and enable_bigquery_tool",
                    field=field,
                )
    return Config(config.get("collaborative_planning") is True, config.get("visualization") == "auto")


def _one_of(field: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise InvalidRequest(f"{value!r} is none of {', '.join(map(repr, allowed))}", field=field)


def _boolean(field: str, value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{value!r} is neither true nor false", field=field)
    return value is True


class Purse:
    """How much of the budget is left. Each look is a step, so that what follows from it does not depend on time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looks = 0
        self._tokens = self._seconds = self._between = 0.0
        """What was spent, up to the last look; and how many tokens of it between that and the one before."""

    async def look(self) -> None:
        """See what was spent up to now."""
        self._looks += 1
        before = self._tokens
        self._tokens, self._seconds = await self._desk.step(f"budget {self._looks}", self._spent)
        self._between = self._tokens - before

    async def _spent(self) -> list[float]:
        return [self._desk.spent.tokens, self._desk.spent.seconds]

    def affords(self, tokens: float) -> bool:
        """Whether so many tokens can be spent, and there is time for it."""
        budget = self._desk.budget
        return self._tokens + tokens <= budget.tokens and self._seconds <= LITTLE_LEFT * budget.seconds

    def affords_more(self, tokens: float) -> bool:
        """Whether as much as between the last two looks can be spent once more, and so many tokens besides."""
        budget = self._desk.budget
        is_early = self._tokens <= ENOUGH * budget.tokens and self._seconds <= ENOUGH * budget.seconds
        return is_early and self.affords(tokens + self._between)
