"""The calls on models: which names a request may use, in the form that `client.models` of the SDKs reads."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest
from turnwise.http.body import JSONReply, check_query
from turnwise.http.contracts import ModelEntry, Services

PAGE_SIZE = 50
"""How many models a page has when the client does not say, or says 0, which is the same."""


class ModelRoutes:
    """The handlers of `/models`."""

    def __init__(self, services: Services, owner: Callable[[Request], Awaitable[str]]) -> None:
        self._models = services.models
        self._owner = owner

    async def list(self, request: Request) -> Response:
        """`GET /models`"""
        await self._owner(request)
        check_query(request, ("pageSize", "pageToken"))
        entries = self._models.entries()
        start, size = _number(request, "pageToken", 0), _number(request, "pageSize", 0) or PAGE_SIZE
        body: dict[str, JSON] = {"models": [render_model(entry) for entry in entries[start : start + size]]}
        if start + size < len(entries):
            body["nextPageToken"] = str(start + size)
        return JSONReply(body)

    async def get(self, request: Request) -> Response:
        """`GET /models/{id}`"""
        await self._owner(request)
        check_query(request)
        return JSONReply(render_model(self._models.entry(request.path_params["id"].removeprefix("models/"))))


def render_model(entry: ModelEntry) -> dict[str, JSON]:
    """A model, with what it can do. Limits that are not known are left out."""
    body: dict[str, JSON] = {
        "name": f"models/{entry.name}",
        "displayName": entry.name,
        "description": entry.description,
        "supportedGenerationMethods": ["createInteraction"],
        "inputModalities": list(entry.inputs),
        "outputModalities": list(entry.outputs),
        "functionCalling": _means(entry, entry.tools),
        "structuredOutput": _means(entry, entry.schemas),
        "thinking": entry.thinks,
    }
    if entry.context_tokens is not None:
        body["inputTokenLimit"] = entry.context_tokens
    if entry.output_tokens is not None:
        body["outputTokenLimit"] = entry.output_tokens
    return body


def _means(entry: ModelEntry, native: bool) -> str:
    """By which means a model can do something: every one that writes can, if need be with the engine's help."""
    if "text" not in entry.outputs:
        return "none"
    return "native" if native else "helped"


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InvalidRequest(f"a number, not '{value}'", field=name)
    return int(value)
