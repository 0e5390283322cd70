"""A model hub that is a real server on a loopback socket, and speaks as huggingface.co does; and plain files beside it.

    async with open_hub({"main/tiny.gguf": CONTENT}) as hub:
        ...  # HF_ENDPOINT=hub.url, hf:owner/tiny/tiny.gguf; or the URL hub.plain("tiny.gguf")

Large files are redirected to another host, as the hub does it, with their hash and size said beside the redirect. What
it does wrong is set by the test: it cuts connections, is busy, forgets ranges, or gives something else.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal
from urllib.parse import quote

from aiohttp import web

REPO = "owner/tiny"


@dataclass
class Hub:
    """Where it is, what it has, how it behaves, and what it was asked."""

    files: dict[str, bytes]
    """By revision and path, such as `main/tiny.gguf`."""
    repo: str = REPO
    url: str = ""
    gated: bool = False
    """Whether only `token` may read."""
    token: str = "hf_sesame"
    troubles: list[int | Literal["busy", "hangs"]] = field(default_factory=list)
    """What goes wrong with the next requests for bytes, one each: the connection breaks off behind so many of them; or
    there are none but a 503; or it stops behind 100 kB, until the client goes."""
    ranges: bool = True
    """Whether a part of a file can be had."""
    conditions: bool = True
    """Whether `If-Range` is looked at."""
    tells: frozenset[str] = frozenset({"linked", "etag"})
    """`linked`: hash and size beside the redirect; `etag`, `time`: by what a file is known to be the same."""
    redirects: bool = True
    """Whether large files are elsewhere."""
    asked: list[web.Request] = field(default_factory=list)

    def plain(self, name: str) -> str:
        """The URL of a file on the main branch, without any hub around it."""
        return f"{self.url}/plain/{name}"

    @property
    def ranges_asked(self) -> list[str | None]:
        """What was asked for of the files' bytes, in order."""
        return [request.headers.get("Range") for request in self.asked if request.path.startswith(("/blobs", "/plain"))]

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        """`GET /{owner}/{repo}/resolve/{revision}/{file}`"""
        self.asked.append(request)
        repo, revision, file = (request.match_info[name] for name in ("repo", "revision", "file"))
        known = request.headers.get("Authorization") == f"Bearer {self.token}"
        if repo != self.repo:
            return _error(401 if not known else 404, "RepoNotFound")
        if self.gated and not known:
            return _error(403 if "Authorization" in request.headers else 401, "GatedRepo")
        if not any(name.startswith(f"{revision}/") for name in self.files):
            return _error(404, "RevisionNotFound")
        content = self.files.get(f"{revision}/{file}")
        if content is None:
            return _error(404, "EntryNotFound")
        if not self.redirects:
            return await self._give(request, content)
        sha256 = hashlib.sha256(content).hexdigest()
        linked = {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(content))} if "linked" in self.tells else {}
        elsewhere = self.url.replace("127.0.0.1", "localhost")
        where = f"{elsewhere}/blobs/{revision}/{quote(file)}?sign=a%2Fb%20c"
        return web.Response(status=302, headers={"Location": where, "ETag": '"of-the-redirect"', **linked})

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /api/models/{owner}/{repo}/revision/{revision}`"""
        prefix = request.match_info["revision"] + "/"
        names = [name.removeprefix(prefix) for name in self.files if name.startswith(prefix)]
        return web.json_response({"siblings": [{"rfilename": name} for name in ["README.md", *names]]})

    async def blob(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, for whoever has the signed address."""
        self.asked.append(request)
        if request.path.startswith("/blobs") and request.raw_path.partition("?")[2] != "sign=a%2Fb%20c":
            return web.Response(status=403)
        content = self.files.get(request.match_info["name"])
        if content is None:
            return web.Response(status=404)
        return await self._give(request, content)

    async def _give(self, request: web.Request, content: bytes) -> web.StreamResponse:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "busy":
            return web.Response(status=503)
        headers = self._known_by(content)
        start = self._start(request, headers)
        if start is not None and start >= len(content):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        if start is not None:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start or 0 :]
        response = web.StreamResponse(status=206 if start is not None else 200, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        assert request.transport is not None
        match trouble:
            case int():
                await response.write(body[:trouble])
                request.transport.close()
            case "hangs":
                await response.write(body[:100_000])
                await asyncio.get_running_loop().create_future()
            case _:
                await response.write(body)
        return response

    def _known_by(self, content: bytes) -> dict[str, str]:
        tag = f'"{hashlib.sha256(content).hexdigest() if not self.redirects else hashlib.md5(content).hexdigest()}"'
        known = {"ETag": tag} if "etag" in self.tells else {}
        return known | ({"Last-Modified": formatdate(len(content), usegmt=True)} if "time" in self.tells else {})

    def _start(self, request: web.Request, headers: dict[str, str]) -> int | None:
        asked = request.headers.get("Range")
        if asked is None or not self.ranges:
            return None
        if self.conditions and request.headers["If-Range"] not in headers.values():
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))


def _error(status: int, code: str) -> web.Response:
    return web.Response(status=status, headers={"X-Error-Code": code})


@asynccontextmanager
async def open_hub(files: dict[str, bytes], *, repo: str = REPO) -> AsyncIterator[Hub]:
    """A hub that has a repository with these files, for as long as the block lasts."""
    hub = Hub(files, repo)
    app = web.Application()
    app.router.add_get("/api/models/{repo:[^/]+/[^/]+}/revision/{revision}", hub.listing)
    app.router.add_get("/{repo:[^/]+/[^/]+}/resolve/{revision:[^/]+}/{file:.+}", hub.resolve)
    app.router.add_get("/blobs/{name:.+}", hub.blob)
    app.router.add_get("/plain/{file:.+}", _plain(hub))
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        hub.url = f"http://{host}:{port}"
        yield hub
    finally:
        await runner.cleanup()


def _plain(hub: Hub):  # type: ignore[no-untyped-def]
    async def plain(request: web.Request) -> web.StreamResponse:
        hub.asked.append(request)
        content = hub.files.get(f"main/{request.match_info['file']}")
        return web.Response(status=404) if content is None else await hub._give(request, content)

    return plain
