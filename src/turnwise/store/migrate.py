"""Bringing a database to the tables that this version of turnwise knows.

The migrations in `migrations/versions/` are the one source of truth, numbered in the order in which they
are applied. Alembic applies them. It takes more than half a second to import, so it is imported only where
there is something to migrate: a database says by itself which revision it is at, and a new SQLite file gets
all tables at once from `migrations/head.sql`, which is what the migrations amount to (written by `python -m
turnwise.store.migrations`, and a test sees to it that it stays so).

A SQLite file is brought up to date by whoever opens it. A database of PostgreSQL has many users, so there it is done by
those who are asked to; of several at once one does it, and the others wait.
"""

import logging
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from turnwise.store.errors import DatabaseRefused, DatabaseUnavailable, NewerDatabase, OlderDatabase

if TYPE_CHECKING:
    import asyncpg
    from alembic.config import Config
    from sqlalchemy import Connection

log = logging.getLogger("turnwise.store")

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """All revisions, oldest first: the numbers that the files of migrations begin with."""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def migrate_sqlite(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the SQLite database of this connection, which is the file at `path`, up to date."""
    known = revisions()
    revision = read_revision(connection) or begin_at_head(connection)
    if revision == known[-1]:
        return
    if revision not in known:
        raise NewerDatabase(revision, known[-1])
    upgrade_sqlite(path)


def read_revision(connection: sqlite3.Connection) -> str | None:
    """The revision that a SQLite database says it is at. None: it has no tables of ours."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall():
        return None
    ((revision,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(revision)


def begin_at_head(connection: sqlite3.Connection) -> str:
    """Make all tables, unless another process was quicker. The revision that the database is then at."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if read_revision(connection) is None:
            for statement in (MIGRATIONS / "head.sql").read_text(encoding="utf-8").split(";\n"):
                connection.execute(statement)
        revision = read_revision(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    assert revision is not None
    return revision


PATIENCE = 60.0
"""Seconds to wait for another process that is bringing the same SQLite file up to date."""


def upgrade_sqlite(path: Path) -> None:
    """Apply the migrations that a SQLite file lacks, all or none of them.

    Raises:
        sqlite3.Error: it is locked for too long, or its disk is full.
    """
    from sqlalchemy import URL, create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    url = URL.create("sqlite", database=str(path.absolute()))
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            run_migrations(connection)
    except DBAPIError as error:
        raise error.orig or error from error


MIGRATING = 0x7475726E77697365
"""The advisory lock of PostgreSQL that whoever migrates a database holds."""


async def migrate_postgres(url: str) -> None:
    """Bring the PostgreSQL database at this address up to date: all migrations that it lacks, or none of them.

    Raises:
        NewerDatabase: it has some that this version does not know.
        DatabaseUnavailable: the server does not do it.
        DatabaseRefused: it does not let us.
    """
    import asyncpg
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    connect = partial(asyncpg.connect, url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            await connection.run_sync(_refuse_newer)
            await connection.run_sync(run_migrations)
    except DBAPIError as error:
        reason = error.orig.__cause__ if error.orig is not None else None
        is_refused = isinstance(reason, asyncpg.InsufficientPrivilegeError)
        kind = DatabaseRefused if is_refused else DatabaseUnavailable
        raise kind(f"its tables cannot be made: {reason or error.orig}") from error


def _refuse_newer(connection: "Connection") -> None:
    if connection.exec_driver_sql(POSTGRES_TABLES).scalar() is not None:
        check_revision(connection.exec_driver_sql(POSTGRES_REVISION).scalar(), older=True)


async def check_postgres(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Refuse a PostgreSQL database that is not at the revision that this version knows.

    Raises:
        OlderDatabase: it lacks migrations, all of them perhaps.
        NewerDatabase: it has some that this version does not know.
    """
    made = await connection.fetchval(POSTGRES_TABLES)
    check_revision(None if made is None else await connection.fetchval(POSTGRES_REVISION))


POSTGRES_TABLES = "SELECT to_regclass('alembic_version')::text"

POSTGRES_REVISION = "SELECT version_num FROM alembic_version"


def check_revision(revision: str | None, *, older: bool = False) -> None:
    """Refuse a revision that is not the newest one, unless it is older and may be.

    Raises:
        OlderDatabase: it is older, or None.
        NewerDatabase: this version does not know it.
    """
    known = revisions()
    if revision is not None and revision not in known:
        raise NewerDatabase(revision, known[-1])
    if revision != known[-1] and not older:
        raise OlderDatabase(revision, known[-1])


def run_migrations(connection: "Connection") -> None:
    """Apply the migrations that a database lacks, in the transaction that this connection is in."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells how it is made, and each of its steps
    from alembic import command

    command.upgrade(alembic_config(connection), "head")
    log.info("the database is at revision %s now", revisions()[-1])


def alembic_config(connection: "Connection") -> "Config":
    """What would be in an `alembic.ini`, and the connection for `migrations/env.py`."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    # Python's own rules for SQLite begin no transaction before a CREATE TABLE.
    connection.isolation_level = None


def _begin_immediate(connection: "Connection") -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
