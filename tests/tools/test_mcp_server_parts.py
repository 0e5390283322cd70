"""What of the tool for MCP servers needs no server: which tools are allowed, what is remembered, how results read."""

from typing import Any

import pytest

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import ToolChoice
from turnwise.tools.mcp_server.allowed import read_allowed
from turnwise.tools.mcp_server.headers import HIDDEN, Secrets, digest
from turnwise.tools.mcp_server.listing import SERVERS, Key, Listing, Listings
from turnwise.tools.mcp_server.outcomes import MEDIA, TOLD, read_result
from turnwise.tools.tool import Outcome

# -- allowed tools

ALLOWED: dict[str, tuple[tuple[ToolChoice, ...], str, bool]] = {
    "nothing is said": ((), "abc", False),
    "all": ((ToolChoice("auto"),), "abc", False),
    "some": ((ToolChoice("auto", ("a", "b")),), "ab", False),
    "some, with valid arguments": ((ToolChoice("validated", ("a",)),), "a", False),
    "some here and some there": ((ToolChoice("auto", ("a",)), ToolChoice("validated", ("c",))), "ac", False),
    "some, and all": ((ToolChoice("auto", ("a",)), ToolChoice("auto")), "abc", False),
    "none": ((ToolChoice("none"),), "", False),
    "none of some": ((ToolChoice("none", ("b",)),), "ac", False),
    "all but some": ((ToolChoice("auto"), ToolChoice("none", ("a", "b"))), "c", False),
    "no names": ((ToolChoice("auto", ()),), "", False),
    "any": ((ToolChoice("any"),), "abc", True),
    "any of some": ((ToolChoice("any", ("a", "b")),), "ab", True),
    "any but some": ((ToolChoice("any"), ToolChoice("none", ("b",))), "ac", True),
}


@pytest.mark.parametrize("kind", ALLOWED)
def test_which_tools_may_be_called(kind: str) -> None:
    entries, names, is_demanded = ALLOWED[kind]
    allowed = read_allowed(entries, "field")
    assert "".join(name for name in "abc" if allowed.covers(name)) == names
    assert allowed.is_demanded == is_demanded
    assert not allowed.is_nothing or names == ""


CONTRADICTIONS: dict[str, tuple[ToolChoice, ...]] = {
    "allowed and not": (ToolChoice("auto", ("a",)), ToolChoice("none", ("a",))),
    "some allowed, and none": (ToolChoice("auto", ("a",)), ToolChoice("none")),
    "any of none": (ToolChoice("any", ()),),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_what_contradicts_itself_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        read_allowed(CONTRADICTIONS[kind], "tools[0].allowed_tools")
    assert error.value.field == "tools[0].allowed_tools"


def test_a_call_of_some_cannot_be_demanded_while_others_are_free() -> None:
    with pytest.raises(Unimplemented, match=r"tools\[0\]\.allowed_tools: turnwise cannot demand"):
        read_allowed((ToolChoice("any", ("a",)), ToolChoice("auto", ("b",))), "tools[0].allowed_tools")


# -- headers


def test_a_value_is_struck_out_wherever_it_stands() -> None:
    secrets = Secrets({"Authorization": "Bearer abcdefgh", "X-Short": "yes"})
    said = {"abcdefgh": ["yes, Bearer abcdefgh", 5, None, True, {"in": "xabcdefghx"}]}
    assert secrets.hide(said) == {HIDDEN: [f"yes, {HIDDEN}", 5, None, True, {"in": f"x{HIDDEN}x"}]}


def test_the_longest_value_is_struck_out_whole() -> None:
    assert Secrets({"A": "secret", "B": "secret-sauce"}).hide("secret-sauce") == HIDDEN


def test_without_headers_nothing_is_struck_out() -> None:
    said = {"a": ["b"]}
    assert Secrets({}).hide(said) is said


def test_a_digest_tells_headers_apart_and_tells_nothing() -> None:
    assert digest({"A": "1", "B": "2"}) == digest({"b": "2", "a": "1"})
    assert digest({"A": "1"}) != digest({"A": "2"})
    assert "opensesame" not in digest({"A": "opensesame"})


# -- what is remembered


def _key(number: int) -> Key:
    return Key("me", f"http://server{number}.example/mcp", "")


def test_the_list_that_was_used_longest_ago_is_forgotten_first() -> None:
    listings = Listings(60, lambda: 0.0)
    for number in range(SERVERS):
        listings.keep(_key(number), Listing())
    assert listings.find(_key(0)) is not None
    listings.keep(_key(SERVERS), Listing())
    assert listings.find(_key(0)) is not None
    assert listings.find(_key(1)) is None


# -- results


def _read(content: list[dict[str, Any]], structured: JSON = None, **more: Any) -> Outcome:
    raw = {"content": content, **({} if structured is None else {"structuredContent": structured}), **more}
    return read_result(raw, None, lambda value, schema: None)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


RESULTS: dict[str, tuple[list[dict[str, Any]], JSON, JSON, JSON]] = {
    "one text": ([_text("a")], None, "a", "a"),
    "two texts": ([_text("a"), _text("b")], None, "a\n\nb", "a\n\nb"),
    "a structure that the text repeats": ([_text('{"a": 1}')], {"a": 1}, {"a": 1}, '{"a": 1}'),
    "a wrapped text": ([_text("a")], {"result": "a"}, {"result": "a"}, "a"),
    "a wrapped number": ([_text("5")], {"result": 5}, {"result": 5}, "5"),
    "wrapped texts": ([_text("a"), _text("b")], {"result": ["a", "b"]}, {"result": ["a", "b"]}, "a\n\nb"),
    "a structure alone": ([], {"a": 1}, {"a": 1}, '{"a":1}'),
    "a structure beside a text": (
        [_text("warm")],
        {"a": 1},
        [_text("warm"), _text('{"a":1}')],
        'warm\n\n{"a":1}',
    ),
    "a structure beside an image": (
        [{"type": "image", "data": "aGk=", "mimeType": "image/png"}],
        {"a": 1},
        [{"type": "image", "data": "aGk=", "mime_type": "image/png"}, _text('{"a":1}')],
        [{"type": "image", "data": "aGk=", "mime_type": "image/png"}, _text('{"a":1}')],
    ),
    "sound": (
        [{"type": "audio", "data": "aGk=", "mimeType": "audio/wav"}],
        None,
        [{"type": "audio", "data": "aGk=", "mime_type": "audio/wav"}],
        [{"type": "audio", "data": "aGk=", "mime_type": "audio/wav"}],
    ),
    "a document": (
        [{"type": "resource", "resource": {"uri": "a:b", "blob": "aGk=", "mimeType": "application/pdf"}}],
        None,
        [_text("[a:b]"), {"type": "document", "data": "aGk=", "mime_type": "application/pdf"}],
        [_text("[a:b]"), {"type": "document", "data": "aGk=", "mime_type": "application/pdf"}],
    ),
    "a link": (
        [{"type": "resource_link", "uri": "a:b", "name": "b", "mimeType": "text/plain", "description": "B"}],
        None,
        "[b at a:b, text/plain: B]",
        "[b at a:b, text/plain: B]",
    ),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_is_shown_and_told(kind: str) -> None:
    content, structured, result, told = RESULTS[kind]
    outcome = _read(content, structured)
    assert outcome.result == result
    assert outcome.told == told


def test_a_tool_that_fails_without_a_word_is_told_so() -> None:
    outcome = _read([], isError=True)
    assert (outcome.result, outcome.told) == (("the tool failed, and did not say why",) * 2)
    assert outcome.is_error


def test_a_model_reads_no_more_than_it_should() -> None:
    outcome = _read([_text("a" * TOLD)] * 10)
    assert len(outcome.result) > 10 * TOLD
    assert len(outcome.told) < TOLD + 200
    assert "[9 more pieces of this result are left out.]" in outcome.told


def test_a_picture_is_shown_behind_a_text_that_is_longer_than_a_model_should_read() -> None:
    outcome = _read([_text("a" * (TOLD + 1)), {"type": "image", "data": "aGk=", "mimeType": "image/png"}])
    cut, picture = outcome.told
    assert cut["text"].endswith(f"[This text has {TOLD + 1} characters; the rest is left out.]")
    assert picture["type"] == "image"


def test_a_model_is_shown_no_more_pictures_than_it_should() -> None:
    outcome = _read([{"type": "image", "data": "aGk=", "mimeType": "image/png"}] * (MEDIA + 3))
    assert len(outcome.result) == MEDIA + 3
    assert len([item for item in outcome.told if item["type"] == "image"]) == MEDIA
    assert outcome.told[-1] == _text("[3 more pieces of this result are left out.]")


def test_the_name_of_a_file_is_none_of_a_path() -> None:
    blob = {"uri": "file:///etc/..%2f..%2fpasswd", "blob": "aGk=", "mimeType": "application/zip"}
    [made] = _read([{"type": "resource", "resource": blob}]).made
    assert made.name == "passwd"


def test_what_is_not_known_is_named() -> None:
    assert _read([{"type": "smell", "data": "roses"}]).told == (
        "[something of the kind 'smell', which is not known here]"
    )
