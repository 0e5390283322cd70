"""A look at what goes over the wire, below the layer.

The layer lets one settings object work with every model: what a vendor or a model does not take it leaves out, mostly
without a word. Which ones is known only to the code that writes the request. So it is the request that is looked at,
just before it is sent: a parameter of the prompt that is not in it, or not with its value, is refused by its name.

And what comes back is held, so that its connection can be closed: not every client closes it when it is left early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson

from turnwise.domain.errors import InvalidRequest

NAMES: Mapping[str, frozenset[str]] = {
    "temperature": frozenset({"temperature"}),
    "top_p": frozenset({"top_p", "topP"}),
    "top_k": frozenset({"top_k", "topK"}),
    "seed": frozenset({"seed", "random_seed"}),
    "max_output_tokens": frozenset({"max_tokens", "max_completion_tokens", "maxTokens", "maxOutputTokens"}),
    "stop_sequences": frozenset({"stop", "stop_sequences", "stopSequences"}),
}
"""Our names of parameters, and how vendors call them."""

PLACES = frozenset({"generationConfig", "inferenceConfig", "additionalModelRequestFields"})
"""Where in a request they may stand, beside at its top."""


@dataclass(slots=True)
class Exchange:
    """One request, and what came back."""

    model: str
    parameters: Mapping[str, Any]
    """What the request must have: our names, with values."""
    responses: list[Any] = field(default_factory=list)

    async def hang_up(self) -> None:
        """Close what is still open."""
        for response in self.responses:
            await response.aclose()


_current: ContextVar[Exchange | None] = ContextVar("turnwise_exchange", default=None)


@contextmanager
def watched(exchange: Exchange) -> Iterator[None]:
    """Whatever goes out in this context belongs to this exchange."""
    token = _current.set(exchange)
    try:
        yield
    finally:
        _current.reset(token)


def look_at_http(client: Any) -> Any:
    """Look at whatever an HTTP client sends, and at what it gets."""
    before = client.event_hooks
    client.event_hooks = {
        "request": [*before["request"], _on_request],
        "response": [*before["response"], _on_response],
    }
    return client


def look_at_boto(client: Any) -> None:
    """Look at whatever a client of AWS sends."""
    for call in ("Converse", "ConverseStream"):
        client.meta.events.register(f"before-call.bedrock-runtime.{call}", _on_call)


def check(body: bytes) -> None:
    """Whether the body of a request has all that is wanted.

    Raises:
        InvalidRequest: it has not.
    """
    exchange = _current.get()
    if exchange is None or not exchange.parameters:
        return
    there = _parameters(orjson.loads(body))
    for name, value in exchange.parameters.items():
        found = [there[theirs] for theirs in NAMES[name] if theirs in there]
        if not found:
            raise refused(name, exchange.model)
        if found[0] != value:
            raise InvalidRequest(
                f"{value!r} is not possible with the model {exchange.model!r}; {found[0]!r} would be",
                field=f"generation_config.{name}",
            )


def refused(name: str, model: str) -> InvalidRequest:
    """What is said of a parameter that there is no way to send."""
    return InvalidRequest(
        f"the model {model!r} takes no such parameter; leave it out", field=f"generation_config.{name}"
    )


async def _on_request(request: Any) -> None:
    if request.method == "POST":
        check(request.content)


async def _on_response(response: Any) -> None:
    exchange = _current.get()
    if exchange is not None:
        exchange.responses.append(response)
    if response.status_code != 200:
        await response.aread()  # not every client reads a refusal before it looks into it


def _on_call(params: Mapping[str, Any], **_: Any) -> None:
    check(params["body"])


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters in a request. Some of Bedrock's stand two levels deep."""
    found = dict(body)
    for place in PLACES & body.keys():
        found |= _parameters(body[place])
    return found
