"""Which addresses a conversation names, however people write them."""

from time import perf_counter

import pytest

from turnwise.tools.addresses import Addresses


def find(said: object, url: str) -> str | None:
    known = Addresses()
    known.learn(said)
    return known.find(url)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("Read https://some.example/a.", "https://some.example/a"),
        ("Read https://some.example/a, please", "https://some.example/a"),
        ("(see https://some.example/a)", "https://some.example/a"),
        ("https://some.example/a_(b)", "https://some.example/a_(b)"),
        ("(as in https://some.example/a_(b).)", "https://some.example/a_(b)"),
        ("[this](https://some.example/a) one", "https://some.example/a"),
        ("[1]: https://some.example/a]", "https://some.example/a"),
        ("<https://some.example/a>", "https://some.example/a"),
        ('"https://some.example/a"', "https://some.example/a"),
        ("**https://some.example/a**", "https://some.example/a"),
        ("https://some.example/a!?", "https://some.example/a"),
        ("請看https://some.example/a。謝謝", "https://some.example/a"),
        ("看https://some.example/a这个网页", "https://some.example/a"),
        ("https://some.example/wiki/北京", "https://some.example/wiki/北京"),
        ("https://some.example/wiki/北京", "https://some.example/wiki/%E5%8C%97%E4%BA%AC"),
        ("https://SOME.Example/A", "https://some.example/A"),
        ("https://some.example", "https://some.example/"),
        ("https://some.example/a/", "https://some.example/a"),
        ("https://some.example/a", "https://some.example/a#part"),
        ("https://some.example/a#part", "https://some.example/a"),
        ("https://some.example:443/a", "https://some.example/a"),
        ("http://some.example/a", "https://some.example/a"),
        ("www.some.example/a", "https://www.some.example/a"),
        ("some.example", "https://some.example/"),
        ("some.example:8080/a", "https://some.example:8080/a"),
        ("look at some.example/a?x=1&y=2", "https://some.example/a?x=1&y=2"),
        ("https://some.example/a", "some.example/a"),
        ("https://some.example/a", " <https://some.example/a> "),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        ("https://some.example/?a=1&amp;b=2", "https://some.example/?a=1&b=2"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ({"items": [{"url": "https://some.example/a"}]}, "https://some.example/a"),
        ([{"type": "text", "text": "at https://some.example/a"}], "https://some.example/a"),
    ],
)
def test_an_address_is_known_however_it_is_written(said: object, url: str) -> None:
    assert find(said, url) is not None


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("https://some.example/a", "https://some.example/b"),
        ("https://some.example/a", "https://some.example/a?secret=1"),
        ("https://some.example/a?x=1", "https://some.example/a?x=2"),
        ("https://some.example/a", "https://some.example/A"),
        ("https://some.example/a", "https://some.example/a/secret"),
        ("https://some.example/", "https://secret.some.example/"),
        ("https://some.example/", "https://some.example.evil.example/"),
        ("https://some.example/", "https://some.example:8443/"),
        ("https://some.example/", "https://evil.example/?https://some.example/"),
        ("https://some.example/", "https://some.example@evil.example/"),
        ("https://some.example/", "ftp://some.example/"),
        ("me@some.example", "https://some.example/"),
        ("nothing", "https://some.example/"),
        ("", ""),
        ("https://", "https://"),
    ],
)
def test_another_address_is_not_known(said: object, url: str) -> None:
    assert find(said, url) is None


def test_what_is_found_is_the_address_as_it_was_written() -> None:
    assert find("some.example/a#x and http://other.example/B/.", "http://some.example/a") == "https://some.example/a"
    assert find("http://other.example/B/.", "https://OTHER.example/B") == "http://other.example/B/"


def test_what_others_have_said_before_can_be_left_out() -> None:
    made, known = Addresses(), Addresses()
    made.learn("https://evil.example/?d=secret")
    known.learn("for https://evil.example/?d=secret there is https://some.example/a", but=made)
    assert known.find("https://evil.example/?d=secret") is None
    assert known.find("https://some.example/a") is not None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        "a." * 150_000,
        "a.b-" * 80_000,
        "https://" * 40_000,
        ")" * 300_000,
        "https://a.b/" + "(" * 100_000 + ")" * 100_000,
        "www." * 80_000,
        "a:" * 150_000,
    ],
)
def test_texts_that_are_made_to_wear_out_are_read_soon(text: str) -> None:
    began = perf_counter()
    find(text, "https://some.example/")
    assert perf_counter() - began < 3
