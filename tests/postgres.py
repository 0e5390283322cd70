"""A real PostgreSQL server for tests: private to one run, in a temporary directory, heard on a socket in it alone.

The server is made from the programs that are installed (`initdb`, `pg_ctl`, `psql`), which a cluster of the system's is
not needed for. Whoever wants a database gets a new one, with all tables, which is gone after the test.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

BOUND = 60.0
"""Seconds that no program of the server's takes."""

TEMPLATE = "turnwise_template"
"""The database that others are copies of."""

# Nothing here is to survive a machine that loses power; but a server that crashes, all that it has said it kept.
OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=32MB "
    "-c max_connections=200 -c unix_socket_permissions=0700"
)


class Server:
    """A server that runs from `start` to `stop`. Both may be called again and again."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _unprivileged()
        self._names = count()
        self.folder = Path(tempfile.mkdtemp(prefix="turnwise-pg-"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=turnwise", "--encoding=UTF8", "--no-locale")

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder}/log", "--options", f"{OPTIONS} -k {self.folder}")

    def stop(self, mode: str = "fast") -> None:
        """End it: `fast`, as an administrator does, or `immediate`, as a crash would."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def restart(self) -> None:
        self.stop()
        self.start()

    def make_database(self, template: str | None = None, *clauses: str) -> str:
        """The name of a new database: a copy, or empty."""
        name = f"test_{next(self._names)}"
        self.execute(" ".join((f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}", *clauses)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        return f"postgresql://turnwise@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> str:
        """What the server's own shell prints for a statement."""
        address = ("--host", str(self.folder), "--username=turnwise", f"--dbname={database}")
        return self._run("psql", *address, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-c", statement)

    def _run(self, program: str, *arguments: str) -> str:
        """Run a program of the server's, which refuses to be root."""
        done = subprocess.run(
            [self._programs / program, *arguments],
            env={"PGDATA": f"{self.folder}/data", "PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.folder,
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
            stdin=subprocess.DEVNULL,
            # A server that is started keeps what it inherits: no pipe of ours, which would never end.
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            text=True,
            timeout=BOUND,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or 'see its log in ' + str(self.folder)}")
        return (done.stdout or "").strip()


def find_programs() -> Path | None:
    """Where the server's programs are: in the PATH, or where Debian has those of its newest version."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: int(path.parent.name), default=None)


def _unprivileged() -> pwd.struct_passwd | None:
    """Who the server runs as. None: as whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A server that runs, with a database whose copies have all tables."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed")
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed")
    server = Server(programs)
    server.start()
    server.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    _migrate(server.url(TEMPLATE))
    yield server
    with suppress(RuntimeError):  # a test that failed may have left it stopped
        server.stop("immediate")
    shutil.rmtree(server.folder)


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The address of a database with all tables, and nothing in them."""
    name = postgres_server.make_database(TEMPLATE)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """The address of a database without any tables."""
    name = postgres_server.make_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


def _migrate(url: str) -> None:
    from turnwise.store.migrate import migrate_postgres

    # In a thread: the loop of the test that asks first is none of ours.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(migrate_postgres(url))).result()
