"""Fixtures of every test. What the tests themselves call is in `support.py`."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from postgres import empty_postgres_url, postgres_server, postgres_url  # noqa: F401 (fixtures)
from turnwise.store.memory import MemoryStore
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Store

# A shell that starts the tests in the background has them ignore this, and all that they start, Ctrl-C or not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def open_memory(path: Path) -> Store:
    return MemoryStore()


OPEN: dict[str, Callable[[Path], Awaitable[Store]]] = {"memory": open_memory, "sqlite": open_sqlite}
"""The stores of one process."""


@pytest.fixture(params=[*OPEN, pytest.param("postgres", marks=pytest.mark.postgres)])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each kind of store in turn, empty."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        from turnwise.store.postgres import open_postgres

        store: Store = await open_postgres(url)
    else:
        store = await OPEN[request.param](tmp_path / "turnwise.db")
    yield store
    await store.close()
