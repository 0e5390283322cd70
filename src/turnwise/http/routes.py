"""The route table, and what holds for every route: errors as JSON, in the form of the API that the path belongs to.

Read it from top to bottom: it is the whole surface of the server.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from turnwise.domain.errors import (
    Internal,
    MethodNotAllowed,
    ModelUnavailable,
    NotFound,
    RateLimited,
    TurnwiseError,
    Unimplemented,
)
from turnwise.http.agents import AgentRoutes
from turnwise.http.auth import KeyRing
from turnwise.http.body import JSONReply
from turnwise.http.contracts import Services
from turnwise.http.docs import DocsRoutes
from turnwise.http.file_search import FileSearchRoutes
from turnwise.http.files import FileRoutes
from turnwise.http.health import health_routes
from turnwise.http.interactions import InteractionRoutes
from turnwise.http.models import ModelRoutes
from turnwise.http.request import Incoming
from turnwise.http.webhooks import WebhookRoutes
from turnwise.wire.errors import http_status, render_error, render_rpc_error

log = logging.getLogger("turnwise.http")

NOT_YET = (
    "triggers",
    "environments",
    "credentials",
    "voices",
    "decisions",
)
"""Resources that the current API has and turnwise does not."""


class VersionConvertor(StringConvertor):
    """The first segment of a path. A base URL that ends in a version doubles it: the SDKs put theirs behind it."""

    regex = r"(?:v1beta|v1alpha|v1)(?:/(?:v1beta|v1alpha|v1))?"

    def convert(self, value: str) -> str:
        return value.rpartition("/")[2]


class FileConvertor(StringConvertor):
    """The last segment of a file's name. The SDKs take an `https` address of a file apart, and put one that begins with
    `http`, as this server's own may, into the path whole.
    """

    regex = rf"(?:https?:/.*/{VersionConvertor.regex}/files/)?[^/]+"

    def convert(self, value: str) -> str:
        return value.rpartition("/")[2]


register_url_convertor("version", VersionConvertor())
register_url_convertor("file", FileConvertor())

_FILES = re.compile(
    rf"(?:(?:/{VersionConvertor.regex})?/upload)?/{VersionConvertor.regex}/(?:files|fileSearchStores)(?:[/:]|$)"
)
"""The paths of files and of stores that are searched, which have a form of their own for errors."""


STOPPED = ModelUnavailable("the server is being stopped; try again in a moment")
"""What a call hears that is cancelled: nothing else cancels one."""

FAULT = Internal("turnwise failed on this request; its log has the reason")
"""What a call hears that met an error which nobody foresaw."""

Handler = Callable[[Request], Awaitable[Response]]


class Application(Starlette):
    """The ASGI application: Starlette's routes, with one place in which all that goes wrong behind them is answered.

    It stands where Starlette has two middlewares and a wrapper around each handler, which took a tenth of the time that
    a call costs.
    """

    def __init__(self, routes: list[Route]) -> None:
        super().__init__(routes=routes)
        self._table = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. What is no HTTP is Starlette's to answer."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        begun = False

        def watched(message: Message) -> Awaitable[None]:
            nonlocal begun
            begun = True
            return send(message)

        request = Incoming(scope, receive, watched)
        try:
            response = await self._handler(request)(request)
            await response(scope, receive, watched)
        except (TurnwiseError, asyncio.CancelledError) as error:
            if begun:
                raise
            await on_error(request, error if isinstance(error, TurnwiseError) else STOPPED)(scope, receive, send)
            error.__traceback__ = None  # some are raised again and again, to whoever asks, and would gather frames
        except Exception as error:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            if not begun:
                await on_error(request, FAULT)(scope, receive, send)
            raise  # the server closes the connection

    def _handler(self, request: Request) -> Handler:
        """Who answers a request. The first route that fits, as in the table.

        Raises:
            NotFound: no route has this path.
            MethodNotAllowed: none that has it takes this method. A path may stand in the table more than once.
        """
        scope = request.scope
        allowed: set[str] = set()
        for route in self._table:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return route.endpoint
            if match is Match.PARTIAL:
                allowed |= (route.methods or set()) - {"HEAD"}
        at = f"{request.method} {request.url.path}"
        if not allowed:
            raise NotFound(f"no such path: {at}; see /docs for those that there are")
        names = tuple(sorted(allowed))
        raise MethodNotAllowed(f"no such method: {at}; use {' or '.join(names)}", allowed=names)


def build_routes(services: Services) -> Application:
    """The ASGI application."""
    owner = KeyRing(services.keys).owner
    interactions = InteractionRoutes(services, owner)
    agents = AgentRoutes(services.agents, owner)
    models = ModelRoutes(services, owner)
    files = FileRoutes(services, owner)
    search = FileSearchRoutes(services, owner)
    webhooks = WebhookRoutes(services, owner)
    docs = DocsRoutes(NOT_YET)
    routes = [
        Route("/{version:version}/interactions", interactions.create, methods=["POST"]),
        Route("/{version:version}/interactions/{id}", interactions.get, methods=["GET"]),
        Route("/{version:version}/interactions/{id}", interactions.delete, methods=["DELETE"]),
        Route("/{version:version}/interactions/{id}/cancel", interactions.cancel, methods=["POST"]),
        Route("/{version:version}/agents", agents.create, methods=["POST"]),
        Route("/{version:version}/agents", agents.list, methods=["GET"]),
        Route("/{version:version}/agents/{id}", agents.get, methods=["GET"]),
        Route("/{version:version}/agents/{id}", agents.delete, methods=["DELETE"]),
        Route("/{version:version}/models", models.list, methods=["GET"]),
        Route("/{version:version}/models/{id:path}", models.get, methods=["GET"]),
        _behind_a_version(Route("/upload/{version:version}/files", files.upload, methods=["POST"])),
        Route("/{version:version}/files", files.list, methods=["GET"]),
        Route("/{version:version}/files:register", files.register, methods=["POST"]),
        Route("/{version:version}/files/{id:file}:download", files.download, methods=["GET"]),
        Route("/{version:version}/files/{id:file}", files.get, methods=["GET"]),
        Route("/{version:version}/files/{id:file}", files.delete, methods=["DELETE"]),
        Route("/{version:version}/fileSearchStores", search.create, methods=["POST"]),
        Route("/{version:version}/fileSearchStores", search.list, methods=["GET"]),
        _behind_a_version(
            Route(
                "/upload/{version:version}/fileSearchStores/{id}:uploadToFileSearchStore",
                search.upload,
                methods=["POST"],
            )
        ),
        Route("/{version:version}/fileSearchStores/{id}:importFile", search.import_file, methods=["POST"]),
        Route("/{version:version}/fileSearchStores/{id}", search.get, methods=["GET"]),
        Route("/{version:version}/fileSearchStores/{id}", search.delete, methods=["DELETE"]),
        Route("/{version:version}/fileSearchStores/{store}/documents", search.list_documents, methods=["GET"]),
        Route("/{version:version}/fileSearchStores/{store}/documents/{id}", search.get_document, methods=["GET"]),
        Route("/{version:version}/fileSearchStores/{store}/documents/{id}", search.delete_document, methods=["DELETE"]),
        Route("/{version:version}/fileSearchStores/{store}/operations/{id}", search.import_operation, methods=["GET"]),
        Route(
            "/{version:version}/fileSearchStores/{store}/upload/operations/{id}",
            search.upload_operation,
            methods=["GET"],
        ),
        Route("/{version:version}/fileSearchStores/{store}/media/{id}", search.download_media, methods=["GET"]),
        Route("/{version:version}/webhooks", webhooks.create, methods=["POST"]),
        Route("/{version:version}/webhooks", webhooks.list, methods=["GET"]),
        Route("/{version:version}/webhooks/{id}:ping", webhooks.ping, methods=["POST"]),
        Route("/{version:version}/webhooks/{id}:rotateSigningSecret", webhooks.rotate, methods=["POST"]),
        Route("/{version:version}/webhooks/{id}/rotate_secret", webhooks.rotate, methods=["POST"]),
        Route("/{version:version}/webhooks/{id}", webhooks.get, methods=["GET"]),
        Route("/{version:version}/webhooks/{id}", webhooks.update, methods=["PATCH"]),
        Route("/{version:version}/webhooks/{id}", webhooks.delete, methods=["DELETE"]),
        Route("/.well-known/jwks.json", webhooks.keys, methods=["GET"]),
        *[
            Route(path, unimplemented(name), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
            for name in NOT_YET
            for path in _paths(name)
        ],
        *health_routes(services.keys),
        Route("/openapi.json", docs.openapi, methods=["GET"]),
        Route("/docs", docs.page, methods=["GET"]),
        Route("/", to_docs, methods=["GET"]),
    ]
    return Application(routes)


def _behind_a_version(route: Route) -> Route:
    """A route whose path may have one more version before it, as where the base URL of a client ends in one."""
    path = route.path_regex.pattern.removeprefix("^")
    route.path_regex = re.compile(f"^(?:/{VersionConvertor.regex})?{path}")
    return route


def _paths(name: str) -> list[str]:
    """Every path under which a resource lives."""
    at = f"/{{version:version}}/{name}"
    return [at, f"{at}/{{rest:path}}", f"{at}:{{verb}}", f"/upload{at}", f"/upload{at}/{{rest:path}}"]


async def to_docs(request: Request) -> Response:
    """`GET /`: to where a person can read what this is."""
    return RedirectResponse("/docs")


def unimplemented(name: str) -> Handler:
    """The handler of a resource that the API has and turnwise does not."""

    async def handle(request: Request) -> Response:
        raise Unimplemented(f"turnwise does not have '{name}' yet; see /docs for what it has")

    return handle


def on_error(request: Request, error: TurnwiseError) -> Response:
    """An error of ours as the client reads it."""
    render = render_rpc_error if _FILES.match(request.url.path) else render_error
    reply = JSONReply(render(error), http_status(error))
    if isinstance(error, MethodNotAllowed):
        reply.headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, RateLimited) and error.retry_after is not None:
        reply.headers["retry-after"] = str(max(1, round(error.retry_after)))
    if isinstance(error, Unimplemented):
        reply.headers["x-should-retry"] = "false"  # SDKs up to 2.0 heed it: what is not there is not there in a second
    return reply
