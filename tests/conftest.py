"""Fixtures of every test. What the tests themselves call is in `support.py`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from turnwise.store.memory import MemoryStore
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Store


async def open_memory(path: Path) -> Store:
    return MemoryStore()


OPEN: dict[str, Callable[[Path], Awaitable[Store]]] = {"memory": open_memory, "sqlite": open_sqlite}


@pytest.fixture(params=OPEN)
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each kind of store in turn, empty."""
    store = await OPEN[request.param](tmp_path / "turnwise.db")
    yield store
    await store.close()
