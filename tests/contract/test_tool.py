"""What every tool promises, tried on each of them as it is: declared, opened, shown to a model, called, left."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from mcp_servers import open_mcp, weather_server
from media.web import give, open_site
from support import started_tasks, within
from tools.mcp_turns import build as build_mcp
from tools.sandboxes import sandbox
from tools.test_file_search import BOOK, Chunk, Found, Searcher
from turnwise.domain.content import Text
from turnwise.domain.steps import UserInput
from turnwise.domain.tools import CodeExecution, ComputerUse, FileSearch, GoogleSearch, McpServer, UrlContext
from turnwise.engine.schema import check_schema, violation
from turnwise.media.process import Processes
from turnwise.media.readers import Readers
from turnwise.media.visits import Visits
from turnwise.tools.code_execution.tool import CodeExecutionTool
from turnwise.tools.computer_use.tool import ComputerUseTool
from turnwise.tools.file_search import FileSearchTool
from turnwise.tools.google_search.searxng import SearxngEngine
from turnwise.tools.google_search.tool import GoogleSearchTool
from turnwise.tools.tool import Occasion, OpenTool, Tool
from turnwise.tools.url_context import UrlContextTool

QUERY = "owls"


@dataclass(frozen=True, slots=True)
class Tried:
    """A tool, how a request declares it, and a call of it that goes well."""

    tool: Tool
    declared: Any
    function: str = ""
    arguments: Mapping[str, Any] | None = None
    said: str = QUERY
    """What the user says."""

    @property
    def occasion(self) -> Occasion:
        return Occasion("ann", (UserInput((Text(self.said),)),), "tools[0]")


@asynccontextmanager
async def code(kind: str) -> AsyncIterator[Tried]:
    sandbox(kind)
    yield Tried(CodeExecutionTool(kind), CodeExecution(), "code_execution", {"code": "print(6 * 7)"})


@asynccontextmanager
async def computer() -> AsyncIterator[Tried]:
    yield Tried(ComputerUseTool(), ComputerUse())


@asynccontextmanager
async def files() -> AsyncIterator[Tried]:
    searcher = Searcher(Found(Chunk("Owls sleep by day.", 1, "page 1"), BOOK))
    yield Tried(FileSearchTool(searcher), FileSearch(("fileSearchStores/books-1",)), "file_search", {"query": QUERY})


@asynccontextmanager
async def search() -> AsyncIterator[Tried]:
    hit = {"url": "http://owls.example/", "title": "Owls", "content": "Owls sleep by day."}
    async with open_site(give(orjson.dumps({"results": [hit]}), Content_Type="application/json")) as site:
        tool = GoogleSearchTool(SearxngEngine(site.url("", host="127.0.0.1")), results=5, seconds=10.0)
        try:
            yield Tried(tool, GoogleSearch(), "google_search", {"queries": [QUERY]})
        finally:
            await tool.close()


@asynccontextmanager
async def pages(tmp_path: Path) -> AsyncIterator[Tried]:
    readers = Readers(Processes(), max_bytes=1 << 20, seconds=20)
    async with open_site(give(b"Owls sleep by day.", Content_Type="text/plain")) as site:
        url = site.url("/owls")
        tool = UrlContextTool(Visits(site.fetcher(), readers, scratch=tmp_path))
        yield Tried(tool, UrlContext(), "url_context", {"urls": [url]}, said=f"Read {url}")
    await readers.close()


@asynccontextmanager
async def server() -> AsyncIterator[Tried]:
    async with open_mcp(weather_server()) as site:
        declared = McpServer("weather_service", site.url)
        yield Tried(build_mcp(), declared, "get_weather", {"location": "Oslo"})


TOOLS = ["code in monty", "code in bubblewrap", "computer", "files", "search", "pages", "server"]


@pytest.fixture(params=TOOLS)
async def tried(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Tried]:
    before = asyncio.all_tasks()
    ways = {
        "code in monty": lambda: code("monty"),
        "code in bubblewrap": lambda: code("bubblewrap"),
        "computer": computer,
        "files": files,
        "search": search,
        "pages": lambda: pages(tmp_path),
        "server": server,
    }
    async with ways[request.param]() as tool:
        yield tool
    assert started_tasks(before) == []


async def test_its_functions_can_be_offered_to_any_model(tried: Tried):
    async with tried.tool.open(tried.declared, tried.occasion) as opened:
        functions = list(opened.functions)
    assert functions
    assert len({function.name for function in functions}) == len(functions)
    for function in functions:
        assert function.description.strip()
        assert function.parameters["type"] == "object"
        check_schema(function.parameters, function.name)


async def test_a_call_is_shown_and_told_as_json(tried: Tried):
    async with tried.tool.open(tried.declared, tried.occasion) as opened:
        if opened.tool is None:
            pytest.skip("its functions are the client's to run")
        function = next(one for one in opened.functions if one.name == tried.function)
        assert violation(tried.arguments, function.parameters) is None
        arguments, details = opened.shown(tried.function, tried.arguments or {})
        outcome = await within(opened.call(tried.function, tried.arguments or {}))
    assert not outcome.is_error, outcome.told
    assert orjson.loads(orjson.dumps([arguments, details, outcome.result, outcome.told]))
    assert all(source.text and source.citation["type"] for source in outcome.sources)


async def test_it_may_be_closed_by_another_task_than_the_one_that_opened_it(tried: Tried):
    stack = AsyncExitStack()

    async def open_it() -> OpenTool:
        return await stack.enter_async_context(tried.tool.open(tried.declared, tried.occasion))

    opened = await within(asyncio.create_task(open_it()))
    if opened.tool is not None:
        await within(asyncio.create_task(opened.call(tried.function, tried.arguments or {})))
    await within(asyncio.create_task(stack.aclose()))


async def test_two_turns_have_it_at_once(tried: Tried):
    async with (
        tried.tool.open(tried.declared, tried.occasion) as one,
        tried.tool.open(tried.declared, tried.occasion) as other,
    ):
        if one.tool is None:
            pytest.skip("its functions are the client's to run")
        calls = [opened.call(tried.function, tried.arguments or {}) for opened in (one, other, one, other)]
        outcomes = await within(asyncio.gather(*calls))
    assert [outcome.is_error for outcome in outcomes] == [False] * 4


async def test_a_call_that_is_cancelled_leaves_nothing_behind(tried: Tried):
    """No task: the fixture looks. And the tool can be called again."""
    async with tried.tool.open(tried.declared, tried.occasion) as opened:
        if opened.tool is None:
            pytest.skip("its functions are the client's to run")
        call = asyncio.create_task(opened.call(tried.function, tried.arguments or {}))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert not (await within(opened.call(tried.function, tried.arguments or {}))).is_error
