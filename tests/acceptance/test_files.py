"""Files through a real server: large ones in little memory, and uploads that outlive the server that began them."""

import asyncio
import hashlib
import os
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from store.object_store import CREDENTIALS, serve_objects

from .home import Home, Server
from .waiting import BOUND, until

CHUNK = 8 << 20
START = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start", "x-goog-api-key": "any-key"}


class Uploader:
    """An upload to one server after another: its address is the same but for where they listen."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, address: str) -> None:
        self._session = session
        self._server = server
        self.address = address

    def to(self, session: aiohttp.ClientSession, server: Server) -> "Uploader":
        """The same upload at another server."""
        return Uploader(session, server, self.address.replace(self._server.url, server.url))

    async def send(self, command: str, data: bytes = b"", offset: int = 0) -> tuple[aiohttp.typedefs.LooseHeaders, Any]:
        """A command, which must work. Returns the headers and the body of the reply."""
        headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
        async with self._session.post(self.address, data=BytesIO(data), headers=headers) as reply:
            assert reply.status == 200, await reply.text()
            return reply.headers, await reply.json()

    async def received(self) -> int:
        headers, _ = await self.send("query")
        return int(headers["X-Goog-Upload-Size-Received"])


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=BOUND)
    async with aiohttp.ClientSession(timeout=timeout, headers={"x-goog-api-key": "any-key"}) as opened:
        yield opened


async def begin(client: aiohttp.ClientSession, server: Server, size: int) -> Uploader:
    said = {"file": {"display_name": "noise", "size_bytes": size}}
    async with client.post(f"{server.url}/upload/v1beta/files", json=said, headers=START) as reply:
        assert reply.status == 200, await reply.text()
        return Uploader(client, server, reply.headers["X-Goog-Upload-URL"])


def noise(size: int) -> Iterator[bytes]:
    """So many bytes in chunks, no two alike, without holding more than one of them."""
    block = os.urandom(CHUNK)
    for number in range(-(-size // CHUNK)):
        chunk = number.to_bytes(8) + block[8:]
        yield chunk[: size - number * CHUNK]


def hash_of(digest: "hashlib._Hash") -> str:
    """A hash as the Files API has it."""
    return b64encode(digest.hexdigest().encode()).decode()


def memory(server: Server, what: str) -> int:
    """A line of what the system says of the server's memory, in bytes."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


async def active(client: aiohttp.ClientSession, server: Server, name: str) -> Any:
    """A file, once it can be used."""
    file: Any = {}

    async def is_active() -> bool:
        nonlocal file
        async with client.get(f"{server.url}/v1beta/{name}") as reply:
            file = await reply.json()
        return file["state"] == "ACTIVE"

    await until(is_active)
    return file


async def downloaded(client: aiohttp.ClientSession, server: Server, name: str) -> "hashlib._Hash":
    seen = hashlib.sha256()
    async with client.get(f"{server.url}/v1beta/{name}:download?alt=media") as reply:
        assert reply.status == 200, await reply.text()
        async for piece in reply.content.iter_chunked(1 << 20):
            seen.update(piece)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_a_gigabyte_comes_and_goes_in_little_memory(home: Home):
    size, sent = 1 << 30, hashlib.sha256()
    async with home.serve() as server, session() as client:
        before = memory(server, "VmRSS")
        upload = await begin(client, server, size)
        offset = 0
        for chunk in noise(size):
            sent.update(chunk)
            last = offset + len(chunk) == size
            headers, body = await upload.send("upload, finalize" if last else "upload", chunk, offset)
            offset += len(chunk)
        assert headers["X-Goog-Upload-Status"] == "final"
        file = await active(client, server, body["file"]["name"])
        assert (file["sizeBytes"], file["sha256Hash"]) == (str(size), hash_of(sent))
        assert hash_of(await downloaded(client, server, file["name"])) == hash_of(sent)
        assert memory(server, "VmHWM") - before < 200 << 20
        async with client.delete(f"{server.url}/v1beta/{file['name']}") as reply:  # pytest would keep it for a while
            assert reply.status == 200
    assert blobs(home) == []


async def test_an_upload_goes_on_after_kill_9_in_the_middle_of_a_chunk(home: Home):
    size = 20 << 20
    whole = b"".join(noise(size))
    async with home.serve() as server, session() as client:
        upload = await begin(client, server, size)
        await upload.send("upload", whole[:CHUNK], 0)
        writing = await send_a_part(server, upload, whole[CHUNK : 2 * CHUNK], CHUNK, 3 << 20)

        async def some_came() -> bool:
            return await upload.received() > CHUNK

        await until(some_came)
        acknowledged = await upload.received()
        await server.stop(signal.SIGKILL)
        writing.close()
    assert CHUNK < acknowledged <= CHUNK + (3 << 20)

    async with home.serve() as server, session() as client:
        upload = upload.to(client, server)
        received = await upload.received()
        assert acknowledged <= received <= CHUNK + (3 << 20)
        await upload.send("upload", whole[received : 2 * CHUNK], received)
        _, body = await upload.send("upload, finalize", whole[2 * CHUNK :], 2 * CHUNK)
        assert body["file"]["sha256Hash"] == hash_of(hashlib.sha256(whole))
        name = body["file"]["name"]
        await server.stop(signal.SIGKILL)

    async with home.serve() as server, session() as client:
        file = await active(client, server, name)
        assert file["sizeBytes"] == str(size)
        assert hash_of(await downloaded(client, server, name)) == hash_of(hashlib.sha256(whole))
        _, again = await upload.to(client, server).send("upload, finalize", whole[2 * CHUNK :], 2 * CHUNK)
        assert again["file"]["name"] == name


async def send_a_part(server: Server, upload: Uploader, chunk: bytes, offset: int, part: int) -> asyncio.StreamWriter:
    """Send the beginning of a chunk, and no more of it."""
    at = urlsplit(upload.address)
    assert at.hostname is not None
    _, writing = await asyncio.open_connection(at.hostname, at.port)
    head = [
        f"POST {at.path}?{at.query} HTTP/1.1",
        f"Host: {at.netloc}",
        "X-Goog-Upload-Command: upload",
        f"X-Goog-Upload-Offset: {offset}",
        f"Content-Length: {len(chunk)}",
    ]
    writing.write("\r\n".join(head).encode() + b"\r\n\r\n" + chunk[:part])
    await writing.drain()
    return writing


async def test_a_deleted_file_is_on_the_disk_no_more(home: Home):
    async with home.serve() as server, session() as client:
        async with client.post(f"{server.url}/upload/v1beta/files", data=b"a secret") as reply:
            name = (await reply.json())["file"]["name"]
        assert [path.read_bytes() for path in blobs(home)] == [b"a secret"]
        async with client.delete(f"{server.url}/v1beta/{name}") as reply:
            assert (reply.status, await reply.json()) == (200, {})
        assert blobs(home) == []


def blobs(home: Home) -> list[Path]:
    return [path for path in (home.data / "blobs").rglob("*") if path.is_file()]


async def test_files_are_kept_in_an_object_store_and_nowhere_else(home: Home):
    with serve_objects("bucket") as url:
        place = f'[files]\nblobs_url = "s3://bucket/files"\nblobs_endpoint = "{url}"\n'
        home.configure((home.folder / "turnwise.toml").read_text() + place)
        home.environment.update(CREDENTIALS)
        whole = b"".join(noise(20 << 20))
        async with home.serve() as server, session() as client:
            upload = await begin(client, server, len(whole))
            await upload.send("upload", whole[:CHUNK], 0)
            await server.stop(signal.SIGKILL)
        assert blobs(home) == []
        async with home.serve() as server, session() as client:
            upload = upload.to(client, server)
            assert await upload.received() == CHUNK
            _, body = await upload.send("upload, finalize", whole[CHUNK:], CHUNK)
            file = await active(client, server, body["file"]["name"])
            assert file["sha256Hash"] == hash_of(hashlib.sha256(whole))
            assert hash_of(await downloaded(client, server, file["name"])) == hash_of(hashlib.sha256(whole))
        assert blobs(home) == []


async def test_an_object_store_that_cannot_be_had_is_said_in_one_line(home: Home):
    with serve_objects() as url:
        place = f'[files]\nblobs_url = "s3://nowhere/files"\nblobs_endpoint = "{url}"\n'
        home.configure((home.folder / "turnwise.toml").read_text() + place)
        home.environment.update(CREDENTIALS)
        assert "NoSuchBucket" in (await home.run("serve", "--port", "0")).error
