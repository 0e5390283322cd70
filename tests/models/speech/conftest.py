"""Fixtures for the tests of speech."""

from collections.abc import AsyncIterator

import pytest

from turnwise.models.speech.espeak import EspeakSpeaker
from turnwise.models.speech.speech import SpeechModel


@pytest.fixture
async def espeak() -> AsyncIterator[SpeechModel]:
    """The voice that needs no weights, running."""
    model = SpeechModel("espeak", EspeakSpeaker())
    await model.start()
    yield model
    await model.close()
