"""Tools for tests of the engine: they do what they are told, and keep to the contract."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from turnwise.domain.content import JSON
from turnwise.domain.steps import ServerTool
from turnwise.domain.tools import FunctionTool
from turnwise.tools.tool import Occasion, Outcome, Source

QUERIES = {"type": "object", "properties": {"queries": {"type": "array"}}, "required": ["queries"]}


@dataclass(slots=True)
class ToolForTests:
    """A tool that answers a call with what `answer` makes of its arguments."""

    answer: Callable[[str, Mapping[str, Any]], Any]
    tool: ServerTool | None = "google_search"
    functions: Sequence[FunctionTool] = (FunctionTool("google_search", "Searches.", QUERIES),)
    is_demanded: bool = False
    details: Mapping[str, JSON] = field(default_factory=dict)
    hides_arguments: bool = False
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    """What it was called with, oldest first."""
    keys: list[str] = field(default_factory=list)
    """And by which keys."""
    occasions: list[Occasion] = field(default_factory=list)
    closed: int = 0
    """How often it was closed."""

    @asynccontextmanager
    async def open(self, declared: Any, occasion: Occasion) -> AsyncIterator["ToolForTests"]:
        self.occasions.append(occasion)
        try:
            yield self
        finally:
            self.closed += 1

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        named = {"name": function, **self.details} if "server_name" in self.details else self.details
        return ({} if self.hides_arguments else arguments), named

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        self.calls.append(arguments)
        self.keys.append(key)
        answer = self.answer(function, arguments)
        return await answer if asyncio.iscoroutine(answer) else answer


def found(text: str, **more: Any) -> Outcome:
    """What a search found at one place."""
    citation = {"type": "url_citation", "url": "http://a.example", "title": "A"}
    hit = [{"url": "http://a.example", "title": "A"}]
    return Outcome(hit, text, sources=[Source(text, citation)], counted="google_search", **more)
