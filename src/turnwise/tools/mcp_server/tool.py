"""The tool `mcp_server`: what a server that a request names can do, for the length of one turn.

What a server has is asked when the turn begins and remembered for a while; a turn whose list is remembered connects
only when the model calls. Sessions are the turn's own, since the headers are, which may hold keys. A server that cannot
be used is an error of the request; one that fails later is a result that says so.
"""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from turnwise.domain.content import JSON
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, Unimplemented
from turnwise.domain.steps import ServerTool
from turnwise.domain.tools import FunctionTool, McpServer, Schema
from turnwise.tools.mcp_server.allowed import Allowed, check_names, read_allowed
from turnwise.tools.mcp_server.headers import check_headers, digest
from turnwise.tools.mcp_server.listing import TOOLS, Key, Listing, Listings
from turnwise.tools.mcp_server.outcomes import failure, read_result
from turnwise.tools.mcp_server.web import Web
from turnwise.tools.tool import Occasion, OpenTool, Outcome

if TYPE_CHECKING:
    from turnwise.tools.mcp_server.session import Session

Violation = Callable[[JSON, Schema], str | None]
"""What is wrong with a value by a schema, in one sentence. None: nothing, or it cannot be told."""


class McpServerTool:
    """A `Tool`. See `tools/tool.py`."""

    def __init__(
        self,
        web: Web,
        *,
        violation: Violation,
        seconds: float,
        listing_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            web: The way to servers, which only leads where requests may reach.
            violation: Compares results with what servers say of them.
            seconds: How long a call may take beside what its progress earns it, and how long a server has to begin.
            listing_seconds: How long a list of tools is remembered.
            clock: Tells seconds, from whenever on.
        """
        self._web = web
        self._violation = violation
        self._seconds = seconds
        self._listings = Listings(listing_seconds, clock)
        self._sdk: Any = None

    @asynccontextmanager
    async def open(self, declared: McpServer, occasion: Occasion) -> AsyncIterator[OpenTool]:
        """Find out what the server has. Its session, if there is one, is closed behind."""
        path = occasion.path
        allowed = read_allowed(declared.allowed_tools, f"{path}.allowed_tools")
        check_headers(declared.headers, f"{path}.headers")
        try:
            self._web.check(declared.url)
        except InvalidRequest as error:
            raise InvalidRequest(error.message, field=f"{path}.url") from None
        server = _Server(self._web, declared, occasion, self._listings, self._seconds, await self._load(path))
        try:
            tools = [] if allowed.is_nothing else _choose(await server.listing(), declared, allowed, path)
            yield _OpenServer(server, tools, allowed.is_demanded, self._violation)
        finally:
            await server.close()

    async def _load(self, path: str) -> Any:
        """The module `session`, which takes most of a second to load, the first time.

        Raises:
            Unimplemented: the SDK is not installed.
        """
        if self._sdk is None:
            try:
                self._sdk = await asyncio.to_thread(importlib.import_module, "turnwise.tools.mcp_server.session")
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith("turnwise"):
                    raise
                raise Unimplemented(
                    f"{path}.type: MCP servers are not reached, since a part is not installed; run: "
                    "pip install 'turnwise[tools]'"
                ) from None
        return self._sdk


def _choose(listing: Listing, declared: McpServer, allowed: Allowed, path: str) -> Sequence[FunctionTool]:
    """The tools that the model is offered.

    Raises:
        InvalidRequest: one is named that the server does not have.
        FailedPrecondition: one cannot be used, or there are too many.
    """
    check_names(declared.allowed_tools, listing.names, f"{path}.allowed_tools")
    unusable = [name for name in listing.unusable if allowed.covers(name)]
    if unusable:
        raise FailedPrecondition(
            f"the tool '{unusable[0]}' of the MCP server '{declared.name}' cannot be used: "
            f"{listing.unusable[unusable[0]]}. Name the tools that you want in `allowed_tools` to go without it",
            field=path,
        )
    tools = [tool for tool in listing.tools.values() if allowed.covers(tool.name)]
    if len(tools) > TOOLS:
        raise FailedPrecondition(
            f"the MCP server '{declared.name}' has {len(tools)} tools: a model is offered {TOOLS} of a server at the "
            "most. Name those that you want in `allowed_tools`",
            field=path,
        )
    if allowed.is_demanded and not tools:
        raise FailedPrecondition(
            f"a call is demanded, but the MCP server '{declared.name}' has no tool that may be called", field=path
        )
    return [FunctionTool(tool.name, tool.description, tool.parameters) for tool in tools]


class _Server:
    """A server in one turn: its session, which begins when it is needed, and again when it was lost."""

    def __init__(
        self, web: Web, declared: McpServer, occasion: Occasion, listings: Listings, seconds: float, sdk: Any
    ) -> None:
        self.name = declared.name
        self.sdk = sdk
        """The module `session`."""
        self._web = web
        self._declared = declared
        self._path = occasion.path
        self._listings = listings
        self._seconds = seconds
        self._key = Key(occasion.owner, declared.url, digest(declared.headers))
        self._listing: Listing | None = listings.find(self._key)
        self._session: Session | None = None
        self._beginning = asyncio.Lock()

    async def listing(self) -> Listing:
        """What it has, as it said a while ago or says now.

        Raises:
            FailedPrecondition: it does not say, or is not there.
        """
        if self._listing is not None:
            return self._listing
        try:
            async with asyncio.timeout(self._seconds):
                self._listing = await (await self._begun()).list_tools()
        except TimeoutError:
            why = f"it did not say within {self._seconds:g} s what it has"
        except self.sdk.Failure as error:
            why = error.why
        else:
            self._listings.keep(self._key, self._listing)
            return self._listing
        raise FailedPrecondition(f"the MCP server '{self.name}' cannot be used: {why}", field=self._path)

    def output(self, name: str) -> Schema | None:
        """What the results of a tool keep to, if the server says so."""
        tool = self._listing.tools.get(name) if self._listing is not None else None
        return tool.output if tool is not None else None

    async def call(self, name: str, arguments: Mapping[str, JSON], key: str) -> Mapping[str, JSON]:
        """Call a tool. If the server has forgotten the session, it is called in a new one, once.

        Raises:
            Failure: there is no result.
        """
        session = await self._begun_in_time()
        try:
            return await session.call(name, arguments, key=key, seconds=self._seconds)
        except self.sdk.Failure as error:
            if not error.is_lost:
                raise
        await self._drop(session)
        return await (await self._begun_in_time()).call(name, arguments, key=key, seconds=self._seconds)

    async def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _begun_in_time(self) -> "Session":
        try:
            async with asyncio.timeout(self._seconds):
                return await self._begun()
        except TimeoutError:
            raise self.sdk.Failure(f"it began no session within {self._seconds:g} s") from None

    async def _begun(self) -> "Session":
        """The session. Of several calls that need one, one begins it.

        Raises:
            Failure: there is none.
        """
        async with self._beginning:
            if self._session is not None and self._session.is_over:
                await self.close()
            if self._session is None:
                self._session = await self._begin_as_known()
            return self._session

    async def _begin_as_known(self) -> "Session":
        """Begin a session with what the server was found to be; if it is that no more, ask it again."""
        if self._listing is not None:
            try:
                return await self._begin(self._listing)
            except self.sdk.Failure:
                self._listings.forget(self._key)
        return await self._begin(None)

    async def _begin(self, known: Listing | None) -> "Session":
        session: Session = self.sdk.Session(
            self._web,
            self._declared.url,
            self._declared.headers,
            known=known,
            on_change=lambda: self._listings.forget(self._key),
        )
        try:
            await session.begin()
        except BaseException:
            await session.close()
            raise
        return session

    async def _drop(self, session: "Session") -> None:
        """Have a new session begun, unless another call has seen to that."""
        async with self._beginning:
            if self._session is session:
                await self.close()


class _OpenServer:
    """An `OpenTool`. See `tools/tool.py`."""

    def __init__(
        self, server: _Server, functions: Sequence[FunctionTool], is_demanded: bool, violation: Violation
    ) -> None:
        self._server = server
        self._violation = violation
        self.tool: ServerTool | None = "mcp_server_tool"
        self.functions = functions
        self.is_demanded = is_demanded

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """The arguments as they are, and whose tool it is."""
        return arguments, {"name": function, "server_name": self._server.name}

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Call a tool of the server."""
        try:
            raw = await self._server.call(function, arguments, key)
        except self._server.sdk.Failure as error:
            return failure(f"the MCP server '{self._server.name}' gave no result: {error.why}")
        return read_result(raw, self._server.output(function), self._violation)
