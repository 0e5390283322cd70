"""The Files API: uploads by each protocol, chunk by chunk, and what is read of the files that they become."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from support import NOON, App, Reply, open_app, serve, within
from turnwise.domain.files import NewFile
from turnwise.http.auth import hash_key
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

UPLOAD = "/upload/v1beta/files"
RESUMABLE = {"x-goog-upload-protocol": "resumable"}
START = {**RESUMABLE, "x-goog-upload-command": "start"}
BOUNDARY = "a-boundary"
IN_PARTS = {"x-goog-upload-protocol": "multipart", "content-type": f"multipart/related; boundary={BOUNDARY}"}


async def start(app: App, said: Any = None, *, at: str = UPLOAD, **headers: str) -> str:
    """The path of an upload that has begun."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = await app.ask("POST", at, json=said, headers={**START, **named})
    assert reply.status == 200, reply.body
    assert reply.headers["x-goog-upload-status"] == "active"
    return reply.headers["x-goog-upload-url"].removeprefix("http://test")


async def send(app: App, address: str, command: str, body: bytes = b"", offset: int | str | None = None) -> Reply:
    headers = {"x-goog-upload-command": command}
    if offset is not None:
        headers["x-goog-upload-offset"] = str(offset)
    return await app.ask("POST", address, body=body, headers=headers)


def standing(reply: Reply) -> tuple[int, str | None, str | None]:
    """What a client looks at: the status, how the upload stands, and how much has come."""
    headers = reply.headers
    return reply.status, headers.get("x-goog-upload-status"), headers.get("x-goog-upload-size-received")


def rpc(reply: Reply) -> tuple[int, str]:
    """An error, which must be whole and in the form of the Files API."""
    error = reply.json["error"]
    assert set(error) == {"code", "message", "status"}
    assert error["code"] == reply.status
    return error["code"], error["status"]


# -- the resumable protocol


async def test_a_file_comes_in_chunks():
    async with open_app() as app:
        address = await start(app, {"file": {"display_name": "Notes", "mime_type": "text/plain", "size_bytes": 11}})
        assert standing(await send(app, address, "upload", b"Hello ", 0)) == (200, "active", "6")
        assert standing(await send(app, address, "query")) == (200, "active", "6")
        ended = await send(app, address, "upload, finalize", b"world", 6)
        assert standing(ended) == (200, "final", "11")
        file = ended.json["file"]
        assert (file["displayName"], file["mimeType"], file["sizeBytes"]) == ("Notes", "text/plain", "11")
        assert file["state"] in ("PROCESSING", "ACTIVE")
        downloaded = await app.ask("GET", f"/v1beta/{file['name']}")
        assert downloaded.json["name"] == file["name"]


@pytest.mark.parametrize("command", ["upload, finalize", "upload,finalize", "Upload, Finalize", " upload ,  finalize"])
async def test_a_command_may_be_spelled_in_several_ways(command: str):
    async with open_app() as app:
        assert standing(await send(app, await start(app), command, b"Hello", 0)) == (200, "final", "5")


async def test_the_end_may_come_without_bytes():
    async with open_app() as app:
        address = await start(app)
        await send(app, address, "upload", b"Hello", 0)
        assert standing(await send(app, address, "finalize")) == (200, "final", "5")


@pytest.mark.parametrize("command", ["upload, finalize", "finalize"])
async def test_a_file_of_no_bytes(command: str):
    async with open_app() as app:
        address = await start(app, {"file": {"size_bytes": 0, "mime_type": "text/plain"}})
        ended = await send(app, address, command, b"", 0)
        assert standing(ended) == (200, "final", "0")
        assert ended.json["file"]["sizeBytes"] == "0"


async def test_a_chunk_that_comes_again_changes_nothing():
    async with open_app() as app:
        address = await start(app, {"file": {"size_bytes": 11}})
        for _ in range(2):
            assert standing(await send(app, address, "upload", b"Hello ", 0)) == (200, "active", "6")
        assert standing(await send(app, address, "upload", b"lo wor", 3)) == (200, "active", "9")
        ends = [await send(app, address, "upload, finalize", b"world", 6) for _ in range(2)]
        assert [standing(end) for end in ends] == [(200, "final", "11")] * 2
        assert ends[0].json["file"]["name"] == ends[1].json["file"]["name"]
        digest = hashlib.sha256(b"Hello world").hexdigest()
        assert ends[0].json["file"]["sha256Hash"] == b64encode(digest.encode()).decode()
        assert standing(await send(app, address, "query")) == (200, "final", "11")
        assert standing(await send(app, address, "upload", b"Hello ", 0)) == (200, "final", "11")


async def test_a_gap_is_refused_and_says_where_to_go_on():
    async with open_app() as app:
        address = await start(app)
        await send(app, address, "upload", b"Hello", 0)
        refused = await send(app, address, "upload", b"orld", 7)
        assert standing(refused) == (400, "active", "5")
        assert rpc(refused) == (400, "INVALID_ARGUMENT")
        assert "go on at 5" in refused.json["error"]["message"]


async def test_an_upload_that_is_cancelled_is_over():
    async with open_app() as app:
        address = await start(app)
        await send(app, address, "upload", b"Hello", 0)
        assert standing(await send(app, address, "cancel")) == (200, "cancelled", None)
        for command in ("query", "finalize", "cancel", "upload"):
            late = await send(app, address, command, b"", 0)
            assert standing(late) == (404, "cancelled", None)
            assert rpc(late) == (404, "NOT_FOUND")


async def test_an_upload_that_is_a_file_is_not_cancelled_and_says_so():
    async with open_app() as app:
        address = await start(app)
        await send(app, address, "upload, finalize", b"Hello", 0)
        late = await send(app, address, "cancel")
        assert (standing(late), rpc(late)) == ((400, "final", None), (400, "FAILED_PRECONDITION"))


async def test_bytes_that_are_missing_can_still_come():
    async with open_app() as app:
        address = await start(app, x_goog_upload_header_content_length="5")
        early = await send(app, address, "upload, finalize", b"Hel", 0)
        assert standing(early) == (400, "active", None)
        assert "5 bytes were declared, but 3 have come" in early.json["error"]["message"]
        assert standing(await send(app, address, "upload, finalize", b"lo", 3)) == (200, "final", "5")


async def test_more_than_was_declared_is_refused():
    async with open_app() as app:
        address = await start(app, {"file": {"sizeBytes": "4"}})
        refused = await send(app, address, "upload, finalize", b"Hello", 0)
        assert (refused.status, refused.headers["x-goog-upload-status"]) == (413, "active")


async def test_a_name_that_is_taken_is_not_a_conflict_that_clients_would_retry():
    async with open_app() as app:
        await app.upload(name="files/mine")
        refused = await app.ask("POST", UPLOAD, json={"file": {"name": "files/mine"}}, headers=START)
        assert rpc(refused) == (400, "ALREADY_EXISTS")
        first, second = [await start(app, {"file": {"name": "other"}}) for _ in range(2)]
        await send(app, first, "finalize")
        late = await send(app, second, "upload, finalize", b"Hello", 0)
        assert (late.headers["x-goog-upload-status"], rpc(late)) == ("cancelled", (400, "ALREADY_EXISTS"))


@pytest.mark.parametrize(
    ("command", "headers", "body", "field"),
    [
        ("", {}, b"", "X-Goog-Upload-Command"),
        ("start", {}, b"", "X-Goog-Upload-Command"),
        ("upload, query", {}, b"", "X-Goog-Upload-Command"),
        ("finalize, upload", {}, b"", "X-Goog-Upload-Command"),
        ("upload", {}, b"Hello", "X-Goog-Upload-Offset"),
        ("upload", {"x-goog-upload-offset": "-1"}, b"Hello", "X-Goog-Upload-Offset"),
        ("upload", {"x-goog-upload-offset": "x"}, b"Hello", "X-Goog-Upload-Offset"),
        ("upload", {"x-goog-upload-offset": "9" * 30}, b"Hello", "X-Goog-Upload-Offset"),
        ("query", {}, b"Hello", "X-Goog-Upload-Command"),
        ("cancel", {}, b"Hello", "X-Goog-Upload-Command"),
        ("finalize", {}, b"Hello", "X-Goog-Upload-Command"),
    ],
)
async def test_a_command_that_is_not_understood_changes_nothing(
    command: str, headers: dict[str, str], body: bytes, field: str
):
    async with open_app() as app:
        address = await start(app)
        sent = {"x-goog-upload-command": command, **headers}
        refused = await app.ask("POST", address, body=body, headers=sent)
        assert (refused.headers["x-goog-upload-status"], rpc(refused)) == ("active", (400, "INVALID_ARGUMENT"))
        assert refused.json["error"]["message"].startswith(f"{field}: ")
        assert standing(await send(app, address, "query")) == (200, "active", "0")


# -- what is said of a file


@pytest.mark.parametrize(
    "said",
    [
        {"file": {"name": "files/mine", "displayName": "Notes", "mimeType": "text/plain", "sizeBytes": "5"}},
        {"file": {"name": "mine", "display_name": "Notes", "mime_type": "text/plain", "size_bytes": 5}},
    ],
)
async def test_both_spellings_say_the_same(said: Any):
    async with open_app() as app:
        file = (await send(app, await start(app, said), "upload, finalize", b"Hello", 0)).json["file"]
        assert (file["name"], file["displayName"], file["mimeType"]) == ("files/mine", "Notes", "text/plain")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"file": {}}', b'{"file": null}', b"{'file': {'display_name': 'N'}}"])
async def test_little_need_be_said_and_as_curl_has_it_in_the_services_own_examples(body: bytes):
    async with open_app() as app:
        reply = await app.ask("POST", UPLOAD, body=body, headers=START)
        assert reply.status == 200


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"file": {"colour": "red"}}, "file.colour"),
        ({"fil": {}}, "fil"),
        ({"file": {"uri": "https://example.org"}}, "file.uri"),
        ({"file": {"state": "ACTIVE"}}, "file.state"),
        ({"file": {"displayName": "a", "display_name": "b"}}, "file.display_name"),
        ({"file": {"displayName": "a" * 513}}, "file.displayName"),
        ({"file": {"displayName": 5}}, "file.displayName"),
        ({"file": {"sizeBytes": "-1"}}, "file.size_bytes"),
        ({"file": {"sizeBytes": 1.5}}, "file.size_bytes"),
        ({"file": {"sizeBytes": True}}, "file.size_bytes"),
        ({"file": {"sizeBytes": "9" * 30}}, "file.size_bytes"),
        ({"file": {"mimeType": "text"}}, "file.mime_type"),
        ({"file": {"mimeType": "text/plain\r\nx: y"}}, "file.mime_type"),
        ({"file": {"name": "files/-a"}}, "file.name"),
        ({"file": {"name": "files/" + "a" * 41}}, "file.name"),
        ({"file": "x"}, "file"),
        ([], "the body must be a JSON object"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(said: Any, field: str):
    async with open_app() as app:
        refused = await app.ask("POST", UPLOAD, json=said, headers=START)
        assert rpc(refused) == (400, "INVALID_ARGUMENT")
        assert refused.json["error"]["message"].startswith(field)


@pytest.mark.parametrize(
    ("said", "headers"),
    [
        ({"file": {"sizeBytes": "4"}}, {"x-goog-upload-header-content-length": "5"}),
        ({"file": {"mimeType": "image/png"}}, {"x-goog-upload-header-content-type": "image/jpeg"}),
        ({}, {"x-goog-upload-header-content-length": "many"}),
        ({}, {"x-goog-upload-header-content-type": "plain"}),
    ],
)
async def test_headers_that_contradict_the_body_or_make_no_sense_are_refused(said: Any, headers: dict[str, str]):
    async with open_app() as app:
        refused = await app.ask("POST", UPLOAD, json=said, headers={**START, **headers})
        assert rpc(refused) == (400, "INVALID_ARGUMENT")
        assert refused.json["error"]["message"].startswith("X-Goog-Upload-Header-Content-")


async def test_headers_say_what_the_body_leaves_out():
    async with open_app() as app:
        address = await start(
            app,
            x_goog_upload_header_content_length="5",
            x_goog_upload_header_content_type="text/markdown",
            x_goog_upload_file_name="Z%C3%BCrich.md",
        )
        file = (await send(app, address, "upload, finalize", b"Hello", 0)).json["file"]
        assert (file["displayName"], file["mimeType"]) == ("Zürich.md", "text/markdown")


async def test_what_is_said_of_a_file_has_a_limit():
    async with open_app() as app:
        refused = await app.ask("POST", UPLOAD, body=b" " * 70_000, headers=START)
        assert refused.status == 413


# -- in one request


async def test_the_body_is_the_file():
    async with open_app() as app:
        for at, headers in (
            (UPLOAD, {}),
            (UPLOAD, {"x-goog-upload-protocol": "raw"}),
            (f"{UPLOAD}?uploadType=media", {}),
            (f"{UPLOAD}?upload_protocol=raw", {}),
        ):
            sent = {"content-type": "text/markdown", "x-goog-upload-file-name": "notes.md", **headers}
            reply = await app.ask("POST", at, body=b"Hello", headers=sent)
            assert standing(reply) == (200, "final", "5")
            file = reply.json["file"]
            assert (file["mimeType"], file["displayName"]) == ("text/markdown", "notes.md")
            assert (await app.ask("GET", f"/v1/{file['name']}")).json["sizeBytes"] == "5"


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded"])
async def test_a_body_without_a_type_of_its_own_is_what_its_bytes_are(kind: str):
    async with open_app() as app:
        reply = await app.ask("POST", UPLOAD, body=b"%PDF-1.4\n", headers={"content-type": kind} if kind else {})
        file = await app.settled(reply.json["file"]["name"])
        assert (file["state"], file["mimeType"]) == ("ACTIVE", "application/pdf")


def in_parts(*parts: tuple[str, bytes], end: bytes = b"--") -> bytes:
    body = b"".join(f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + data + b"\r\n" for headers, data in parts)
    return body + f"--{BOUNDARY}".encode() + end + b"\r\n"


ABOUT = ("Content-Type: application/json; charset=utf-8", b'{"file": {"displayName": "Notes"}}')
TEXT = ("Content-Type: text/plain", b"Hello\r\n--not the boundary\r\n")


@pytest.mark.parametrize(("at", "said"), [(UPLOAD, IN_PARTS), (f"{UPLOAD}?uploadType=multipart", {})])
async def test_a_file_comes_behind_what_is_said_of_it(at: str, said: dict[str, str]):
    async with open_app() as app:
        headers = {"content-type": IN_PARTS["content-type"], **said}
        reply = await app.ask("POST", at, body=in_parts(ABOUT, TEXT), headers=headers)
        assert standing(reply) == (200, "final", str(len(TEXT[1])))
        file = reply.json["file"]
        assert (file["displayName"], file["mimeType"]) == ("Notes", "text/plain")
        await app.settled(file["name"])
        assert (await app.ask("GET", f"/v1/{file['name']}:download")).body == TEXT[1]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "breaks off"),
        (in_parts(ABOUT), "two parts"),
        (in_parts(ABOUT, TEXT, TEXT), "more than two parts"),
        (in_parts(ABOUT, TEXT)[:-20], "breaks off"),
        (in_parts(ABOUT, TEXT, end=b""), "breaks off"),
        (in_parts(TEXT, TEXT), "tells of the file in JSON"),
        (in_parts(("Content-Type: application/json", b"{x"), TEXT), "not valid JSON"),
        (in_parts(("Content-Type: application/json", b'{"colour": 1}'), TEXT), "colour"),
        (in_parts(ABOUT, ("Content-Type: plain", b"Hello")), "no mime type"),
        (in_parts(ABOUT, ("Content-Transfer-Encoding: base64", b"SGk=")), "base64"),
        (in_parts((f"X: {'x' * 9000}", b"{}"), TEXT), "header size"),
        (in_parts(("Content-Type: application/json", b" " * 70_000), TEXT), "limit"),
        (b"Hello", "boundary"),
    ],
)
async def test_a_body_in_parts_that_is_not_as_it_should_be_leaves_nothing(body: bytes, why: str):
    async with open_app(max_bytes=1 << 20, quota_bytes=1 << 20) as app:
        refused = await app.ask("POST", UPLOAD, body=body, headers=IN_PARTS)
        assert refused.status in (400, 413)
        rpc(refused)
        assert why in refused.json["error"]["message"]
        assert (await app.ask("GET", "/v1/files")).json == {}
        await app.files.begin("local", NewFile(size_bytes=1 << 20))  # nothing counts against the quota


@pytest.mark.parametrize(
    ("at", "headers", "status", "word"),
    [
        (UPLOAD, {"x-goog-upload-protocol": "carrier-pigeon"}, 400, "carrier-pigeon"),
        (UPLOAD, {"x-goog-upload-command": "start"}, 400, "X-Goog-Upload-Protocol"),
        (UPLOAD, {**RESUMABLE, "x-goog-upload-command": "upload"}, 400, "start"),
        (UPLOAD, RESUMABLE, 400, "start"),
        (UPLOAD, {"content-type": "multipart/form-data; boundary=x"}, 400, "multipart/related"),
        (
            UPLOAD,
            {"x-goog-upload-protocol": "multipart", "content-type": "multipart/form-data; boundary=x"},
            400,
            "rel",
        ),
        (UPLOAD, {"x-goog-upload-protocol": "multipart"}, 400, "boundary"),
        (f"{UPLOAD}?uploadType=resumable", {}, 501, "X-Goog-Upload-Protocol: resumable"),
        (f"{UPLOAD}?uploadType=pigeon", {}, 400, "pigeon"),
        (f"{UPLOAD}?colour=red", {}, 400, "colour"),
        (UPLOAD, {"content-encoding": "gzip"}, 400, "Content-Encoding"),
    ],
)
async def test_other_protocols_are_refused_by_name(at: str, headers: dict[str, str], status: int, word: str):
    async with open_app() as app:
        refused = await app.ask("POST", at, body=b"Hello", headers=headers)
        assert rpc(refused)[0] == status
        assert word in refused.json["error"]["message"]


# -- the address of an upload


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"host": "files.example:8080"}, "http://files.example:8080"),
        ({"host": "[::1]:8787"}, "http://[::1]:8787"),
        ({"host": "a", "x-forwarded-host": "b.example", "x-forwarded-proto": "https"}, "https://b.example"),
        (
            {"host": "a", "x-forwarded-host": "b.example, c.example", "x-forwarded-proto": "https, http"},
            "https://b.example",
        ),
        ({"host": "a", "forwarded": 'for=1.2.3.4;proto=https;host="b.example:9"'}, "https://b.example:9"),
        ({"host": "a", "forwarded": "host=b.example, host=c.example", "x-forwarded-host": "d"}, "http://b.example"),
        ({"host": "a", "x-forwarded-proto": "javascript"}, "http://a"),
        ({"host": "a", "x-forwarded-host": "evil/path?"}, "http://a"),
        ({"host": 'x"><script>'}, "http://test:80"),
        ({"host": ""}, "http://test:80"),
    ],
)
async def test_addresses_have_the_host_that_the_client_asked(headers: dict[str, str], base: str):
    async with open_app() as app:
        started = await app.ask("POST", UPLOAD, headers={**START, **headers})
        assert started.headers["x-goog-upload-url"].startswith(f"{base}/upload/v1beta/files?upload_id=")
        file = (await app.ask("POST", UPLOAD, body=b"Hello", headers=headers)).json["file"]
        assert file["uri"] == f"{base}/v1beta/{file['name']}"


async def test_addresses_have_the_host_that_is_set():
    async with open_app(public_url="https://public.example/prefix/") as app:
        started = await app.ask("POST", UPLOAD, headers={**START, "host": "a", "x-forwarded-host": "b"})
        assert started.headers["x-goog-upload-url"].startswith("https://public.example/prefix/upload/v1beta/files?")
        file = (await app.ask("POST", UPLOAD, body=b"Hello")).json["file"]
        assert file["uri"] == f"https://public.example/prefix/v1beta/{file['name']}"


async def test_an_upload_goes_on_without_a_key_and_a_file_needs_one():
    async with open_app(store=await store_with("ann")) as app:
        assert (await app.ask("POST", UPLOAD, headers=START)).status == 401
        assert rpc(await app.ask("POST", UPLOAD, body=b"Hello")) == (401, "UNAUTHENTICATED")
        address = await start(app, x_goog_api_key="ann-key")
        ended = await send(app, address, "upload, finalize", b"Hello", 0)
        assert ended.status == 200
        name = ended.json["file"]["name"]
        assert (await app.ask("GET", f"/v1/{name}")).status == 401
        assert (await app.ask("GET", f"/v1/{name}", headers={"x-goog-api-key": "ann-key"})).status == 200


async def test_an_address_cannot_be_guessed():
    async with open_app() as app:
        addresses = {await start(app) for _ in range(20)}
        assert len(addresses) == 20
        for address in addresses:
            assert len(address.partition("upload_id=")[2].partition("&")[0]) >= 43
        for guess in ("", "x", "x" * 43, "%00", "f1"):
            refused = await send(app, f"{UPLOAD}?upload_id={guess}", "query")
            assert standing(refused) == (404, "cancelled", None)


VERSIONS = ("v1", "v1beta", "v1alpha", "v1beta/v1beta", "v1beta/v1")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("before", ["", "/v1beta", "/v1beta/v1"])
async def test_every_call_is_there_under_every_version(version: str, before: str):
    async with open_app() as app:
        address = await start(app, at=f"{before}/upload/{version}/files")
        ended = await send(app, address, "upload, finalize", b"Hello", 0)
        name = ended.json["file"]["name"]
        assert (await app.ask("GET", f"/{version}/{name}")).json["name"] == name
        assert len((await app.ask("GET", f"/{version}/files")).json["files"]) == 1
        await app.settled(name)
        assert (await app.ask("GET", f"/{version}/{name}:download?alt=media")).body == b"Hello"
        assert (await app.ask("DELETE", f"/{version}/{name}")).json == {}
        assert rpc(await app.ask("GET", f"/{version}/{name}")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/upload/v1beta/files"),
        ("POST", "/v1beta/files"),
        ("PATCH", "/v1beta/files/abc"),
        ("POST", "/v1beta/files/abc:download"),
        ("GET", "/v1beta/files:register"),
    ],
)
async def test_a_wrong_method_is_refused_in_the_form_of_this_api(method: str, path: str):
    async with open_app() as app:
        refused = await app.ask(method, path)
        assert rpc(refused)[0] == 405
        assert refused.headers["allow"]


async def test_register_is_refused_by_name():
    async with open_app() as app:
        refused = await app.ask("POST", "/v1beta/files:register", json={"uris": ["gs://bucket/file"]})
        assert rpc(refused) == (501, "UNIMPLEMENTED")
        assert "files:register" in refused.json["error"]["message"]


# -- files


async def test_a_file_as_a_client_reads_it():
    async with open_app() as app:
        file = await app.upload(b"Hello", name="files/mine", display_name="Notes")
        assert file == {
            "name": "files/mine",
            "displayName": "Notes",
            "mimeType": "text/plain",
            "sizeBytes": "5",
            "createTime": file["createTime"],
            "updateTime": file["updateTime"],
            "expirationTime": file["expirationTime"],
            "sha256Hash": b64encode(hashlib.sha256(b"Hello").hexdigest().encode()).decode(),
            "uri": "http://test/v1beta/files/mine",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }
        for time in ("createTime", "updateTime", "expirationTime"):
            assert file[time].endswith("Z")
        assert file["createTime"][:11] == "2026-01-02T"
        assert file["expirationTime"][:11] == "2026-01-04T"


async def test_a_file_that_failed_says_why():
    async with open_app() as app:
        file = await app.upload(b"Hello", mime_type="image/png")
        assert file["state"] == "FAILED"
        assert file["error"]["code"] == 3
        assert "image/png" in file["error"]["message"]
        refused = await app.ask("GET", f"/v1/{file['name']}:download")
        assert rpc(refused) == (400, "FAILED_PRECONDITION")
        assert file["error"]["message"] in refused.json["error"]["message"]


async def test_what_a_model_made_can_be_downloaded_by_its_own_address():
    async with open_app() as app:
        made = await app.files.keep("local", b"Hello", "text/plain")
        file = (await app.ask("GET", f"/v1beta/files/{made.id}")).json
        assert (file["source"], file["state"]) == ("GENERATED", "ACTIVE")
        assert (await app.ask("GET", file["downloadUri"].removeprefix("http://test"))).body == b"Hello"


@pytest.mark.parametrize("address", ["http://127.0.0.1:8787/v1beta/", "https://host/a/prefix/v1/", "http:/host/v1/"])
async def test_a_file_is_found_by_its_whole_address_as_the_sdks_put_it_into_the_path(address: str):
    async with open_app() as app:
        made = await app.files.keep("local", b"Hello", "text/plain")
        path = f"/v1beta/files/{address}files/{made.id}"
        assert (await app.ask("GET", path)).json["name"] == f"files/{made.id}"
        assert (await app.ask("GET", f"{path}:download?alt=media")).body == b"Hello"
        assert (await app.ask("DELETE", path)).json == {}
        assert rpc(await app.ask("GET", path)) == (404, "NOT_FOUND")


async def test_files_are_listed_in_pages_and_the_last_has_no_token():
    async with open_app() as app:
        made = [(await app.upload())["name"] for _ in range(5)]
        seen, sizes, query = [], [], "pageSize=2"
        while query:
            page = (await app.ask("GET", f"/v1beta/files?{query}")).json
            seen += [file["name"] for file in page["files"]]
            sizes.append(len(page["files"]))
            token = page.get("nextPageToken")
            assert token != "", "an empty token makes a pager ask for ever"
            query = f"pageSize=2&pageToken={token}" if token else ""
        assert (seen, sizes) == (made[::-1], [2, 2, 1])
        assert len((await app.ask("GET", "/v1beta/files?pageSize=5")).json) == 1


async def test_a_page_has_ten_files_when_nobody_says_how_many():
    async with open_app() as app:
        for _ in range(11):
            await app.upload()
        for query in ("", "?pageSize=", "?pageSize=0", "?pageToken="):
            assert len((await app.ask("GET", f"/v1beta/files{query}")).json["files"]) == 10
        assert len((await app.ask("GET", "/v1beta/files?pageSize=100")).json["files"]) == 11


async def test_no_files_are_an_empty_list():
    async with open_app() as app:
        assert (await app.ask("GET", "/v1beta/files")).json == {}


@pytest.mark.parametrize(
    "query", ["pageSize=101", "pageSize=-1", "pageSize=x", "pageSize=1.5", "pageToken=x", "page=1", "alt=media"]
)
async def test_a_query_that_makes_no_sense_is_refused_by_name(query: str):
    async with open_app() as app:
        refused = await app.ask("GET", f"/v1beta/files?{query}")
        assert rpc(refused)[0] == 400
        assert refused.json["error"]["message"].startswith(query.partition("=")[0])


async def test_what_is_deleted_is_gone():
    async with open_app() as app:
        name = (await app.upload())["name"]
        deleted = await app.ask("DELETE", f"/v1beta/{name}")
        assert (deleted.status, deleted.json) == (200, {})
        for method, path in (("GET", name), ("DELETE", name), ("GET", f"{name}:download")):
            assert rpc(await app.ask(method, f"/v1beta/{path}")) == (404, "NOT_FOUND")
        assert (await app.ask("GET", "/v1beta/files")).json == {}


async def store_with(*owners: str) -> MemoryStore:
    store = MemoryStore()
    for owner in owners:
        await store.add_key(Key(f"key_{owner}", owner, owner, hash_key(f"{owner}-key"), owner[:2], NOON))
    return store


async def test_a_strangers_file_is_answered_byte_for_byte_like_an_unknown_one():
    async with open_app(store=await store_with("ann", "eve")) as app:
        ann, eve = {"x-goog-api-key": "ann-key"}, {"x-goog-api-key": "eve-key"}
        await app.upload(name="hers", headers=ann)
        for method, path in (("GET", "/."), ("DELETE", "/."), ("GET", "/.:download"), ("GET", "/.:download?alt=media")):
            theirs, unknown = [
                await app.ask(method, f"/v1beta/files{path.replace('.', id, 1)}", headers=eve)
                for id in ("hers", "none")
            ]
            assert theirs.status == unknown.status == 404
            assert theirs.body.replace(b"hers", b"none") == unknown.body
            assert theirs.headers == unknown.headers
        assert (await app.ask("GET", "/v1beta/files", headers=eve)).json == {}
        assert (await app.ask("POST", UPLOAD, json={"file": {"name": "hers"}}, headers={**START, **eve})).status == 200
        assert (await app.ask("GET", "/v1beta/files/hers", headers=ann)).status == 200


async def test_what_each_owner_keeps_is_bounded():
    async with open_app(store=await store_with("ann", "eve"), quota_bytes=2000) as app:
        ann, eve = {"x-goog-api-key": "ann-key"}, {"x-goog-api-key": "eve-key"}
        file = await app.upload(b"a" * 1500, headers=ann)
        said = {"file": {"sizeBytes": "501"}}
        refused = await app.ask("POST", UPLOAD, json=said, headers={**START, **ann})
        assert rpc(refused) == (429, "RESOURCE_EXHAUSTED")
        assert "2000 bytes" in refused.json["error"]["message"]
        assert (await app.ask("POST", UPLOAD, json=said, headers={**START, **eve})).status == 200
        await app.ask("DELETE", f"/v1/{file['name']}", headers=ann)
        assert (await app.ask("POST", UPLOAD, json=said, headers={**START, **ann})).status == 200


@pytest.mark.parametrize("headers", [START, {}, {"x-goog-upload-header-content-length": "2001", **START}])
async def test_a_file_over_the_limit_is_refused(headers: dict[str, str]):
    async with open_app(max_bytes=2000) as app:
        json = {"file": {"sizeBytes": "2001"}} if "x-goog-upload-protocol" in headers else None
        refused = await app.ask("POST", UPLOAD, json=json, body=b"a" * 2001, headers=headers)
        assert rpc(refused) == (413, "INVALID_ARGUMENT")
        assert "2000 bytes" in refused.json["error"]["message"]


# -- downloads


@pytest.mark.parametrize(
    ("asked", "status", "got", "content_range"),
    [
        (None, 200, b"0123456789", None),
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=3-3", 206, b"3", "bytes 3-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=-99", 200, b"0123456789", None),
        ("bytes=0-", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("bytes=5-3", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("nonsense", 200, b"0123456789", None),
        (f"bytes=2-{'9' * 5000}", 206, b"23456789", "bytes 2-9/10"),
        (f"bytes=-{'9' * 5000}", 200, b"0123456789", None),
    ],
)
async def test_a_file_is_downloaded_whole_or_in_part(
    asked: str | None, status: int, got: bytes, content_range: str | None
):
    async with open_app() as app:
        name = (await app.upload(b"0123456789", mime_type="text/markdown"))["name"]
        headers = {} if asked is None else {"range": asked}
        reply = await app.ask("GET", f"/v1beta/{name}:download?alt=media", headers=headers)
        assert (reply.status, reply.body, reply.headers.get("content-range")) == (status, got, content_range)
        assert (reply.headers["content-length"], reply.headers["content-type"]) == (str(len(got)), "text/markdown")


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=99-", "bytes=-0", f"bytes={'9' * 5000}-"])
async def test_a_part_that_is_not_there_is_out_of_range(asked: str):
    async with open_app() as app:
        name = (await app.upload(b"0123456789"))["name"]
        refused = await app.ask("GET", f"/v1beta/{name}:download", headers={"range": asked})
        assert rpc(refused) == (416, "OUT_OF_RANGE")


async def test_a_file_of_no_bytes_can_be_downloaded():
    async with open_app() as app:
        name = (await app.upload(b""))["name"]
        reply = await app.ask("GET", f"/v1beta/{name}:download")
        assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")


async def test_a_download_is_never_a_page_of_this_server():
    async with open_app() as app:
        page = b"<script>alert(1)</script>"
        name = (await app.upload(page, mime_type="text/html", display_name='a "b"\r\nc: ü/../x'))["name"]
        reply = await app.ask("GET", f"/v1beta/{name}:download")
        assert reply.headers["content-disposition"].startswith("attachment; filename*=UTF-8''a%20%22b%22%0D%0Ac")
        assert "sandbox" in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"


# -- over a real socket


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_a_large_file_comes_and_goes_over_a_real_connection():
    data = bytes(range(256)) * (70_000)  # 17.9 MB
    async with serve() as served:
        start = await served.client.post(f"{served.url}{UPLOAD}", headers=START)
        address = start.headers["x-goog-upload-url"]
        assert address.startswith(served.url)
        step = 8 << 20
        for offset in range(0, len(data), step):
            last = offset + step >= len(data)
            headers = {
                "x-goog-upload-command": "upload, finalize" if last else "upload",
                "x-goog-upload-offset": str(offset),
            }
            reply = await served.client.post(address, data=BytesIO(data[offset : offset + step]), headers=headers)
            assert reply.headers["x-goog-upload-status"] == ("final" if last else "active")
        file = (await reply.json())["file"]
        assert file["sizeBytes"] == str(len(data))
        await served.app.settled(file["name"])
        got = await served.client.get(f"{file['uri']}:download?alt=media")
        assert await got.read() == data


async def test_a_file_of_unknown_length_comes_over_a_real_connection():
    async with serve() as served:
        reply = await served.client.post(f"{served.url}{UPLOAD}", data=in_pieces(b"Hel", b"lo"))
        assert (reply.status, (await reply.json())["file"]["sizeBytes"]) == (200, "5")


async def test_what_came_before_a_connection_broke_is_kept():
    async with serve() as served:
        begun = await served.client.post(f"{served.url}{UPLOAD}", headers=START)
        address = begun.headers["x-goog-upload-url"]
        secret = address.partition("upload_id=")[2].partition("&")[0]
        whole = bytes(range(256)) * 5000

        async def came(size: int) -> None:
            while (await served.app.files.query(secret)).received < size:  # noqa: ASYNC110
                await asyncio.sleep(0)  # there is no event

        async def breaking() -> AsyncIterator[bytes]:
            yield whole[:1_200_000]
            await within(came(1 << 20))
            raise ConnectionError("the line went down")

        headers = {"x-goog-upload-command": "upload", "x-goog-upload-offset": "0"}
        with pytest.raises(aiohttp.ClientConnectionError):
            await served.client.post(address, data=breaking(), headers=headers)

        asked = await served.client.post(address, headers={"x-goog-upload-command": "query"})
        received = int(asked.headers["x-goog-upload-size-received"])
        assert 1 << 20 <= received <= 1_200_000
        headers = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": str(received)}
        reply = await served.client.post(address, data=whole[received:], headers=headers)
        digest = hashlib.sha256(whole).hexdigest()
        assert (await reply.json())["file"]["sha256Hash"] == b64encode(digest.encode()).decode()
