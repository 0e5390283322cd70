"""A store that is full: conversations of many owners as turnwise keeps them, written in large transactions.

It makes the database if it is not there, and prints as JSON what the owner `local` has in it: the ids of each of its
conversations, which are spread evenly among those of the others. Every third turn was streamed, and has its events.
"""

import argparse
import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

from bench.speed.servers import SOURCE

from turnwise.domain.content import Text
from turnwise.domain.events import Event, PartDelta, TextDelta, replay
from turnwise.domain.interaction import Interaction, Status, Turn, Usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.ids import new_id
from turnwise.store import statements as sql
from turnwise.store.migrate import migrate_postgres
from turnwise.store.rows import INTERACTION, Row, event_rows, interaction_row
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Batch

OWNER = "local"
"""Whoever calls a server that has no keys."""

SAID = 120
"""How many words are asked and answered in a turn, unless it is said otherwise."""

WORDS = ("the", "river", "runs", "from", "hills", "to", "a", "sea", "and", "carries", "what", "it", "is", "given")

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

STREAMED = 3
"""Every third turn of a conversation, beginning with the first, was streamed, and has its events."""

OPEN = 2000
"""How many conversations go on at once."""

GROUP = 20_000
"""How many interactions are written in one transaction."""


def fill(
    database: str,
    *,
    source: Path = SOURCE,
    interactions: int = 0,
    conversations: Sequence[int] = (),
    words: int = SAID,
) -> list[list[str]]:
    """Fill a database by the code of a version of turnwise. The ids of the conversations of `local`, which have so many
    turns."""
    command = [sys.executable, "-m", "bench.speed.filling", database, "--interactions", str(interactions)]
    command += ["--words", str(words)]
    command += ["--conversations", *map(str, conversations)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source), root])}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    made: list[list[str]] = json.loads(done.stdout)
    return made


class Conversation:
    """One that goes on, turn by turn."""

    def __init__(self, owner: str, turns: int, words: int) -> None:
        self.ids: list[str] = []
        self.turns = turns
        self._owner = owner
        self._asked, self._answered = words // 3, words - words // 3

    @property
    def is_over(self) -> bool:
        return len(self.ids) >= self.turns

    def go_on(self, number: int) -> Interaction:
        """Its next turn, which is the so manieth of all."""
        asked, answered = _text(number, self._asked), _text(number + 7, self._answered)
        previous = self.ids[-1] if self.ids else None
        turn = Turn(
            (UserInput((Text(asked),)),),
            model="m",
            previous_interaction_id=previous,
            stream=len(self.ids) % STREAMED == 0,
        )
        self.ids.append(new_id("int_"))
        began = BEGAN + timedelta(seconds=number)
        ended = began + timedelta(seconds=2)
        usage = Usage({"text": self._asked}, {"text": self._answered})
        answer = ModelOutput((Text(answered),))
        return Interaction(self.ids[-1], self._owner, turn, began, ended, Status.COMPLETED, (answer,), usage)


def turns_of_all(local: Sequence[Conversation], interactions: int, words: int) -> Iterator[Interaction]:
    """The turns of these conversations, spread evenly among so many of the conversations of others."""
    chance = random.Random(7)
    mine = [conversation for conversation in local for _ in range(conversation.turns)]
    chance.shuffle(mine)
    others: list[Conversation] = []
    total = interactions + len(mine)
    for number in range(total):
        if chance.random() < len(mine) / (total - number):
            yield mine.pop().go_on(number)
            continue
        if len(others) < OPEN:
            others.append(Conversation(f"owner-{chance.randrange(50)}", _turns(chance), words))
        at = chance.randrange(len(others))
        yield others[at].go_on(number)
        if others[at].is_over:
            others[at] = others[-1]
            others.pop()


def _turns(chance: random.Random) -> int:
    """How many turns a conversation has: mostly few, seldom hundreds."""
    return min(1 + int(chance.paretovariate(1.0) * 2), 500)


def _text(seed: int, length: int) -> str:
    """So many words, never quite the same."""
    return f"{seed} " + " ".join(WORDS[(seed * 31 + word * word) % len(WORDS)] for word in range(length))


def rows_of_events(interaction: Interaction) -> list[Row]:
    """The events of a turn as they are kept if it was streamed: the first two, its words in groups, and its end."""
    if not interaction.turn.stream:
        return []
    events = [piece for event in replay(interaction) for piece in _said_in_words(event)]
    bounds = [0, 2, *range(27, len(events) - 3, 25), len(events)]
    batches = [Batch(interaction.id, first + 1, tuple(events[first:last])) for first, last in pairwise(bounds)]
    return event_rows(batches)


def _said_in_words(event: Event) -> Iterator[Event]:
    if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
        for word in event.delta.text.split(" "):
            yield PartDelta(event.step, event.output, TextDelta(f"{word} "))
    else:
        yield event


async def fill_sqlite(path: Path, turns: Iterator[Interaction]) -> None:
    """Keep turns in a SQLite file."""
    store = await open_sqlite(path)
    await store.close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    while group := list(islice(turns, GROUP)):
        database.execute("BEGIN")
        database.executemany(sql.CREATE, map(interaction_row, group))
        database.executemany(sql.APPEND, (row for turn in group for row in rows_of_events(turn)))
        database.execute("COMMIT")
    database.close()


async def fill_postgres(url: str, turns: Iterator[Interaction]) -> None:
    """Keep turns in a database of PostgreSQL."""
    import asyncpg

    await migrate_postgres(url)
    database = await asyncpg.connect(url)
    try:
        while group := list(islice(turns, GROUP)):
            rows = [interaction_row(turn) for turn in group]
            await database.copy_records_to_table("interactions", records=rows, columns=INTERACTION.split(", "))
            events = [row for turn in group for row in rows_of_events(turn)]
            await database.copy_records_to_table("events", records=events, columns=["id", "seq", "n", "data"])
        await database.execute("VACUUM ANALYZE interactions, events")
    finally:
        await database.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("database", help="a file, or postgresql://...")
    options.add_argument("--interactions", type=int, default=0, help="how many others have")
    options.add_argument("--conversations", type=int, nargs="*", default=[], help="how many turns `local` has in each")
    options.add_argument("--words", type=int, default=SAID, help="how many are said in a turn")
    given = options.parse_args()
    local = [Conversation(OWNER, turns, given.words) for turns in given.conversations]
    turns = turns_of_all(local, given.interactions, given.words)
    if given.database.startswith("postgres"):
        asyncio.run(fill_postgres(given.database, turns))
    else:
        asyncio.run(fill_sqlite(Path(given.database), turns))
    print(json.dumps([conversation.ids for conversation in local]))


if __name__ == "__main__":
    main()
