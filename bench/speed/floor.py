"""The floor: the least that a program can do which answers the same calls, and keeps them, in Python.

    FLOOR_UPSTREAM=http://127.0.0.1:8000/v1 FLOOR_DATABASE=floor.db uvicorn --app-dir bench/speed floor:app

It reads no field but `stream`, checks nothing, knows no keys, and has no history. What it answered is committed to
SQLite before the answer is over, by one thread that writes what has come together in one transaction.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import orjson

UPSTREAM = os.environ.get("FLOOR_UPSTREAM", "")
DATABASE = os.environ.get("FLOOR_DATABASE", "")

written: queue.SimpleQueue[tuple[bytes, asyncio.AbstractEventLoop, asyncio.Future[None]]] = queue.SimpleQueue()
session: aiohttp.ClientSession


def write() -> None:
    """Commit what has come together, and tell whoever waits."""
    database = sqlite3.connect(DATABASE, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, body BLOB)")
    while True:
        group = [written.get()]
        while not written.empty():
            group.append(written.get())
        database.execute("BEGIN")
        database.executemany("INSERT INTO answers (body) VALUES (?)", [(body,) for body, _, _ in group])
        database.execute("COMMIT")
        for _, loop, done in group:
            loop.call_soon_threadsafe(done.set_result, None)


async def keep(body: bytes) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    written.put((body, loop, done))
    await done


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    global session
    if scope["type"] == "lifespan":
        await receive()
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        threading.Thread(target=write, daemon=True).start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await session.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    streamed = orjson.loads(body).get("stream", False)
    kind = b"text/event-stream" if streamed else b"application/json"
    async with session.post(f"{UPSTREAM}/chat/completions", data=body) as answer:
        if not streamed:
            whole = await answer.read()
            await keep(whole)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": whole})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        pieces = []
        async for piece in answer.content.iter_any():
            pieces.append(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await keep(b"".join(pieces))
    await send({"type": "http.response.body", "body": b""})
