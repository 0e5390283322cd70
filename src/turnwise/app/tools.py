"""The tools of the settings. Each is imported where it is made: most servers use few of them."""

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from turnwise.app.media import build_guard
from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import Schema
from turnwise.engine.file_search import FileSearch
from turnwise.engine.schema import check_schema, violation
from turnwise.media.exchange import GuardedWeb
from turnwise.media.visits import Visits
from turnwise.models.sources import Source, fetch, parse_source
from turnwise.settings import Settings, SettingsError
from turnwise.tools.google_search.engines import build_engine
from turnwise.tools.google_search.tool import GoogleSearchTool
from turnwise.tools.tool import Tool
from turnwise.tools.toolbox import Late, Toolbox

if TYPE_CHECKING:
    from turnwise.models.embedding import EmbeddingModel

log = logging.getLogger("turnwise")


def build_toolbox(settings: Settings, closing: AsyncExitStack, file_search: FileSearch, visits: Visits) -> Toolbox:
    """The tools of this server. None of them is started; what they start later is closed with `closing`.
    `visits` reads what stands at addresses.

    Raises:
        SettingsError: one of them cannot be as it is set.
    """
    google_search = build_google_search(settings)
    closing.push_async_callback(google_search.close)
    return Toolbox(
        {
            "code_execution": Late(lambda: build_code_execution(settings)),
            "computer_use": Late(lambda: build_computer_use(settings)),
            "file_search": Late(lambda: build_file_search(file_search)),
            "google_search": google_search,
            "mcp_server": Late(lambda: build_mcp_servers(settings)),
            "url_context": Late(lambda: build_url_context(visits)),
        }
    )


def build_embedder(settings: Settings, closing: AsyncExitStack) -> "EmbeddingModel | None":
    """Who tells what texts mean, if that is set. It is started by its first use, and closed with `closing`.

    Raises:
        SettingsError: the weights cannot be, or a part is not installed.
    """
    name = settings.tools.file_search.embeddings
    source = find_embeddings(settings)
    if name is None or source is None:
        return None
    from turnwise.models.embedding import EmbeddingModel

    embedder = EmbeddingModel(name, lambda: fetch(source, settings.weights_dir))
    closing.push_async_callback(embedder.close)
    return embedder


def find_embeddings(settings: Settings) -> Source | None:
    """Where the weights are of who tells what texts mean, if that is set.

    Raises:
        SettingsError: the weights cannot be, or a part is not installed.
    """
    name = settings.tools.file_search.embeddings
    if name is None:
        return None
    from turnwise.models.embedding import check_parts

    try:
        check_parts()
        return parse_source(name)
    except ValueError as error:
        raise SettingsError(f"tools.file_search.embeddings: {error}") from error


def build_code_execution(settings: Settings) -> Tool:
    """The tool that runs code. Which sandbox it has is found out by its first use."""
    from turnwise.tools.code_execution.sandbox import Bounds
    from turnwise.tools.code_execution.tool import CodeExecutionTool

    code = settings.tools.code_execution
    bounds = Bounds(seconds=code.seconds, memory_mib=code.memory_mib)
    return CodeExecutionTool(code.sandbox, bounds, at_once=code.sandboxes)


def build_computer_use(settings: Settings) -> Tool:
    """The tool by which models use the computers of clients."""
    from turnwise.tools.computer_use.tool import ComputerUseTool

    return ComputerUseTool(settings.tools.computer_use.browser_actions)


def build_file_search(file_search: FileSearch) -> Tool:
    """The tool that searches file search stores."""
    from turnwise.tools.file_search import FileSearchTool

    return FileSearchTool(file_search)


def build_google_search(settings: Settings) -> GoogleSearchTool:
    """The tool that searches, by the engine of the settings.

    Raises:
        SettingsError: the engine cannot be as it is set.
    """
    search = settings.tools.google_search
    try:
        engine = build_engine(
            search.engine, url=search.url, key=search.key, index=settings.search_index, seconds=search.seconds
        )
    except ValueError as error:
        raise SettingsError(f"tools.google_search.{error}") from error
    return GoogleSearchTool(engine, results=search.results, seconds=search.seconds)


def build_mcp_servers(settings: Settings) -> Tool:
    """The tool that reaches MCP servers. None of them is reached.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    from turnwise.tools.mcp_server.tool import McpServerTool

    mcp = settings.tools.mcp_server
    return McpServerTool(
        GuardedWeb(build_guard(settings)),
        violation=departure,
        seconds=mcp.seconds,
        listing_seconds=mcp.listing_seconds,
    )


def build_url_context(visits: Visits) -> Tool:
    """The tool that reads what stands at addresses."""
    from turnwise.tools.url_context import UrlContextTool

    return UrlContextTool(visits)


def departure(value: JSON, schema: Schema) -> str | None:
    """What is wrong with a value by a schema of somebody else's, which may be one that turnwise cannot keep."""
    try:
        check_schema(schema, "schema")
    except (InvalidRequest, Unimplemented) as error:
        log.warning("the results of a tool are not checked: %s", error.message)
        return None
    return violation(value, schema)
