"""What the acceptance tests share: a folder of one's own, an upstream that answers at once, and the default model."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from turnwise.models.weights import BUILTIN, fetch

from .home import Home
from .upstream import Upstream, open_upstream


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Answers at once, in three pieces, until told otherwise."""
    async with open_upstream() as upstream:
        yield upstream


@pytest.fixture
def home(tmp_path: Path, upstream: Upstream) -> Home:
    """A folder whose server is answered by the upstream."""
    return Home(tmp_path).answered_by(upstream.url)


@pytest.fixture(scope="session")
def weights() -> Path:
    """The default model's file: fetched by the first run of the tests, cached for all later ones."""
    return asyncio.run(fetch(BUILTIN, models_dir()))


def models_dir() -> Path:
    """Where the tests keep weights."""
    chosen = os.environ.get("TURNWISE_MODELS_DIR")
    if chosen:
        return Path(chosen)
    cache = os.environ.get("TURNWISE_TEST_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache" / "turnwise-tests") / "models"
