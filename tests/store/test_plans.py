"""No statement that a turn is made of looks at more rows than it is about, however many there are."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from turnwise.store import runs, sqlite, statements
from turnwise.store.migrate import begin_at_head

SMALL = {"KEYS": ["SCAN keys"], "LITTER": ["SCAN litter"]}
"""Statements that give all that there is, or anything that there is."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "turnwise.db", isolation_level=None)
    begin_at_head(connection)
    yield connection
    connection.close()


def plan(database: sqlite3.Connection, statement: str) -> list[str]:
    """What SQLite would do, a line for each table."""
    arguments = [""] * statement.count("?")
    return [line for *_, line in database.execute(f"EXPLAIN QUERY PLAN {statement}", arguments).fetchall()]


STATEMENTS = {
    name: statement
    for module in (statements, sqlite)
    for name, statement in vars(module).items()
    if isinstance(statement, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", statement) and name != "WALK"
} | {"APPEND_FENCED": runs.append_fenced(2)}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_finds_its_rows_by_an_index(database: sqlite3.Connection, name: str) -> None:
    whole = [f"SCAN {table}" for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    # An index of some rows alone, such as runs that wait: all that are in it are meant.
    partial = [
        index for (index,) in database.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%INDEX% WHERE %'")
    ]
    lines = [line for line in plan(database, STATEMENTS[name]) if line.split(" USING INDEX ")[-1] not in partial]
    assert [line for line in lines if line.split(" USING ")[0] in whole] == SMALL.get(name, [])
    assert not any("AUTOMATIC" in line for line in lines)


def test_a_walk_along_a_chain_looks_at_nothing_but_its_index(database: sqlite3.Connection) -> None:
    steps = [line for line in plan(database, sqlite.LINE) if line.startswith("SEARCH")]
    assert [line.split(" (")[0] for line in steps][1:] == ["SEARCH interactions USING COVERING INDEX interactions_line"]
