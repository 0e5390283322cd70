"""Webhooks: addresses outside that are told how interactions end, and what they are told.

A `Webhook` is registered by its owner and hears of the owner's interactions. Beside it a request may name addresses of
its own (`WebhookConfig` in `interaction.py`). Either way what is told is a `WebhookEvent`, which says no more than what
has happened to what: whoever hears it reads the interaction by its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from turnwise.domain.content import JSON
from turnwise.domain.interaction import Interaction, Status

EVENTS: Mapping[str, str] = {
    "batch.succeeded": "never told: there are no batches here",
    "batch.cancelled": "never told",
    "batch.expired": "never told",
    "batch.failed": "never told",
    "interaction.requires_action": "a model calls a function of the client's",
    "interaction.completed": "the answer is there, or as much of it as there will be",
    "interaction.failed": "it has failed, and why",
    "interaction.cancelled": "a client has cancelled it",
    "video.generated": "never told: no videos are made here",
}
"""Every event that a webhook may subscribe to, and when it is told."""

PING = "ping"
"""What a webhook is told when its owner tries it. It needs no subscription."""

_ENDS: Mapping[Status, str] = {
    Status.REQUIRES_ACTION: "interaction.requires_action",
    Status.COMPLETED: "interaction.completed",
    Status.INCOMPLETE: "interaction.completed",
    Status.BUDGET_EXCEEDED: "interaction.completed",
    Status.FAILED: "interaction.failed",
    Status.CANCELLED: "interaction.cancelled",
}
"""Which event an end is. An answer that was cut off has no event of its own, and is an answer."""


class WebhookState(StrEnum):
    """Whether a webhook is told anything. The values are the API's own words."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DISABLED_DUE_TO_FAILED_DELIVERIES = "disabled_due_to_failed_deliveries"


class Revocation(StrEnum):
    """What becomes of the secrets that a webhook has when it gets a new one. The values are the API's own words."""

    AFTER_H24 = "revoke_previous_secrets_after_h24"
    IMMEDIATELY = "revoke_previous_secrets_immediately"


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """What a webhook's events are signed with, as it is kept: nobody can read it."""

    sealed: str
    shown: str
    """Its beginning, so that a person can tell secrets apart."""
    expires: datetime | None = None
    """From when on it signs nothing any more. None: it is the newest one."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook that is to be."""

    uri: str
    events: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class WebhookChanges:
    """What is to become of a webhook. None: it stays as it is."""

    uri: str | None = None
    events: tuple[str, ...] | None = None
    name: str | None = None
    state: WebhookState | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that hears of its owner's interactions."""

    id: str
    owner: str
    created: datetime
    updated: datetime
    uri: str
    events: tuple[str, ...]
    """What it is told of."""
    name: str = ""
    """What people call it."""
    state: WebhookState = WebhookState.ENABLED
    secrets: tuple[SigningSecret, ...] = ()
    """The newest last. Those that have expired may still be among them."""
    failing_since: datetime | None = None
    """Since when it has heard nothing, though it was told something."""

    def live_secrets(self, at: datetime) -> tuple[SigningSecret, ...]:
        """Those that sign, the newest first."""
        return tuple(one for one in reversed(self.secrets) if one.expires is None or one.expires > at)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What is told."""

    type: str
    at: datetime
    """When it happened."""
    data: Mapping[str, JSON]
    user_metadata: Mapping[str, JSON] = field(default_factory=dict)
    """What the request wanted to be sent along."""


def end_of(interaction: Interaction) -> WebhookEvent:
    """What is told of an interaction that has ended."""
    data: dict[str, JSON] = {"id": interaction.id}
    if interaction.failure is not None:
        data |= {"error_code": interaction.failure.code, "error_message": interaction.failure.message}
    config = interaction.turn.webhook
    return WebhookEvent(
        _ENDS[interaction.status], interaction.updated, data, {} if config is None else config.user_metadata
    )
