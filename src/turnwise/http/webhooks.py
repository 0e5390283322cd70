"""The calls on webhooks, and the keys by which what they are told can be checked."""

from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest
from turnwise.http.body import JSONReply, check_query, read_bytes, read_json
from turnwise.http.contracts import Services
from turnwise.http.uploads import Owner
from turnwise.wire.webhooks import (
    check_ping,
    parse_new_webhook,
    parse_rotation,
    parse_update,
    render_webhook,
)

MAX_BODY = 64 * 1024
"""How long a body may be, in bytes."""

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


class WebhookRoutes:
    """The handlers of `/webhooks`."""

    def __init__(self, services: Services, owner: Owner) -> None:
        self._webhooks = services.webhooks
        self._owner = owner

    async def create(self, request: Request) -> Response:
        """`POST /webhooks`"""
        owner = await self._owner(request)
        check_query(request)
        wanted = parse_new_webhook(await read_json(request, MAX_BODY))
        webhook, secret = await self._webhooks.create(owner, wanted)
        return JSONReply(render_webhook(webhook, self._webhooks.live_secrets(webhook), secret))

    async def list(self, request: Request) -> Response:
        """`GET /webhooks`"""
        owner = await self._owner(request)
        check_query(request, ("page_size", "page_token"))
        size, token = _page_size(request), request.query_params.get("page_token") or None
        try:
            found, following = await self._webhooks.list(owner, size, token)
        except InvalidRequest:
            raise InvalidRequest(f"'{token}' is no token that a list has given", field="page_token") from None
        webhooks = [render_webhook(webhook, self._webhooks.live_secrets(webhook)) for webhook in found]
        body: dict[str, JSON] = {"webhooks": webhooks} if webhooks else {}
        return JSONReply(body if following is None else {**body, "next_page_token": following})

    async def get(self, request: Request) -> Response:
        """`GET /webhooks/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        webhook = await self._webhooks.get(request.path_params["id"], owner)
        return JSONReply(render_webhook(webhook, self._webhooks.live_secrets(webhook)))

    async def update(self, request: Request) -> Response:
        """`PATCH /webhooks/{id}`"""
        owner = await self._owner(request)
        check_query(request, ("update_mask",))
        mask = request.query_params.get("update_mask") or None
        changes = parse_update(await read_json(request, MAX_BODY), mask)
        webhook = await self._webhooks.update(request.path_params["id"], owner, changes)
        return JSONReply(render_webhook(webhook, self._webhooks.live_secrets(webhook)))

    async def delete(self, request: Request) -> Response:
        """`DELETE /webhooks/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        await self._webhooks.delete(request.path_params["id"], owner)
        return JSONReply({})

    async def ping(self, request: Request) -> Response:
        """`POST /webhooks/{id}:ping`"""
        owner = await self._owner(request)
        check_query(request)
        check_ping(await read_bytes(request, MAX_BODY))
        await self._webhooks.ping(request.path_params["id"], owner)
        return JSONReply({})

    async def rotate(self, request: Request) -> Response:
        """`POST /webhooks/{id}:rotateSigningSecret`"""
        owner = await self._owner(request)
        check_query(request)
        revocation = parse_rotation(await read_bytes(request, MAX_BODY))
        return JSONReply({"secret": await self._webhooks.rotate(request.path_params["id"], owner, revocation)})

    async def keys(self, request: Request) -> Response:
        """`GET /.well-known/jwks.json`"""
        return JSONReply(await self._webhooks.public_keys())


def _page_size(request: Request) -> int:
    """How many webhooks a page is to have. More than there may be is as many as there may be."""
    value = request.query_params.get("page_size") or "0"
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InvalidRequest(f"a number from 1 to {MAX_PAGE_SIZE}, not '{value}'", field="page_size")
    return min(int(value), MAX_PAGE_SIZE) or PAGE_SIZE
