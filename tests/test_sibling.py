"""One of several processes: what it is told, what it is given, and that it goes when its parent does."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from support import until, within
from turnwise.processes import import_path
from turnwise.sibling import ARRIVED, Connections

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not hasattr(socket, "send_fds"), reason="connections cannot be given away here")

WAITING = """
import sys, threading
from turnwise.sibling import Parent
print(Parent(int(sys.argv[1])).sibling.number, flush=True)
threading.Event().wait()
"""
"""One that has heard who it is, and is still far from ready."""

ORDERS: dict[str, Any] = {
    "role": "serve",
    "sibling": {"number": 3, "replaces": False, "engines": "/nowhere/to/be/found/lender.sock"},
    "inherited": [],
    "beat": 5.0,
    "settings": {},
}


@pytest.fixture
async def sibling() -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that waits to hear who it is."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WAITING, str(theirs.fileno())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(theirs.fileno(),),
        env=os.environ | {"PYTHONPATH": import_path()},
    )
    theirs.close()
    yield process
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()
    ours.close()


async def test_one_that_starts_goes_with_its_parent(sibling: asyncio.subprocess.Process):
    assert sibling.stdin is not None
    assert sibling.stdout is not None
    sibling.stdin.write(json.dumps(ORDERS).encode() + b"\n")
    assert await within(sibling.stdout.readline()) == b"3\n"
    sibling.stdin.close()
    assert await within(sibling.wait()) == 1


async def test_one_that_was_told_nothing_yet_goes_without_a_word(sibling: asyncio.subprocess.Process):
    assert sibling.stdin is not None
    sibling.stdin.close()
    assert await within(sibling.communicate()) == (b"", b"")
    assert sibling.returncode == 1


@pytest.fixture
def channel() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Where connections are given: the parent's end, and the process's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        yield ours, theirs


@contextmanager
def given(parent: socket.socket) -> Iterator[socket.socket]:
    """A client, whose connection the parent has given away."""
    client, connection = socket.socketpair()
    with client:
        socket.send_fds(parent, [ARRIVED], [connection.fileno()])
        connection.close()
        yield client


async def test_a_connection_is_no_business_of_processes_that_are_started_meanwhile(
    channel: tuple[socket.socket, socket.socket],
):
    parent, own = channel
    came: list[socket.socket] = []
    connections = Connections(own, lambda: True)
    connections.begin(came.append)
    with given(parent):
        await until(lambda: len(came) == 1)
        assert not came[0].get_inheritable()
    connections.end()
    came[0].close()


async def test_a_process_without_descriptors_loses_no_connection(channel: tuple[socket.socket, socket.socket]):
    parent, own = channel
    came: list[socket.socket] = []
    connections = Connections(own, lambda: True)
    with given(parent) as client:
        with no_descriptors():
            connections.begin(came.append)
            await until(lambda: connections._pause is not None)
            assert came == []
        await until(lambda: len(came) == 1)
        came[0].sendall(b"welcome")
        assert client.recv(16) == b"welcome"
    connections.end()
    came[0].close()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """As long as the block lasts this process can open nothing more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    taken = [lowest]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 32, limits[1]))
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)
