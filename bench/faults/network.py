"""Hosts in network namespaces, each with a cable of its own to one switch, which this process hangs on too.

    with open_network() as network:
        host = network.make_host("worker-1")
        host.command(["ip", "addr"])    # runs there
        host.unplug()

Addresses are private ones of this run, and all of it is removed behind. It needs root and iproute2.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BOUND = 10.0
"""Seconds that no call of `ip` takes."""

NETWORK = "10.213.7"


@dataclass(frozen=True, slots=True)
class Host:
    """A host of its own."""

    namespace: str
    address: str
    cable: str
    """Its cable, at the switch."""

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another one there."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def unplug(self) -> None:
        """Cut it off from all others. Nobody is told."""
        _ip("link", "set", self.cable, "down")

    def plug_in(self) -> None:
        """Mend its cable."""
        _ip("link", "set", self.cable, "up")

    def lose(self, address: str) -> None:
        """Have nothing arrive any more that it sends to an address. Nobody is told."""
        _ip("-n", self.namespace, "route", "add", "blackhole", address)

    def find(self, address: str) -> None:
        """Have it reach that address again."""
        _ip("-n", self.namespace, "route", "delete", "blackhole", address)


class Network:
    """A switch with hosts."""

    def __init__(self, name: str) -> None:
        self._switch = name
        self._hosts: list[Host] = []
        self.address = f"{NETWORK}.1"
        """Of this process."""
        self.database = f"{NETWORK}.254"
        """Likewise, for the database, so that it can be cut off alone."""
        self.range = f"{NETWORK}.0/24"

    def open(self) -> None:
        """Make the switch."""
        _ip("link", "add", self._switch, "type", "bridge")
        for address in (self.address, self.database):
            _ip("addr", "add", f"{address}/24", "dev", self._switch)
        _ip("link", "set", self._switch, "up")

    def make_host(self) -> Host:
        """One more host."""
        number = len(self._hosts) + 2
        host = Host(f"{self._switch}-{number}", f"{NETWORK}.{number}", f"{self._switch}v{number}")
        _ip("netns", "add", host.namespace)
        self._hosts.append(host)
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        _ip("link", "set", host.cable, "master", self._switch, "up")
        _ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
        _ip("-n", host.namespace, "link", "set", "eth0", "up")
        _ip("-n", host.namespace, "link", "set", "lo", "up")
        return host

    def close(self) -> None:
        """Remove all of it."""
        for host in self._hosts:
            with suppress(RuntimeError):
                _ip("netns", "delete", host.namespace)
        with suppress(RuntimeError):
            _ip("link", "delete", self._switch)


@contextmanager
def open_network() -> Iterator[Network]:
    """A switch without hosts."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise SystemExit("--namespaces needs root and iproute2")
    network = Network(f"tw{os.getpid() % 100000}")
    try:
        network.open()
        yield network
    finally:
        network.close()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=BOUND)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
