"""The surface: which paths and methods there are, and how everything else is refused."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support import App, open_app, within
from turnwise.domain.errors import NotFound, TurnwiseError
from turnwise.http.contracts import ModelEntry
from turnwise.http.models import render_model
from turnwise.http.routes import Application
from turnwise.models.scripted import say

VERSIONS = ("v1", "v1beta", "v1alpha", "v1beta/v1beta", "v1beta/v1", "v1/v1alpha")


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_call_is_there_under_every_version(version: str):
    async with open_app() as app:
        at = f"/{version}/interactions"
        made = await app.ask("POST", at, json={"model": "m", "input": "Hi"})
        assert (made.status, made.headers["content-type"]) == (200, "application/json")
        id = made.json["id"]
        assert (await app.ask("GET", f"{at}/{id}")).json["id"] == id
        assert (await app.ask("POST", f"{at}/{id}/cancel")).json["id"] == id
        deleted = await app.ask("DELETE", f"{at}/{id}")
        assert (deleted.status, deleted.json) == (200, {})
        assert (await app.ask("GET", f"{at}/{id}")).status == 404
        streamed = await app.ask("POST", at, json={"model": "m", "input": "Hi", "stream": True})
        assert streamed.frames[-1].data == "[DONE]"
        assert (await app.ask("GET", f"/{version}/models")).json["models"][0]["name"] == "models/m"
        assert (await app.ask("GET", f"/{version}/models/n")).json["name"] == "models/n"


async def test_a_success_is_exactly_200_and_says_what_it_is():
    async with open_app() as app:
        asked = {"model": "m", "input": "Hi"}
        for method, path, body, kind in (
            ("POST", "", asked, "application/json"),
            ("GET", "/int_1", None, "application/json"),
            ("GET", "/int_1?stream=true", None, "text/event-stream; charset=utf-8"),
            ("POST", "/int_1/cancel", None, "application/json"),
            ("DELETE", "/int_1", None, "application/json"),
            ("POST", "", {**asked, "stream": True}, "text/event-stream; charset=utf-8"),
            ("POST", "", {**asked, "background": True}, "application/json"),
        ):
            reply = await app.ask(method, f"/v1/interactions{path}", json=body)
            assert (reply.status, reply.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/interactions",
        "/v1beta1/interactions",
        "/v1/projects/p/locations/l/interactions",
        "/interactions",
        "/v1/interaction",
        "/v1/v1/v1/interactions",
        "/v1/interactions/a/b/c",
    ],
)
async def test_an_unknown_path_is_an_ordinary_404(path: str):
    async with open_app() as app:
        reply = await app.ask("GET", path)
        assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
        assert f"no such path: GET {path}" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/interactions", "POST"),
        ("PUT", "/v1beta/interactions", "POST"),
        ("POST", "/v1/interactions/int_1", "DELETE, GET"),
        ("PATCH", "/v1/interactions/int_1", "DELETE, GET"),
        ("GET", "/v1/interactions/int_1/cancel", "POST"),
        ("DELETE", "/v1/models", "GET"),
        ("POST", "/healthz", "GET"),
    ],
)
async def test_a_wrong_method_names_those_that_there_are(method: str, path: str, allowed: str):
    async with open_app() as app:
        reply = await app.ask(method, path)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
        assert reply.json["error"]["code"] == "invalid_request"
        assert path in reply.json["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        *("triggers", "triggers/t/executions", "environments", "credentials/c", "voices"),
        "decisions",
    ],
)
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1beta/v1beta"])
async def test_a_resource_that_turnwise_does_not_have_yet_says_so(version: str, path: str):
    async with open_app() as app:
        for method in ("GET", "POST", "DELETE"):
            reply = await app.ask(method, f"/{version}/{path}")
            assert (reply.status, reply.json["error"]["code"]) == (501, "unimplemented")
            assert path.partition("/")[0] in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/v1beta/files", 405, "INVALID_ARGUMENT"),
        ("/v1/files/abc", 405, "INVALID_ARGUMENT"),
        ("/v1beta/files/a/b", 404, "NOT_FOUND"),
        ("/upload/v1beta/files?upload_id=abc", 400, "INVALID_ARGUMENT"),
        ("/v1beta/upload/v1beta/files?colour=red", 400, "INVALID_ARGUMENT"),
        ("/v1/files/a:download", 405, "INVALID_ARGUMENT"),
        ("/v1/files:register", 501, "UNIMPLEMENTED"),
    ],
)
async def test_files_are_refused_in_the_form_of_their_own_api(path: str, status: int, word: str):
    async with open_app() as app:
        reply = await app.ask("POST", path)
        assert reply.status == status
        error = reply.json["error"]
        assert (error["code"], error["status"]) == (status, word)


async def test_an_interaction_that_is_called_like_files_is_still_an_interaction():
    async with open_app() as app:
        reply = await app.ask("GET", "/v1/interactions/files")
        assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_one_word(path: str):
    async with open_app() as app:
        assert (await app.ask("GET", path)).body == b"ok\n"


async def test_the_root_leads_to_the_description():
    async with open_app() as app:
        reply = await app.ask("GET", "/")
        assert (reply.status, reply.headers["location"]) == (307, "/docs")


async def pages(app: App, size: int) -> list[list[str]]:
    found, query = [], f"pageSize={size}"
    while query:
        body = (await app.ask("GET", f"/v1/models?{query}")).json
        found.append([model["name"] for model in body["models"]])
        token = body.get("nextPageToken")
        assert token != "", "an empty token makes a pager ask for ever"
        query = f"pageSize={size}&pageToken={token}" if token else ""
    return found


async def test_models_are_listed_in_pages_and_the_last_has_no_token():
    async with open_app() as app:
        assert await pages(app, 1) == [["models/m"], ["models/n"]]
        assert await pages(app, 2) == [["models/m", "models/n"]]
        for bad in ("pageSize=x", "pageToken=-1", "pageSize=1.5"):
            assert (await app.ask("GET", f"/v1/models?{bad}")).status == 400
        missing = await app.ask("GET", "/v1/models/none")
        assert (missing.status, missing.json["error"]["code"]) == (404, "model_not_found")


async def test_a_page_size_of_nothing_leaves_it_to_the_server():
    async with open_app() as app:
        assert await pages(app, 0) == [["models/m", "models/n"]]


@pytest.mark.parametrize("path", ["/v1/models/m", "/v1/models/models/m"])
async def test_a_model_is_found_by_its_name_in_either_form(path: str):
    async with open_app() as app:
        assert (await app.ask("GET", path)).json["name"] == "models/m"


def test_a_model_that_does_not_write_calls_no_functions():
    shown = render_model(ModelEntry("p", "Paints", None, None, ("text",), outputs=("image",)))
    assert (shown["functionCalling"], shown["structuredOutput"]) == ("none", "none")
    assert shown["outputModalities"] == ["image"]
    assert render_model(ModelEntry("w", "Writes", None, None, ("text",)))["functionCalling"] == "helped"


async def test_our_own_fault_is_an_error_of_the_api_without_its_reason(caplog: pytest.LogCaptureFixture):
    async with open_app([ZeroDivisionError("secret")], say("Hi")) as app:
        with pytest.raises(ZeroDivisionError):  # for the server's own log
            await app.ask("POST", "/v1/interactions", json={"model": "m", "input": "Hi"})
        assert (await app.create())["status"] == "completed"
    assert "secret" in caplog.text


class Wire:
    """What an application sends for one request."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def ask(self, handler: Any) -> None:
        scope = {"type": "http", "method": "GET", "path": "/v1/x", "headers": [], "query_string": b""}
        await Application([Route("/v1/x", handler)])(scope, self._receive, self._send)

    @property
    def statuses(self) -> list[int]:
        return [message["status"] for message in self.sent if message["type"] == "http.response.start"]

    async def _receive(self) -> Any:
        await asyncio.Event().wait()

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


@pytest.mark.parametrize("error", [NotFound("gone"), ZeroDivisionError("oops"), asyncio.CancelledError()])
async def test_what_breaks_in_the_middle_of_a_reply_begins_no_other(error: BaseException):
    class Breaking(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            raise error

    async def handle(request: Request) -> Response:
        return Breaking()

    wire = Wire()
    with pytest.raises(type(error)):  # for the server, which closes the connection
        await within(wire.ask(handle))
    assert wire.statuses == [200]
    assert wire.sent[-1]["more_body"] is True


async def test_what_breaks_before_the_first_word_of_a_reply_is_an_ordinary_error():
    class Late(Response):
        async def __call__(self, *asgi: Any) -> None:
            raise NotFound("gone")

    async def handle(request: Request) -> Response:
        return Late()

    wire = Wire()
    await within(wire.ask(handle))
    assert wire.statuses == [404]
    assert b"gone" in wire.sent[-1]["body"]


async def test_a_call_that_is_cancelled_hears_that_the_server_is_being_stopped():
    async def handle(request: Request) -> Response:
        raise asyncio.CancelledError

    wire = Wire()
    await within(wire.ask(handle))
    assert wire.statuses == [503]
    assert b"the server is being stopped" in wire.sent[-1]["body"]


async def test_an_error_that_is_raised_to_one_caller_after_the_other_gathers_no_frames():
    error: TurnwiseError = NotFound("gone")

    async def handle(request: Request) -> Response:
        raise error

    for _ in range(3):
        await within(Wire().ask(handle))
    assert error.__traceback__ is None
