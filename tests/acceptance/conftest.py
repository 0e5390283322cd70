"""What the acceptance tests share: a folder of one's own, and an upstream that answers at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
