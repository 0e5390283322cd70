"""A request as the handlers get it: its headers and its query."""

import pytest

from turnwise.http.request import Incoming

HEADERS = [
    (b"host", b"a.example"),
    (b"user-agent", b"one"),
    (b"user-agent", b"two"),
    (b"x-name", "Käthe".encode("latin-1")),
]


def incoming(query: bytes = b"") -> Incoming:
    return Incoming({"type": "http", "method": "GET", "path": "/", "headers": HEADERS, "query_string": query})


@pytest.mark.parametrize(
    ("name", "value"),
    [("host", "a.example"), ("Host", "a.example"), ("user-agent", "one"), ("x-name", "Käthe"), ("x-other", None)],
)
def test_a_header_is_found_by_its_name_and_the_first_of_several_counts(name: str, value: str | None):
    headers = incoming().headers
    assert headers.get(name) == value
    assert (name in headers) is (value is not None)


def test_all_headers_of_one_name_can_be_had():
    assert incoming().headers.getlist("user-agent") == ["one", "two"]
    assert incoming().headers.get("x-other", "none") == "none"


def test_a_query_is_what_was_sent():
    assert dict(incoming(b"a=1&b=").query_params) == {"a": "1", "b": ""}
    assert dict(incoming().query_params) == {}
