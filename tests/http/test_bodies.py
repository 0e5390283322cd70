"""What comes in: bodies and queries that are not what they should be, each refused with a word on why."""

from collections.abc import AsyncIterator

import pytest

from support import open_app, serve

CREATE = "/v1/interactions"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"model": "m", "input": }', b"\xff\xfe", b"{'model': 'm'}", b'{"input": NaN}', b'"\\ud800"']
)
async def test_a_body_that_is_not_json_is_refused(body: bytes):
    async with open_app() as app:
        reply = await app.ask("POST", CREATE, body=body, headers=JSON)
        assert (reply.status, reply.json["error"]["code"]) == (400, "invalid_request")
        assert "not valid JSON" in reply.json["error"]["message"]


@pytest.mark.parametrize("body", [b"null", b"[]", b'"Hi"', b"7", b"true"])
async def test_a_body_that_is_not_an_object_is_refused(body: bytes):
    async with open_app() as app:
        reply = await app.ask("POST", CREATE, body=body, headers=JSON)
        assert reply.status == 400
        assert "must be a JSON object" in reply.json["error"]["message"]


@pytest.mark.parametrize(("levels", "words"), [(100_000, "not valid JSON"), (260, "is nested"), (198, "is nested")])
async def test_a_body_that_is_nested_beyond_reason_is_refused(levels: int, words: str):
    deep = b'{"model": "m", "input": [' + _result(levels) + b"]}"
    async with open_app() as app:
        reply = await app.ask("POST", CREATE, body=deep, headers=JSON)
        assert (reply.status, reply.json["error"]["code"]) == (400, "invalid_request")
        assert words in reply.json["error"]["message"]


async def test_a_body_that_is_nested_within_reason_is_kept_whole():
    call = b'{"type": "function_call", "id": "c", "name": "f", "arguments": {}}'
    body = b'{"model": "m", "input": [{"type": "text", "text": "Hi"}, ' + call + b", " + _result(197) + b"]}"
    async with open_app() as app:
        made = await app.ask("POST", CREATE, body=body, headers=JSON)
        kept = await app.ask("GET", f"{CREATE}/{made.json['id']}")
        assert (made.status, kept.status) == (200, 200)


def _result(levels: int) -> bytes:
    """A function's result that is nested so deep."""
    return b'{"type": "function_result", "call_id": "c", "result": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
async def test_a_body_that_does_not_say_that_it_is_json_is_refused(kind: str):
    async with open_app() as app:
        reply = await app.ask("POST", CREATE, body=b"{}", headers={"content-type": kind})
        assert (reply.status, reply.json["error"]["code"]) == (415, "invalid_request")
        assert kind in reply.json["error"]["message"]
        assert (await app.ask("POST", CREATE, body=b"{}")).status == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"])
async def test_json_goes_by_several_names(kind: str):
    async with open_app() as app:
        body = b'{"model": "m", "input": "Hi"}'
        assert (await app.ask("POST", CREATE, body=body, headers={"content-type": kind})).status == 200


async def test_a_body_at_the_limit_is_taken_and_one_over_it_is_not():
    body = b'{"model": "m", "input": "Hi"}'
    async with open_app(max_body_bytes=len(body)) as app:
        assert (await app.ask("POST", CREATE, body=body, headers=JSON)).status == 200
        reply = await app.ask("POST", CREATE, body=body + b" ", headers=JSON)
        assert (reply.status, reply.json["error"]["code"]) == (413, "invalid_request")
        assert f"limit of {len(body)} bytes" in reply.json["error"]["message"]


async def in_chunks(number: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield b" " * 1000


async def test_a_body_of_unknown_length_is_refused_once_it_is_over_the_limit():
    async with serve(max_body_bytes=10_000) as served:
        url = f"{served.url}{CREATE}"
        async with served.client.post(url, data=in_chunks(50), headers=JSON) as reply:
            assert reply.status == 413
        async with served.client.post(url, data=b" " * 10_001, headers=JSON) as reply:
            assert reply.status == 413
        async with served.post() as reply:
            assert reply.status == 200


@pytest.mark.parametrize(
    ("method", "target", "named"),
    [
        ("POST", "/v1/interactions?strema=true", "strema"),
        ("POST", "/v1/interactions?stream=true", "stream"),
        ("GET", "/v1/interactions/int_1?includeInput=true", "includeInput"),
        ("POST", "/v1/interactions/int_1/cancel?force=true", "force"),
        ("DELETE", "/v1/interactions/int_1?force=true", "force"),
        ("GET", "/v1/models?page=2", "page"),
    ],
)
async def test_an_unknown_query_parameter_is_refused_by_name(method: str, target: str, named: str):
    async with open_app() as app:
        await app.create()
        reply = await app.ask(method, target, json={"model": "m", "input": "Hi"} if method == "POST" else None)
        assert (reply.status, reply.json["error"]["code"]) == (400, "parameter_unknown")
        assert reply.json["error"]["message"].startswith(f"{named}: ")


async def test_a_key_and_the_form_of_the_answer_are_taken_everywhere():
    async with open_app() as app:
        for method, target in (
            ("POST", CREATE),
            ("GET", f"{CREATE}/int_1"),
            ("POST", f"{CREATE}/int_1/cancel"),
            ("DELETE", f"{CREATE}/int_1"),
            ("GET", "/v1/models"),
        ):
            body = {"model": "m", "input": "Hi"} if target == CREATE else None
            assert (await app.ask(method, f"{target}?key=abc&alt=json", json=body)).status == 200
        assert (await app.ask("GET", f"{CREATE}/int_1?alt=xml")).json["error"]["message"].startswith("alt: 'xml'")


@pytest.mark.parametrize("name", ["stream", "include_input"])
@pytest.mark.parametrize("value", ["1", "True", "yes", "TRUE", "0", "null"])
async def test_a_boolean_is_true_or_false(name: str, value: str):
    async with open_app() as app:
        await app.create()
        reply = await app.ask("GET", f"{CREATE}/int_1?{name}={value}")
        assert (reply.status, reply.json["error"]["message"]) == (400, f"{name}: true or false, not '{value}'")
        for good in ("false", ""):
            assert (await app.ask("GET", f"{CREATE}/int_1?{name}={good}")).status == 200


@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "%D9%A1", "1e3", "1" * 16, "0x1", "%201", "%C2%B2"])
async def test_what_is_no_event_id_is_refused(value: str):
    async with open_app() as app:
        await app.create()
        reply = await app.ask("GET", f"{CREATE}/int_1?stream=true&last_event_id={value}")
        assert (reply.status, reply.json["error"]["code"]) == (400, "invalid_request")
        assert reply.json["error"]["message"].startswith("last_event_id: ")


async def test_an_event_id_without_a_stream_is_refused():
    async with open_app() as app:
        await app.create()
        reply = await app.ask("GET", f"{CREATE}/int_1?last_event_id=1")
        assert reply.status == 400
        assert "stream=true" in reply.json["error"]["message"]


async def test_an_event_that_never_was_is_out_of_range():
    async with open_app() as app:
        await app.create()
        reply = await app.ask("GET", f"{CREATE}/int_1?stream=true&last_event_id=99")
        assert (reply.status, reply.json["error"]["code"]) == (416, "out_of_range")


@pytest.mark.parametrize("body", [b"", b"{}", b" {} ", b"null"])
async def test_a_cancel_may_say_nothing_in_many_ways(body: bytes):
    async with open_app() as app:
        await app.create()
        assert (await app.ask("POST", f"{CREATE}/int_1/cancel", body=body, headers=JSON)).status == 200


async def test_a_cancel_that_says_something_is_refused():
    async with open_app() as app:
        await app.create()
        for body in (b'{"force": true}', b"x" * 5000):
            assert (await app.ask("POST", f"{CREATE}/int_1/cancel", body=body, headers=JSON)).status in (400, 413)
