"""Keys and owners: who may come in, and that nobody learns anything of another's interactions."""

import asyncio
from datetime import timedelta

import pytest
from starlette.requests import Request

from support import NOON, App, HeldStore, open_app
from turnwise.domain.errors import Unauthenticated
from turnwise.http.auth import LOCAL, KeyRing, hash_key
from turnwise.models.model import Taken
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

AT = "/v1beta/interactions"


def key(name: str, *, revoked: bool = False) -> Key:
    """The key `<name>-key` of the owner `<name>`."""
    return Key(f"key_{name}", name, name, hash_key(f"{name}-key"), name[:2], NOON, NOON if revoked else None)


def with_key(name: str) -> dict[str, str]:
    return {"x-goog-api-key": f"{name}-key"}


async def store_with(*keys: Key) -> MemoryStore:
    store = MemoryStore()
    for one in keys:
        await store.add_key(one)
    return store


def request(headers: dict[str, str]) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "query_string": b"", "path": "/", "method": "GET"})


async def test_without_keys_everyone_is_the_same_owner_whatever_they_send():
    async with open_app() as app:
        made = await app.create(headers={"x-goog-api-key": "anything"})
        assert (await app.ask("GET", f"{AT}/{made['id']}")).status == 200
        assert await app.store.load(made["id"], LOCAL) is not None


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (AT, {"x-goog-api-key": "ann-key"}),
        (f"{AT}?key=ann-key", {}),
        (AT, {"authorization": "Bearer ann-key"}),
        (AT, {"authorization": "bearer  ann-key "}),
    ],
)
async def test_a_key_may_come_in_three_places(target: str, headers: dict[str, str]):
    async with open_app(store=await store_with(key("ann"))) as app:
        reply = await app.ask("POST", target, json={"model": "m", "input": "Hi"}, headers=headers)
        assert reply.status == 200
        assert await app.store.load(reply.json["id"], "ann") is not None


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("", {}),
        ("", {"x-goog-api-key": ""}),
        ("", {"x-goog-api-key": "eve-key"}),
        ("", {"x-goog-api-key": "old-key"}),
        ("", {"authorization": "Basic ann-key"}),
        ("", {"authorization": "Bearer"}),
        ("?key=", {}),
        ("?key=%ff%00", {}),
        ("?key=ann-key", {"x-goog-api-key": "eve-key"}),
    ],
)
@pytest.mark.parametrize("keys", [(key("ann"), key("old", revoked=True)), (key("old", revoked=True),)])
async def test_a_missing_a_wrong_and_a_revoked_key_are_kept_out_of_every_call(
    target: str, headers: dict[str, str], keys: tuple[Key, ...]
):
    async with open_app(store=await store_with(*keys)) as app:
        for method, path in (
            ("POST", "interactions"),
            ("GET", "interactions/int_1"),
            ("DELETE", "interactions/int_1"),
            ("POST", "interactions/int_1/cancel"),
            ("GET", "models"),
            ("GET", "models/m"),
        ):
            body = {"model": "m", "input": "Hi"} if path == "interactions" else None
            reply = await app.ask(method, f"/v1/{path}{target}", json=body, headers=headers)
            assert (reply.status, reply.json["error"]["code"]) == (401, "authentication")
        assert app.model.prompts == []
        assert (await app.ask("GET", "/healthz")).status == 200


async def stranger_and_unknown(app: App, method: str, path: str) -> None:
    body = {"model": "m", "input": "Hi", "previous_interaction_id": "ID"} if path == "" else None
    replies = []
    for id in ("int_1", "int_9"):
        asked = None if body is None else {**body, "previous_interaction_id": id}
        target = AT if path == "" else f"{AT}/{id}{path.removeprefix('/.')}"
        replies.append(await app.ask(method, target, json=asked, headers=with_key("eve")))
    theirs, unknown = replies
    assert theirs.status == unknown.status == 404
    assert theirs.body.replace(b"int_1", b"int_9") == unknown.body
    assert theirs.headers == unknown.headers


@pytest.mark.parametrize("running", [False, True])
async def test_a_strangers_id_is_answered_byte_for_byte_like_an_unknown_one(running: bool):
    scripts = [[Taken(), asyncio.Event()]] if running else []
    async with open_app(*scripts, store=await store_with(key("ann"), key("eve"))) as app:
        await app.create(background=running, headers=with_key("ann"))
        for method, path in (
            ("GET", "/."),
            ("GET", "/.?include_input=true"),
            ("GET", "/.?stream=true"),
            ("GET", "/.?stream=true&last_event_id=999"),
            ("POST", "/./cancel"),
            ("DELETE", "/."),
            ("POST", ""),
        ):
            await stranger_and_unknown(app, method, path)
        status = "in_progress" if running else "completed"
        assert (await app.ask("GET", f"{AT}/int_1", headers=with_key("ann"))).json["status"] == status


async def test_two_keys_of_one_owner_share_what_they_make():
    second = Key("key_2", "ann", "second", hash_key("second-key"), "se", NOON + timedelta(seconds=1))
    async with open_app(store=await store_with(key("ann"), second)) as app:
        made = await app.create(headers=with_key("ann"))
        assert (await app.ask("GET", f"{AT}/{made['id']}", headers=with_key("second"))).status == 200


async def test_a_revoked_key_is_noticed_within_a_second():
    store, now = await store_with(key("ann"), key("eve")), 100.0
    ring = KeyRing(store, now=lambda: now)
    asked = request(with_key("ann"))
    assert await ring.owner(asked) == "ann"
    await store.revoke_key("key_ann", NOON)
    now += 0.9
    assert await ring.owner(asked) == "ann"
    now += 0.2
    with pytest.raises(Unauthenticated):
        await ring.owner(asked)
    assert await ring.owner(request(with_key("eve"))) == "eve"


async def test_the_first_key_closes_the_door_within_a_second():
    store, now = MemoryStore(), 0.0
    ring = KeyRing(store, now=lambda: now)
    assert await ring.owner(request({})) == LOCAL
    await store.add_key(key("ann"))
    now += 1.1
    with pytest.raises(Unauthenticated):
        await ring.owner(request({}))


async def test_keys_that_cannot_be_read_let_nobody_in():
    store = HeldStore(await store_with(key("ann")))
    store.fail("keys")
    ring = KeyRing(store)
    for headers in ({}, with_key("ann")):
        with pytest.raises(OSError, match="disk is full"):
            await ring.owner(request(headers))
    store.heal()
    assert await ring.owner(request(with_key("ann"))) == "ann"


async def test_keys_are_looked_at_once_for_many_requests():
    store = HeldStore(await store_with(key("ann")))
    ring = KeyRing(store, now=lambda: 5.0)
    for _ in range(50):
        await ring.owner(request(with_key("ann")))
    assert store.calls["keys"] == 1
