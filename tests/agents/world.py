"""The world of a piece of research: an upstream with a model, a search engine, and the pages that it finds.

    async with open_world(ABOUT_TPUS, Researcher()) as world:
        events = await world.work("Research the history of Google TPUs.")

All of it is reached over real sockets, by what the server itself uses: chat completions, SearXNG's API, and url_context
with its guard. What the world was asked is counted.
"""

import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web

from engine.working import around
from support import OneModel
from turnwise.agents.agent import Budget, Hired, Task
from turnwise.agents.deep_research import DeepResearch, Effort
from turnwise.agents.deep_research.charts import Render
from turnwise.domain.content import JSON, Content, Text
from turnwise.domain.events import End, Event, fold
from turnwise.domain.interaction import Turn
from turnwise.domain.steps import ModelOutput, Step, Thought, UserInput
from turnwise.engine.agency import work
from turnwise.engine.delivery import Delivering
from turnwise.media.fetch import GuardedFetcher
from turnwise.media.guard import Guard
from turnwise.media.process import Bounds, Processes
from turnwise.media.readers import Readers
from turnwise.media.visits import Visits
from turnwise.models.model import Model, ModelCard
from turnwise.models.openai import OpenAIModel
from turnwise.tools.google_search.searxng import SearxngEngine
from turnwise.tools.google_search.tool import GoogleSearchTool
from turnwise.tools.toolbox import Toolbox
from turnwise.tools.url_context import UrlContextTool

from .researcher import Researcher

PLENTY = Budget(tokens=10_000_000, seconds=3600.0)
QUESTION = "Research the history of Google TPUs."


@dataclass(slots=True)
class World:
    """What there is outside."""

    pages: Mapping[str, str]
    researcher: Any
    url: str = ""
    searches: Counter[str] = field(default_factory=Counter)
    """How often each query came."""
    reads: Counter[str] = field(default_factory=Counter)
    """How often each page was fetched."""
    is_dead: bool = False
    """Whether the search engine is."""
    broken: frozenset[str] = frozenset()
    """The pages that cannot be had."""
    model: OpenAIModel | None = None
    tools: dict[str, Any] = field(default_factory=dict)

    async def work(
        self,
        question: str = QUESTION,
        *,
        history: Sequence[Step] = (),
        config: Mapping[str, JSON] | None = None,
        effort: Effort | None = None,
        budget: Budget = PLENTY,
        told: Sequence[Event] = (),
        beside: Sequence[Content] = (),
        model: Model | None = None,
        render: Render | None = None,
        **fields: Any,
    ) -> list[Event]:
        """All events of a piece of research."""
        turn = Turn(
            (UserInput((Text(question), *beside)),),
            agent="deep-research",
            background=True,
            agent_config={"type": "deep-research", "thinking_summaries": "auto", **(config or {})},
            **fields,
        )
        agent = DeepResearch(effort, render)
        agent.check(turn.agent_config)
        asked = model or self.model
        assert asked is not None
        task = Task(turn.input, tuple(history), turn.system_instruction, turn.agent_config)
        outside = around(toolbox=Toolbox(self.tools), delivering=Delivering(_keep, inline_bytes=1_000_000))
        working = work(turn, Hired(agent, "m", budget), task, outside, OneModel(asked), told=told)
        return [event async for event in working]

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = self.researcher.answer(body)
        usage = {"prompt_tokens": len(str(body["messages"])) // 4, "completion_tokens": len(text) // 4}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for chunk in (
            {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ):
            await response.write(b"data: " + web.json_response(chunk).body + b"\n\n")  # type: ignore[operator]
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _search(self, request: web.Request) -> web.Response:
        query = request.query["q"]
        self.searches[query] += 1
        if self.is_dead:
            return web.Response(status=502)
        found = [name for name in self.pages if _words(query) & _words(self.pages[name])]
        return web.json_response(
            {
                "results": [
                    {
                        "url": f"{self.url}/{name}",
                        "title": _title(self.pages[name]),
                        "content": _first(self.pages[name]),
                    }
                    for name in found
                ]
            }
        )

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.reads[name] += 1
        if name in self.broken or name not in self.pages:
            return web.Response(status=500)
        paragraphs = self.pages[name].split("\n\n")
        body = "".join(f"<p>{escape(one)}</p>" for one in paragraphs[1:])
        title = escape(_title(self.pages[name]))
        page = f"<html lang=en><title>{title}</title><body><main><h1>{title}</h1>{body}</main></body></html>"
        return web.Response(text=f"<!DOCTYPE html>{page}", content_type="text/html")


@asynccontextmanager
async def open_world(pages: Mapping[str, str], researcher: Any = None) -> AsyncIterator[World]:
    """A world with these pages, for as long as the block lasts."""
    world = World(pages, researcher or Researcher())
    app = web.Application()
    app.router.add_post("/v1/chat/completions", world._complete)
    app.router.add_get("/search", world._search)
    app.router.add_get("/{name}", world._page)
    runner = web.AppRunner(app)
    await runner.setup()
    async with AsyncExitStack() as closing:
        closing.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        world.url = f"http://{host}:{port}"
        world.model = OpenAIModel(ModelCard("researcher", schemas=True), f"{world.url}/v1", "researcher")
        closing.push_async_callback(world.model.close)
        engine = SearxngEngine(world.url)
        closing.push_async_callback(engine.close)
        readers = Readers(Processes(Bounds(seconds=20.0)), max_bytes=1_000_000, seconds=20.0)
        closing.push_async_callback(readers.close)
        scratch = closing.enter_context(tempfile.TemporaryDirectory())
        fetcher = GuardedFetcher(Guard([f"{host}:{port}"]), max_bytes=1_000_000, seconds=20.0)
        visits = Visits(fetcher, readers, scratch=Path(scratch))
        world.tools = {"google_search": GoogleSearchTool(engine), "url_context": UrlContextTool(visits)}
        yield world


def report(events: Sequence[Event]) -> Text:
    """The text that the work came to."""
    output = fold(events).steps[-1]
    assert isinstance(output, ModelOutput), output
    (text,) = output.content
    assert isinstance(text, Text)
    return text


def thoughts(events: Sequence[Event]) -> str:
    """All that the agent thought aloud."""
    return "\n".join(
        part.text
        for step in fold(events).steps
        if isinstance(step, Thought)
        for part in step.summary
        if isinstance(part, Text)
    )


def ending(events: Sequence[Event]) -> End:
    """How it ended."""
    assert isinstance(events[-1], End)
    return events[-1]


def cited(text: Text) -> list[tuple[str, str]]:
    """Each annotation as what it spans and where that is from."""
    data = text.text.encode()
    return [
        (data[one["start_index"] : one["end_index"]].decode(), str(one.get("url") or one.get("document_uri")))
        for one in text.annotations
    ]


def plain(text: str) -> str:
    """A text without what differs between two copies of it."""
    return " ".join(re.findall(r"\w+", text.lower()))


async def _keep(data: bytes, mime_type: str, name: str = "") -> str:
    raise AssertionError("nothing here is too large to be given as data")


def _title(page: str) -> str:
    return page.partition("\n")[0].lstrip("# ")


def _first(page: str) -> str:
    return " ".join(page.split("\n\n")[1].split())[:200]


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 2}
