"""Fixtures for the tests of models."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.prompts import models_dir
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions
from turnwise.models.smollm2 import SMOLLM2
from turnwise.models.weights import BUILTIN, fetch


@pytest.fixture(scope="session")
def weights() -> Path:
    """The default model's file: fetched by the first run, cached for all later ones."""
    return asyncio.run(fetch(BUILTIN, models_dir()))


@pytest.fixture
async def engine(weights: Path) -> AsyncIterator[EmbeddedModel]:
    """The default model, running."""

    async def at_hand() -> Path:
        return weights

    model = EmbeddedModel(at_hand, EngineOptions(threads=2, context=4096), name="smollm2", profile=SMOLLM2)
    await model.start()
    yield model
    await model.close()
