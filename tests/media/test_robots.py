"""What sites ask of programs, as RFC 9309 has it: over real sockets."""

import asyncio
from pathlib import Path

import pytest

from media.web import PUBLIC, Answer, Request, Site, dripping, endless, give, open_site, redirect
from turnwise.domain.errors import InvalidRequest
from turnwise.media.guard import Unsafe
from turnwise.media.robots import KEPT, KEPT_WITHOUT, LARGEST, Robots


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def rules(text: str) -> Answer:
    """A site with these rules."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        found = give(text.encode()) if request.path == "/robots.txt" else give(b"", status="404 Not Found")
        await found(request, writer)

    return answer


def robots(site: Site, path: Path, *, seconds: float = 2.0, clock: Clock | None = None) -> Robots:
    fetcher = site.fetcher(max_bytes=4 * LARGEST, seconds=seconds, names={"inside.example": ["127.0.0.1"]})
    return Robots(fetcher, scratch=path, clock=clock or Clock())


async def may_read(answer: Answer, tmp_path: Path, path: str = "/page") -> bool:
    async with open_site(answer) as site, asyncio.timeout(10):
        try:
            await robots(site, tmp_path).admit(site.url(path))
        except InvalidRequest:
            return False
    return True


@pytest.mark.parametrize(
    ("text", "path", "may"),
    [
        ("", "/page", True),
        ("User-agent: *\nDisallow:", "/page", True),
        ("User-agent: *\nDisallow: /", "/page", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /pag", "/page", False),
        ("User-agent: *\nDisallow: /Page", "/page", True),
        ("User-agent: *\nDisallow: /p\nAllow: /page", "/page", True),
        ("User-agent: *\nAllow: /page\nDisallow: /page/inner", "/page/inner", False),
        ("User-agent: *\nAllow: /page\nDisallow: /page", "/page", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?x", True),
        ("User-agent: *\nDisallow: /*?x=", "/a?x=1", False),
        ("User-agent: *\nDisallow: /a%3Cb", "/a%3cb", False),
        ("User-agent: *\nDisallow: /ü", "/%C3%BC", False),
        ("User-agent: Turnwise\nDisallow: /page\n\nUser-agent: *\nAllow: /", "/page", False),
        ("User-agent: turnwise\nAllow: /\n\nUser-agent: *\nDisallow: /", "/page", True),
        ("User-agent: other\nDisallow: /", "/page", True),
        ("User-agent: a\nUser-agent: turnwise\nDisallow: /page", "/page", False),
        ("User-agent: turnwise\nDisallow: /a\n\nUser-agent: turnwise\nDisallow: /page", "/page", False),
        ("\ufeffUser-agent: *\r\nDisallow: /page # all of it\r\n", "/page", False),
        ("<html><body>Not found</body></html>", "/page", True),
        ("User-agent: *\nDisallow: /\0\n\x1f", "/page", True),
    ],
)
async def test_the_longest_rule_of_the_most_fitting_group_holds(
    tmp_path: Path, text: str, path: str, may: bool
) -> None:
    assert await may_read(rules(text), tmp_path, path) is may


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("204 No Content", True),
        ("401 No", True),
        ("403 No", True),
        ("404 Not Found", True),
        ("410 Gone", True),
        ("429 Too Many", True),
        ("500 Oh", False),
        ("503 Busy", False),
    ],
)
async def test_a_site_without_rules_is_read_and_one_that_is_broken_is_not(
    tmp_path: Path, status: str, may: bool
) -> None:
    assert await may_read(give(b"", status=status), tmp_path) is may


async def test_rules_are_followed_to_where_they_are(tmp_path: Path) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        found = redirect("/rules") if request.path == "/robots.txt" else give(b"User-agent: *\nDisallow: /page")
        await found(request, writer)

    assert not await may_read(answer, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"User-agent: *\nDisallow:\n" * 100),
        give(bytes(LARGEST + 1)),
        redirect("/robots.txt"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"#"),
    ],
    ids=["endless", "too large", "a loop", "slow"],
)
async def test_rules_that_cannot_be_had_are_taken_as_a_no(tmp_path: Path, answer: Answer) -> None:
    assert not await may_read(answer, tmp_path)


async def test_rules_behind_a_redirect_inside_are_not_asked_for(tmp_path: Path) -> None:
    async with (
        open_site(give(b"User-agent: *\nAllow: /")) as inside,
        open_site(redirect(inside.url(host="inside.example"))) as site,
    ):
        with pytest.raises(Unsafe):
            await robots(site, tmp_path).admit(site.url())
    assert inside.connections == 0


async def test_rules_of_a_private_site_are_not_asked_for(tmp_path: Path) -> None:
    async with open_site(give(b"")) as site:
        with pytest.raises(Unsafe):
            await robots(site, tmp_path).admit(site.url(host="inside.example"))
    assert site.connections == 0


async def test_large_rules_are_read_up_to_a_bound_and_soon(tmp_path: Path) -> None:
    """Half a megabyte of rules that all must be tried, each of which looks far."""
    many = "User-agent: *\n" + "Disallow: /*a*a*a*a*b\n" * (500 * 1024 // 22)
    late = many.ljust(900 * 1024, "\n") + "Disallow: /\n"
    async with open_site(rules(late)) as site, asyncio.timeout(10):
        await robots(site, tmp_path).admit(site.url("/" + "a" * 4000))


async def test_a_site_is_asked_once_in_a_while(tmp_path: Path) -> None:
    clock = Clock()
    async with open_site(rules("User-agent: *\nDisallow: /no")) as site:
        asking = robots(site, tmp_path, clock=clock)
        await asyncio.gather(*(asking.admit(site.url(f"/{number}")) for number in range(5)))
        with pytest.raises(InvalidRequest, match=rf"http://{PUBLIC}:\d+ asks programs not to read this address"):
            await asking.admit(site.url("/no"))
        assert len(site.requests) == 1
        clock.now = KEPT
        await asking.admit(site.url("/1"))
        assert len(site.requests) == 2


async def test_a_broken_site_is_asked_again_sooner(tmp_path: Path) -> None:
    clock, state = Clock(), {"status": "500 Oh"}

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await give(b"", status=state["status"])(request, writer)

    async with open_site(answer) as site:
        asking = robots(site, tmp_path, clock=clock)
        for _ in range(2):
            with pytest.raises(InvalidRequest, match=r"cannot be known what its robots\.txt asks"):
                await asking.admit(site.url())
        assert len(site.requests) == 1
        clock.now, state["status"] = KEPT_WITHOUT, "404 Not Found"
        await asking.admit(site.url())
