"""Webhooks as each SDK that has them has it: the resource, `webhook_config`, and what a receiver hears of both."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from standardwebhooks import Webhook

from .conftest import UPSTREAM_SETTINGS, script_of
from .programs import TIMEOUT, run_sdk
from .sdks import ALL, Sdk
from .selection import each_sdk
from .serving import serve
from .upstream import Upstream

BEFORE_WEBHOOKS = (Sdk("python", "1.55.0"), Sdk("python", "1.65.0"), Sdk("javascript", "1.33.0"))

over_every_sdk_with_webhooks = each_sdk(sdk for sdk in ALL if sdk not in BEFORE_WEBHOOKS)


@dataclass
class Receiver:
    """A server that hears, and says so."""

    address: str
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, path: str, type: str) -> tuple[dict[str, str], bytes]:
        """The first event of a type that came to a path."""
        with self.news:
            assert self.news.wait_for(lambda: self._found(path, type), TIMEOUT), f"{path} did not hear of {type}"
            return self._found(path, type)[0]

    def _found(self, path: str, type: str) -> list[tuple[dict[str, str], bytes]]:
        return [(head, body) for at, head, body in self.heard if at == path and json.loads(body)["type"] == type]


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            with receiver.news:
                receiver.heard.append((self.path, dict(self.headers), body))
                receiver.news.notify_all()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path, competent_upstream: Upstream) -> Iterator[str]:
    """A server that may tell what listens on this machine."""
    folder = tmp_path_factory.mktemp("webhooks")
    settings = folder / "turnwise.toml"
    allowed = '\n[network]\nallow = ["127.0.0.1"]\n'
    settings.write_text(UPSTREAM_SETTINGS.format(address=competent_upstream.address) + allowed)
    with serve(folder / "data", cache / "models", "--config", str(settings)) as address:
        yield address


@pytest.fixture(scope="module")
def reports() -> dict[Sdk, dict]:
    """What the script reported, by the SDK that ran it."""
    return {}


@pytest.fixture
def report(
    sdk: Sdk,
    server: str,
    receiver: Receiver,
    reports: dict[Sdk, dict],
    environment_of: Callable[[Sdk], Path],
    tmp_path: Path,
) -> dict:
    if sdk not in reports:
        script, address = script_of(sdk, "webhooks"), f"{receiver.address}/{sdk}"
        reports[sdk] = run_sdk(sdk, environment_of(sdk), script, tmp_path, server, address).report()
    return reports[sdk]


@over_every_sdk_with_webhooks
def test_webhook_is_registered_read_and_listed(sdk, report, receiver):
    made, read = report["made"], report["read"]
    assert made["new_signing_secret"].startswith("whsec_")
    assert not read.get("new_signing_secret")
    assert read["signing_secrets"][0]["truncated_secret"] == f"{made['new_signing_secret'][:10]}..."
    for webhook in (made, read):
        assert (webhook["name"], webhook["state"]) == ("Mine", "enabled")
        assert webhook["uri"] == f"{receiver.address}/{sdk}/static"
        assert webhook["subscribed_events"] == ["interaction.completed", "batch.succeeded"]
        assert datetime.fromisoformat(webhook["create_time"]).tzinfo is not None
    assert made["id"] in report["listed"]
    assert len(set(report["listed"])) == len(report["listed"]) >= 2


@over_every_sdk_with_webhooks
def test_webhook_hears_a_ping_and_the_end_of_a_background_interaction(sdk, report, receiver):
    assert report["status"] == "completed"
    secret = Webhook(report["made"]["new_signing_secret"])
    for type, id in (("ping", report["made"]["id"]), ("interaction.completed", report["interaction"])):
        headers, body = receiver.wait(f"/{sdk}/static", type)
        event = secret.verify(body, headers)
        assert (event["version"], event["data"]) == ("v1", {"id": id})


@over_every_sdk_with_webhooks
def test_address_of_a_request_hears_in_place_of_the_webhooks(sdk, report, receiver, server):
    assert report["echoed"]["uris"] == [f"{receiver.address}/{sdk}/dynamic"]
    assert report["echoed"]["user_metadata"] == {"job_group": "nightly-eval", "priority": 1}
    headers, _ = receiver.wait(f"/{sdk}/dynamic", "interaction.completed")
    token = headers["webhook-signature"]
    key = jwt.PyJWKClient(f"{server}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    event = jwt.decode(token, key, algorithms=["RS256"], audience=f"{receiver.address}/{sdk}/dynamic")
    assert event["data"] == {"id": report["dynamic"]}
    assert event["user_metadata"] == {"job_group": "nightly-eval", "priority": 1}
    told = [json.loads(body)["data"]["id"] for path, _, body in receiver.heard if path == f"/{sdk}/static"]
    assert report["dynamic"] not in told


@over_every_sdk_with_webhooks
def test_webhook_is_changed_by_its_body_or_by_a_mask(sdk, report):
    assert (report["updated"]["name"], report["updated"]["state"]) == ("Other", "disabled")
    assert (report["masked"]["name"], report["masked"]["state"]) == ("Masked", "disabled")


@over_every_sdk_with_webhooks
def test_new_secret_is_shown_once_and_the_old_one_signs_along(sdk, report):
    assert report["rotated"].startswith("whsec_")
    newest, older = report["read_later"]["signing_secrets"]
    assert newest["truncated_secret"] == f"{report['rotated'][:10]}..."
    assert not newest.get("expire_time")
    assert datetime.fromisoformat(older["expire_time"]).tzinfo is not None


@over_every_sdk_with_webhooks
def test_private_address_and_deleted_webhook_are_a_clients_error(sdk, report):
    assert report["private"]["code"] == 400
    assert "10.0.0.1" in report["private"]["message"]
    assert report["get_deleted"]["code"] == 404
