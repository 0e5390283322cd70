"""What may be reached: addresses in every disguise, tried against a real server that must never be connected to."""

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from media.web import PUBLIC, Request, give, open_site, redirect
from turnwise.domain.errors import InvalidRequest
from turnwise.media.guard import Guard, is_public, show

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::127.0.0.1",
    "100::1",
    "2001::7f00:1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]

OTHERS = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.167.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]

DISGUISES = {
    "as one number": "http://2130706433:{port}/",
    "as one hexadecimal number": "http://0x7f000001:{port}/",
    "as one octal number": "http://017700000001:{port}/",
    "with a hexadecimal part": "http://0x7f.0.0.1:{port}/",
    "with an octal part": "http://0177.0.0.1:{port}/",
    "with leading zeros": "http://127.000.000.001:{port}/",
    "with two parts": "http://127.1:{port}/",
    "with three parts": "http://127.0.1:{port}/",
    "with a dot behind": "http://127.0.0.1.:{port}/",
    "with a part too many": "http://127.0.0.1.5:{port}/",
    "in wide digits": "http://１２７.0.0.1:{port}/",
    "with wide dots": "http://127。0。0。1:{port}/",
    "in circled digits": "http://①②⑦.0.0.1:{port}/",
    "escaped": "http://%31%32%37.0.0.1:{port}/",
    "with a scope": "http://[fe80::1%25lo]:{port}/",
    "as localhost": "http://localhost:{port}/",
    "as LOCALHOST": "http://LOCALHOST:{port}/",
    "as localhost with a dot": "http://localhost.:{port}/",
    "as localhost in circled letters": "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "by a name": "http://inside.example:{port}/",
    "by one address of two": "http://half.example:{port}/",
    "by a name that is mapped": "http://mapped.example:{port}/",
    "by a name with a scope": "http://scoped.example:{port}/",
    "by the address of this host": "http://zero.example:{port}/",
    "behind a user": "http://public.example@127.0.0.1:{port}/",
    "behind a user and a password": "http://public.example:80@127.0.0.1:{port}/",
    "before a user": "http://127.0.0.1:{port}@public.example/",
    "behind a backslash": "http://public.example\\@127.0.0.1:{port}/",
    "before a backslash": "http://127.0.0.1:{port}\\@public.example/",
    "behind a line": "http://public.example\r\nHost: 127.0.0.1:{port}/",
    "behind a space": "http://127.0.0.1:{port} /",
    "behind a tab": "http://127.0.0.1\t:{port}/",
    "behind a zero byte": "http://127.0.0.1\0.public.example:{port}/",
    "behind an escaped zero byte": "http://127.0.0.1%00.public.example:{port}/",
    "behind an escaped slash": "http://127.0.0.1%2f:{port}/",
    "with a slash too few": "http:/127.0.0.1:{port}/",
    "with slashes too many": "http:///127.0.0.1:{port}/",
    "without a scheme": "//127.0.0.1:{port}/",
    "with nothing else": "127.0.0.1:{port}",
    "with the port 0": "http://public.example:0/",
    "with a port that is none": "http://public.example:99999/",
    "by file": "file:///etc/passwd",
    "by file with a host": "file://127.0.0.1/etc/passwd",
    "by ftp": "ftp://127.0.0.1:{port}/",
    "by gopher": "gopher://127.0.0.1:{port}/_GET%20/",
    "by dict": "dict://127.0.0.1:{port}/",
    "by ws": "ws://127.0.0.1:{port}/",
    "by data": "data:text/plain;base64,SGVsbG8=",
    "by javascript": "javascript:alert(1)",
    "by a path": "/etc/passwd",
    "by nothing": "",
    "by half an address": "http://[::1",
    "by an endless one": "http://public.example/" + "a" * 9000,
}

NOT_BY_REDIRECT = {"behind a line", "behind a zero byte", "with nothing else", "by a path", "by nothing"}
"""What no header can say, or is a path of the same site there."""

NAMES: dict[str, Sequence[Any]] = {
    "localhost": ["127.0.0.1", "::1"],
    "inside.example": ["127.0.0.1"],
    "half.example": ["8.8.8.8", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "scoped.example": ["fe80::1%lo"],
    "zero.example": ["0.0.0.0"],
    "10-0-0-1.example": ["10.0.0.1"],
}


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_private_address_is_connected_to(tmp_path: Path, address: str) -> None:
    async with open_site(give(b"secret")) as site:
        host = f"[{address}]" if ":" in address else address
        for url in (site.url(host=host), site.url(host=host, scheme="https"), site.url(host="named.example")):
            with pytest.raises(InvalidRequest, match="private or reserved"):
                await site.fetcher(names={"named.example": [address]}).fetch(url, tmp_path / "file")
    assert site.connections == 0
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("disguise", DISGUISES)
async def test_no_disguise_leads_inside(tmp_path: Path, disguise: str) -> None:
    async with open_site(give(b"secret")) as site:
        url = DISGUISES[disguise].replace("{port}", str(site.port))
        with pytest.raises(InvalidRequest, match="the address "):
            await site.fetcher(names=NAMES, allow=["other.example"]).fetch(url, tmp_path / "file")
    assert site.connections == 0


@pytest.mark.parametrize("disguise", [name for name in DISGUISES if name not in NOT_BY_REDIRECT])
@pytest.mark.parametrize("status", [302, 308])
async def test_no_redirect_leads_inside(tmp_path: Path, disguise: str, status: int) -> None:
    """A harmless site sends on: it may be reached by its name, what it sends to may not."""
    async with open_site(give(b"secret")) as inside:
        to = DISGUISES[disguise].replace("{port}", str(inside.port)).replace("public.example", "inside.example")
        async with open_site(redirect(to, status)) as site:
            with pytest.raises(InvalidRequest, match="the address "):
                await site.fetcher(names=NAMES).fetch(site.url(), tmp_path / "file")
            assert site.connections == 1
    assert inside.connections == 0


async def test_a_name_that_becomes_private_behind_a_redirect_gains_nothing(tmp_path: Path) -> None:
    """The second connection asks for the name again, and is checked by what it connects to."""
    async with open_site(give(b"secret")) as inside, open_site(redirect(inside.url(host="turns.example"))) as site:
        allow = [f"127.0.0.1:{site.port}"]
        names = {"turns.example": [["127.0.0.1"], ["10.0.0.1"]]}
        with pytest.raises(InvalidRequest, match="private or reserved"):
            await site.fetcher(names=names, allow=allow).fetch(site.url(host="turns.example"), tmp_path / "file")
        assert len(site.requests) == 1
    assert inside.connections == 0


async def test_a_name_is_asked_for_once_and_that_answer_is_connected_to(tmp_path: Path) -> None:
    """Between a check and a connection nothing can change: there is one answer, and it is used for both."""
    async with open_site(give(b"hello")) as site:
        names = {"turns.example": [["127.0.0.1"], ["127.0.0.2"]]}
        fetcher = site.fetcher(names=names, allow=["turns.example"])
        await fetcher.fetch(site.url(host="turns.example"), tmp_path / "file")
    assert site.connections == 1


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OTHERS)
def test_public_addresses_are(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert is_public(ip_address(address))
    assert Guard().may_reach("some.example", 443, address)
    assert Guard().check(f"https://{host}/x").raw_path == "/x"


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "reached"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9000, "127.0.0.1", True),
        ("127.0.0.1:9000", "localhost", 9000, "127.0.0.1", True),
        ("127.0.0.1:9000", "127.0.0.1", 9001, "127.0.0.1", False),
        ("127.0.0.1:9000", "127.0.0.2", 9000, "127.0.0.2", False),
        ("127.0.0.1", "127.0.0.1", 1, "::ffff:127.0.0.1", True),
        ("10.1.0.0/16", "wiki.example", 80, "10.1.2.3", True),
        ("10.1.0.0/16", "wiki.example", 80, "10.2.2.3", False),
        ("wiki.example", "wiki.example", 80, "10.2.2.3", True),
        ("Wiki.Example:80", "wiki.example.", 80, "10.2.2.3", True),
        ("wiki.example:80", "wiki.example", 81, "10.2.2.3", False),
        ("wiki.example", "other.wiki.example", 80, "10.2.2.3", False),
        ("[::1]:8080", "::1", 8080, "::1", True),
        ("[::1]:8080", "::1", 8081, "::1", False),
        ("fd00::/8", "wiki.example", 80, "fd00::5", True),
        ("fd00::/8", "wiki.example", 80, "fe80::5", False),
    ],
)
def test_what_the_settings_allow_may_be_reached_and_no_more(
    entry: str, host: str, port: int, address: str, reached: bool
) -> None:
    assert Guard([entry]).may_reach(host, port, address) is reached


@pytest.mark.parametrize("entry", ["", "http://x", "a b", "x/y", "user@x", "x:port", "*", "10.0.0.0/99"])
def test_an_entry_that_is_none_is_refused_by_its_words(entry: str) -> None:
    with pytest.raises(ValueError, match="no HOST"):
        Guard([entry])


async def test_what_is_allowed_is_fetched(tmp_path: Path) -> None:
    async with open_site(give(b"hello")) as site:
        fetched = await site.fetcher(allow=[f"127.0.0.1:{site.port}"]).fetch(
            site.url(host="127.0.0.1"), tmp_path / "file"
        )
    assert (tmp_path / "file").read_bytes() == b"hello"
    assert fetched.size == 5


def test_messages_say_neither_passwords_nor_queries() -> None:
    assert show("https://me:secret@some.example/path?key=secret#secret") == "'https://some.example/path?...'"
    assert show("data:text/plain;base64,SGVsbG8=") == "'data:text/plain;base64'"
    assert "\n" not in show("http://some.example/\n")
    assert len(show("http://some.example/" + "a" * 9000)) < 250


async def test_a_refusal_does_not_tell_what_a_name_leads_to(tmp_path: Path) -> None:
    async with open_site(give(b"secret")) as site:
        with pytest.raises(InvalidRequest) as refused:
            await site.fetcher(names={"db.example": ["10.7.7.7"]}).fetch("http://db.example/", tmp_path / "file")
    assert "10.7.7.7" not in refused.value.message
    assert "[network] allow" in refused.value.message


async def test_a_path_and_a_query_are_sent_as_they_were_written(tmp_path: Path) -> None:
    seen: list[str] = []

    async def answer(request: Request, writer: Any) -> None:
        seen.append(request.path)
        await give(b"x")(request, writer)

    async with open_site(answer) as site:
        path = "/a%2Fb/%7Ec?sign=a%2Fb%20c+d&x=%E4%BD%A0"
        await site.fetcher().fetch(site.url(path) + "#fragment", tmp_path / "file")
    assert seen == [path]
    assert PUBLIC in site.requests[0].headers["host"]
