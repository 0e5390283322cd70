"""Webhooks over HTTP: registered, read, changed, tried and removed; a background interaction that is told of; and what
is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from standardwebhooks import Webhook as StandardWebhook

from receivers import open_receiver
from support import App, open_app, until, webhooks_of
from turnwise.http.auth import hash_key
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

HOOKS = "/v1/webhooks"
NEW = {"uri": "https://hooks.example/hear", "subscribed_events": ["interaction.completed", "batch.succeeded"]}


@asynccontextmanager
async def open_telling_app() -> AsyncIterator[App]:
    """An application that tells."""
    store = MemoryStore()
    webhooks = webhooks_of(store, clock=lambda: datetime.now(UTC))
    await webhooks.start()
    try:
        async with open_app(store=store, webhooks=webhooks) as app:
            yield app
            await until(lambda: not webhooks._outbox._telling)
    finally:
        await webhooks.close()


async def make(app: App, **said: Any) -> dict[str, Any]:
    reply = await app.ask("POST", HOOKS, json={**NEW, **said})
    assert reply.status == 200, reply.body
    return reply.json


# -- the resource


async def test_a_webhook_is_registered_and_its_secret_is_shown_once():
    async with open_app() as app:
        made = await make(app, name="Mine")
        read = (await app.ask("GET", f"/v1beta/webhooks/{made['id']}")).json
    secret = made.pop("new_signing_secret")
    assert secret.startswith("whsec_")
    assert made == read
    assert read["signing_secrets"] == [{"truncated_secret": f"{secret[:10]}..."}]
    assert (read["name"], read["state"], read["uri"]) == ("Mine", "enabled", NEW["uri"])
    assert read["subscribed_events"] == NEW["subscribed_events"]
    assert read["create_time"] == read["update_time"]


async def test_webhooks_are_listed_oldest_first_page_by_page():
    async with open_app() as app:
        assert (await app.ask("GET", HOOKS)).json == {}
        made = [(await make(app))["id"] for _ in range(3)]
        first = (await app.ask("GET", f"{HOOKS}?page_size=2")).json
        rest = (await app.ask("GET", f"{HOOKS}?page_size=1001&page_token={first['next_page_token']}")).json
    assert [webhook["id"] for webhook in [*first["webhooks"], *rest["webhooks"]]] == made
    assert "next_page_token" not in rest
    assert "new_signing_secret" not in first["webhooks"][0]


async def test_a_webhook_is_changed_by_its_body_or_its_mask():
    async with open_app() as app:
        at = f"{HOOKS}/{(await make(app, name='Mine'))['id']}"
        off = (await app.ask("PATCH", at, json={"state": "disabled"})).json
        changed = {"uri": "https://hooks.example/other", "name": "Other"}
        masked = (await app.ask("PATCH", f"{at}?update_mask=uri", json=changed)).json
    assert (off["state"], off["name"]) == ("disabled", "Mine")
    assert off["update_time"] > off["create_time"]
    assert (masked["uri"], masked["name"], masked["state"]) == ("https://hooks.example/other", "Mine", "disabled")


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_webhook_is_tried(body: bytes):
    async with open_receiver() as receiver, open_app() as app:
        made = await make(app, uri=receiver.uri())
        reply = await app.ask("POST", f"{HOOKS}/{made['id']}:ping", body=body)
    assert (reply.status, reply.json) == (200, {})
    assert receiver.heard[0].json["type"] == "ping"


async def test_a_webhook_that_does_not_hear_a_try_says_so():
    async with open_receiver(503) as receiver, open_app() as app:
        made = await make(app, uri=receiver.uri())
        reply = await app.ask("POST", f"{HOOKS}/{made['id']}:ping")
    assert (reply.status, reply.json["error"]["code"]) == (400, "failed_precondition")
    assert "status 503" in reply.json["error"]["message"]


@pytest.mark.parametrize("verb", [":rotateSigningSecret", "/rotate_secret"])
async def test_a_webhook_gets_a_new_secret(verb: str):
    async with open_app() as app:
        made = await make(app)
        said = {"revocation_behavior": "REVOKE_PREVIOUS_SECRETS_AFTER_H24"}
        new = (await app.ask("POST", f"{HOOKS}/{made['id']}{verb}", json=said)).json["secret"]
        newest, older = (await app.ask("GET", f"{HOOKS}/{made['id']}")).json["signing_secrets"]
    assert newest == {"truncated_secret": f"{new[:10]}..."}
    assert older["truncated_secret"] == f"{made['new_signing_secret'][:10]}..."
    assert "expire_time" in older


async def test_a_webhook_that_is_deleted_is_gone():
    async with open_app() as app:
        at = f"{HOOKS}/{(await make(app))['id']}"
        assert (await app.ask("DELETE", at)).json == {}
        calls = [("GET", ""), ("DELETE", ""), ("POST", ":ping"), ("POST", ":rotateSigningSecret")]
        for reply in [await app.ask(method, at + verb) for method, verb in calls]:
            assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
        assert (await app.ask("PATCH", at, json={"name": "x"})).status == 404


async def test_a_webhook_is_its_owners_alone():
    store = MemoryStore()
    for owner in ("ann", "bob"):
        await store.add_key(Key(owner, owner, "", hash_key(f"{owner}-key"), owner, datetime.now(UTC)))
    async with open_app(store=store) as app:
        ann, bob = ({"x-goog-api-key": f"{owner}-key"} for owner in ("ann", "bob"))
        made = (await app.ask("POST", HOOKS, json=NEW, headers=ann)).json
        assert (await app.ask("GET", HOOKS, headers=bob)).json == {}
        for method in ("GET", "DELETE"):
            assert (await app.ask(method, f"{HOOKS}/{made['id']}", headers=bob)).status == 404
        assert (await app.ask("GET", HOOKS)).status == 401
        assert (await app.ask("GET", f"{HOOKS}/{made['id']}", headers=ann)).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**NEW, "uri": "http://hooks.example"}, "uri"),
        ({**NEW, "uri": "https://10.1.2.3/"}, "uri"),
        ({**NEW, "subscribed_events": ["interaction.begun"]}, "subscribed_events[0]"),
        ({**NEW, "colour": "red"}, "colour"),
        ({**NEW, "id": "mine"}, "id"),
    ],
)
async def test_what_is_no_webhook_is_refused_by_its_field(body: Any, field: str):
    async with open_app() as app:
        reply = await app.ask("POST", HOOKS, json=body)
    assert reply.status == 400
    assert reply.json["error"]["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("query", ["page_size=x", "page_size=-1", "page_token=nonsense", "pageSize=1"])
async def test_a_query_that_is_none_is_refused_by_its_field(query: str):
    async with open_app() as app:
        reply = await app.ask("GET", f"{HOOKS}?{query}")
    assert reply.status == 400
    assert reply.json["error"]["message"].startswith(f"{query.partition('=')[0]}: ")


async def test_a_body_that_is_too_long_is_refused():
    async with open_app() as app:
        assert (await app.ask("POST", HOOKS, json={**NEW, "name": "n" * 70_000})).status == 413


# -- what is told


async def test_the_end_of_a_background_interaction_is_told():
    async with open_receiver() as receiver, open_telling_app() as app:
        made = await make(app, uri=receiver.uri())
        asked = await app.ask("POST", "/v1/interactions", json={"model": "m", "input": "Hi", "background": True})
        await until(lambda: bool(receiver.heard))
        read = await app.ask("GET", f"/v1/interactions/{asked.json['id']}")
    (heard,) = receiver.heard
    event = StandardWebhook(made["new_signing_secret"]).verify(heard.body, dict(heard.headers))
    assert (event["type"], event["data"]) == ("interaction.completed", {"id": asked.json["id"]})
    assert read.json["status"] == "completed"


async def test_the_addresses_of_a_request_are_told_and_given_back_and_its_keys_can_be_read_without_a_key():
    store_key = Key("k", "ann", "", hash_key("ann-key"), "ann", datetime.now(UTC))
    async with open_receiver() as receiver, open_telling_app() as app:
        await app.store.add_key(store_key)
        config = {"uris": [receiver.uri()], "user_metadata": {"job": "nightly"}}
        body = {"model": "m", "input": "Hi", "webhook_config": config}
        asked = await app.ask("POST", "/v1/interactions", json=body, headers={"x-goog-api-key": "ann-key"})
        await until(lambda: bool(receiver.heard))
        keys = (await app.ask("GET", "/.well-known/jwks.json")).json
    assert asked.json["webhook_config"] == config
    token = receiver.heard[0].headers["webhook-signature"]
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    event = jwt.decode(token, key.key, algorithms=["RS256"], audience=receiver.uri())
    assert (event["data"], event["user_metadata"]) == ({"id": asked.json["id"]}, {"job": "nightly"})


@pytest.mark.parametrize("uri", ["https://127.0.0.2/", "http://hooks.example/", "file:///etc/passwd"])
async def test_an_address_of_a_request_to_which_nothing_is_sent_is_refused_before_anything_is_asked(uri: str):
    async with open_app() as app:
        config = {"uris": ["https://hooks.example/", uri]}
        reply = await app.ask("POST", "/v1/interactions", json={"model": "m", "input": "Hi", "webhook_config": config})
        assert reply.status == 400
        assert reply.json["error"]["message"].startswith("webhook_config.uris[1]: the address")
        assert not app.model.prompts
