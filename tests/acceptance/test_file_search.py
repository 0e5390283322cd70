"""File search through a real server: documents that outlive the process that reads them, and an embedding model."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp

from models.tiny import write_model

from .home import Home, Server
from .waiting import BOUND

KEY = {"x-goog-api-key": "any-key"}
TEXT = " ".join(f"word{n}" for n in range(20_000)).encode()
"""A document of a hundred chunks."""


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=BOUND), headers=KEY)


async def ask(client: aiohttp.ClientSession, server: Server, method: str, path: str, **said: Any) -> Any:
    async with client.request(method, f"{server.url}{path}", **said) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def put(client: aiohttp.ClientSession, server: Server, store: str, data: bytes) -> Any:
    """The operation that reads a document."""
    at = f"/upload/v1/{store}:uploadToFileSearchStore"
    return await ask(client, server, "POST", at, data=data, headers={"Content-Type": "text/plain"})


async def counts(client: aiohttp.ClientSession, server: Server, store: str) -> tuple[int, int, int]:
    """How many documents are active, pending and failed."""
    found = await ask(client, server, "GET", f"/v1/{store}")
    active, pending, failed = (int(found[f"{state}DocumentsCount"]) for state in ("active", "pending", "failed"))
    return active, pending, failed


async def test_every_document_that_was_acknowledged_is_read_after_kill_9(home: Home):
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def put_again_and_again(client: aiohttp.ClientSession, server: Server, store: str) -> None:
        try:
            for _ in range(10):
                acknowledged.append((await put(client, server, store, TEXT))["name"])
                if len(acknowledged) >= 6:
                    enough.set()
        except (aiohttp.ClientError, ConnectionError, AssertionError):
            return

    async with home.serve() as server, session() as client:
        store = (await ask(client, server, "POST", "/v1/fileSearchStores"))["name"]
        putting = [asyncio.create_task(put_again_and_again(client, server, store)) for _ in range(8)]
        async with asyncio.timeout(BOUND):
            await enough.wait()
        await server.stop(signal.SIGKILL)
        await asyncio.gather(*putting)
    assert 6 <= len(acknowledged) < 80, "it was to be killed in the middle"

    async with home.serve() as server, session() as client:
        async with asyncio.timeout(BOUND):
            while (await counts(client, server, store))[1]:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0)
        for name in acknowledged:
            operation = await ask(client, server, "GET", f"/v1/{name}")
            assert operation["done"], operation
            document = await ask(client, server, "GET", f"/v1/{operation['response']['documentName']}")
            assert (document["state"], document["sizeBytes"]) == ("STATE_ACTIVE", str(len(TEXT)))
        active, _, failed = await counts(client, server, store)
        assert (active >= len(acknowledged), failed) == (True, 0)
        await server.stop()
    with closing(sqlite3.connect(home.data / "turnwise.db")) as kept:
        assert kept.execute("SELECT count(*) FROM chunks").fetchone() == (active * 111,)
        kept.execute("INSERT INTO chunk_words (chunk_words) VALUES ('integrity-check')")


async def test_documents_are_embedded_by_the_weights_of_the_settings(home: Home):
    weights = write_model(home.folder / "tiny.gguf")
    home.environment["TURNWISE_TOOLS__FILE_SEARCH__EMBEDDINGS"] = str(weights)
    async with home.serve() as server, session() as client:
        said = {"embeddingModel": "models/any-embedding"}
        store = await ask(client, server, "POST", "/v1/fileSearchStores", json=said)
        assert store["embeddingModel"] == "models/any-embedding"
        operation = await put(client, server, store["name"], b"one morning")
        async with asyncio.timeout(BOUND):
            while not operation.get("done"):
                operation = await ask(client, server, "GET", f"/v1/{operation['name']}")
        assert "response" in operation
        await server.stop()
    with closing(sqlite3.connect(home.data / "turnwise.db")) as kept:
        rows = kept.execute("SELECT model, size, length(data) FROM vectors").fetchall()
    assert rows == [(str(weights), 64, 128)]
