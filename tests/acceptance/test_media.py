"""Pictures and speech of a real server: a conversation goes on from them, and what was made outlives `kill -9`."""

import signal
from base64 import b64decode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from models.speech.hearing import decoded

from .home import Home, Server
from .waiting import BOUND

PAINTER, SPEAKER, WRITER = "gemini-3-pro-image-preview", "gemini-2.5-flash-preview-tts", "gemini-3-flash-preview"
HOUSE = {"model": PAINTER, "input": "A red house on a hill", "generation_config": {"seed": 7}}
SETTINGS = """
[models."*".defaults]
temperature = 0
max_output_tokens = 24
"""

pytestmark = pytest.mark.model


@pytest.fixture
def home(tmp_path: Path, weights: Path) -> Home:
    """A folder whose server is answered by the default model."""
    home = Home(tmp_path, TURNWISE_MODELS_DIR=str(weights.parent))
    home.configure(SETTINGS)
    return home


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=BOUND)
    async with aiohttp.ClientSession(timeout=timeout, headers={"x-goog-api-key": "any-key"}) as opened:
        yield opened


async def create(client: aiohttp.ClientSession, server: Server, **body: Any) -> Any:
    async with client.post(f"{server.url}/v1/interactions", json=body) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def download(client: aiohttp.ClientSession, server: Server, uri: str) -> bytes:
    """The bytes of a file, at the server that runs now."""
    name = uri.rpartition("/")[2]
    async with client.get(f"{server.url}/v1/files/{name}:download?alt=media") as reply:
        assert reply.status == 200, await reply.text()
        return await reply.read()


def made(interaction: Any) -> dict[str, Any]:
    """The one thing that was made."""
    (step,) = interaction["steps"]
    (part,) = step["content"]
    return part


def image(**form: Any) -> dict[str, Any]:
    return {"type": "image", "mime_type": "image/png", **form}


def shares(data: bytes) -> tuple[float, float]:
    """How much of a picture is clearly red, and how much is clearly blue."""
    pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)
    red, green, blue = np.moveaxis(pixels, 2, 0)
    return float((red > 1.5 * np.maximum(green, blue)).mean()), float((blue > 1.5 * np.maximum(red, green)).mean())


async def test_a_picture_is_changed_and_asked_about_after_kill_9(home: Home, client: aiohttp.ClientSession):
    async with home.serve() as server:
        house = await create(client, server, **HOUSE, response_format=image())
        await server.stop(signal.SIGKILL)
    async with home.serve() as server:
        after = {"previous_interaction_id": house["id"]}
        blue = await create(
            client, server, model=PAINTER, input="make it blue", response_format=image(delivery="uri"), **after
        )
        await server.stop(signal.SIGKILL)
    async with home.serve() as server:
        now = shares(await download(client, server, made(blue)["uri"]))
        before = shares(b64decode(made(house)["data"]))
        assert now[0] < before[0] / 2
        assert now[1] > before[1]
        told = await create(
            client, server, model=WRITER, input="What was in the picture?", previous_interaction_id=blue["id"]
        )
        assert "house" in made(told)["text"]


async def test_a_file_has_the_bytes_that_would_have_come_inline(home: Home, client: aiohttp.ClientSession):
    async with home.serve() as server:
        inline = await create(client, server, **HOUSE, response_format=image())
        kept = await create(client, server, **HOUSE, response_format=image(delivery="uri"))
        assert "data" not in made(kept)
        assert made(kept)["uri"].startswith(f"{server.url}/")
        assert await download(client, server, made(kept)["uri"]) == b64decode(made(inline)["data"])


async def test_what_is_larger_than_the_limit_comes_as_a_file_unless_it_is_asked_for_inline(
    home: Home, client: aiohttp.ClientSession
):
    home.configure(f"{SETTINGS}\n[files]\ninline_bytes = 1000\n")
    async with home.serve() as server:
        large = made(await create(client, server, **HOUSE, response_format=image()))
        inline = made(await create(client, server, **HOUSE, response_format=image(delivery="inline")))
        assert await download(client, server, large["uri"]) == b64decode(inline["data"])


async def test_speech_is_said_again_more_slowly_after_kill_9(home: Home, client: aiohttp.ClientSession):
    wav = {"type": "audio", "mime_type": "audio/wav", "delivery": "uri"}
    async with home.serve() as server:
        said = await create(
            client, server, model=SPEAKER, input="Say the following: This is so much fun!", response_format=wav
        )
        await server.stop(signal.SIGKILL)
    async with home.serve() as server:
        again = await create(
            client,
            server,
            model=SPEAKER,
            input="Say it again, slower",
            response_format=wav,
            previous_interaction_id=said["id"],
        )
        first, second = [
            decoded(await download(client, server, made(interaction)["uri"])) for interaction in (said, again)
        ]
        assert (first.container, first.rate, second.rate) == ("wav", 24_000, 24_000)
        assert second.seconds > 1.2 * first.seconds
