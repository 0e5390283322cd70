"""`/healthz` and `/readyz`, of a process that serves the API and of one that serves nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from support import App, open_app
from turnwise.http import health
from turnwise.http.health import build_health
from turnwise.store.errors import DatabaseUnavailable
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

Open = Callable[[MemoryStore], AbstractAsyncContextManager[App]]


class AwayStore(MemoryStore):
    """One whose database cannot be reached."""

    async def keys(self) -> Sequence[Key]:
        raise DatabaseUnavailable("connection refused")


class SilentStore(MemoryStore):
    """One whose database never answers."""

    async def keys(self) -> Sequence[Key]:
        await asyncio.Event().wait()
        raise AssertionError


@asynccontextmanager
async def serving(store: MemoryStore) -> AsyncIterator[App]:
    async with open_app(store=store) as app:
        yield app


@asynccontextmanager
async def working(store: MemoryStore) -> AsyncIterator[App]:
    async with open_app(store=store) as app:
        yield replace(app, asgi=build_health(store))


every_kind = pytest.mark.parametrize("open_kind", [serving, working])


@every_kind
async def test_a_process_whose_store_answers_is_ready(open_kind: Open):
    async with open_kind(MemoryStore()) as app:
        for path in ("/healthz", "/readyz"):
            reply = await app.ask("GET", path)
            assert (reply.status, reply.body) == (200, b"ok\n")


@every_kind
@pytest.mark.parametrize("store", [AwayStore, SilentStore])
async def test_a_process_whose_store_does_not_answer_lives_and_is_not_ready(
    open_kind: Open, store: type[MemoryStore], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    async with open_kind(store()) as app:
        reply = await app.ask("GET", "/readyz")
        assert (reply.status, reply.body) == (503, b"the database cannot be reached\n")
        assert (await app.ask("GET", "/healthz")).status == 200


async def test_a_process_that_serves_nothing_else_has_nothing_else():
    async with working(MemoryStore()) as app:
        assert (await app.ask("GET", "/v1/models")).status == 404
