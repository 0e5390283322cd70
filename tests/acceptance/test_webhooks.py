"""Webhooks by a server that is a process: what survives it, and the receivers of the guide."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from receivers import open_receiver
from support import until

from .client import Client, open_client
from .home import Home, end
from .readme import read_blocks
from .test_start import free_port
from .upstream import Upstream
from .waiting import BOUND

GUIDE = Path(__file__).parents[2] / "docs/guides/webhooks.md"
BLOCKS = {block.name: block.code for block in read_blocks(GUIDE.read_text())}
ENDS = ["interaction.completed", "interaction.failed"]


def allow(home: Home, upstream: Upstream) -> None:
    """Let an upstream answer, and what listens on this machine be told."""
    home.answered_by(upstream.url)
    settings = home.folder / "turnwise.toml"
    settings.write_text(settings.read_text() + '\n[network]\nallow = ["127.0.0.1"]\n[webhooks]\nseconds = 1\n')


async def register(client: Client, uri: str) -> dict[str, Any]:
    return await ask(client, "webhooks", {"uri": uri, "subscribed_events": ENDS})


async def ask(client: Client, path: str, body: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.post(f"{client.url}/v1/{path}", json=body) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def test_what_nobody_has_heard_is_told_after_kill_9(home: Home, upstream: Upstream):
    allow(home, upstream)
    async with open_receiver(then="reset") as deaf, home.serve() as server, open_client(server.url) as client:
        webhook = await register(client, deaf.uri())
        id = (await client.create("hello", background=True)).body["id"]
        async with asyncio.timeout(BOUND):
            await until(lambda: bool(deaf.heard))
        await server.stop(signal.SIGKILL)

    async with open_receiver(port=deaf.port) as receiver, home.serve():
        async with asyncio.timeout(BOUND):
            while not receiver.heard:  # noqa: ASYNC110 (another process tells it)
                await asyncio.sleep(0.05)
    first, later = deaf.heard[0], receiver.heard[0]
    assert (later.id, later.body) == (first.id, first.body)
    event = Webhook(webhook["new_signing_secret"]).verify(later.body, dict(later.headers))
    assert event["data"] == {"id": id}


async def test_the_receiver_of_the_guide_hears_what_is_signed_and_refuses_everything_else(
    home: Home, upstream: Upstream
):
    port = free_port()
    allow(home, upstream)
    async with home.serve() as server, open_client(server.url) as client:
        webhook = await register(client, f"http://127.0.0.1:{port}/hear")
        code = BLOCKS["webhooks-receiver"].replace("9000", str(port))
        async with running(code, home, WEBHOOK_SECRET=webhook["new_signing_secret"]) as receiver:
            await listening(port)
            await ask(client, f"webhooks/{webhook['id']}:ping", {})
            assert await asyncio.to_thread(post, port, b'{"type": "ping"}') == 400
            id = (await client.create("hello", background=True)).body["id"]
            async with asyncio.timeout(BOUND):
                assert (await receiver.stdout.readline()).decode() == f"ping {webhook['id']}\n"
                assert (await receiver.stdout.readline()).decode() == f"interaction.completed {id}\n"


async def test_the_token_of_the_guide_holds_the_event(home: Home, upstream: Upstream):
    allow(home, upstream)
    async with open_receiver() as receiver, home.serve() as server, open_client(server.url) as client:
        config = {"uris": [receiver.uri()], "user_metadata": {"job_group": "nightly"}}
        made = await client.create("hello", webhook_config=config)
        await until(lambda: bool(receiver.heard))
        code = BLOCKS["webhooks-token"].replace("http://127.0.0.1:8787", server.url)
        names: dict[str, Any] = {}
        exec(code.replace("https://my-api.example/hear-this", receiver.uri()), names)
        event = await asyncio.to_thread(names["verified"], receiver.heard[0].headers)
    assert event["data"] == {"id": made.body["id"]}
    assert event["user_metadata"] == {"job_group": "nightly"}


@asynccontextmanager
async def running(code: str, home: Home, **environment: str) -> AsyncIterator[Any]:
    """A program in Python, ended behind."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=home.environment | environment,
    )
    try:
        yield process
    finally:
        await end(process)


async def listening(port: int) -> None:
    """Wait until something listens there."""
    async with asyncio.timeout(BOUND):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def post(port: int, body: bytes) -> int:
    """The status of a plain request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=BOUND)
    connection.request("POST", "/hear", body, {"webhook-id": "msg_1", "Content-Type": "application/json"})
    return connection.getresponse().status
