"""Webhooks: who is told how interactions end, and how they are told.

What is to be told of an interaction is known when it ends (`notices`), and kept in the same transaction as its end. So
it is told however often the process is killed in between; `webhook_delivery.py` sees to that. A request that names
addresses has these told. Otherwise the webhooks are told that its owner has registered, if they subscribed to what has
happened: of whatever went on in the background, and of requests that have something sent along.

    Webhooks(store, web, sealer=sealer, render=render_webhook_event, clock=clock, new_id=new_id)
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, NotFound
from turnwise.domain.interaction import Interaction, Turn
from turnwise.domain.webhooks import (
    PING,
    NewWebhook,
    Revocation,
    SigningSecret,
    Webhook,
    WebhookChanges,
    WebhookEvent,
    WebhookState,
    end_of,
)
from turnwise.engine.pages import read_token, write_token
from turnwise.engine.thoughts import Sealer, Secret
from turnwise.engine.webhook_delivery import Outbox, Outcome
from turnwise.engine.webhook_signing import ServerKey, new_secret, shorten, sign
from turnwise.store.store import Notice, NoticeStore, Resource, ResourceStore, SecretStore

log = logging.getLogger("turnwise.webhooks")

KIND = "webhook"

REMEMBERED = timedelta(seconds=2)
"""For how long an owner's webhooks are known without asking the store again."""

OWNERS_REMEMBERED = 1000

SECRETS = 10
"""How many secrets of a webhook may sign at the same time."""

GRACE = timedelta(hours=24)
"""For how long a secret signs on that was replaced."""

GONE = 410
"""The status by which a receiver says that it wants to hear nothing any more."""


class Answer(Protocol):
    """An answer whose headers have come."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    def close(self) -> None:
        """Read no more."""


class Line(Protocol):
    """Open connections."""

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, limit: int
    ) -> Answer:
        """Send a request, and wait for the headers of its answer, without following redirects. `limit`: how many bytes
        its body may have.

        Raises:
            InvalidRequest: the address may not be reached or cannot be, in words for whoever named it.
        """


class Web(Protocol):
    """The web, as far as events may be sent to it. `app/webhooks.py` has the real one."""

    def check(self, url: str) -> None:
        """Raises:
        InvalidRequest: nothing is sent to this address, as far as can be told without asking for its name.
        """

    def open(self) -> AbstractAsyncContextManager[Line]:
        """A line to it. All connections are closed behind."""


class WebhookStore(ResourceStore, NoticeStore, SecretStore, Protocol):
    """What of the store is needed here."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """An owner's webhooks, as they were lately."""

    webhooks: tuple[Webhook, ...]
    until: datetime


class Webhooks:
    """The webhooks of all owners, and what is told to them and to the addresses of requests."""

    def __init__(
        self,
        store: WebhookStore,
        web: Web,
        *,
        sealer: Sealer,
        render: Callable[[WebhookEvent], Mapping[str, JSON]],
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        issuer: str = "turnwise",
        most: int = 100,
        seconds: float = 10.0,
        patience: timedelta = timedelta(hours=24),
    ) -> None:
        """`sealer` is one for all processes of the server. `issuer` is by what name it signs. An owner may have `most`
        webhooks. A receiver may take so many `seconds` to answer; what was not heard is told again until `patience` is
        at its end, and a webhook that heard nothing in all that time is disabled."""
        self._store = store
        self._web = web
        self._sealer = sealer
        self._render = render
        self._clock = clock
        self._new_id = new_id
        self._most = most
        self._seconds = seconds
        self._patience = patience
        self._key = ServerKey(store, sealer, issuer=issuer)
        self._outbox = Outbox(store, self._tell, _target, clock=clock, seconds=seconds, patience=patience)
        self._remembered: dict[str, _Remembered] = {}

    # -- the life of the whole

    async def start(self) -> None:
        """Begin to tell what is due, what earlier processes left too."""
        await self._outbox.start()

    def poke(self) -> None:
        """Look at once for what is due."""
        self._outbox.poke()

    async def close(self) -> None:
        """Stop telling. What was not heard is kept."""
        await self._outbox.close()

    # -- what is told

    def check(self, turn: Turn) -> None:
        """Whether the addresses of a request can be told.

        Raises:
            InvalidRequest: nothing is sent to one of them.
        """
        for index, uri in enumerate(turn.webhook.uris if turn.webhook else ()):
            self._check_address(uri, f"webhook_config.uris[{index}]")

    async def notices(self, interaction: Interaction) -> Sequence[Notice]:
        """What is to be told of an interaction that has just ended: to be kept with its end,
        at once."""
        turn = interaction.turn
        if not turn.store or not (turn.background or turn.webhook):
            return ()
        event = end_of(interaction)
        targets: Sequence[Mapping[str, JSON]]
        if turn.webhook is not None and turn.webhook.uris:
            targets = [{"uri": uri} for uri in turn.webhook.uris]
        else:
            targets = [
                {"webhook": webhook.id}
                for webhook in await self._webhooks_of(interaction.owner)
                if webhook.state is WebhookState.ENABLED and event.type in webhook.events
            ]
        if not targets:
            return ()
        payload, now = self._written(event), self._clock()
        self._outbox.expect()
        return [
            Notice(self._new_id("msg_"), interaction.owner, {**target, "payload": payload}, created=now, due=now)
            for target in targets
        ]

    async def public_keys(self) -> Mapping[str, JSON]:
        """The keys by which what the addresses of requests hear can be checked, as JSON Web Keys."""
        return await self._key.public()

    # -- webhooks

    async def create(self, owner: str, wanted: NewWebhook) -> tuple[Webhook, str]:
        """Register a webhook. Returns it with its secret, which is told nobody again.

        Raises:
            InvalidRequest: nothing is sent to its address.
            FailedPrecondition: the owner has as many as may be.
        """
        self._check_address(wanted.uri, "uri")
        now, id, secret = self._clock(), self._new_id("wh-"), new_secret()
        webhook = Webhook(
            id=id,
            owner=owner,
            created=now,
            updated=now,
            uri=wanted.uri,
            events=wanted.events,
            name=wanted.name,
            secrets=(self._sealed(secret, id, owner),),
        )
        if await self._store.add_resource(_kept(webhook), self._most) != "kept":
            raise FailedPrecondition(f"you have {self._most} webhooks, which is as many as may be; delete one first")
        self._remembered.pop(owner, None)
        return webhook, secret

    async def get(self, id: str, owner: str) -> Webhook:
        """One webhook.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        found = await self._store.resource(KIND, id, owner)
        if found is None:
            raise _unknown(id)
        return _read(found)

    async def list(self, owner: str, size: int, token: str | None = None) -> tuple[Sequence[Webhook], str | None]:
        """A page of an owner's webhooks, oldest first, and what asks for the next one. None: this was the last.

        Raises:
            InvalidRequest: the token is none of ours.
        """
        after = None if token is None else read_token(token)
        found = await self._store.resources(KIND, owner, size + 1, after)
        page = [_read(resource) for resource in found[:size]]
        return page, write_token((page[-1].created, page[-1].id)) if len(found) > size else None

    async def update(self, id: str, owner: str, changes: WebhookChanges) -> Webhook:
        """Change a webhook.

        Raises:
            NotFound: there is none with this id for this owner.
            InvalidRequest: nothing is sent to its new address, or the state is one that only failures lead to.
        """
        if changes.uri is not None:
            self._check_address(changes.uri, "uri")
        return await self._change(await self.get(id, owner), lambda webhook: _changed(webhook, changes))

    async def delete(self, id: str, owner: str) -> None:
        """Remove a webhook for good. It is told nothing any more, whatever was still to be told.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        if not await self._store.delete_resource(KIND, id, owner):
            raise _unknown(id)
        self._remembered.pop(owner, None)

    async def ping(self, id: str, owner: str) -> None:
        """Tell a webhook something for a try, once and now, whatever its state is.

        Raises:
            NotFound: there is none with this id for this owner.
            FailedPrecondition: it was not heard, and why.
        """
        webhook = await self.get(id, owner)
        payload = self._written(WebhookEvent(PING, self._clock(), {"id": webhook.id}))
        try:
            status = await self._send_to_webhook(webhook, self._new_id("msg_"), payload)
        except InvalidRequest as error:
            raise FailedPrecondition(f"the ping was not heard: {error.message}") from None
        except TimeoutError:
            raise FailedPrecondition(f"the ping was not heard: no answer came within {self._seconds:g} s") from None
        if not _is_heard(status):
            raise FailedPrecondition(f"the ping was not heard: the address answered with the status {status}, not 2xx")

    async def rotate(self, id: str, owner: str, revocation: Revocation) -> str:
        """Give a webhook a new secret, which is told nobody again.

        Raises:
            NotFound: there is none with this id for this owner.
            FailedPrecondition: too many older ones still sign.
        """
        secret, now = new_secret(), self._clock()
        sealed = self._sealed(secret, id, owner)

        def rotated(webhook: Webhook) -> Webhook:
            if revocation is Revocation.IMMEDIATELY:
                return replace(webhook, secrets=(sealed,))
            older = [replace(one, expires=one.expires or now + GRACE) for one in reversed(webhook.live_secrets(now))]
            if len(older) >= SECRETS:
                raise FailedPrecondition(
                    f"{SECRETS} secrets of this webhook sign already; wait until the oldest expires, or revoke them"
                    f" with '{Revocation.IMMEDIATELY}'",
                    field="revocation_behavior",
                )
            return replace(webhook, secrets=(*older, sealed))

        await self._change(await self.get(id, owner), rotated)
        return secret

    def live_secrets(self, webhook: Webhook) -> tuple[SigningSecret, ...]:
        """The secrets that sign what a webhook hears now, the newest first."""
        return webhook.live_secrets(self._clock())

    def _check_address(self, uri: str, field: str) -> None:
        try:
            self._web.check(uri)
        except InvalidRequest as error:
            raise InvalidRequest(error.message, field=field) from None

    def _sealed(self, secret: str, id: str, owner: str) -> SigningSecret:
        return SigningSecret(self._sealer.seal(Secret(token=secret, call_id=id), owner), shorten(secret))

    def _opened(self, webhook: Webhook, at: datetime) -> Sequence[str]:
        """The secrets that sign. One that does not open was sealed with another key than the server has now."""
        opened = (self._sealer.open(one.sealed, webhook.owner) for one in webhook.live_secrets(at))
        return [secret.token for secret in opened if secret and secret.token and secret.call_id == webhook.id]

    async def _webhooks_of(self, owner: str) -> Sequence[Webhook]:
        """An owner's webhooks, as they were lately."""
        now = self._clock()
        known = self._remembered.get(owner)
        if known is None or known.until <= now:
            found = await self._store.resources(KIND, owner, self._most)
            known = _Remembered(tuple(map(_read, found)), now + REMEMBERED)
            self._remembered.pop(owner, None)
            while len(self._remembered) >= OWNERS_REMEMBERED:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[owner] = known
        return known.webhooks

    async def _change(self, webhook: Webhook, change: Callable[[Webhook], Webhook]) -> Webhook:
        """Keep what becomes of a webhook. If it changed meanwhile, the change is made anew.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        while (changed := change(webhook)) != webhook:
            changed = replace(changed, updated=max(self._clock(), webhook.updated + timedelta(microseconds=1)))
            if await self._store.change_resource(_kept(changed), webhook.updated):
                self._remembered.pop(webhook.owner, None)
                return changed
            webhook = await self.get(webhook.id, webhook.owner)
        return webhook

    # -- telling

    def _written(self, event: WebhookEvent) -> str:
        """An event as it is sent: written once, so that each try sends the very same bytes."""
        return orjson.dumps(self._render(event)).decode()

    async def _tell(self, notice: Notice) -> Outcome:
        """Try once to tell a notice."""
        id = notice.body.get("webhook")
        if id is None:
            return await self._tell_address(notice)
        try:
            webhook = await self.get(id, notice.owner)
        except NotFound:
            return Outcome.POINTLESS
        if webhook.state is not WebhookState.ENABLED:
            return Outcome.POINTLESS
        status = await self._status(notice, lambda: self._send_to_webhook(webhook, notice.id, notice.body["payload"]))
        try:
            await self._change(webhook, lambda webhook: self._after(webhook, notice, status))
        except NotFound:
            return Outcome.POINTLESS
        return _outcome(status)

    async def _tell_address(self, notice: Notice) -> Outcome:
        uri, payload = notice.body["uri"], notice.body["payload"]

        async def send() -> int:
            at = self._clock()
            return await self._send(uri, notice.id, at, payload, await self._key.sign(notice.id, at, payload, uri))

        return _outcome(await self._status(notice, send))

    async def _status(self, notice: Notice, send: Callable[[], Awaitable[int]]) -> int | None:
        """The status that the answer to a try has. None: there was none."""
        try:
            status = await send()
        except (InvalidRequest, TimeoutError) as error:
            why = "no answer came in time" if isinstance(error, TimeoutError) else "the address cannot be reached"
            log.info("%s was not heard at try %d: %s", notice.id, notice.attempts, why)
            return None
        if not _is_heard(status):
            log.info("%s was not heard at try %d: the answer has the status %d", notice.id, notice.attempts, status)
        return status

    async def _send_to_webhook(self, webhook: Webhook, id: str, payload: str) -> int:
        at = self._clock()
        secrets = self._opened(webhook, at)
        if not secrets:
            raise InvalidRequest("no secret of the webhook can be read any more; rotate its signing secret")
        return await self._send(webhook.uri, id, at, payload, " ".join(sign(one, id, at, payload) for one in secrets))

    async def _send(self, uri: str, id: str, at: datetime, payload: str, signature: str) -> int:
        """Send an event. Returns the status of the answer, of which nothing else is read."""
        self._web.check(uri)
        headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", signature),
        ]
        async with asyncio.timeout(self._seconds), self._web.open() as line:
            answer = await line.send("POST", uri, headers, payload.encode(), limit=0)
            answer.close()
            return answer.status

    def _after(self, webhook: Webhook, notice: Notice, status: int | None) -> Webhook:
        """What becomes of a webhook when it was told something."""
        now = self._clock()
        if status is not None and _is_heard(status):
            return replace(webhook, failing_since=None)
        since = webhook.failing_since or (notice.created if notice.attempts == 1 else now)
        if status == GONE or now - since >= self._patience:
            log.warning("the webhook %s is disabled: it hears nothing", webhook.id)
            return replace(webhook, state=WebhookState.DISABLED_DUE_TO_FAILED_DELIVERIES, failing_since=None)
        return replace(webhook, failing_since=since)


def _unknown(id: str) -> NotFound:
    return NotFound(f"there is no webhook '{id}'; it was never registered by you, or is deleted")


def _is_heard(status: int) -> bool:
    return 200 <= status < 300


def _outcome(status: int | None) -> Outcome:
    if status == GONE:
        return Outcome.POINTLESS
    return Outcome.HEARD if status is not None and _is_heard(status) else Outcome.FAILED


def _target(notice: Notice) -> str:
    """Who is told: a webhook, or the server of an address."""
    id = notice.body.get("webhook")
    return f"webhook {id}" if id is not None else urlsplit(notice.body["uri"]).netloc.lower()


def _changed(webhook: Webhook, changes: WebhookChanges) -> Webhook:
    if changes.state is WebhookState.DISABLED_DUE_TO_FAILED_DELIVERIES and webhook.state is not changes.state:
        raise InvalidRequest(
            f"only failures lead to this state; a webhook is told nothing while it is '{WebhookState.DISABLED}'",
            field="state",
        )
    afresh = changes.uri is not None or changes.state is not None
    return replace(
        webhook,
        uri=webhook.uri if changes.uri is None else changes.uri,
        events=webhook.events if changes.events is None else changes.events,
        name=webhook.name if changes.name is None else changes.name,
        state=webhook.state if changes.state is None else changes.state,
        failing_since=None if afresh else webhook.failing_since,
    )


# -- how webhooks are kept


def _kept(webhook: Webhook) -> Resource:
    body: dict[str, JSON] = {
        "uri": webhook.uri,
        "events": list(webhook.events),
        "name": webhook.name,
        "state": webhook.state.value,
        "secrets": [
            {"sealed": one.sealed, "shown": one.shown, "expires": _written_time(one.expires)} for one in webhook.secrets
        ],
        "failing_since": _written_time(webhook.failing_since),
    }
    return Resource(KIND, webhook.id, webhook.owner, webhook.created, webhook.updated, body)


def _read(resource: Resource) -> Webhook:
    body = resource.body
    return Webhook(
        id=resource.id,
        owner=resource.owner,
        created=resource.created,
        updated=resource.updated,
        uri=body["uri"],
        events=tuple(body["events"]),
        name=body["name"],
        state=WebhookState(body["state"]),
        secrets=tuple(
            SigningSecret(one["sealed"], one["shown"], _read_time(one["expires"])) for one in body["secrets"]
        ),
        failing_since=_read_time(body["failing_since"]),
    )


def _written_time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
