"""The description of the server: valid, whole, true of this very server, and readable with nothing from elsewhere."""

import re
import shlex
from collections.abc import AsyncGenerator, Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from starlette.routing import Route

from receivers import open_receiver
from support import App, open_app
from turnwise.agents.agent import Budget
from turnwise.agents.catalogue import AgentEntry, Catalogue
from turnwise.http.docs import SERVER, curl
from turnwise.http.openapi import A_DOCUMENT, A_STORE, A_WEBHOOK, AN_AGENT, CALLS, build_openapi
from turnwise.http.routes import NOT_YET
from turnwise.plugins import Desk, Said, Says, Task, agent

DOCUMENT = build_openapi(NOT_YET)
OPERATIONS = [
    pytest.param(method, path, call, id=call["operationId"])
    for path, at in DOCUMENT["paths"].items()
    for method, call in at.items()
]

every_call = pytest.mark.parametrize(("method", "path", "call"), OPERATIONS)


# -- the document


def test_the_document_is_valid_openapi():
    validate(orjson.loads(orjson.dumps(DOCUMENT)), cls=OpenAPIV31SpecValidator)


async def test_the_document_is_served_as_json():
    async with open_app() as app:
        reply = await app.ask("GET", "/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == DOCUMENT


async def test_every_route_is_described_and_every_description_has_its_route():
    async with open_app() as app:
        routes = set(routes_of(app))
    described = {(method.upper(), path) for path, at in DOCUMENT["paths"].items() for method in at}
    not_yet = re.compile(rf"(/upload)?/{{version}}/({'|'.join(DOCUMENT['x-not-yet'])})([/:].*)?")
    assert {(method, path) for method, path in routes if not not_yet.fullmatch(path)} == described
    named = {found[2] for _, path in routes if (found := not_yet.fullmatch(path))}
    assert named == set(DOCUMENT["x-not-yet"])


def routes_of(app: App) -> Iterator[tuple[str, str]]:
    """Every method and path of the route table, as a document writes them."""
    for route in app.asgi.routes:
        assert isinstance(route, Route)
        for method in route.methods - {"HEAD"}:
            yield method, re.sub(r"{(\w+):\w+}", r"{\1}", route.path)


def test_every_call_has_a_name_of_its_own():
    names = [call.id for call in CALLS]
    assert len(set(names)) == len(names)


@every_call
async def test_the_query_of_a_call_is_what_the_server_takes(method: str, path: str, call: Any):
    if "{version}" not in path:
        return
    async with open_app() as app:
        made = await app.create()
        refused = await app.ask(method.upper(), f"{address(path, call, made['id'])}?colour=red")
    told = refused.json["error"]["message"].removeprefix("colour: this call has no such query parameter; it has: ")
    described = {parameter["name"] for parameter in call["parameters"] if parameter["in"] == "query"}
    assert described - {"alt"} == set(told.split(", ")) - {"none"}


def address(path: str, call: Any, id: str) -> str:
    """A call's path on a server that has one interaction and the model `m`."""
    return path.replace("{version}", "v1").replace("{id}", "m" if "Models" in call["tags"] else id)


@every_call
def test_every_parameter_is_explained(method: str, path: str, call: Any):
    for parameter in call.get("parameters", ()):
        assert parameter["description"]
    assert set(re.findall(r"{(\w+)}", path)) == {p["name"] for p in call.get("parameters", ()) if p["in"] == "path"}


@every_call
def test_every_call_of_the_api_can_be_made_with_a_key_in_any_place_or_none(method: str, path: str, call: Any):
    with_keys = [{"header": []}, {"query": []}, {"bearer": []}, {}]
    assert call["security"] == (with_keys if "{version}" in path else [{}])


def test_fields_that_are_refused_for_now_say_so():
    fields = DOCUMENT["components"]["schemas"]["CreateBody"]["properties"]
    assert "Not supported yet: refused with 501." in fields["safety_settings"]["description"]


# -- the page


class Page(HTMLParser):
    """What stands in a page: its ids, its links, its commands, and everything that it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.commands: list[str] = [
            unescape(found) for found in re.findall(r"<pre><code>(.*?)</code></pre>", text, re.S)
        ]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name in ("src", "srcset", "action", "style") or name.startswith("on"):
                self.fetched.append(f"{tag} {name}={value}")


async def read_page(host: str = "test") -> tuple[str, Page]:
    async with open_app() as app:
        reply = await app.ask("GET", "/docs", headers={"host": host})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    return reply.body.decode(), Page(reply.body.decode())


async def test_the_page_asks_nobody_for_anything():
    text, page = await read_page()
    assert page.fetched == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"url\(|@import", text)


async def test_every_link_of_the_page_leads_somewhere():
    _, page = await read_page()
    assert len(set(page.ids)) == len(page.ids)
    within = {link.removeprefix("#") for link in page.links if link.startswith("#")} - {""}
    assert within <= set(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["openapi.json"]


async def test_the_page_has_every_call_and_every_shape():
    _, page = await read_page()
    assert {call.id for call in CALLS} <= set(page.ids)
    assert set(DOCUMENT["components"]["schemas"]) <= set(page.ids)


async def test_the_page_has_every_field_parameter_event_and_error():
    text, _ = await read_page()
    for name in (*fields(), *parameters(), *events()):
        assert f"<code>{name}</code>" in text, name
    for word in ("model_not_found", "out_of_range", "unimplemented", "gateway_timeout"):
        assert f"<code>{word}</code>" in text, word


def fields() -> Iterator[str]:
    for schema in DOCUMENT["components"]["schemas"].values():
        yield from schema.get("properties", ())


def parameters() -> Iterator[str]:
    for at in DOCUMENT["paths"].values():
        for call in at.values():
            yield from (parameter["name"] for parameter in call.get("parameters", ()))


def events() -> Iterator[str]:
    for union in ("StepsEvent", "OutputsEvent"):
        yield from DOCUMENT["components"]["schemas"][union]["discriminator"]["mapping"]


async def test_the_page_shows_each_call_as_a_command_with_the_servers_own_address():
    _, page = await read_page("turnwise.example:8787")
    assert len(page.commands) >= len(CALLS)
    for command in page.commands:
        assert "http://turnwise.example:8787/" in command
    assert SERVER not in "".join(page.commands)


@pytest.mark.parametrize("host", ["x'><script>alert(1)</script>", "a;rm -rf", 'x"y', "$(id)"])
async def test_a_host_that_is_none_does_not_get_into_the_page(host: str):
    text, page = await read_page(host)
    assert "script" not in page.tags
    assert host not in text
    assert all(re.search(r" '?http://(127\.0\.0\.1:8787|test)/", command) for command in page.commands)


@agent("reader")
async def reader(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    yield Says(task.text)


AGENTS = Catalogue(
    {"deep-research-preview-04-2026": AgentEntry("reader", "m", Budget(1000, 60.0))}, {"reader": lambda: reader}
)

COMMANDS = [
    pytest.param(method, path, call, body["value"], id=f"{call['operationId']}-{name}")
    for method, path, call in (param.values for param in OPERATIONS)
    for name, body in call.get("requestBody", {})
    .get("content", {"": {}})
    .get("application/json", {"examples": {"": {"value": None}}})["examples"]
    .items()
]
"""Every command of the page."""


@pytest.mark.parametrize(("method", "path", "call", "body"), COMMANDS)
async def test_every_command_of_the_page_works(method: str, path: str, call: Any, body: Any):
    command = curl(method, path, call, body)
    async with open_receiver() as receiver, open_app(agents=AGENTS) as app:
        made = await app.create()
        base = {"id": "saved-agent", "base_agent": AGENTS.names()[0]}
        assert (await app.ask("POST", "/v1/agents", json=base)).status == 200
        hook = {"uri": receiver.uri(), "subscribed_events": ["interaction.completed"]}
        webhook = (await app.ask("POST", "/v1/webhooks", json=hook)).json["id"]
        await app.upload(name="my-file")
        store = (await app.ask("POST", "/v1/fileSearchStores")).json["name"]
        document = (await app.upload_document(store, b"Hello"))["name"]
        examples = {
            "int_01k0000000000000000000000": made["id"],
            "/default": "/m",
            f"/agents/{AN_AGENT}": "/agents/saved-agent",
            f"fileSearchStores/{A_STORE}": store,
            A_WEBHOOK: webhook,
            A_DOCUMENT: document.rpartition("/")[2],
        }
        for example, real in examples.items():
            command = command.replace(example, real)
        reply = await run(app, command)
    assert reply.status == int(next(iter(call["responses"])))


async def run(app: App, command: str) -> Any:
    """What curl would do with a command."""
    program, *words = shlex.split(command.replace("\\\n", " "))
    assert program == "curl"
    method, body, headers, target = "GET", b"", {}, ""
    while words:
        match words.pop(0):
            case "-X":
                method = words.pop(0)
            case "-N":
                pass
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                method, body = "POST" if method == "GET" else method, words.pop(0).encode()
            case word:
                target = word.removeprefix(SERVER)
    return await app.ask(method, target, body=body, headers=headers)
