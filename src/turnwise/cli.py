"""The command line. Each command is a few lines: it reads settings and calls the room that does the work.

Rooms are imported inside the commands, so that `turnwise --help` and `turnwise keys` do not pay for the server.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turnwise import __version__, garbage

if TYPE_CHECKING:
    from socket import socket

    from turnwise.app import Role
    from turnwise.models.sources import Source
    from turnwise.settings import Settings
    from turnwise.sibling import Parent
    from turnwise.store.store import Store

log = logging.getLogger("turnwise")

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="A settings file (default: turnwise.toml)."
)
data_option = click.option("--data-dir", type=click.Path(path_type=Path), help="Where everything is kept.")
host_option = click.option("--host", help="The address to listen on (default: 127.0.0.1).")
processes_option = click.option("--processes", type=int, help="How many processes serve as one (default: 1).")
insecure_option = click.option("--insecure", is_flag=True, help="Let others reach a server that asks for no key.")

STOPPING, STOPPING_AT_ONCE = 9.0, 1.0
"""How long, in seconds, a server may take to stop when it is asked to, and when it is asked once more."""

KILLING = 0.2
"""How long, in seconds, the parent of several processes waits behind that until it kills those that are left."""


@click.group()
@click.version_option(__version__, prog_name="turnwise")
def main() -> None:
    """A self-hosted server for the Interactions API."""


@main.command()
@host_option
@click.option("--port", type=int, help="The port to listen on (default: 8787; 0 takes a free one).")
@processes_option
@insecure_option
@data_option
@config_option
def serve(
    host: str | None,
    port: int | None,
    processes: int | None,
    insecure: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Serve the Interactions API: all in one."""
    _serve("serve", config, insecure=insecure, host=host, port=port, processes=processes, data_dir=data_dir)


@main.command()
@host_option
@click.option("--port", type=int, help="The port to listen on (default: 8787; 0 takes a free one).")
@processes_option
@insecure_option
@data_option
@config_option
def api(
    host: str | None,
    port: int | None,
    processes: int | None,
    insecure: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Serve the API as one of several processes.

    They share a database on PostgreSQL. What is asked for in the background is done by `turnwise worker`.
    """
    _serve("api", config, insecure=insecure, host=host, port=port, processes=processes, data_dir=data_dir)


@main.command()
@click.option("--concurrency", type=int, help="How many interactions it works on at once (default: 200).")
@host_option
@click.option("--port", type=int, help="Answer /healthz and /readyz at this port (default: it does not listen).")
@processes_option
@data_option
@config_option
def worker(
    concurrency: int | None,
    host: str | None,
    port: int | None,
    processes: int | None,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Do what is asked for in the background, as one of several processes.

    They share a database on PostgreSQL, and take over from each other. The API is served by `turnwise api`.
    """
    _serve(
        "worker",
        config,
        listens=port is not None,
        host=host,
        port=port,
        processes=processes,
        data_dir=data_dir,
        background=None if concurrency is None else {"concurrency": concurrency},
    )


@main.command(hidden=True)
@click.argument("channel", type=int)
def sibling(channel: int) -> None:
    """Be one of several processes: what `--processes` starts."""
    from turnwise.sibling import Parent

    garbage.put_off()
    _exit_at_sigterm()
    parent = Parent(channel)
    _log(f"process {parent.sibling.number}: ")
    _run(partial(_serve_on, parent.settings, parent.role, [], lambda: parent.settings, parent))


def _serve(role: "Role", config: Path | None, *, listens: bool = True, insecure: bool = False, **given: Any) -> None:
    """Be a server, until a signal comes."""
    garbage.put_off()
    _exit_at_sigterm()
    settings = _settings(config, **given)
    _log()
    with _in_one_line():
        from turnwise.app.media import build_guard, build_readers
        from turnwise.app.models import build_catalogue, fetch_weights
        from turnwise.app.tools import build_google_search, find_embeddings
        from turnwise.data import make_data_dir, require_processes, require_shared
        from turnwise.http.server import take_port
        from turnwise.settings import load_settings

        # What is wrong is said before anything is fetched or touched.
        if role != "serve":
            require_shared(settings, role)
        require_processes(settings)
        build_catalogue(settings)
        build_google_search(settings)
        find_embeddings(settings)
        build_guard(settings)
        build_readers(settings)
        make_data_dir(settings)
        sockets = take_port(settings.host, settings.port) if listens else []
        asyncio.run(fetch_weights(settings))
    serve = _serve_on if settings.processes == 1 else _serve_by_several
    _run(partial(serve, settings, role, sockets, partial(load_settings, config, **given), insecure=insecure))


def _exit_at_sigterm() -> None:
    """Close what was begun, also where nobody listens to signals yet."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _log(who: str = "") -> None:
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s %(levelname)s {who}%(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it says twice what we say once


def _run(serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        import uvloop
    except ImportError:  # Windows
        asyncio.run(serve())
    else:
        uvloop.run(serve())


async def _serve_on(
    settings: "Settings",
    role: "Role",
    sockets: "list[socket]",
    read: "Callable[[], Settings]",
    parent: "Parent | None" = None,
    *,
    insecure: bool = False,
) -> None:
    """Be a server; or, with a parent, one of its processes."""
    from turnwise.app import open_app
    from turnwise.http.health import build_health
    from turnwise.http.server import Server
    from turnwise.processes import end_within
    from turnwise.reload import reloading

    async with AsyncExitStack() as behind:
        with _in_one_line():
            app = await behind.enter_async_context(open_app(settings, role, None if parent is None else parent.sibling))
        if parent is None:
            _require_keys(settings, role, insecure, bool(await app.store.keys()))
        server = Server(
            build_health(app.store) if role == "worker" else app.asgi,
            host=settings.host,
            sockets=sockets,
            on_ready=partial(_say_ready, role) if parent is None else lambda _: parent.say_ready(),
            on_stop=app.interactions.close,
            on_signal=lambda is_first: end_within(STOPPING if is_first else STOPPING_AT_ONCE),
            arrivals=None if parent is None else parent.connections,
        )
        stop = partial(server.handle_exit, signal.SIGTERM, None)
        with _in_one_line(), reloading(settings, read=read, reload=app.reload, stop=stop) as changed:
            if parent is not None:
                parent.listen(changed)
            garbage.settle()
            await server.run_until_stopped()


async def _serve_by_several(
    settings: "Settings",
    role: "Role",
    sockets: "list[socket]",
    read: "Callable[[], Settings]",
    *,
    insecure: bool = False,
) -> None:
    """Be the parent of several processes, which serve as one."""
    from turnwise.app import prepare
    from turnwise.app.models import build_catalogue, fetch_weights
    from turnwise.data import alone_with_children
    from turnwise.models.lending import Lender
    from turnwise.reload import reloading
    from turnwise.supervisor import NotStarted, Supervisor

    async with AsyncExitStack() as behind:
        with _in_one_line():
            inherited = behind.enter_context(alone_with_children(settings))
            has_keys = await prepare(settings, role)
        _require_keys(settings, role, insecure, has_keys)
        supervisor = Supervisor(
            settings,
            role,
            sockets,
            inherited=inherited,
            engines=await behind.enter_async_context(Lender(settings.processes).open()),
            on_ready=partial(_say_ready, role),
            patience=(STOPPING + KILLING, STOPPING_AT_ONCE + KILLING),
        )

        async def change(fresh: "Settings") -> None:
            build_catalogue(fresh)  # those that cannot be are told nobody
            await fetch_weights(fresh)
            supervisor.change(fresh)

        quiet = partial(log.debug, "%s")  # the children say it when they have done it
        with _in_one_line(), reloading(settings, read=read, reload=change, stop=supervisor.stop, tell=quiet):
            garbage.settle()
            try:
                ended_well = await supervisor.run()
            except NotStarted as error:
                raise click.ClickException(str(error)) from None
    if not ended_well:
        sys.exit(1)


def _require_keys(settings: "Settings", role: "Role", insecure: bool, has_keys: bool) -> None:
    """See to it that a server which others can reach asks for a key, unless it was said that it need not."""
    if role != "worker" and not insecure and not _is_loopback(settings.host) and not has_keys:
        raise click.ClickException(
            f"{settings.host} can be reached by others, and this server has no API keys. Make one with "
            "`turnwise keys create`, or say --insecure if you mean it"
        )


def _say_ready(role: "Role", url: str) -> None:
    click.echo("turnwise worker ready" if role == "worker" else f"turnwise ready at {url}")


@contextmanager
def _in_one_line() -> Iterator[None]:
    """What a person can mend is said in one line. Anything else is our fault, and keeps its traceback."""
    from turnwise.domain.errors import TurnwiseError
    from turnwise.settings import SettingsError

    try:
        yield
    except TurnwiseError as error:
        raise click.ClickException(error.message) from None
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@main.command()
@click.argument("what", metavar="[NAME|SOURCE]", required=False)
@data_option
@config_option
def pull(what: str | None, data_dir: Path | None, config: Path | None) -> None:
    """Fetch model weights, so that a later start needs no network.

    Those of a model in the settings, by its NAME; those at a SOURCE, as the settings could name it: builtin, a URL, or
    hf:OWNER/REPO/FILE; or, without either, all that the settings name.

    Those that write down speech have names of their own: whisper-tiny, whisper-base, whisper-small (with .en behind it:
    for English alone) and whisper-large-v3-turbo.
    """
    settings = _settings(config, data_dir=data_dir)
    with _in_one_line():
        from turnwise.data import make_data_dir
        from turnwise.models.sources import fetch

        sources = _sources(what, settings)
        make_data_dir(settings)
        for source in sources:
            click.echo(asyncio.run(fetch(source, settings.weights_dir)))


def _sources(what: str | None, settings: "Settings") -> "list[Source]":
    """What is to be fetched."""
    from turnwise.models.sources import is_speech, parse_source, parse_speech

    model = settings.models.get(what or "")
    if model is not None and not model.weights:
        raise click.ClickException(f"'{what}' is answered by an upstream: there is nothing to fetch")
    try:
        if model is not None:
            return [parse_source(*weights) for weights in model.weights]
        if what is not None:
            return [parse_speech(what) if is_speech(what) else parse_source(what)]
        listens = "speech" in settings.media.model_fields_set  # what nobody asked for is not fetched either
        speech = [parse_speech(settings.media.speech)] if listens else []
        return [*(parse_source(*weights) for weights in settings.weights), *speech]
    except ValueError as error:
        unknown = f"there is no model '{what}' in the settings; and " if what and model is None else ""
        raise click.ClickException(f"{unknown}{error}") from None


@main.command()
@data_option
@config_option
def doctor(data_dir: Path | None, config: Path | None) -> None:
    """Say what this machine has and lacks."""
    settings = _settings(config, data_dir=data_dir)
    with _in_one_line():
        from turnwise.app.models import build_catalogue
        from turnwise.doctor import examine

        build_catalogue(settings)
    lacking = False
    for finding in examine(settings):
        mark = {True: "ok  ", False: "LACK", None: "    "}[finding.ok]
        remedy = f"  ->  {finding.remedy}" if finding.ok is False and finding.remedy else ""
        click.echo(f"{mark} {finding.what}: {finding.state}{remedy}")
        lacking |= finding.ok is False
    sys.exit(1 if lacking else 0)


@main.command()
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--name", help="What the folder's documents are called by in answers (default: the folder's own name).")
@click.option("--url", help="The address under which the folder's documents can be opened ('': there is none).")
@click.option("--forget", is_flag=True, help="Take the folders out of the index.")
@data_option
@config_option
def index(
    folders: tuple[Path, ...],
    name: str | None,
    url: str | None,
    forget: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Index folders of documents for google_search with engine = "folder".

    Without DIR: all that are indexed, again. Only what is new or changed is read. A server need not be stopped.
    """
    settings = _settings(config, data_dir=data_dir)
    if (name is not None or url is not None) and (len(folders) != 1 or forget):
        raise click.ClickException("--name and --url say what one folder is called: give one DIR")
    if forget and not folders:
        raise click.ClickException("give the DIR that is to be taken out of the index")
    with _in_one_line():
        from turnwise.data import make_data_dir
        from turnwise.indexing import forget_folders

        make_data_dir(settings)
        if forget:
            for folder in forget_folders(settings, folders):
                click.echo(f"{folder.name}: taken out of the index ({folder.documents} document(s))")
        else:
            asyncio.run(_index(settings, folders, name, url))


async def _index(settings: "Settings", folders: "Sequence[Path]", name: str | None, url: str | None) -> None:
    from turnwise.app.media import build_readers
    from turnwise.indexing import describe, index_folders

    readers = build_readers(settings)
    try:
        with _bars() as show:
            reports = await index_folders(
                settings,
                readers,
                folders,
                name=name,
                url=url,
                progress=lambda folder, done, of: show(folder.name, done, of),
            )
    finally:
        await readers.close()
    if not reports:
        raise click.ClickException("no folder is indexed yet; give one: turnwise index DIR")
    for report in reports:
        for line in describe(report):
            click.echo(line)


@main.command()
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Move what is in this data directory into the PostgreSQL database of the settings.",
)
@data_option
@config_option
def migrate(source: Path | None, data_dir: Path | None, config: Path | None) -> None:
    """Bring the database of the settings up to date with this version.

    `turnwise serve` does so by itself. Where several processes share a database, this is done once, before they are
    started; they wait for it. With --from, a server that has outgrown its SQLite file moves: stop it first. All of it
    moves or nothing does, and the data directory stays as it was.
    """
    settings = _settings(config, data_dir=data_dir)
    with _in_one_line():
        from turnwise.data import make_data_dir

        make_data_dir(settings)
        if source is None:
            asyncio.run(_migrate(settings))
        else:
            _move(settings, source)


async def _migrate(settings: "Settings") -> None:
    from turnwise.data import open_store
    from turnwise.store.migrate import revisions

    await (await open_store(settings, migrate=True)).close()
    click.echo(f"the database is up to date, at revision {revisions()[-1]}")


def _move(settings: "Settings", source: Path) -> None:
    try:
        from turnwise.moving import describe_move, move
    except ImportError as error:
        raise click.ClickException(
            "PostgreSQL needs asyncpg, which is not installed: pip install 'turnwise[postgres]'"
        ) from error
    with _bars() as show:
        moved = move(settings, source, show)
    for line in describe_move(moved, settings):
        click.echo(line)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal, one below the other. It is told of what, how much is done, and of how much."""
    with ExitStack() as shown:
        bar = None

        def show(what: str, done: int, of: int) -> None:
            nonlocal bar
            if bar is None or bar.label != what or (bar.finished and done < of):  # two folders may have one name
                shown.close()
                new = click.progressbar(
                    length=of, label=what, show_pos=True, file=sys.stderr, hidden=not sys.stderr.isatty()
                )
                bar = shown.enter_context(new)
            bar.length = of
            bar.update(done - bar.pos)

        yield show


@main.command()
@data_option
@config_option
def models(data_dir: Path | None, config: Path | None) -> None:
    """List the names that requests may use."""
    settings = _settings(config, data_dir=data_dir)
    width = max((len(name) for name in settings.models), default=0)
    for name, model in settings.models.items():
        note = "  (answers every name that is not listed)" if name == "*" else ""
        click.echo(f"{name:<{width}}  {model.answerer}{note}")


@main.command()
@click.option("--url", default="http://127.0.0.1:8787", show_default=True, help="The server.")
@click.option("--model", default="default", show_default=True, help="The model to talk to.")
@click.option("--key", envvar="TURNWISE_API_KEY", default="none", help="An API key, where the server asks for one.")
@click.option("--system", help="A system instruction.")
def chat(url: str, model: str, key: str, system: str | None) -> None:
    """Talk to a server in the terminal."""
    from turnwise.clients.chat import Chat, ChatError, run_chat

    try:
        run_chat(
            Chat(url=url.rstrip("/"), model=model, key=key, system_instruction=system),
            say=lambda text: click.echo(text, nl=False),
        )
    except ChatError as error:
        raise click.ClickException(str(error)) from None


@main.group()
def keys() -> None:
    """API keys: once there is one, every request needs one."""


@keys.command("create")
@click.option("--name", default="", help="A note for yourself.")
@click.option(
    "--owner", help="Whose interactions it reads and makes (default: its own; 'local': those made without keys)."
)
@data_option
@config_option
def create_key(name: str, owner: str | None, data_dir: Path | None, config: Path | None) -> None:
    """Make a key. It is shown this once."""

    async def work(store: "Store") -> None:
        from turnwise.keys import create_key

        key, secret = await create_key(store, name=name, owner=owner)
        click.echo(f"{key.id} (owner {key.owner})\n{secret}")

    _with_store(_settings(config, data_dir=data_dir), work)


@keys.command("list")
@data_option
@config_option
def list_keys(data_dir: Path | None, config: Path | None) -> None:
    """List keys, without the keys themselves."""

    async def work(store: "Store") -> None:
        for key in await store.keys():
            state = f"revoked {key.revoked:%Y-%m-%d}" if key.revoked else "active"
            click.echo(f"{key.id}  {key.prefix}...  {key.created:%Y-%m-%d}  {state}  owner {key.owner}  {key.name}")

    _with_store(_settings(config, data_dir=data_dir), work)


@keys.command("revoke")
@click.argument("id")
@data_option
@config_option
def revoke_key(id: str, data_dir: Path | None, config: Path | None) -> None:
    """Revoke a key, by its id."""

    async def work(store: "Store") -> None:
        if not await store.revoke_key(id, datetime.now(UTC)):
            raise click.ClickException(f"there is no active key '{id}'; see `turnwise keys list`")
        click.echo(f"{id} is revoked")

    _with_store(_settings(config, data_dir=data_dir), work)


def _settings(config: Path | None, **given: Any) -> "Settings":
    from turnwise.settings import load_settings

    with _in_one_line():
        return load_settings(config, **given)


def _with_store(settings: "Settings", work: "Callable[[Store], Awaitable[None]]") -> None:
    """Do something with the store, which a server may have open at the same time."""
    from turnwise.data import make_data_dir, open_store

    async def run() -> None:
        store = await open_store(settings)
        try:
            await work(store)
        finally:
            await store.close()

    with _in_one_line():
        make_data_dir(settings)
        asyncio.run(run())
