"""For those who change the tables: `python -m turnwise.store.migrations ["what the change does"]`.

With words, it first writes a new migration from the difference between `tables.py` and the migrations so
far, to be read and corrected by hand (and this run again, without words). Always, it writes `head.sql`
anew.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from turnwise.store.migrate import MIGRATIONS, alembic_config, revisions, run_migrations

# Not what SQLite makes by itself: its own tables, and those behind the index of words.
HEAD = """\
SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
    AND name NOT LIKE 'chunk!_words!_%' ESCAPE '!'
ORDER BY CASE name WHEN 'alembic_version' THEN 0 ELSE 1 END, CASE type WHEN 'table' THEN 0 ELSE 1 END, name
"""


def render_head() -> str:
    """All migrations as one script for a new SQLite file, ending with the revision that it is then at."""
    with _migrated() as connection:
        statements = [_tidy(row.sql) for row in connection.exec_driver_sql(HEAD)]
    statements.append(f"INSERT INTO alembic_version (version_num) VALUES ('{revisions()[-1]}')")
    header = "-- Written by `python -m turnwise.store.migrations` from what is in versions/. Do not edit.\n\n"
    return header + ";\n\n".join(statements) + ";\n"


def write_migration(message: str) -> None:
    """A new file in versions/, with the next number."""
    with _migrated() as connection:
        number = f"{int(revisions()[-1]) + 1:04}"
        command.revision(alembic_config(connection), message, autogenerate=True, rev_id=number)


@contextmanager
def _migrated() -> Iterator[Connection]:
    """A database in memory that has gone through all migrations."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            run_migrations(connection)
            yield connection
    finally:
        engine.dispose()


def _tidy(statement: str) -> str:
    """A statement as Alembic had it made, less the tabs and spaces at the ends of its lines."""
    lines = statement.replace("\t", "    ").strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    if sys.argv[1:]:
        write_migration(" ".join(sys.argv[1:]))
    (MIGRATIONS / "head.sql").write_text(render_head(), encoding="utf-8")
