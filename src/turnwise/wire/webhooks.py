"""Webhooks as the API has them: what a client says of them, what it reads, and what is sent to their addresses."""

from typing import Annotated, Literal, NotRequired, TypeVar, get_args

import orjson
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from turnwise.domain.content import DEPTH, JSON, is_too_deep
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.webhooks import (
    EVENTS,
    NewWebhook,
    Revocation,
    SigningSecret,
    Webhook,
    WebhookChanges,
    WebhookEvent,
    WebhookState,
)
from turnwise.wire.common import render_time
from turnwise.wire.invalid import explain, shown
from turnwise.wire.request import Body

B = TypeVar("B", bound=Body)

EventName = Literal[
    "batch.succeeded",
    "batch.cancelled",
    "batch.expired",
    "batch.failed",
    "interaction.requires_action",
    "interaction.completed",
    "interaction.failed",
    "interaction.cancelled",
    "video.generated",
]
assert set(get_args(EventName)) == set(EVENTS)

StateName = Literal["enabled", "disabled", "disabled_due_to_failed_deliveries"]

VERSION = "v1"
"""Which form of events this is."""

WRITTEN_BY_US = ("id", "create_time", "update_time", "signing_secrets", "new_signing_secret")
"""Fields of a webhook that a client reads and never writes."""

CHANGEABLE = ("name", "uri", "subscribed_events", "state")
"""Fields that an update may name in its mask."""


# -- what comes


class NewWebhookBody(Body):
    """A webhook that is to be registered."""

    uri: Annotated[str, Field(min_length=1)]
    """Where events are sent: an `https` address."""
    subscribed_events: Annotated[list[EventName], Field(min_length=1)]
    """What it is told of. What happens to batches and videos never happens here."""
    name: Annotated[str, Field(max_length=512)] | None = None
    """What people call it."""


class WebhookUpdateBody(Body):
    """What is to become of a webhook. What is left out stays as it is, unless the query's `update_mask` names it."""

    name: Annotated[str, Field(max_length=512)] | None = None
    """What people call it."""
    uri: Annotated[str, Field(min_length=1)] | None = None
    """Where events are sent: an `https` address."""
    subscribed_events: Annotated[list[EventName], Field(min_length=1)] | None = None
    """What it is told of."""
    state: StateName | None = None
    """Whether it is told anything. Enabling one that was disabled after failures starts afresh."""


class RotateSecretBody(Body):
    """How to change a webhook's signing secret."""

    revocation_behavior: str | None = None
    """When the secrets that it has stop signing: `revoke_previous_secrets_after_h24`, which is the default, or
    `revoke_previous_secrets_immediately`; in either case of letters."""


class PingBody(Body):
    """Nothing is said of a ping."""


def parse_new_webhook(body: JSON) -> NewWebhook:
    """A webhook that is to be registered.

    Raises:
        InvalidRequest: a field is wrong.
        UnknownParameter: the API has no such field.
    """
    said = _validate(NewWebhookBody, body)
    return NewWebhook(said.uri, _each_once(said.subscribed_events), said.name or "")


def parse_update(body: JSON, mask: str | None) -> WebhookChanges:
    """What is to become of a webhook. `mask` lists the fields that count, with commas between them; of those that it
    does not list nothing changes, whatever the body has. None: the fields of the body count.

    Raises:
        InvalidRequest: a field is wrong, or the mask names one that cannot change, or that the body leaves out and
            no webhook can be without.
        UnknownParameter: the API has no such field.
    """
    said = _validate(WebhookUpdateBody, body)
    given = said.model_fields_set
    wanted = given if mask is None else _parse_mask(mask, given)
    for name in ("uri", "subscribed_events", "state"):
        if name in wanted and getattr(said, name) is None:
            raise InvalidRequest("a webhook cannot be without it; give a value, or leave it out", field=name)
    events = said.subscribed_events
    return WebhookChanges(
        uri=said.uri if "uri" in wanted else None,
        events=_each_once(events) if "subscribed_events" in wanted and events is not None else None,
        name=(said.name or "") if "name" in wanted else None,
        state=WebhookState(said.state) if "state" in wanted and said.state is not None else None,
    )


def parse_rotation(raw: bytes) -> Revocation:
    """When the secrets that a webhook has stop signing. Nothing said is an empty body.

    Raises:
        InvalidRequest: it is not JSON, or a field is wrong.
        UnknownParameter: the API has no such field.
    """
    wanted = _validate(RotateSecretBody, _load(raw)).revocation_behavior
    if wanted is None:
        return Revocation.AFTER_H24
    try:
        return Revocation(wanted.lower())
    except ValueError:
        known = " or ".join(f"'{one}'" for one in Revocation)
        raise InvalidRequest(f"{known}, not {shown(wanted)}", field="revocation_behavior") from None


def check_ping(raw: bytes) -> None:
    """Raises:
    InvalidRequest: something is said, where there is nothing to say.
    """
    _validate(PingBody, _load(raw))


def _load(raw: bytes) -> JSON:
    if not raw.strip():
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    if is_too_deep(body):
        raise InvalidRequest(f"the body is nested deeper than {DEPTH} levels")
    return body


def _validate(model: type[B], body: JSON) -> B:
    if not isinstance(body, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {shown(body)}")
    for name in WRITTEN_BY_US:
        if name in body:
            raise InvalidRequest("this field is written by the server; leave it out", field=name)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise explain(error, model) from None


def _parse_mask(mask: str, given: set[str]) -> set[str]:
    names = [name.strip() for name in mask.split(",")]
    if names == ["*"]:
        return given
    for name in names:
        if name not in CHANGEABLE:
            raise InvalidRequest(
                f"{', '.join(CHANGEABLE)}, or '*', which is all that the body has, and not {shown(name)}",
                field="update_mask",
            )
    return set(names)


def _each_once(names: list[EventName]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


# -- what is read


class SigningSecretResource(TypedDict):
    """A secret that a webhook's events are signed with."""

    truncated_secret: str
    """Its beginning, to tell secrets apart."""
    expire_time: NotRequired[str]
    """From when on it signs nothing any more. Left out for the newest."""


class WebhookResource(TypedDict):
    """A webhook."""

    id: str
    name: NotRequired[str]
    """What people call it."""
    uri: str
    """Where events are sent."""
    subscribed_events: list[EventName]
    """What it is told of."""
    state: StateName
    """Whether it is told anything."""
    create_time: str
    update_time: str
    signing_secrets: list[SigningSecretResource]
    """What its events are signed with, the newest first. Until the older ones expire, each event is signed by all."""
    new_signing_secret: NotRequired[str]
    """The secret, which is shown once: by the call that made the webhook."""


class WebhookList(TypedDict):
    """A page of webhooks, oldest first. Without any, `webhooks` is left out."""

    webhooks: NotRequired[list[WebhookResource]]
    next_page_token: NotRequired[str]
    """For the next page; left out on the last."""


class RotatedSecret(TypedDict):
    """A webhook's new secret."""

    secret: str
    """It is shown once: now."""


class PublicKey(TypedDict):
    """A public key as a JSON Web Key."""

    kty: Literal["RSA"]
    use: Literal["sig"]
    alg: Literal["RS256"]
    kid: str
    """Its name, which the head of a signature has."""
    n: str
    e: str


class PublicKeys(TypedDict):
    """The keys that signatures of events can be checked by."""

    keys: list[PublicKey]


def render_webhook(webhook: Webhook, secrets: tuple[SigningSecret, ...], new_secret: str | None = None) -> JSON:
    """A webhook as a client reads it. `secrets` are those that sign."""
    body: dict[str, JSON] = {"id": webhook.id}
    if webhook.name:
        body["name"] = webhook.name
    body |= {
        "uri": webhook.uri,
        "subscribed_events": list(webhook.events),
        "state": webhook.state.value,
        "create_time": render_time(webhook.created),
        "update_time": render_time(webhook.updated),
        "signing_secrets": [_render_secret(secret) for secret in secrets],
    }
    if new_secret is not None:
        body["new_signing_secret"] = new_secret
    return body


def _render_secret(secret: SigningSecret) -> dict[str, JSON]:
    body: dict[str, JSON] = {"truncated_secret": secret.shown}
    if secret.expires is not None:
        body["expire_time"] = render_time(secret.expires)
    return body


# -- what is sent


def render_webhook_event(event: WebhookEvent) -> dict[str, JSON]:
    """What an address is sent: what happened, and to what. It is thin on purpose."""
    body: dict[str, JSON] = {
        "type": event.type,
        "version": VERSION,
        "timestamp": render_time(event.at),
        "data": dict(event.data),
    }
    if event.user_metadata:
        body["user_metadata"] = dict(event.user_metadata)
    return body
