"""A session with a server that speaks MCP, by the official SDK, in a task of its own.

The SDK's scopes belong to the task that opened them, and a turn may be closed by another task than opened it. So the
session lives in a task that ends when it is told to; requests are sent from whichever task wants something.

Both of the protocol's ways to begin are spoken: a server is asked to say what it is (since 2026-07-28), and greeted if
it does not understand. What a server may want of its clients (sampling, elicitation, roots) is refused.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

import httpx2
import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from pydantic import TypeAdapter, ValidationError

from turnwise import __version__
from turnwise.domain.content import JSON
from turnwise.tools.mcp_server.headers import Secrets
from turnwise.tools.mcp_server.listing import Listing
from turnwise.tools.mcp_server.transport import ANSWER_BYTES, Exchange, LineTransport, current
from turnwise.tools.mcp_server.web import Web

log = logging.getLogger("turnwise.tools")

PAGES = 50
"""How many pages a list of tools may have."""

IDEMPOTENCY_KEY = "turnwise/idempotencyKey"
"""Where `_meta` of a call has its key. The protocol has no name of its own for it, and leaves the room for ours."""

CLOSING_SECONDS = 5.0
"""How long a server has to say goodbye."""

ANSWERED_SECONDS = 2.0
"""How long it takes at the most to see what is in an answer that has come whole."""

PROGRESS = 10
"""How many times the time of a call it may take as long as there is progress."""

WAIT_SECONDS = 0.25
"""How long to wait before asking a server again that wants to be asked again."""

WORDS = 600
"""How many characters of a server's message are passed on."""

_UNSAID = ("mcp.client.streamable_http", "mcp.shared.jsonrpc_dispatcher", "client", "httpx2")
"""The SDK's own loggers. They write down whole messages and addresses, which may hold what only two should know."""

_RESULT: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)

_SDK_WORDS = frozenset({"Server returned an error response", "Not Found", "Session terminated"})
"""What the SDK says where a server says nothing that is of the protocol."""

T = TypeVar("T")


class _Unsaid(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


for _name in _UNSAID:
    logging.getLogger(_name).addFilter(_Unsaid())


class Failure(Exception):
    """A server cannot be used, or a call came to nothing. `why` says it of the server, as in 'it answers HTTP 500'."""

    def __init__(self, why: str, *, is_lost: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_lost = is_lost
        """Whether the server has forgotten the session, and has done nothing."""


class Session:
    """A session with one server. Whoever makes it closes it."""

    def __init__(
        self, web: Web, url: str, headers: Mapping[str, str], *, known: Listing | None, on_change: Callable[[], None]
    ) -> None:
        """`known`: what the server was found to be, which spares asking. `on_change`: called when it says that its
        tools are others now."""
        self._web = web
        self._url = url
        self._headers = headers
        self._secrets = Secrets(headers)
        self._known = known
        self._on_change = on_change
        self._ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._dispatcher: _Dispatcher | None = None
        self._task = asyncio.create_task(self._run(), name="mcp session")

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked in it any more."""
        return self._task.done()

    async def begin(self) -> None:
        """Wait until the server is there.

        Raises:
            Failure: it is not, or is none.
        """
        await self._session()

    async def list_tools(self) -> Listing:
        """What the server has.

        Raises:
            Failure: it does not say.
        """
        session = await self._session()
        assert self._dispatcher is not None
        listing = self._dispatcher.listing = Listing(discovered=session.discover_result)
        cursor: str | None = None
        seen = set[str]()
        for _ in range(PAGES):
            params = types.PaginatedRequestParams(cursor=cursor)
            page = await self._ask(Exchange(), partial(session.list_tools, params=params))
            cursor = page.next_cursor
            if not cursor:
                return listing
            if cursor in seen:
                raise Failure("its list of tools goes round in circles")
            seen.add(cursor)
        raise Failure(f"its list of tools has more than {PAGES} pages")

    async def call(self, name: str, arguments: Mapping[str, JSON], *, key: str, seconds: float) -> Mapping[str, JSON]:
        """Call a tool. Returns its result as it came. Cancelling ends the call at the server too.

        Args:
            key: What the server can tell the same call by, should it come again: `_meta` has it as `IDEMPOTENCY_KEY`.
            seconds: How long it may take. Progress earns it as long again each time, but `PROGRESS` times at the most.

        Raises:
            Failure: there is none.
        """
        session, patience = await self._session(), _Patience(seconds)

        async def send(state: str | None = None) -> types.CallToolResult | types.InputRequiredResult:
            meta = cast(types.RequestParamsMeta, {IDEMPOTENCY_KEY: key})
            params = types.CallToolRequestParams(name=name, arguments=dict(arguments), request_state=state, _meta=meta)
            request = types.CallToolRequest(params=params)
            result = await self._ask_again(
                partial(session.send_request, request, _RESULT, progress_callback=patience.progress), patience.whole
            )
            patience.answered()
            return result

        try:
            async with patience.limit:
                result = await send()
                while isinstance(result, types.InputRequiredResult):
                    if result.input_requests:
                        raise Failure("it asks for input from a person or a model, which nobody can give it here")
                    await asyncio.sleep(WAIT_SECONDS)
                    result = await send(result.request_state)
        except TimeoutError:
            raise Failure(patience.why) from None
        return self._secrets.hide(result.model_dump(mode="json", by_alias=True, exclude_unset=True))

    async def close(self) -> None:
        """End it, whoever began it. No task and no connection is left."""
        self._ending.set()
        try:
            if self._ready.done():
                await asyncio.wait({self._task}, timeout=CLOSING_SECONDS)
        finally:
            self._task.cancel()
        await asyncio.wait({self._task}, timeout=CLOSING_SECONDS)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # seen, even if nobody waits for it any more

    # -- asking

    async def _session(self) -> ClientSession:
        await asyncio.wait({self._ready})
        return self._ready.result()

    async def _ask_again(self, send: Callable[[], Awaitable[T]], on_whole: Callable[[], None]) -> T:
        """Ask; and once more if the server wants more headers than can be known before its tools are listed."""
        try:
            return await self._ask(Exchange(on_whole=on_whole), send)
        except Failure as error:
            if not isinstance(error.__cause__, MCPError) or error.__cause__.code != types.HEADER_MISMATCH:
                raise
        await self.list_tools()
        return await self._ask(Exchange(on_whole=on_whole), send)

    async def _ask(self, exchange: Exchange, send: Callable[[], Awaitable[T]]) -> T:
        token = current.set(exchange)
        try:
            return await send()
        except (MCPError, ValidationError, RuntimeError, ValueError) as error:
            raise self._failure(exchange, error) from error
        finally:
            current.reset(token)
            exchange.leave()

    def _failure(self, exchange: Exchange, error: Exception) -> Failure:
        return Failure(self._secrets.hide(_why(exchange, error)), is_lost=exchange.status == 404)

    # -- the task

    async def _run(self) -> None:
        try:
            async with (
                self._web.open() as line,
                httpx2.AsyncClient(
                    transport=LineTransport(line),
                    headers={"user-agent": f"turnwise/{__version__}", **self._headers},
                    timeout=None,
                    trust_env=False,
                ) as client,
                streamable_http_client(self._url, http_client=client, max_sse_event_size=ANSWER_BYTES) as streams,
            ):
                self._dispatcher = _Dispatcher(*streams, secrets=self._secrets)
                async with ClientSession(
                    dispatcher=self._dispatcher,
                    client_info=types.Implementation(name="turnwise", version=__version__),
                    message_handler=self._on_message,
                ) as session:
                    await self._serve(session)
        except Exception as error:  # whatever it is, it is handed to those who wait
            if not self._ending.is_set():
                log.warning("a session with an MCP server broke: %s", _kinds(error))
        finally:
            if not self._ready.done():
                self._ready.set_exception(Failure("the session with it broke"))

    async def _serve(self, session: ClientSession) -> None:
        """Find out how to speak, and let others speak until the end."""
        exchange = Exchange()
        try:
            if self._known is not None and self._known.discovered is not None:
                session.adopt(self._known.discovered)
            elif self._known is not None or not await self._discover(session):
                await self._ask(exchange, session.initialize)
        except Failure as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result(session)
        await self._ending.wait()

    async def _discover(self, session: ClientSession) -> bool:
        """Ask the server what it is. Returns whether it understood; most do not yet."""
        exchange = Exchange()
        try:
            await self._ask(exchange, session.discover)
        except Failure:
            if exchange.problem is not None:
                raise  # there is nobody to be greeted
            return False
        return True

    async def _on_message(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._on_change()


class _Patience:
    """How long a call is waited for."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._seconds = seconds
        self._started = self._clock()
        self._until = self._started + seconds
        self._is_whole = False
        self.limit = asyncio.timeout_at(self._until)

    @property
    def why(self) -> str:
        """Why it was waited for no longer."""
        if self._is_whole:
            return "it answered, but not to what it was asked"
        return f"it gave no result within {round(self._clock() - self._started, 1):g} s"

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """There is progress, which earns it more time, though not without end."""
        self._until = min(self._clock() + self._seconds, self._started + PROGRESS * self._seconds)
        self._wait(self._until)

    def whole(self) -> None:
        """An answer has come whole: the result is in it, or will not come."""
        self._is_whole = True
        self._wait(self._clock() + ANSWERED_SECONDS)

    def answered(self) -> None:
        """That was an answer to what was asked."""
        self._is_whole = False
        self._wait(self._until)

    def _wait(self, until: float) -> None:
        with suppress(RuntimeError):  # it is over
            self.limit.reschedule(until)


class _Dispatcher(JSONRPCDispatcher[Any]):
    """The SDK's, but for lists of tools: they are read here, tool by tool. The SDK would refuse the whole list for one
    bad tool."""

    def __init__(self, read: Any, write: Any, *, secrets: Secrets) -> None:
        super().__init__(read, write)
        self._secrets = secrets
        self.listing = Listing()
        """What the list that is being read has so far."""

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None, **more: Any
    ) -> dict[str, Any]:
        raw: dict[str, Any] = _writable(await super().send_raw_request(method, params, opts, **more))
        tools = raw.get("tools")
        if method != "tools/list" or not isinstance(tools, list):
            return raw
        return {**raw, "tools": [_plain(tool) for tool in map(self._secrets.hide, tools) if self._take(tool)]}

    def _take(self, tool: JSON) -> bool:
        if not isinstance(tool, dict):
            raise ValueError("its list of tools has something in it that is none")
        return self.listing.add(tool, self._wrong_headers(tool))

    def _wrong_headers(self, tool: Mapping[str, JSON]) -> str | None:
        """What is wrong with the arguments that are to be sent as headers too, which only the later protocol has."""
        schema = tool.get("inputSchema")
        if self.listing.discovered is None or not isinstance(schema, dict):
            return None
        reason = find_invalid_x_mcp_header(schema)
        return f"its x-mcp-header is not valid: {reason}" if reason else None


def _writable(value: JSON) -> Any:
    """JSON as it can be written again: whole numbers of more than 64 bits are floats, as in all other JSON that comes
    in."""
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return {name: _writable(item) for name, item in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if value.bit_length() <= 1023 else math.inf if value > 0 else -math.inf
    return value


def _kinds(error: BaseException) -> str:
    """What kinds of errors there were. What they say may hold what was sent."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(map(_kinds, error.exceptions))
    return type(error).__name__


def _plain(tool: Mapping[str, JSON]) -> dict[str, JSON]:
    """What the SDK needs to know of a tool."""
    return {"name": tool["name"], "inputSchema": tool["inputSchema"]}


def _why(exchange: Exchange, error: Exception) -> str:
    """What went wrong, of the server."""
    status = exchange.status
    said = error.message if isinstance(error, MCPError) and error.message not in _SDK_WORDS else ""
    if exchange.problem is not None:
        return exchange.problem
    if status is not None and 300 <= status < 400:
        return "it redirects to another address, which is not followed; name that address itself"
    if status in (401, 403):
        return f"it answers HTTP {status}: it wants a key, or another one; send it in `headers`"
    if status in (404, 405) and not said:
        return f"it answers HTTP {status}: nothing there speaks MCP over streamable HTTP; many addresses end in /mcp"
    if status is not None and status >= 400:
        return f"it answers HTTP {status}{f': {_words(said)}' if said else ''}"
    if exchange.content_type not in ("application/json", "text/event-stream", ""):
        return f"it answers with '{_words(exchange.content_type)}', which is not MCP"
    if isinstance(error, ValidationError):
        where = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        return f"its answer is not valid in the protocol, at '{_words(where)}'"
    if isinstance(error, MCPError):
        return _said(error)
    return _words(str(error))


def _said(error: MCPError) -> str:
    """What an error of the protocol comes to. The SDK's own ones have codes that servers use too."""
    if error.message == "Connection closed" or error.message.startswith("SSE stream "):
        return "the connection broke off before it gave a result"
    if error.message.startswith("Failed to parse "):
        return "its answer is no message of the protocol"
    if error.code == types.URL_ELICITATION_REQUIRED:
        return f"it wants a person to visit a page of it first: {_words(error.message)}"
    return f"it says: {_words(error.message)}"


def _words(text: str) -> str:
    """A server's words on one line, and not too many of them."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text[: 2 * WORDS]).split())
    return plain if len(plain) <= WORDS else f"{plain[:WORDS]}..."
