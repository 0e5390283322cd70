"""Whether a process lives, and whether it can work: what supervisors and load balancers ask.

A process that answers lives, whatever else is wrong: to start it again would not bring a database back. It is ready as
long as its store answers. Before a process is ready, and once it is being stopped, it takes no connections at all, and
whoever asks is refused.
"""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from turnwise.domain.errors import TurnwiseError
from turnwise.http.contracts import Keys

PATIENCE = 2.0
"""Seconds within which the store has to answer."""


def build_health(keys: Keys) -> Starlette:
    """The application of a process that answers nothing else."""
    return Starlette(routes=health_routes(keys))


def health_routes(keys: Keys) -> list[Route]:
    """`/healthz` and `/readyz`. The keys are what every request needs of the store, and a small thing to ask for."""

    async def ready(request: Request) -> Response:
        """`GET /readyz`"""
        try:
            async with asyncio.timeout(PATIENCE):
                await keys.keys()
        except (TurnwiseError, TimeoutError):
            return PlainTextResponse("the database cannot be reached\n", 503)
        return PlainTextResponse("ok\n")

    return [Route("/healthz", alive, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


async def alive(request: Request) -> Response:
    """`GET /healthz`"""
    return PlainTextResponse("ok\n")
