"""Create, get, cancel and delete as a client sees them, in both dialects."""

import asyncio

import pytest
from multidict import CIMultiDict

from support import HERE, App, open_app, serve, until
from turnwise.domain.errors import (
    ContentBlocked,
    InvalidRequest,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    Unimplemented,
)
from turnwise.domain.interaction import Usage
from turnwise.engine.background import Carrying
from turnwise.models.model import Finished, Taken, TextFragment
from turnwise.models.scripted import say
from turnwise.store.store import Store

AT = "/v1beta/interactions"
OLD_SDK = {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11.7"}
NEW_SDK = {"x-goog-api-client": "google-genai-sdk/3.4.0 gl-python/3.11.7"}
CURL = {"user-agent": "curl/8.5.0"}


async def get(app: App, id: str, headers: dict[str, str] | None = None, query: str = "") -> dict[str, object]:
    reply = await app.ask("GET", f"{AT}/{id}{query}", headers=headers)
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_create_is_answered_with_what_was_produced():
    async with open_app(say("Hello", usage=Usage({"text": 3}, {"text": 1}))) as app:
        made = await app.create(headers=NEW_SDK)
        assert (made["id"], made["object"], made["status"]) == ("int_1", "interaction", "completed")
        assert made["steps"] == [{"type": "model_output", "content": [{"type": "text", "text": "Hello"}]}]
        assert made["usage"]["total_tokens"] == 4
        assert "input" not in made


async def test_a_get_tells_the_whole_timeline_and_the_input_when_asked():
    async with open_app(say("Hello")) as app:
        await app.create("Hi", headers=NEW_SDK)
        asked = {"type": "user_input", "content": [{"type": "text", "text": "Hi"}]}
        found = await get(app, "int_1", NEW_SDK)
        assert found["steps"][0] == asked
        assert "input" not in found
        assert (await get(app, "int_1", NEW_SDK, "?include_input=true&stream=false"))["input"] == [asked]
        founding = await get(app, "int_1", OLD_SDK, "?include_input=true")
        assert founding["outputs"] == [{"type": "text", "text": "Hello"}]
        assert founding["input"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]


@pytest.mark.parametrize(("first", "second"), [(OLD_SDK, NEW_SDK), (NEW_SDK, OLD_SDK)])
async def test_what_one_dialect_made_the_other_continues_and_reads(
    any_store: Store, first: dict[str, str], second: dict[str, str]
):
    async with open_app(say("one"), say("two"), store=any_store) as app:
        made = await app.create("1", headers=first)
        continued = await app.create("2", previous_interaction_id=made["id"], headers=second)
        assert len(app.model.prompts[1].steps) == 3
        for id, text in ((made["id"], "one"), (continued["id"], "two")):
            assert (await get(app, id, OLD_SDK))["outputs"] == [{"type": "text", "text": text}]
            assert (await get(app, id, NEW_SDK))["steps"][-1]["content"] == [{"type": "text", "text": text}]


async def test_a_client_that_says_what_it_speaks_gets_that_alone():
    async with open_app() as app:
        assert not {"outputs", "steps"} <= set(await app.create(headers=OLD_SDK))
        assert "outputs" in await app.create(headers=OLD_SDK)
        assert "outputs" not in await app.create(headers=NEW_SDK)


@pytest.mark.parametrize("headers", [{}, CURL])
async def test_a_client_that_could_be_either_gets_both(headers: dict[str, str]):
    async with open_app(say("Hello")) as app:
        made = await app.create(headers=headers)
        for body in (made, await get(app, made["id"], headers)):
            assert body["outputs"] == [{"type": "text", "text": "Hello"}]
            assert body["steps"][-1]["type"] == "model_output"


async def test_curl_is_streamed_the_founding_dialect_and_an_unknown_client_the_default():
    async with open_app() as app:
        assert (await app.create(stream=True, headers=CURL))[0].name == "interaction.start"
        assert (await app.create(stream=True))[0].name == "interaction.created"
    async with open_app(default_dialect="outputs") as app:
        assert (await app.create(stream=True))[0].name == "interaction.start"


async def test_an_unknown_client_goes_on_in_the_dialect_that_it_began_in():
    async with open_app() as app:
        made = await app.create(headers=OLD_SDK)
        frames = await app.create(previous_interaction_id=made["id"], stream=True)
        assert frames[0].name == "interaction.start"


async def test_a_plain_call_that_is_not_stored_is_answered_and_gone():
    async with open_app(say("Hello")) as app:
        made = await app.create(store=False)
        assert made["outputs"] == [{"type": "text", "text": "Hello"}]
        assert (await app.ask("GET", f"{AT}/{made['id']}")).status == 404


async def test_what_is_not_stored_continues_what_is_and_cannot_be_continued_itself():
    async with open_app() as app:
        kept = await app.create("1")
        unkept = await app.create("2", previous_interaction_id=kept["id"], store=False)
        assert (unkept["status"], unkept["previous_interaction_id"]) == ("completed", kept["id"])
        assert len(app.model.prompts[1].steps) == 3
        body = {"model": "m", "input": "3", "previous_interaction_id": unkept["id"]}
        reply = await app.ask("POST", AT, json=body)
        assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
        assert unkept["id"] in reply.json["error"]["message"]


@pytest.mark.parametrize("headers", [OLD_SDK, NEW_SDK])
async def test_turns_with_roles_are_taken_from_clients_of_either_dialect(headers: dict[str, str]):
    said = [{"role": "user", "content": "Hi"}, {"role": "model", "content": "Yes?"}, {"role": "user", "content": "Bye"}]
    async with open_app() as app:
        assert (await app.create(input=said, headers=headers))["status"] == "completed"
        assert [step.type for step in app.model.prompts[0].steps] == ["user_input", "model_output", "user_input"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("too long"), 400, "invalid_request"),
        (ContentBlocked("no"), 400, "content_blocked"),
        (ModelUnavailable("down"), 503, "service_unavailable"),
        (ModelTimeout("slow"), 504, "gateway_timeout"),
        (RateLimited("later", retry_after=7), 429, "rate_limit_exceeded"),
        (Unimplemented("not here"), 501, "unimplemented"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_goes_wrong_before_the_first_byte_is_an_ordinary_error(
    error: Exception, status: int, code: str, stream: bool
):
    async with open_app([error]) as app:
        reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi", "stream": stream})
        assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
        assert reply.json == {"error": {"code": code, "message": str(error)}}
        assert reply.headers.get("retry-after") == ("7" if status == 429 else None)
        assert reply.headers.get("x-should-retry") == ("false" if status == 501 else None)
        assert (await app.ask("GET", f"{AT}/int_1")).status == 404


async def test_an_unknown_model_is_named():
    async with open_app() as app:
        reply = await app.ask("POST", AT, json={"model": "unknown", "input": "Hi"})
        assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_found")


async def test_an_answer_that_reached_its_limit_is_incomplete():
    async with open_app([Taken(), TextFragment("On and"), Finished("length")]) as app:
        assert (await app.create(headers=NEW_SDK))["status"] == "incomplete"


async def test_a_background_call_is_in_progress_at_once_and_can_be_polled_to_its_end():
    took = asyncio.Event()
    async with open_app([took, *say("Hello")]) as app:
        made = await app.create(background=True, headers=NEW_SDK)
        assert (made["status"], made["background"], made["steps"]) == ("in_progress", True, [])
        assert (await get(app, made["id"], NEW_SDK))["status"] == "in_progress"
        took.set()
        stream = await app.ask("GET", f"{AT}/{made['id']}?stream=true", headers=NEW_SDK)
        assert stream.frames[-2].data["interaction"]["status"] == "completed"
        ended = await get(app, made["id"], NEW_SDK)
        assert (ended["status"], ended["steps"][-1]["content"][0]["text"]) == ("completed", "Hello")


async def test_a_background_call_that_is_refused_by_its_model_fails_where_it_can_be_read():
    took = asyncio.Event()
    async with open_app([took, ModelUnavailable("it is down")]) as app:
        made = await app.create(background=True, headers=NEW_SDK)
        took.set()
        await app.ask("GET", f"{AT}/{made['id']}?stream=true")
        ended = await get(app, made["id"], NEW_SDK)
        assert (ended["status"], ended["errors"]) == (
            "failed",
            [{"code": "service_unavailable", "message": "it is down"}],
        )


async def test_a_background_call_that_streams_is_streamed():
    async with open_app(say("Hello")) as app:
        frames = await app.create(background=True, stream=True, headers=NEW_SDK)
        assert [frame.name for frame in frames[-2:]] == ["interaction.completed", "done"]


async def test_a_background_call_must_be_stored():
    async with open_app() as app:
        reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi", "background": True, "store": False})
        assert reply.status == 400
        assert reply.json["error"]["message"].startswith("background: ")


async def test_cancelling_what_runs_ends_it_and_again_changes_nothing():
    async with open_app([Taken(), TextFragment("Half"), asyncio.Event()]) as app:
        made = await app.create(background=True, headers=NEW_SDK)
        reading = asyncio.create_task(app.ask("GET", f"{AT}/{made['id']}?stream=true", headers=NEW_SDK))
        await until(lambda: len(app.model.prompts) == 1)
        first = await app.ask("POST", f"{AT}/{made['id']}/cancel", headers=NEW_SDK)
        assert (first.status, first.json["status"]) == (200, "cancelled")
        second = await app.ask("POST", f"{AT}/{made['id']}/cancel", headers=NEW_SDK)
        assert second.body == first.body
        frames = (await reading).frames
        assert (frames[-2].name, frames[-2].data["interaction"]["status"]) == ("interaction.completed", "cancelled")


async def test_cancelling_what_has_ended_leaves_it_as_it_is():
    async with open_app() as app:
        made = await app.create(headers=OLD_SDK)
        cancelled = await app.ask("POST", f"{AT}/{made['id']}/cancel", headers=OLD_SDK)
        assert (cancelled.status, cancelled.json) == (200, made)


@pytest.mark.parametrize("running", [False, True])
async def test_what_is_deleted_is_as_unknown_as_what_never_was(running: bool):
    scripts = [[Taken(), asyncio.Event()]] if running else []
    async with open_app(*scripts) as app:
        made = await app.create(background=running)
        await until(lambda: len(app.model.prompts) == 1)
        unknown = await app.ask("GET", f"{AT}/int_99")
        deleted = await app.ask("DELETE", f"{AT}/{made['id']}")
        assert (deleted.status, deleted.body) == (200, b"{}")
        for method, path in (("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel"), ("DELETE", "")):
            reply = await app.ask(method, f"{AT}/{made['id']}{path}")
            assert (reply.status, reply.body.replace(b"int_1", b"int_99")) == (404, unknown.body)
        await until(lambda: app.model.left_early == running)


async def test_what_was_deleted_cannot_be_continued_at_any_depth():
    async with open_app() as app:
        for previous in (None, "int_1", "int_2"):
            await app.create(**({"previous_interaction_id": previous} if previous else {}))
        await app.ask("DELETE", f"{AT}/int_2")
        for previous, status, code in (("int_2", 404, "not_found"), ("int_3", 400, "failed_precondition")):
            body = {"model": "m", "input": "Hi", "previous_interaction_id": previous}
            reply = await app.ask("POST", AT, json=body)
            assert (reply.status, reply.json["error"]["code"]) == (status, code)
            assert "previous_interaction_id" in reply.json["error"]["message"]


async def test_what_runs_cannot_be_continued_yet():
    async with open_app([Taken(), asyncio.Event()]) as app:
        made = await app.create(background=True)
        reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi", "previous_interaction_id": made["id"]})
        assert (reply.status, reply.json["error"]["code"]) == (400, "failed_precondition")


@pytest.mark.parametrize("revision", ["2026-05-20", "2027-01-01", "2026-05-07", "2025-12-01"])
async def test_a_revision_decides_the_dialect(revision: str):
    async with open_app() as app:
        made = await app.create(headers={"api-revision": revision})
        assert ("steps" in made) is (revision >= "2026-05-20")
        assert ("outputs" in made) is (revision < "2026-05-20")


@pytest.mark.parametrize(
    ("agents", "dialect"),
    [
        (["google-genai-sdk/1.75.0 gl-python/3.11.7"], "outputs"),
        (["GeminiNextGenAPIClient/Python 1.55.0", "google-genai-sdk/1.55.0 gl-python/3.11.7"], "outputs"),
        (["google-genai-sdk/2.34.0 gl-python/3.11.7", "GeminiNextGenAPIClient/Python 2.34.0"], "steps"),
    ],
)
async def test_an_sdk_that_says_who_it_is_in_any_of_its_user_agents_is_known(agents: list[str], dialect: str):
    async with serve() as served:
        headers = CIMultiDict(("user-agent", agent) for agent in agents)
        body = {"model": "m", "input": "Hi"}
        async with served.client.post(f"{served.url}{AT}", json=body, headers=headers) as reply:
            assert {"outputs", "steps"} & set(await reply.json()) == {dialect}


async def test_a_revision_that_is_no_date_is_refused_and_nothing_is_run():
    async with open_app() as app:
        reply = await app.ask("POST", AT, json={"model": "m", "input": "Hi"}, headers={"api-revision": "latest"})
        assert (reply.status, app.model.prompts) == (400, [])
        await app.create()
        for method, path in (("GET", ""), ("POST", "/cancel")):
            reply = await app.ask(method, f"{AT}/int_1{path}", headers={"api-revision": "latest"})
            assert reply.status == 400


AI_SDK = {"user-agent": "ai/7.0.1 ai-sdk/provider-utils/5.0.0"}


@pytest.mark.parametrize(
    ("headers", "told"),
    [({"user-agent": "google-genai-sdk/3.4.0"}, "budget_exceeded"), (AI_SDK, "incomplete"), (OLD_SDK, "incomplete")],
)
async def test_a_budget_that_is_used_up_is_told_in_words_that_the_client_knows(headers: dict[str, str], told: str):
    short = Carrying(HERE, seconds=0.001)
    async with open_app([Taken(), asyncio.Event()], carrying=short) as app:
        made = await app.create(background=True, headers=headers)
        streamed = (await app.ask("GET", f"{AT}/{made['id']}?stream=true", headers=headers)).frames
        read = (await app.ask("GET", f"{AT}/{made['id']}", headers=headers)).json
        assert read["status"] == streamed[-2].data["interaction"]["status"] == told
