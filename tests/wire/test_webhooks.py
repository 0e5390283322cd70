"""Webhooks on the wire: what clients say of them, what they read, and what is sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ConfigDict, TypeAdapter

from domain.samples import full
from turnwise.domain.errors import InvalidRequest, UnknownParameter
from turnwise.domain.interaction import WebhookConfig
from turnwise.domain.webhooks import (
    NewWebhook,
    Revocation,
    SigningSecret,
    Webhook,
    WebhookChanges,
    WebhookEvent,
    WebhookState,
)
from turnwise.wire import DIALECTS
from turnwise.wire.outputs.schema import OutputsInteraction
from turnwise.wire.request import parse_request
from turnwise.wire.steps.schema import StepsInteraction
from turnwise.wire.webhooks import (
    WRITTEN_BY_US,
    WebhookResource,
    check_ping,
    parse_new_webhook,
    parse_rotation,
    parse_update,
    render_webhook,
    render_webhook_event,
)

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
NEW, OLD = SigningSecret("s1", "whsec_abcd..."), SigningSecret("s2", "whsec_efgh...", NOON + timedelta(hours=24))
BARE = Webhook("wh-1", "ann", NOON, NOON, "https://hooks.example/", ("interaction.completed",))


def check(described: Any, rendered: Any) -> None:
    exactly = ConfigDict(extra="forbid", strict=True)
    TypeAdapter(list[described], config=exactly).validate_python([rendered])


# -- what comes


def test_a_new_webhook_has_each_event_once():
    body = {"uri": "https://a.example", "name": "A", "subscribed_events": ["batch.failed", "batch.failed"]}
    assert parse_new_webhook(body) == NewWebhook("https://a.example", ("batch.failed",), "A")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "the body must be a JSON object"),
        ({"subscribed_events": ["batch.failed"]}, "uri: this field is required"),
        ({"uri": "", "subscribed_events": ["batch.failed"]}, "uri: "),
        ({"uri": "https://a.example"}, "subscribed_events: this field is required"),
        ({"uri": "https://a.example", "subscribed_events": []}, "subscribed_events: "),
        ({"uri": "https://a.example", "subscribed_events": ["interaction.begun"]}, "subscribed_events[0]: "),
        ({"uri": "https://a.example", "subscribed_events": ["batch.failed"], "name": "n" * 513}, "name: "),
        ({"uri": 7, "subscribed_events": ["batch.failed"]}, "uri: "),
    ],
)
def test_what_is_no_webhook_is_refused_by_its_field(body: Any, said: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_new_webhook(body)
    assert refused.value.message.startswith(said)


@pytest.mark.parametrize("name", WRITTEN_BY_US)
@pytest.mark.parametrize("parse", [parse_new_webhook, lambda body: parse_update(body, None)])
def test_what_the_server_writes_is_refused(name: str, parse: Any):
    with pytest.raises(InvalidRequest, match=f"^{name}: this field is written by the server"):
        parse({name: "x"})


def test_an_unknown_field_is_refused():
    with pytest.raises(UnknownParameter, match=r"^colour: the API has no such field"):
        parse_new_webhook({"uri": "https://a.example", "subscribed_events": ["batch.failed"], "colour": "red"})


ALL = {"name": "B", "uri": "https://b.example", "subscribed_events": ["video.generated"], "state": "disabled"}


@pytest.mark.parametrize(
    ("body", "mask", "changes"),
    [
        ({}, None, WebhookChanges()),
        (ALL, None, WebhookChanges("https://b.example", ("video.generated",), "B", WebhookState.DISABLED)),
        (ALL, "*", WebhookChanges("https://b.example", ("video.generated",), "B", WebhookState.DISABLED)),
        (ALL, "state, name", WebhookChanges(name="B", state=WebhookState.DISABLED)),
        ({"name": None}, None, WebhookChanges(name="")),
        ({"uri": "https://b.example"}, "uri,name", WebhookChanges(uri="https://b.example", name="")),
    ],
)
def test_an_update_changes_what_it_names(body: Any, mask: str | None, changes: WebhookChanges):
    assert parse_update(body, mask) == changes


@pytest.mark.parametrize(
    ("body", "mask", "said"),
    [
        ({"uri": None}, None, "uri: a webhook cannot be without it"),
        ({}, "subscribed_events", "subscribed_events: a webhook cannot be without it"),
        ({}, "colour", "update_mask: name, uri, subscribed_events, state, or '*'"),
        ({}, "name,", "update_mask: "),
        ({}, "id", "update_mask: "),
        ({"state": "asleep"}, None, "state: "),
    ],
)
def test_an_update_that_cannot_be_is_refused_by_its_field(body: Any, mask: str | None, said: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_update(body, mask)
    assert refused.value.message.startswith(said)


@pytest.mark.parametrize(
    ("raw", "revocation"),
    [
        (b"", Revocation.AFTER_H24),
        (b"{}", Revocation.AFTER_H24),
        (b'{"revocation_behavior": "REVOKE_PREVIOUS_SECRETS_AFTER_H24"}', Revocation.AFTER_H24),
        (b'{"revocation_behavior": "revoke_previous_secrets_immediately"}', Revocation.IMMEDIATELY),
    ],
)
def test_a_rotation_says_when_older_secrets_end(raw: bytes, revocation: Revocation):
    assert parse_rotation(raw) is revocation


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"revocation_behavior": "never"}', b'{"at": 1}', b'{"a":' * 2000])
def test_a_rotation_that_says_something_else_is_refused(raw: bytes):
    with pytest.raises(InvalidRequest):
        parse_rotation(raw)


def test_nothing_is_said_of_a_ping():
    check_ping(b"")
    check_ping(b" {}")
    with pytest.raises(UnknownParameter, match=r"^text: "):
        check_ping(b'{"text": "hi"}')


# -- of a request


def configured(**fields: Any) -> WebhookConfig | None:
    return parse_request({"model": "m", "input": "Hi", **fields}).webhook


def test_a_request_names_addresses_and_what_is_sent_along():
    config = {"uris": ["https://a.example", "https://b.example"], "user_metadata": {"job": [1, None]}}
    assert configured(webhook_config=config) == WebhookConfig(
        ("https://a.example", "https://b.example"), {"job": [1, None]}
    )


@pytest.mark.parametrize("nothing", [None, {}, {"uris": []}, {"uris": None, "user_metadata": {}}])
def test_a_request_that_names_nobody_tells_nobody(nothing: Any):
    assert configured(webhook_config=nothing) is None
    assert configured(webhook_config=nothing, store=False) is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("https://a.example", "webhook_config: "),
        ({"uris": "https://a.example"}, "webhook_config.uris: "),
        ({"uris": [""]}, "webhook_config.uris[0]: "),
        ({"uris": ["https://a.example", "https://a.example"]}, "webhook_config.uris[1]: this address is there twice"),
        ({"uris": [f"https://a.example/{n}" for n in range(11)]}, "webhook_config.uris: "),
        ({"user_metadata": "nightly"}, "webhook_config.user_metadata: "),
        ({"user_metadata": {"long": "x" * 16384}}, "webhook_config.user_metadata: it has 16395 bytes as JSON"),
        ({"url": "https://a.example"}, "webhook_config.url: the API has no such field"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_field(config: Any, said: str):
    with pytest.raises(InvalidRequest) as refused:
        configured(webhook_config=config)
    assert refused.value.message.startswith(said)


def test_of_what_is_not_stored_nobody_is_told():
    with pytest.raises(InvalidRequest, match=r"^webhook_config: of an interaction that is not stored"):
        configured(webhook_config={"uris": ["https://a.example"]}, store=False)


@pytest.mark.parametrize(("dialect", "described"), [("outputs", OutputsInteraction), ("steps", StepsInteraction)])
def test_an_interaction_gives_back_whom_it_tells(dialect: Any, described: Any):
    config = WebhookConfig(("https://a.example",), {"job": "nightly"})
    asked = replace(full(), turn=replace(full().turn, webhook=config))
    body = DIALECTS[dialect].render_interaction(asked)
    check(described, body)
    assert body["webhook_config"] == {"uris": ["https://a.example"], "user_metadata": {"job": "nightly"}}


# -- what is read and sent


@pytest.mark.parametrize("webhook", [BARE, replace(BARE, name="A", state=WebhookState.DISABLED)])
def test_a_webhook_is_as_described(webhook: Webhook):
    made = render_webhook(webhook, (NEW,), "whsec_abcdefgh")
    read = render_webhook(webhook, (NEW, OLD))
    for body in (made, read):
        check(WebhookResource, body)
    assert made["new_signing_secret"] == "whsec_abcdefgh"
    assert "new_signing_secret" not in read
    assert read["signing_secrets"] == [
        {"truncated_secret": "whsec_abcd..."},
        {"truncated_secret": "whsec_efgh...", "expire_time": "2026-01-03T12:00:00.000Z"},
    ]
    assert b"s1" not in orjson.dumps(read)


def test_an_event_is_thin():
    assert render_webhook_event(WebhookEvent("ping", NOON, {"id": "wh-1"})) == {
        "type": "ping",
        "version": "v1",
        "timestamp": "2026-01-02T12:00:00.000Z",
        "data": {"id": "wh-1"},
    }
    assert render_webhook_event(WebhookEvent("ping", NOON, {}, {"a": 1}))["user_metadata"] == {"a": 1}
