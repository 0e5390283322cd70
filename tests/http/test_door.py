"""The door: whoever comes while there is no room waits, and is not sent away."""

import asyncio
import errno
import socket
from collections.abc import Iterator

import pytest

from support import serve, until, within
from turnwise.http.door import OTHERS, Door, connections_within, take_descriptors
from turnwise.models.model import Taken, TextFragment
from turnwise.models.scripted import say

resource = pytest.importorskip("resource")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.setblocking(False)
        yield bound


async def test_who_comes_while_there_is_no_room_is_let_in_when_there_is(listening: socket.socket):
    came: list[socket.socket] = []
    most = 2
    door = Door([listening], lambda: len(came) < most)
    door.begin(came.append)
    clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
    await until(lambda: door._pause is not None)
    assert len(came) == 2
    most = 3
    await until(lambda: len(came) == 3)
    door.end()
    for one in [*came, *clients]:
        one.close()


async def test_a_process_without_descriptors_loses_nobody(listening: socket.socket, monkeypatch: pytest.MonkeyPatch):
    came: list[socket.socket] = []
    tried: list[int] = []

    class Exhausted:
        """A socket that cannot be accepted from at first, as where the process has no descriptors left."""

        def fileno(self) -> int:
            return listening.fileno()

        def accept(self) -> tuple[socket.socket, object]:
            tried.append(1)
            if len(tried) < 3:
                raise OSError(errno.EMFILE, "Too many open files")
            return listening.accept()

    door = Door([Exhausted()], lambda: True)  # type: ignore[list-item]
    door.begin(came.append)
    with socket.create_connection(listening.getsockname()):
        await until(lambda: len(came) == 1)
    door.end()
    came[0].close()


async def test_calls_beyond_the_room_of_a_server_are_answered_once_there_is_some(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("turnwise.http.server.take_descriptors", lambda: 1)
    gate = asyncio.Event()
    async with serve([Taken(), TextFragment("Half"), gate, *say(" whole")[1:]]) as served:
        body = {"model": "m", "input": "Hi", "stream": True}
        calling = served.client.post(f"{served.url}/v1/interactions", json=body, headers={"connection": "close"})
        async with calling as first:
            await within(first.content.readany())
            waiting = asyncio.ensure_future(served.client.get(f"{served.url}/healthz"))
            door = served.server._arrivals
            assert isinstance(door, Door)
            await until(lambda: door._pause is not None)
            assert not waiting.done()
            gate.set()
            await within(first.read())
        answer = await within(waiting)
        assert answer.status == 200


def test_the_server_takes_as_many_descriptors_as_it_may():
    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = min(limit, 1024)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, highest))
    try:
        connections = take_descriptors()
        taken, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert taken >= few
        assert connections == connections_within(taken)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, highest))


@pytest.mark.parametrize("descriptors", [1, 64, 1024, 65536])
def test_connections_leave_descriptors_for_their_models_and_for_others(descriptors: int):
    connections = connections_within(descriptors)
    assert connections >= 1
    assert descriptors < 4 or 2 * connections <= descriptors - min(OTHERS, descriptors // 2)
