"""What may be reached at the wish of a request: the public internet, and what the settings allow beside it.

Requests name addresses, and turnwise stands where the requester does not: inside a network, beside other services, near
a cloud's metadata. So a URL is read once, by the very parser whose result is connected to, and every address that its
name has is checked at the moment of the connection, by the resolver of the connection itself. A name that is
harmless when it is checked and private when it is connected to (DNS rebinding) therefore gains nothing.

    guard = Guard(["127.0.0.1:9000"])
    async with guard.open_session() as session: ...   # an aiohttp session that can reach nothing else
    guard.check(url)                                  # also checks what no resolver is asked for: addresses
"""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLContext
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from turnwise import __version__
from turnwise.domain.errors import InvalidRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 8192
"""In characters."""

HEADER_BYTES, HEADERS = 8190, 100
"""How long one header may be, and how many there may be."""

PRIVATE_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT)
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services inside of every machine there
        "169.254.0.0/16",  # link-local: most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""Those of IANA's special-purpose registry that are not public."""

PUBLIC_6 = IPv6Network("2000::/3")
"""All that has been given out. Everything else is loopback, local, multicast, or nothing yet."""

PRIVATE_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, which holds an IPv4 address in disguise, benchmarks, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
"""How a network without IPv4 reaches it: the address is in the last 32 bits."""

_ENDS_IN_NUMBER = re.compile(r"(^|\.)(\d+|0[xX][0-9a-fA-F]*)\.?$", re.ASCII)
_HOST_NAME = re.compile(r"[a-z0-9_.-]+", re.ASCII)
_HOST_AND_PORT = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::(\d{1,5}))?", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One entry of `[network] allow`."""

    host: str | None
    network: Network | None
    port: int | None

    def covers(self, host: str, port: int, address: Address | None) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        return self.host == host


class Guard:
    """Decides what may be reached."""

    def __init__(
        self, allow: Iterable[str] = (), *, resolver: AbstractResolver | None = None, ssl: SSLContext | None = None
    ) -> None:
        """`allow`: `HOST`, `HOST:PORT` or a network. By default names are resolved as the system does it, and
        certificates are checked against those that it trusts.

        Raises:
            ValueError: an entry of `allow` is none of these.
        """
        self._allowed = tuple(map(_parse_allowed, allow))
        self._resolver = resolver
        self._ssl = ssl

    def check(self, url: str) -> URL:
        """The URL, parsed, if it may be fetched as far as can be told without asking for its name.

        Raises:
            Unsafe: it may not, and why.
        """
        shown = show(url)
        if len(url) > LONGEST_URL:
            raise Unsafe(f"the address {shown} has {len(url)} characters: at most {LONGEST_URL} are taken")
        if _UNSAFE.search(url):
            raise Unsafe(f"the address {shown} has a space, a backslash or a control character: encode it")
        try:
            parsed = URL(url)
            port = parsed.port
        except ValueError as error:
            raise Unsafe(f"the address {shown} is not a URL: {error}") from None
        if parsed.scheme not in ("http", "https"):
            raise Unsafe(f"the address {shown} cannot be fetched: only http:// and https:// are")
        if not parsed.host:
            raise Unsafe(f"the address {shown} has no host")
        if parsed.user is not None or parsed.password is not None:
            raise Unsafe(f"the address {shown} has a user name or a password in it, which are not sent")
        if not port:
            raise Unsafe(f"the address {shown} has the port 0, which is none")
        self._check_host(parsed.raw_host or "", port, shown)
        return _exactly(parsed, url)

    def may_reach(self, host: str, port: int, address: str) -> bool:
        """Whether this address, which a host has, may be connected to."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if "%" not in address and is_public(found):
            return True
        return any(entry.covers(_plain(host), port, _unwrapped(found)) for entry in self._allowed)

    def is_allowed(self, url: URL) -> bool:
        """Whether the settings name this host, by its name or its address, beside the public internet."""
        host, port = url.raw_host or "", url.port or 0
        try:
            address = ip_address(host)
        except ValueError:
            address = None
        return any(entry.covers(_plain(host), port, address) for entry in self._allowed)

    def open_session(self) -> aiohttp.ClientSession:
        """A session that connects to nothing else, and neither sends nor keeps anything of ours: no cookies, no
        credentials, no proxy of the environment, which would look names up by itself. To connect by a name that leads
        elsewhere raises `Refused`."""
        connector = aiohttp.TCPConnector(
            resolver=_GuardedResolver(self, self._resolver or aiohttp.ThreadedResolver()),
            use_dns_cache=False,
            ssl=self._ssl if self._ssl is not None else True,
            limit=0,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"turnwise/{__version__}"},
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            max_headers=HEADERS,
        )

    def _check_host(self, host: str, port: int, shown: str) -> None:
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            if not _HOST_NAME.fullmatch(host):
                raise Unsafe(f"the address {shown} has a host that is no name of one") from None
            if _ENDS_IN_NUMBER.search(host):
                raise Unsafe(
                    f"the address {shown} has a host that ends in a number but is no IPv4 address as it is usually"
                    " written: write it as 192.0.2.1 is written"
                ) from None
        else:
            if not self.may_reach(host, port, host):
                raise Unsafe(_refusal(shown, host))


class _GuardedResolver(AbstractResolver):
    """Finds the addresses of a name, and gives them out only if all of them may be reached."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not found:
            raise OSError(f"'{host}' has no address")
        if not all(self._guard.may_reach(host, port, each["host"]) for each in found):
            raise Refused(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


class Unsafe(InvalidRequest):
    """An address that is not fetched from, whatever stands there."""


class Refused(Exception):
    """A name has an address that may not be reached."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def explain(self, url: str) -> str:
        """What to tell the client: not the address, which would be the answer to a question about our network."""
        return _refusal(show(url), self.host)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet's."""
    address = _unwrapped(address)
    if address.version == 4:
        return not any(address in network for network in PRIVATE_4)
    if address in NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in PUBLIC_6 and not any(address in network for network in PRIVATE_6)


def show(url: str) -> str:
    """A URL for messages: without what may be secret in it, and not too long."""
    plain = re.split(r"[?#]", url, maxsplit=1)
    scheme, slashes, rest = plain[0].partition("://")
    host, slash, path = rest.partition("/")
    shown = scheme + slashes + host.rpartition("@")[2] + slash + path if slashes else plain[0].partition(",")[0]
    shown = "".join(character if character.isprintable() else "?" for character in shown)
    return "'" + shown[:200] + ("..." if len(shown) > 200 else "?..." if len(plain) > 1 else "") + "'"


def _exactly(parsed: URL, url: str) -> URL:
    """The URL with its path and its query as they were written: where they are signed, each character counts."""
    if not url.isascii():
        return parsed.with_fragment(None)
    before, question, query = url.partition("#")[0].partition("?")
    host = parsed.host_subcomponent or ""
    return URL.build(
        scheme=parsed.scheme,
        authority=f"{host}:{parsed.port}" if parsed.explicit_port else host,
        path="/" + before.partition("://")[2].partition("/")[2],
        query_string=query if question else "",
        encoded=True,
    )


def _unwrapped(address: Address) -> Address:
    """An IPv4 address that is written as IPv6 is what is connected to."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _refusal(shown: str, host: str) -> str:
    return (
        f"the address {shown} may not be reached: '{host}' is private or reserved, and not on the public internet."
        ' Whoever runs this server can allow it in the settings: [network] allow = ["HOST:PORT"]'
    )


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _parse_allowed(entry: str) -> _Allowed:
    text = entry.strip().lower()
    for network in (text, text.removeprefix("[").removesuffix("]")):
        try:
            return _Allowed(None, ip_network(network, strict=False), None)
        except ValueError:
            continue
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None:
        raise ValueError(f"'{entry}' is no HOST, no HOST:PORT and no network such as 10.1.0.0/16")
    host, port = found[1] or found[2], int(found[3]) if found[3] else None
    try:
        return _Allowed(None, ip_network(host), port)
    except ValueError:
        return _Allowed(_plain(host), None, port)
