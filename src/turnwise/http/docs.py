"""The description of the server, for programs (`/openapi.json`) and for people (`/docs`).

The page is made of the OpenAPI document and nothing else, so the two cannot differ. It asks nobody for anything: no
script, no font, no image. Both are made once, when someone first asks, and beside the event loop.
"""

import asyncio
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from shlex import quote

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from turnwise.domain.content import JSON

SERVER = "@server@"
"""Stands in the page for the server's own address, until someone asks for it under one."""

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "vary": "host",
}

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._~/-]*)?")
_METHODS = ("get", "post", "patch", "delete")
_FROM_HERE = "#/components/schemas/"


class DocsRoutes:
    """The handlers of `/openapi.json` and `/docs`. `not_yet` are the resources that this server does not have."""

    def __init__(self, not_yet: tuple[str, ...]) -> None:
        self._not_yet = not_yet

    async def openapi(self, request: Request) -> Response:
        """`GET /openapi.json`"""
        return Response(await asyncio.to_thread(_document, self._not_yet), media_type="application/json")

    async def page(self, request: Request) -> Response:
        """`GET /docs`"""
        page = await asyncio.to_thread(_page, self._not_yet)
        return HTMLResponse(page.replace(SERVER, escape(_address(request))), headers=HEADERS)


@cache
def _document(not_yet: tuple[str, ...]) -> bytes:
    return orjson.dumps(_described(not_yet))


@cache
def _page(not_yet: tuple[str, ...]) -> str:
    return render_page(_described(not_yet))


def _described(not_yet: tuple[str, ...]) -> dict[str, JSON]:
    from turnwise.http.openapi import build_openapi  # not before someone asks: a server starts without it

    return build_openapi(not_yet)


def _address(request: Request) -> str:
    """The address under which the reader found this server. It is the reader's own word, so it is looked at."""
    address = str(request.base_url).rstrip("/")
    return address if _ADDRESS.fullmatch(address) else "http://127.0.0.1:8787"


# -- the page


def render_page(document: dict[str, JSON]) -> str:
    """The page. The server's address stands in it as `SERVER`."""
    schemas = document["components"]["schemas"]
    calls = [(method, path, call) for path, at in document["paths"].items() for method, call in at.items()]
    style = Path(__file__).with_name("docs.css").read_text()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(document["info"]["title"])}: {_text(document["info"]["summary"])}</title>
<style>{style}</style>
</head>
<body>
<div class="page">
<nav>{_contents(document, calls)}</nav>
<main>
<h1>{_text(document["info"]["summary"])}</h1>
{_paragraphs(document["info"]["description"])}
{_keys(document)}
{"".join(_call(document, *call) for call in calls)}
<h2 class="part" id="shapes">Shapes</h2>
<p class="lead">Of what is sent and read, in the order in which the calls above name them.</p>
{"".join(_shape(name, schemas[name]) for name in _in_order(calls, schemas))}
{_not_yet(document["x-not-yet"])}
<footer>The same for programs: <a href="openapi.json">openapi.json</a></footer>
</main>
</div>
</body>
</html>
"""


def _contents(document: dict[str, JSON], calls: list[tuple[str, str, JSON]]) -> str:
    info = document["info"]
    head = f'<a class="name" href="#">{_text(info["title"])}</a><span class="version">{_text(info["version"])}</span>'
    more = '<h2>More</h2><ul><li><a href="#keys">Keys</a></li><li><a href="#shapes">Shapes</a></li></ul>'
    return head + "".join(_contents_of(tag["name"], calls) for tag in document["tags"]) + more


def _contents_of(tag: str, calls: list[tuple[str, str, JSON]]) -> str:
    items = "".join(
        f'<li>{_method(method)}<a href="#{call["operationId"]}">{_text(call["summary"])}</a></li>'
        for method, _, call in calls
        if tag in call["tags"]
    )
    return f"<h2>{_text(tag)}</h2><ul>{items}</ul>"


def _keys(document: dict[str, JSON]) -> str:
    schemes = document["components"]["securitySchemes"]
    about = _text(schemes["header"]["description"])
    return f"""<section id="keys"><h2>Keys</h2>
<p>A key goes into the header <code>{_text(schemes["header"]["name"])}</code>, the query as
<code>{_text(schemes["query"]["name"])}</code>, or the header <code>Authorization: Bearer</code>.
{about}</p></section>"""


def _not_yet(names: list[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"<code>{_text(name)}</code>" for name in names)
    return f"""<section id="not-yet"><h2>Not here yet</h2>
<p>The API has these too. turnwise answers them with 501: {listed}.</p></section>"""


# -- a call


def _call(document: dict[str, JSON], method: str, path: str, call: JSON) -> str:
    schemas = document["components"]["schemas"]
    return f"""<section id="{call["operationId"]}">
<h2>{_text(call["summary"])}</h2>
<div class="address">{_method(method)}<code>{_text(path)}</code></div>
{_paragraphs(call["description"])}
{_examples(method, path, call)}
{_titled("Parameters", _fields(map(_parameter, call.get("parameters", ()))))}
{_request(call, schemas)}
{_replies(call, schemas)}
{_titled("Errors", _fields(_errors(call)))}
</section>"""


def _parameter(parameter: JSON) -> str:
    return _field(
        parameter["name"],
        parameter["schema"],
        parameter["description"],
        required=parameter.get("required", False),
        more=f'<span class="tag">in the {parameter["in"]}</span>',
    )


def _request(call: JSON, schemas: JSON) -> str:
    if "requestBody" not in call:
        return ""
    schema = call["requestBody"]["content"]["application/json"]["schema"]
    return _titled("Body", _object(schemas[schema["$ref"].removeprefix(_FROM_HERE)]))


def _replies(call: JSON, schemas: JSON) -> str:
    """What a call answers when all goes well."""
    status, reply = next(iter(call["responses"].items()))
    content = reply.get("content", {})
    kinds = [
        f"{_type(body['schema'])} as <code>{_text(kind)}</code>"
        for kind, body in content.items()
        if kind != "text/event-stream"
    ]
    shown = f"<p><code>{status}</code> {_text(reply['description'])} {'. '.join(kinds)}</p>"
    return _titled("Reply", shown) + _events(content, schemas)


def _events(content: JSON, schemas: JSON) -> str:
    """The events of a stream: those of each dialect side by side."""
    if "text/event-stream" not in content:
        return ""
    unions = [body["$ref"].removeprefix(_FROM_HERE) for body in content["text/event-stream"]["schema"]["anyOf"]]
    columns = "".join(
        f"<div><h4>{_text(name)}</h4>{_fields(_event_rows(schemas[name], schemas))}</div>" for name in unions
    )
    about = """<p>Each frame is <code>event: &lt;event_type&gt;</code> and <code>data: &lt;JSON&gt;</code>. The last one
is <code>event: done</code> with <code>data: [DONE]</code>. A comment now and then says that a quiet stream is
alive.</p>"""
    return _titled("Events of a stream", f'{about}<div class="events">{columns}</div>')


def _event_rows(union: JSON, schemas: JSON) -> Iterable[str]:
    for event, at in union["discriminator"]["mapping"].items():
        name = at.removeprefix(_FROM_HERE)
        yield f"""<div class="field"><dt><a href="#{name}"><code>{_text(event)}</code></a></dt>
<dd>{_text(schemas[name].get("description", ""))}</dd></div>"""


def _errors(call: JSON) -> Iterable[str]:
    """One row for each error, under its status."""
    for status, reply in call["responses"].items():
        for line in reply["description"].splitlines() if int(status) >= 400 else ():
            word, _, meaning = line.partition(": ")
            yield f"""<div class="field wide"><dt><code>{status}</code> <span class="type">{_text(word)}</span></dt>
<dd>{_text(meaning)}</dd></div>"""


# -- how to try it


def _examples(method: str, path: str, call: JSON) -> str:
    """The call as a command; several, under their names, when there are several bodies to show."""
    bodies = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples")
    if bodies is None:
        return _command(curl(method, path, call))
    return "".join(
        f"<h4>{_text(name)}</h4>{_command(curl(method, path, call, body['value']))}" for name, body in bodies.items()
    )


def _command(command: str) -> str:
    return f"<pre><code>{escape(command)}</code></pre>"


def curl(method: str, path: str, call: JSON, body: JSON = None) -> str:
    """A call as a command. The server's address stands in it as `SERVER`."""
    for parameter in call.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
    asked = [
        f"{parameter['name']}={parameter['example']}"
        for parameter in call.get("parameters", ())
        if parameter["in"] == "query" and "example" in parameter
    ]
    address = quote(f"{SERVER}{path}?{'&'.join(asked)}") if asked else f"{SERVER}{path}"
    flags = "-N " if isinstance(body, dict) and body.get("stream") else ""
    meant = "get" if body is None else "post"  # by curl, where it is not told
    verb = "" if method == meant else f"-X {method.upper()} "
    lines = [f"curl {flags}{verb}{address}"]
    if {} not in call["security"] or len(call["security"]) > 1:
        lines.append(f"-H {quote('x-goog-api-key: any-key')}")
    for parameter in call.get("parameters", ()):
        if parameter["in"] == "header" and "example" in parameter:
            lines.append("-H " + quote(f"{parameter['name']}: {parameter['example']}"))
    if body is not None:
        lines.append(f"-H {quote('Content-Type: application/json')}")
        indented = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode().replace("\n", "\n  ")
        lines.append(f"-d {quote(indented)}")
    return " \\\n  ".join(lines)


# -- a shape


def _in_order(calls: list[tuple[str, str, JSON]], schemas: JSON) -> list[str]:
    """The names of the shapes as the calls name them, each followed by those that it is made of."""
    found: dict[str, None] = {}

    def visit(value: JSON) -> None:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix(_FROM_HERE)
            if name and name not in found:
                found[name] = None
                visit(schemas[name])
            for inner in value.values():
                visit(inner)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)

    for _, _, call in calls:
        visit(call)
    return list(found)


def _shape(name: str, schema: JSON) -> str:
    about = f"<p>{_text(schema['description'])}</p>" if "description" in schema else ""
    body = _object(schema) if "properties" in schema else f"<p>{_type(schema)}</p>"
    return f'<section class="shape" id="{name}"><h3>{_text(name)}</h3>{about}{body}</section>'


def _object(schema: JSON) -> str:
    required = schema.get("required", ())
    return _fields(
        _field(name, field, field.get("description", ""), required=name in required, not_yet="x-not-yet" in field)
        for name, field in schema["properties"].items()
    )


def _fields(rows: Iterable[str]) -> str:
    joined = "".join(rows)
    return f"<dl>{joined}</dl>" if joined else ""


def _field(
    name: str, schema: JSON, about: str, *, required: bool = False, not_yet: bool = False, more: str = ""
) -> str:
    must = '<span class="tag must">required</span>' if required else ""
    later = '<span class="tag not-yet">not yet</span>' if not_yet else ""
    return f"""<div class="field"><dt><code>{_text(name)}</code>
<span class="type">{_type(schema)}</span>{must}{later}{more}</dt><dd>{_text(about)}</dd></div>"""


def _type(schema: JSON) -> str:
    """What a value may be, in words. That an optional field may be null goes without saying."""
    match schema:
        case {"$ref": str(at)}:
            name = at.removeprefix(_FROM_HERE)
            return f'<a href="#{name}">{_text(name)}</a>'
        case {"anyOf": list(branches)} | {"oneOf": list(branches)}:
            return " or ".join(_type(branch) for branch in branches if branch != {"type": "null"})
        case {"enum": list(values)}:
            return " | ".join(f"<code>{_text(str(value))}</code>" for value in values)
        case {"const": value}:
            return f"<code>{_text(str(value))}</code>"
        case {"items": {"type": str(inner)}}:
            return f"list of {inner}s"
        case {"items": items}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": {"type": str(inner)}}:
            return f"object of {inner}s"
        case {"type": str(kind)}:
            return _text(f"{kind}{_bounds(schema)}")
        case _:
            return "any JSON"


def _bounds(schema: JSON) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else ""


# -- words


def _titled(title: str, body: str) -> str:
    return f"<h3>{title}</h3>{body}" if body else ""


def _method(method: str) -> str:
    return f'<span class="method {method}">{method}</span>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n"))


def _text(text: str) -> str:
    """Text with the two marks that our descriptions use: `code` and **weight**."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)
