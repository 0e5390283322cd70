"""What is deleted is gone: from the API, and from every file of the data directory, while the server runs."""

import secrets

from .client import Client, open_client
from .home import Home
from .upstream import Upstream
from .waiting import until


async def test_what_was_deleted_is_in_no_file_of_the_data_directory(home: Home, upstream: Upstream):
    upstream.deltas = 40
    mark = secrets.token_hex(8)
    async with home.serve() as server, open_client(server.url) as client:
        ids = [await make(client, f"{mark} {number}") for number in range(8)]
        streams = [client.stream(f"{mark} {number}", system_instruction=mark) for number in range(8)]
        ids += [(await stream.whole())[0].payload["interaction"]["id"] for stream in streams]
        kept = await make(client, "something else")
        assert holding(home, mark) != []

        for id in ids:
            assert (await client.delete(id)).status == 200

        async def is_gone() -> bool:
            return holding(home, mark) == []

        await until(is_gone, within=10)
        assert [(await client.get(id)).status for id in ids] == [404] * 16
        assert (await client.get(kept)).status == 200


async def test_a_turn_that_is_deleted_while_it_runs_leaves_nothing(home: Home, upstream: Upstream):
    upstream.telling.clear()
    upstream.deltas = 40
    mark = secrets.token_hex(8)
    async with home.serve() as server, open_client(server.url) as client:
        running = (await client.create(mark, background=True)).body["id"]
        await upstream.asked(1)
        assert (await client.delete(running)).status == 200

        async def is_gone() -> bool:
            return holding(home, mark) == []

        await until(is_gone, within=10)
        assert (await client.get(running)).status == 404


async def make(client: Client, text: str) -> str:
    return (await client.create(text)).body["id"]


def holding(home: Home, mark: str) -> list[str]:
    """The files in which it can be found."""
    return [path.name for path in home.data.rglob("*") if path.is_file() and mark.encode() in path.read_bytes()]
