"""Webhooks, by the settings."""

from datetime import UTC, datetime, timedelta

from turnwise.app.media import build_guard
from turnwise.domain.errors import InvalidRequest
from turnwise.engine.thoughts import Sealer
from turnwise.engine.webhooks import Webhooks, WebhookStore
from turnwise.ids import new_id
from turnwise.media.exchange import GuardedWeb
from turnwise.media.guard import Guard, show
from turnwise.settings import Settings
from turnwise.wire.webhooks import render_webhook_event


class Receivers(GuardedWeb):
    """The web, as far as events are sent to it: by TLS, or to hosts that the settings name."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._receivers = guard

    def check(self, url: str) -> None:
        """Raises:
        InvalidRequest: nothing is sent to this address, as far as can be told without asking for its name.
        """
        parsed = self._receivers.check(url)
        if parsed.scheme != "https" and not self._receivers.is_allowed(parsed):
            raise InvalidRequest(
                f"the address {show(url)} must begin with https://, so that nobody on the way reads what is sent."
                ' Whoever runs this server can allow it in the settings: [network] allow = ["HOST:PORT"]'
            )


def build_webhooks(settings: Settings, store: WebhookStore, sealer: Sealer) -> Webhooks:
    """Who tells the outside how interactions end. It is not started.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    return Webhooks(
        store,
        Receivers(build_guard(settings)),
        sealer=sealer,
        render=render_webhook_event,
        clock=clock,
        new_id=new_id,
        issuer=settings.public_url or "turnwise",
        most=settings.webhooks.most,
        seconds=settings.webhooks.seconds,
        patience=timedelta(hours=settings.webhooks.hours),
    )


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
