"""Files on the wire: what clients say of one, in either spelling, and what they read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from turnwise.domain.errors import InvalidRequest, UnknownParameter
from turnwise.domain.files import File, FileState, NewFile
from turnwise.domain.interaction import Failure
from turnwise.wire.files import WRITTEN_BY_US, FileResource, parse_mime_type, parse_new_file, parse_size, render_file

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
BASE = "https://files.example/prefix"

FILE = File(
    id="abc",
    owner="ann",
    blob="blob",
    mime_type="text/plain",
    size_bytes=5,
    created=NOON,
    updated=NOON + timedelta(milliseconds=1),
    expires=NOON + timedelta(days=2),
    sha256=bytes.fromhex("185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"),
    state=FileState.ACTIVE,
)

EXACTLY = TypeAdapter(list[FileResource], config=ConfigDict(extra="forbid", strict=True))


def is_described(body: dict[str, Any]) -> bool:
    """Whether the description has every field of a reply, and the reply every field that it must."""
    EXACTLY.validate_python([body])
    return True


# -- what comes


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ({}, NewFile()),
        ({"file": None}, NewFile()),
        ({"file": {}}, NewFile()),
        (
            {"file": {"name": "files/a", "displayName": "b", "mimeType": "a/b", "sizeBytes": "7"}},
            NewFile("a", "b", "a/b", 7),
        ),
        (
            {"file": {"name": "a", "display_name": "b", "mime_type": "a/b", "size_bytes": 7}},
            NewFile("a", "b", "a/b", 7),
        ),
        ({"file": {"name": "", "displayName": "", "mimeType": "", "sizeBytes": 0}}, NewFile(size_bytes=0)),
        ({"file": {"name": None, "displayName": None, "mimeType": None, "sizeBytes": None}}, NewFile()),
        ({"file": {"displayName": "ü" * 512}}, NewFile(display_name="ü" * 512)),
    ],
)
def test_both_spellings_are_understood(said: Any, understood: NewFile):
    assert parse_new_file(orjson.dumps(said)) == understood


@pytest.mark.parametrize("raw", [b"", b"  \n"])
def test_nothing_said_is_nothing_known(raw: bytes):
    assert parse_new_file(raw) == NewFile()


def test_single_quotes_are_understood_since_the_services_own_examples_for_curl_have_them():
    assert parse_new_file(b"{'file': {'display_name': 'Notes', 'size_bytes': 5}}") == NewFile(None, "Notes", "", 5)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"file",
        b"\xff",
        b"{'file': {1: 2}}",
        b"{b'file': {}}",
        b"{'file': {'display_name': b'x'}}",
        b"{'file': {'display_name': '\\ud800'}}",
        b"{'file': __import__('os')}",
        b"{'file': " * 5000,
        b"[" * 60_000,
    ],
)
def test_what_is_no_json_is_refused(raw: bytes):
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        parse_new_file(raw)


@pytest.mark.parametrize("field", sorted(WRITTEN_BY_US))
def test_what_only_the_server_writes_is_refused_by_name(field: str):
    with pytest.raises(InvalidRequest, match=rf"^file\.{field}: .*written by the server"):
        parse_new_file(orjson.dumps({"file": {field: "x"}}))


def test_an_unknown_field_is_refused_by_name():
    with pytest.raises(UnknownParameter, match=r"^file\.colour: "):
        parse_new_file(b'{"file": {"colour": "red"}}')


def test_a_field_in_both_spellings_is_refused():
    with pytest.raises(InvalidRequest, match=r"^file\.mime_type: .*'mimeType'"):
        parse_new_file(b'{"file": {"mimeType": "a/b", "mime_type": "a/c"}}')


@pytest.mark.parametrize(
    "good", ["text/plain", "a/b+c", "application/vnd.a.b-c+json", "text/plain; charset=utf-8", 'a/b;c="d e"', " a/b "]
)
def test_a_mime_type_is_taken_as_it_is(good: str):
    assert parse_mime_type(good, field="x") == good.strip()


@pytest.mark.parametrize("bad", ["text", "a/b/c", "a b/c", "a/b\r\nx: y", "a/b;", "ä/b", "a/" + "b" * 300, "/b", "a/"])
def test_what_is_no_mime_type_is_refused(bad: str):
    with pytest.raises(InvalidRequest, match=r"^x: .* is no mime type"):
        parse_mime_type(bad, field="x")


@pytest.mark.parametrize("bad", ["", "-1", "1.0", "1e3", "٣", "9" * 19, True, None, 1.0, -1, [1]])
def test_what_is_no_number_of_bytes_is_refused(bad: Any):
    with pytest.raises(InvalidRequest, match=r"^x: a number of bytes"):
        parse_size(bad, field="x")


# -- what is read


def test_a_file_is_written_in_camel_case_with_its_size_as_a_text():
    assert render_file(FILE, BASE) == {
        "name": "files/abc",
        "mimeType": "text/plain",
        "sizeBytes": "5",
        "createTime": "2026-01-02T12:00:00.000Z",
        "updateTime": "2026-01-02T12:00:00.001Z",
        "expirationTime": "2026-01-04T12:00:00.000Z",
        "sha256Hash": "MTg1ZjhkYjMyMjcxZmUyNWY1NjFhNmZjOTM4YjJlMjY0MzA2ZWMzMDRlZGE1MTgwMDdkMTc2NDgyNjM4MTk2OQ==",
        "uri": "https://files.example/prefix/v1beta/files/abc",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }


@pytest.mark.parametrize(
    ("file", "more"),
    [
        (replace(FILE, display_name="Notes"), {"displayName": "Notes"}),
        (replace(FILE, source="GENERATED"), {"downloadUri": f"{BASE}/v1beta/files/abc:download?alt=media"}),
        (replace(FILE, details={"videoMetadata": {"videoDuration": "1s"}}), {"videoMetadata": {"videoDuration": "1s"}}),
        (replace(FILE, failure=Failure("invalid_request", "No.")), {"error": {"code": 3, "message": "No."}}),
        (replace(FILE, failure=Failure("api_error", "No.")), {"error": {"code": 13, "message": "No."}}),
    ],
)
def test_what_is_not_known_is_left_out(file: File, more: dict[str, Any]):
    body = render_file(file, BASE)
    assert set(body) - set(render_file(FILE, BASE)) == set(more)
    assert {name: body[name] for name in more} == more
    assert is_described(body)


@pytest.mark.parametrize("state", FileState)
def test_every_state_is_described(state: FileState):
    assert is_described(render_file(replace(FILE, state=state), BASE))


def test_a_file_whose_type_nobody_knows_yet_has_none():
    assert "mimeType" not in render_file(replace(FILE, mime_type=""), BASE)


def test_what_is_not_described_would_be_noticed():
    with pytest.raises(ValidationError):
        is_described({**render_file(FILE, BASE), "colour": "red"})
