"""What is told of interactions that end: to whom, how it is signed, how often it is tried, and what survives."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from receivers import Heard, Receiver, open_receiver
from support import PATIENCE, HeldStore, numbered_ids, open_engine, turn, until, webhooks_of, within
from turnwise.app.webhooks import Receivers
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, NotFound
from turnwise.domain.interaction import Failure, Interaction, Status, WebhookConfig
from turnwise.domain.webhooks import NewWebhook, Revocation, Webhook, WebhookChanges, WebhookState
from turnwise.engine.thoughts import Sealer
from turnwise.engine.webhook_delivery import HELD, HELD_FOR_A_TARGET, HELD_FOR_AN_OWNER, TOLD_AT_ONCE
from turnwise.engine.webhooks import SECRETS, Webhooks
from turnwise.media.guard import Guard
from turnwise.store.memory import MemoryStore
from turnwise.store.sqlite import open_sqlite

ENDS = ("interaction.completed", "interaction.failed", "interaction.requires_action", "interaction.cancelled")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@asynccontextmanager
async def telling(store: Any = None, clock: Any = None, **settings: Any) -> AsyncIterator[Webhooks]:
    """Webhooks that tell what is due."""
    webhooks = webhooks_of(store or MemoryStore(), clock=clock or Clock(), **settings)
    await webhooks.start()
    try:
        yield webhooks
    finally:
        await within(webhooks.close())


def ended(status: Status = Status.COMPLETED, *, id: str = "int_1", owner: str = "ann", **fields: Any) -> Interaction:
    """An interaction that has just ended, in the background unless the turn says otherwise."""
    now = datetime.now(UTC)
    failure = Failure("api_error", "it broke") if status is Status.FAILED else None
    asked = turn(**{"background": True, **fields})
    return Interaction(id, owner, asked, created=now, updated=now, status=status, failure=failure)


async def register(webhooks: Webhooks, uri: str, *events: str, owner: str = "ann") -> tuple[Webhook, str]:
    return await webhooks.create(owner, NewWebhook(uri, events or ENDS))


async def tell(webhooks: Webhooks, interaction: Interaction) -> int:
    """Keep what is to be told, as the engine does with an end. Returns how many notices that were."""
    notices = await webhooks.notices(interaction)
    await webhooks._store.add_notices(notices)
    webhooks.poke()
    return len(notices)


async def hear(receiver: Receiver, count: int = 1) -> Heard:
    """The last thing that a receiver has heard, once it has heard so many."""
    await until(lambda: len(receiver.heard) >= count)
    return receiver.heard[count - 1]


async def idle(webhooks: Webhooks) -> None:
    """Wait until nothing is being told."""
    await until(lambda: not webhooks._outbox._telling)


# -- who is told what


async def test_a_webhook_hears_how_a_background_interaction_ended():
    async with open_receiver() as receiver, telling() as webhooks:
        _, secret = await register(webhooks, receiver.uri("/hear?all=1"))
        interaction = ended()
        assert await tell(webhooks, interaction) == 1
        heard = await hear(receiver)
    assert heard.path == "/hear?all=1"
    assert heard.headers["content-type"] == "application/json"
    said = StandardWebhook(secret).verify(heard.body, dict(heard.headers))
    assert datetime.fromisoformat(said.pop("timestamp")) == interaction.updated.replace(
        microsecond=interaction.updated.microsecond // 1000 * 1000
    )
    assert said == {"type": "interaction.completed", "version": "v1", "data": {"id": "int_1"}}


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.COMPLETED, "interaction.completed"),
        (Status.INCOMPLETE, "interaction.completed"),
        (Status.BUDGET_EXCEEDED, "interaction.completed"),
        (Status.REQUIRES_ACTION, "interaction.requires_action"),
        (Status.FAILED, "interaction.failed"),
        (Status.CANCELLED, "interaction.cancelled"),
    ],
)
async def test_every_end_is_an_event(status: Status, event: str):
    async with open_receiver() as receiver, telling() as webhooks:
        await register(webhooks, receiver.uri())
        await tell(webhooks, ended(status))
        said = (await hear(receiver)).json
    assert said["type"] == event
    because = {"error_code": "api_error", "error_message": "it broke"} if status is Status.FAILED else {}
    assert said["data"] == {"id": "int_1", **because}


async def test_only_who_subscribed_is_enabled_and_is_the_owners_hears():
    webhooks = webhooks_of(MemoryStore(), clock=Clock())
    wanted, _ = await register(webhooks, "https://hooks.example/a", "interaction.failed", "interaction.completed")
    await register(webhooks, "https://hooks.example/b", "interaction.failed", "batch.succeeded")
    off, _ = await register(webhooks, "https://hooks.example/c")
    await webhooks.update(off.id, "ann", WebhookChanges(state=WebhookState.DISABLED))
    await register(webhooks, "https://hooks.example/d", owner="bob")
    assert [notice.body["webhook"] for notice in await webhooks.notices(ended())] == [wanted.id]


@pytest.mark.parametrize("fields", [{"background": False}, {"background": False, "store": False}])
async def test_a_plain_call_tells_nobody_and_asks_the_store_for_nothing(fields: dict[str, bool]):
    store = HeldStore()
    webhooks = webhooks_of(store, clock=Clock())
    await register(webhooks, "https://hooks.example/a")
    store.calls.clear()
    assert await webhooks.notices(ended(**fields)) == ()
    assert not store.calls


async def test_the_addresses_of_a_request_are_told_in_place_of_the_owners_webhooks():
    async with open_receiver() as registered, open_receiver() as first, open_receiver() as second, telling() as hooks:
        await register(hooks, registered.uri())
        config = WebhookConfig((first.uri(), second.uri()), {"job": "nightly"})
        assert await tell(hooks, ended(webhook=config, background=False)) == 2
        one, other = await hear(first), await hear(second)
    assert one.json["user_metadata"] == other.json["user_metadata"] == {"job": "nightly"}
    assert one.id != other.id
    assert not registered.heard


async def test_what_the_addresses_of_a_request_hear_is_checked_by_the_servers_public_key():
    async with open_receiver() as receiver, telling(issuer="https://turnwise.example") as webhooks:
        await tell(webhooks, ended(webhook=WebhookConfig((receiver.uri(),), {"job": "nightly"})))
        heard = await hear(receiver)
        keys = jwt.PyJWKSet.from_dict(dict(await webhooks.public_keys()))
    token = heard.headers["webhook-signature"]
    key = keys[jwt.get_unverified_header(token)["kid"]]
    event = jwt.decode(token, key.key, algorithms=["RS256"], audience=receiver.uri(), issuer="https://turnwise.example")
    assert event["jti"] == heard.id
    assert {name: event[name] for name in heard.json} == heard.json
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key.key, algorithms=["RS256"], audience="https://another.example")
    changed = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(changed, key.key, algorithms=["RS256"], audience=receiver.uri())


async def test_what_is_to_be_sent_along_goes_to_the_owners_webhooks_where_no_address_is_named():
    async with open_receiver() as receiver, telling() as webhooks:
        await register(webhooks, receiver.uri())
        await tell(webhooks, ended(webhook=WebhookConfig(user_metadata={"job": 7}), background=False))
        assert (await hear(receiver)).json["user_metadata"] == {"job": 7}


async def test_an_owners_webhooks_are_remembered_for_a_moment_and_a_new_one_is_known_at_once():
    store, clock = HeldStore(), Clock()
    webhooks = webhooks_of(store, clock=clock)
    await register(webhooks, "https://hooks.example/a")
    for _ in range(3):
        assert len(await webhooks.notices(ended())) == 1
    assert store.calls["resources"] == 1
    await register(webhooks, "https://hooks.example/b")
    assert len(await webhooks.notices(ended())) == 2
    clock.move(seconds=2)
    await webhooks.notices(ended())
    assert store.calls["resources"] == 3


# -- trying


async def test_what_was_not_heard_is_told_again_in_the_same_words_and_signed_anew():
    clock = Clock()
    async with open_receiver(500) as receiver, telling(clock=clock) as webhooks:
        _, secret = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        first = await hear(receiver)
        await idle(webhooks)
        clock.move(seconds=4)
        webhooks.poke()
        assert len(receiver.heard) == 1
        clock.move(seconds=2)
        webhooks.poke()
        second = await hear(receiver, 2)
        await until(lambda: not webhooks._store._notices)
    assert (first.id, first.body) == (second.id, second.body)
    for header in ("webhook-timestamp", "webhook-signature"):
        assert first.headers[header] != second.headers[header]
    for heard in (first, second):
        StandardWebhook(secret).verify(heard.body, dict(heard.headers))


@pytest.mark.parametrize("answer", ["reset", "hang", 302, 404, 429, 503])
async def test_whatever_is_no_answer_of_2xx_is_told_again(answer: Any):
    clock = Clock()
    async with open_receiver(answer) as receiver, telling(clock=clock, seconds=0.3) as webhooks:
        await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        await hear(receiver)
        await idle(webhooks)
        clock.move(seconds=6)
        webhooks.poke()
        await hear(receiver, 2)
        await until(lambda: not webhooks._store._notices)


async def test_a_redirect_is_not_followed():
    clock = Clock()
    async with open_receiver() as elsewhere, open_receiver(elsewhere.uri()) as receiver, telling(clock=clock) as hooks:
        await register(hooks, receiver.uri())
        await tell(hooks, ended())
        await hear(receiver)
        await idle(hooks)
        assert not elsewhere.heard
        assert len(hooks._store._notices) == 1


async def test_a_webhook_that_is_gone_is_disabled_until_its_owner_enables_it():
    async with open_receiver(410) as receiver, telling() as webhooks:
        webhook, _ = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        await hear(receiver)
        await until(lambda: not webhooks._store._notices)
        disabled = await webhooks.get(webhook.id, "ann")
        assert disabled.state is WebhookState.DISABLED_DUE_TO_FAILED_DELIVERIES
        assert await tell(webhooks, ended(id="int_2")) == 0
        await webhooks.update(webhook.id, "ann", WebhookChanges(state=WebhookState.ENABLED))
        await tell(webhooks, ended(id="int_3"))
        assert (await hear(receiver, 2)).json["data"] == {"id": "int_3"}


async def test_a_day_of_silence_ends_the_tries_and_disables_the_webhook():
    clock = Clock()
    begun = clock.now
    async with open_receiver(then=500) as receiver, telling(clock=clock) as webhooks:
        webhook, _ = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        tries = 1
        while webhooks._store._notices:
            await hear(receiver, tries)
            await idle(webhooks)
            assert (await webhooks.get(webhook.id, "ann")).state is WebhookState.ENABLED or tries == 8
            clock.now = min((notice.due for notice in webhooks._store._notices.values()), default=clock.now)
            webhooks.poke()
            tries += 1
        disabled = await webhooks.get(webhook.id, "ann")
    # at once, after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, and when the day is over
    assert len(receiver.heard) == 8
    assert clock.now == begun + timedelta(hours=24)
    assert disabled.state is WebhookState.DISABLED_DUE_TO_FAILED_DELIVERIES


async def test_a_webhook_that_hears_again_was_not_silent():
    clock = Clock()
    async with open_receiver(500, 200, then=500) as receiver, telling(clock=clock) as webhooks:
        webhook, _ = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        await until(lambda: receiver.heard and not webhooks._outbox._telling)
        assert (await webhooks.get(webhook.id, "ann")).failing_since is not None
        clock.move(hours=23)
        webhooks.poke()
        await until(lambda: not webhooks._store._notices)
        assert (await webhooks.get(webhook.id, "ann")).failing_since is None
        clock.move(hours=2)
        await tell(webhooks, ended(id="int_2"))
        await until(lambda: len(receiver.heard) == 3 and not webhooks._outbox._telling)
        assert (await webhooks.get(webhook.id, "ann")).state is WebhookState.ENABLED


async def test_a_target_that_does_not_answer_holds_up_nobody_else():
    async with (
        open_receiver(then="hang") as slow,
        open_receiver() as quick,
        telling(seconds=60) as webhooks,
    ):
        silent, _ = await register(webhooks, slow.uri())
        for number in range(HELD + HELD_FOR_A_TARGET):
            await tell(webhooks, ended(id=f"int_{number}"))
        await hear(slow)
        await webhooks.update(silent.id, "ann", WebhookChanges(events=("batch.failed",)))
        await register(webhooks, quick.uri())
        await tell(webhooks, ended(id="int_last"))
        assert (await hear(quick)).json["data"] == {"id": "int_last"}
        assert len(slow.heard) == 1


async def test_many_targets_that_do_not_answer_hold_up_no_other_target_and_no_other_owner():
    targets = HELD_FOR_AN_OWNER // 2
    async with open_receiver(then="hang") as slow, open_receiver() as quick, telling(seconds=60) as webhooks:
        for number in range(targets):
            await register(webhooks, slow.uri(f"/{number}"))
        for number in range(HELD_FOR_A_TARGET):
            await tell(webhooks, ended(id=f"int_{number}"))
        await until(lambda: len(slow.heard) == targets)
        for owner in ("bob", "ann"):
            await register(webhooks, quick.uri(f"/{owner}"), owner=owner)
            await tell(webhooks, ended(id=f"int_{owner}", owner=owner))
        await until(lambda: {heard.path for heard in quick.heard} == {"/bob", "/ann"})
        assert len(slow.heard) == targets


async def test_a_target_that_did_not_hear_the_last_is_told_one_at_a_time():
    clock = Clock()
    async with open_receiver(500, then="hang") as slow, telling(clock=clock, seconds=60) as webhooks:
        await register(webhooks, slow.uri())
        await tell(webhooks, ended())
        await hear(slow)
        await idle(webhooks)
        for number in range(20):
            await tell(webhooks, ended(id=f"int_{number}"))
        await hear(slow, 2)
        await until(lambda: all(notice.due > clock.now for notice in webhooks._store._notices.values()))
        assert len(slow.heard) == 2


async def test_to_be_put_off_for_want_of_room_is_no_try():
    clock = Clock()
    async with open_receiver("hang") as slow, telling(clock=clock, seconds=60) as webhooks:
        await register(webhooks, slow.uri())
        for number in range(20):
            await tell(webhooks, ended(id=f"int_{number}"))
        await hear(slow)
        for _ in range(5):
            clock.move(seconds=60)
            webhooks.poke()
            await until(lambda: all(notice.due > clock.now for notice in webhooks._store._notices.values()))
        assert sorted(notice.attempts for notice in webhooks._store._notices.values())[:19] == [0] * 19


async def test_a_target_that_hears_well_is_told_hundreds_in_no_time():
    async with open_receiver() as quick, telling(clock=lambda: datetime.now(UTC)) as webhooks:
        await register(webhooks, quick.uri())
        for number in range(400):
            await tell(webhooks, ended(id=f"int_{number}"))
        await until(lambda: not webhooks._store._notices)
    assert len({heard.id for heard in quick.heard}) == 400


async def test_those_that_wait_behind_one_that_was_not_heard_are_put_off_untried():
    async with (
        open_receiver(*[200] * 50, then="hang") as slow,
        telling(clock=lambda: datetime.now(UTC), seconds=0.3) as webhooks,
    ):
        await register(webhooks, slow.uri())
        notices = [notice for n in range(90) for notice in await webhooks.notices(ended(id=f"int_{n}"))]
        await webhooks._store.add_notices(notices)
        webhooks.poke()
        await until(lambda: len(slow.heard) > 50)
        await idle(webhooks)
        assert 50 < len(slow.heard) <= 50 + TOLD_AT_ONCE
        assert len(webhooks._store._notices) == 40


async def test_two_processes_share_the_work_and_tell_everything_once():
    store, clock = MemoryStore(), lambda: datetime.now(UTC)
    async with (
        open_receiver() as receiver,
        telling(store, clock) as one,
        telling(store, clock, new_id=numbered_ids("b")) as other,
    ):
        await register(one, receiver.uri())
        for number in range(50):
            await tell(one if number % 2 else other, ended(id=f"int_{number}"))
        await until(lambda: not store._notices)
    assert sorted(heard.json["data"]["id"] for heard in receiver.heard) == sorted(f"int_{n}" for n in range(50))
    assert len({heard.id for heard in receiver.heard}) == 50


# -- what survives


async def test_what_was_kept_with_an_end_is_told_after_the_process_died(tmp_path: Path):
    store = await open_sqlite(tmp_path / "turnwise.db")
    async with open_receiver() as receiver:
        dead = webhooks_of(store)
        _, secret = await dead.create("ann", NewWebhook(receiver.uri(), ENDS))
        async with open_engine(store=store, webhooks=dead) as engine:
            made = await engine.interactions.create(turn(background=True), "ann", "steps")
            await until_ended(engine.interactions, made.id)
        await store.close()
        assert not receiver.heard
        store = await open_sqlite(tmp_path / "turnwise.db")
        async with telling(store, lambda: datetime.now(UTC)):
            heard = await hear(receiver)
        await store.close()
    assert StandardWebhook(secret).verify(heard.body, dict(heard.headers))["data"] == {"id": made.id}


async def until_ended(interactions: Any, id: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await interactions.get(id, "ann")).status is Status.IN_PROGRESS:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_foreground_call_is_told_of_with_its_end():
    store, clock = MemoryStore(), Clock()
    async with open_receiver() as receiver, telling(store, clock) as webhooks:
        config = WebhookConfig((receiver.uri(),))
        async with open_engine(store=store, webhooks=webhooks, clock=clock) as engine:
            made = await engine.interactions.create(turn(webhook=config), "ann", "steps")
            assert (await hear(receiver)).json["data"] == {"id": made.id}


async def test_what_is_being_told_when_a_process_stops_is_due_again_at_once():
    store, clock = MemoryStore(), Clock()
    async with open_receiver("hang") as receiver:
        async with telling(store, clock) as stopped:
            await register(stopped, receiver.uri())
            await tell(stopped, ended())
            first = await hear(receiver)
        async with telling(store, clock):
            second = await hear(receiver, 2)
            await until(lambda: not store._notices)
    assert (first.id, first.body) == (second.id, second.body)


async def test_a_store_that_breaks_for_a_moment_loses_nothing(caplog: pytest.LogCaptureFixture):
    store = HeldStore(MemoryStore())
    async with open_receiver() as receiver, telling(store) as webhooks:
        await register(webhooks, receiver.uri())
        store.fail("due_notices")
        await tell(webhooks, ended())
        await until(lambda: "could not be read" in caplog.text)
        store.heal()
        webhooks.poke()
        await hear(receiver)


async def test_a_webhook_that_was_deleted_hears_nothing_of_what_was_still_to_be_told():
    store, clock = MemoryStore(), Clock()
    async with open_receiver() as receiver:
        webhooks = webhooks_of(store, clock=clock)
        webhook, _ = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        await webhooks.delete(webhook.id, "ann")
        async with telling(store, clock):
            await until(lambda: not store._notices)
    assert not receiver.heard


async def test_a_webhook_that_is_disabled_hears_nothing_of_what_was_still_to_be_told():
    store, clock = MemoryStore(), Clock()
    async with open_receiver() as receiver:
        webhooks = webhooks_of(store, clock=clock)
        webhook, _ = await register(webhooks, receiver.uri())
        await tell(webhooks, ended())
        await webhooks.update(webhook.id, "ann", WebhookChanges(state=WebhookState.DISABLED))
        async with telling(store, clock):
            await until(lambda: not store._notices)
    assert not receiver.heard


async def test_a_webhook_that_moved_hears_at_its_new_address():
    store, clock = MemoryStore(), Clock()
    async with open_receiver() as old, open_receiver() as new:
        webhooks = webhooks_of(store, clock=clock)
        webhook, _ = await register(webhooks, old.uri())
        await tell(webhooks, ended())
        await webhooks.update(webhook.id, "ann", WebhookChanges(uri=new.uri()))
        async with telling(store, clock):
            await hear(new)
    assert not old.heard


# -- where to


@pytest.mark.parametrize(
    "uri",
    [
        "http://hooks.example/hear",
        "https://10.0.0.1/hear",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://user:hidden@hooks.example/",
        "ftp://hooks.example/",
        "hooks.example",
        "https://hooks.example/a b",
    ],
)
async def test_an_address_to_which_nothing_is_sent_is_refused_by_its_field(uri: str):
    webhooks = webhooks_of(MemoryStore())
    with pytest.raises(InvalidRequest, match=r"^uri: the address") as refused:
        await register(webhooks, uri)
    assert "hidden" not in refused.value.message
    webhook, _ = await register(webhooks, "https://hooks.example/hear")
    with pytest.raises(InvalidRequest, match=r"^uri: the address"):
        await webhooks.update(webhook.id, "ann", WebhookChanges(uri=uri))
    with pytest.raises(InvalidRequest, match=r"^webhook_config\.uris\[1\]: the address"):
        webhooks.check(turn(webhook=WebhookConfig(("https://hooks.example/", uri))))


@pytest.mark.parametrize(
    ("allow", "uri", "other"),
    [
        ("hooks.internal", "http://hooks.internal:9000/", "http://other.internal/"),
        ("hooks.internal:9000", "http://Hooks.internal:9000/", "http://hooks.internal/"),
        ("10.1.0.0/16", "http://10.1.2.3/", "http://10.2.0.1/"),
        ("[::1]:9000", "http://[::1]:9000/", "http://[::1]:9001/"),
    ],
)
def test_what_the_settings_allow_needs_no_tls(allow: str, uri: str, other: str):
    web = Receivers(Guard([allow]))
    web.check(uri)
    with pytest.raises(InvalidRequest):
        web.check(other)


class Strict(Receivers):
    """A web that reaches this machine, and sends nothing anywhere."""

    def check(self, url: str) -> None:
        raise InvalidRequest(f"nothing is sent to {url}")


@pytest.mark.parametrize("web", [Receivers(Guard()), Strict(Guard(["127.0.0.1"]))])
async def test_an_address_that_the_settings_do_not_allow_any_more_is_told_nothing(web: Receivers):
    store, clock = MemoryStore(), Clock()
    async with open_receiver() as receiver:
        await register(webhooks_of(store, clock=clock), receiver.uri())
        async with telling(store, clock) as webhooks:
            webhooks._web = web
            await tell(webhooks, ended())
            await until(lambda: any(notice.attempts for notice in store._notices.values()))
            await idle(webhooks)
    assert not receiver.heard
    assert len(store._notices) == 1


# -- secrets


async def test_a_replaced_secret_signs_along_for_a_day():
    clock = Clock()
    async with open_receiver() as receiver, telling(clock=clock) as webhooks:
        webhook, old = await register(webhooks, receiver.uri())
        new = await webhooks.rotate(webhook.id, "ann", Revocation.AFTER_H24)
        await tell(webhooks, ended())
        both = await hear(receiver)
        shown = [secret.expires for secret in webhooks.live_secrets(await webhooks.get(webhook.id, "ann"))]
        clock.move(hours=24)
        await idle(webhooks)
        await tell(webhooks, ended(id="int_2"))
        later = await hear(receiver, 2)
    assert shown == [None, clock.now]
    for secret in (old, new):
        StandardWebhook(secret).verify(both.body, dict(both.headers))
    assert len(later.headers["webhook-signature"].split(" ")) == 1


async def test_a_revoked_secret_signs_nothing_more():
    async with open_receiver() as receiver, telling() as webhooks:
        webhook, old = await register(webhooks, receiver.uri())
        new = await webhooks.rotate(webhook.id, "ann", Revocation.IMMEDIATELY)
        await tell(webhooks, ended())
        heard = await hear(receiver)
    StandardWebhook(new).verify(heard.body, dict(heard.headers))
    with pytest.raises(WebhookVerificationError):
        StandardWebhook(old).verify(heard.body, dict(heard.headers))


async def test_only_so_many_secrets_sign_at_the_same_time():
    webhooks = webhooks_of(MemoryStore(), clock=Clock())
    webhook, _ = await register(webhooks, "https://hooks.example/")
    for _ in range(SECRETS - 1):
        await webhooks.rotate(webhook.id, "ann", Revocation.AFTER_H24)
    with pytest.raises(FailedPrecondition, match=r"^revocation_behavior: 10 secrets"):
        await webhooks.rotate(webhook.id, "ann", Revocation.AFTER_H24)
    await webhooks.rotate(webhook.id, "ann", Revocation.IMMEDIATELY)
    assert len((await webhooks.get(webhook.id, "ann")).secrets) == 1


async def test_no_secret_can_be_read_in_the_store_or_in_the_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    store = MemoryStore()
    async with open_receiver(500) as receiver, telling(store) as webhooks:
        webhook, first = await register(webhooks, receiver.uri())
        second = await webhooks.rotate(webhook.id, "ann", Revocation.AFTER_H24)
        await tell(webhooks, ended())
        await hear(receiver)
        await webhooks.public_keys()
        kept = repr((store._resources, store._notices, store._secrets))
    for secret in (first, second):
        assert secret.removeprefix("whsec_") not in kept + caplog.text
    assert "PRIVATE KEY" not in kept + caplog.text


async def test_every_process_signs_with_the_same_key_and_only_with_the_sealing_key():
    store = MemoryStore()
    one, other = webhooks_of(store), webhooks_of(store)
    assert await one.public_keys() == await other.public_keys()
    stranger = webhooks_of(store)
    stranger._key._sealer = Sealer(bytes(32))
    with pytest.raises(Exception, match="another sealing key"):
        await stranger.public_keys()


# -- webhooks as things


async def test_an_owner_has_so_many_webhooks_and_sees_no_others():
    webhooks = webhooks_of(MemoryStore(), most=2)
    made = [(await register(webhooks, f"https://hooks.example/{n}"))[0] for n in range(2)]
    with pytest.raises(FailedPrecondition, match="you have 2 webhooks"):
        await register(webhooks, "https://hooks.example/3")
    await register(webhooks, "https://hooks.example/", owner="bob")
    page, token = await webhooks.list("ann", 1)
    rest, last = await webhooks.list("ann", 1, token)
    assert ([*page, *rest], last) == (made, None)
    for call in (webhooks.get, webhooks.delete, webhooks.ping):
        with pytest.raises(NotFound):
            await call(made[0].id, "bob")
    with pytest.raises(NotFound):
        await webhooks.update(made[0].id, "bob", WebhookChanges(name="mine"))
    with pytest.raises(NotFound):
        await webhooks.rotate(made[0].id, "bob", Revocation.IMMEDIATELY)


async def test_changes_of_two_callers_at_once_are_both_kept():
    store = HeldStore()
    webhooks = webhooks_of(store, clock=Clock())
    webhook, _ = await register(webhooks, "https://hooks.example/")
    store.hold("change_resource")
    changing = asyncio.create_task(webhooks.update(webhook.id, "ann", WebhookChanges(name="A")))
    await store.reached("change_resource")
    other = webhooks_of(store._store, clock=Clock())
    await other.update(webhook.id, "ann", WebhookChanges(events=("interaction.failed",)))
    store.let_go("change_resource")
    await within(changing)
    changed = await webhooks.get(webhook.id, "ann")
    assert (changed.name, changed.events) == ("A", ("interaction.failed",))
    assert changed == replace(await within(changing), updated=changed.updated)


async def test_the_state_that_failures_lead_to_can_be_given_back_and_not_chosen():
    webhooks = webhooks_of(MemoryStore())
    webhook, _ = await register(webhooks, "https://hooks.example/")
    failed = WebhookChanges(state=WebhookState.DISABLED_DUE_TO_FAILED_DELIVERIES)
    with pytest.raises(InvalidRequest, match=r"^state: only failures"):
        await webhooks.update(webhook.id, "ann", failed)


# -- ping


async def test_a_ping_is_heard_at_once_and_signed_whatever_the_state_is():
    async with open_receiver() as receiver:
        webhooks = webhooks_of(MemoryStore(), clock=Clock())
        webhook, secret = await register(webhooks, receiver.uri(), "batch.failed")
        await webhooks.update(webhook.id, "ann", WebhookChanges(state=WebhookState.DISABLED))
        await webhooks.ping(webhook.id, "ann")
        (heard,) = receiver.heard
    said = StandardWebhook(secret).verify(heard.body, dict(heard.headers))
    assert (said["type"], said["data"]) == ("ping", {"id": webhook.id})


@pytest.mark.parametrize(("answer", "why"), [(500, "status 500"), ("hang", "within 0.3 s"), ("reset", "the address")])
async def test_a_ping_that_is_not_heard_says_why(answer: Any, why: str):
    async with open_receiver(answer) as receiver:
        webhooks = webhooks_of(MemoryStore(), clock=Clock(), seconds=0.3)
        webhook, _ = await register(webhooks, receiver.uri())
        with pytest.raises(FailedPrecondition, match=f"the ping was not heard: .*{why}"):
            await webhooks.ping(webhook.id, "ann")
        assert (await webhooks.get(webhook.id, "ann")).failing_since is None
