"""Everything at once: runs, readers, cancels, deletes and broken models in an order that chance decides.

What must hold whatever happens: a run ends once; every reader sees a piece of one and the same sequence, without gaps;
what was deleted is gone; nobody hangs, and no task is left (`open_engine` sees to the last two).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from random import Random

import pytest

from support import HERE, PATIENCE, HeldStore, carried, numbered_ids, open_engine, turn, until, within, words
from turnwise.domain.errors import ModelFailed, NotFound, OutOfRange
from turnwise.domain.events import End, Event
from turnwise.engine.background import Carrying
from turnwise.engine.interactions import Interactions
from turnwise.models.model import Finished, Prompt, Taken, TextFragment, ThoughtFragment
from turnwise.models.scripted import Line, ScriptedModel
from turnwise.store.store import Lease, Store

RUNS = 25

Seen = list[tuple[int, Event]]


class Chance:
    """What happens by chance, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.gates: list[asyncio.Event] = []
        self.deleted: set[str] = set()

    def script(self, prompt: Prompt) -> list[Line]:
        """Some answer, which may wait, and may break."""
        lines: list[Line] = [*self._perhaps_wait(0.2), Taken()]
        for word in words(self._random.choice([0, 3, 12, 60])):
            lines.append(self._random.choice([TextFragment, TextFragment, ThoughtFragment])(word))
            lines += self._perhaps_wait(0.3)
        lines.append(ModelFailed("broke") if self._random.random() < 0.2 else Finished("stop"))
        return lines

    def _perhaps_wait(self, chance: float) -> list[Line]:
        if self._random.random() > chance:
            return []
        self.gates.append(asyncio.Event())
        return [self.gates[-1]]

    async def pause(self) -> None:
        """Let others run for a while."""
        for _ in range(self._random.randrange(30)):
            await asyncio.sleep(0)

    @asynccontextmanager
    async def open_gates(self) -> AsyncIterator[None]:
        """Meanwhile every model that waits goes on, sooner or later."""

        async def opening() -> None:
            while True:
                await self.pause()
                await asyncio.sleep(0)
                if self.gates:
                    self.gates.pop(self._random.randrange(len(self.gates))).set()

        opener = asyncio.create_task(opening())
        yield
        opener.cancel()
        await asyncio.wait({opener})

    async def read(self, interactions: Interactions, id: str) -> Seen:
        """Read from somewhere; perhaps leave in the middle."""
        await self.pause()
        seen: Seen = []
        try:
            interaction = await interactions.get(id, "ann")
            groups = await interactions.read(interaction, self._random.choice([0, 2, 3, 30]))
        except (NotFound, OutOfRange):
            return seen
        leave_at = self._random.choice([3, 1000, 1000])
        async with aclosing(groups):
            async for group in groups:
                seen += group
                if len(seen) >= leave_at:
                    break
        return seen

    async def disturb(self, interactions: Interactions, id: str) -> None:
        """Cancel it, delete it, or leave it alone."""
        await self.pause()
        try:
            match self._random.randrange(4):
                case 0:
                    assert (await interactions.cancel(id, "ann")).status.is_terminal
                case 1:
                    self.deleted.add(id)
                    await interactions.delete(id, "ann")
                case _:
                    await interactions.get(id, "ann")
        except NotFound:
            assert id in self.deleted


def check_sequence(seen: Seen, whole: Seen | None) -> None:
    """A reader's sequence has no gaps, ends where it ends, and is a piece of the whole one, where that is known."""
    positions = [position for position, _ in seen]
    assert positions == list(range(positions[0], positions[0] + len(seen))) if seen else True
    assert not any(isinstance(event, End) for _, event in seen[:-1])
    if whole:
        assert all(whole[position - 1] == (position, event) for position, event in seen)


async def run_everything(interactions: Interactions, chance: Chance) -> dict[str, list[Seen]]:
    """Begin runs of either kind; read and disturb each of them several times."""
    made = [
        interactions.create(turn(str(number), background=True), "ann", "steps")
        if number % 2
        else interactions.begin(turn(str(number), stream=True), "ann", "steps")
        for number in range(RUNS)
    ]
    begun = [one for one in await asyncio.gather(*made, return_exceptions=True) if not isinstance(one, Exception)]
    ids = [getattr(one, "interaction", one).id for one in begun]
    readers = {id: [asyncio.create_task(chance.read(interactions, id)) for _ in range(4)] for id in ids}
    await asyncio.gather(*(chance.disturb(interactions, id) for id in ids for _ in range(2)))
    return {id: list(await asyncio.gather(*reading)) for id, reading in readers.items()}


async def until_ended(store: Store) -> None:
    """Wait until no run goes on any more."""
    async with asyncio.timeout(PATIENCE):
        while await carried(store):  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)


async def until_all_ended(store: Store, ids: Iterable[str]) -> None:
    """Wait until each of these has ended, or is gone."""
    async with asyncio.timeout(PATIENCE):
        for id in ids:
            while (found := await store.load(id, "ann")) and not found.status.is_terminal:  # noqa: ASYNC110
                await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_in_whatever_order_the_journal_holds(any_store: Store, seed: int):
    chance = Chance(seed)
    async with open_engine(store=any_store, model=ScriptedModel(answer=chance.script)) as engine:
        async with chance.open_gates():
            seen = await within(run_everything(engine.interactions, chance))
            await until_ended(any_store)
        for id, sequences in seen.items():
            whole = list(await any_store.events(id, 0))
            assert bool(whole) is (id not in chance.deleted)
            if whole:
                assert isinstance(whole[-1][1], End)
                check_sequence(whole, whole)
            for sequence in sequences:
                check_sequence(sequence, whole)
    assert list(await any_store.claim(HERE, 10)) == []


@pytest.mark.parametrize("seed", range(6))
async def test_whichever_process_is_asked_the_journal_holds(any_store: Store, seed: int):
    chance, model = Chance(seed), ScriptedModel(answer=lambda prompt: chance.script(prompt), continues=True)
    leases = [Lease(name, 60.0) for name in ("one", "two")]
    one, two = (open_engine(store=any_store, model=model, carrying=Carrying(lease, room=3)) for lease in leases)
    async with one as here, two as there:
        there.interactions._new_id = numbered_ids("there")
        both = [here.interactions, there.interactions]
        async with chance.open_gates():
            made = [run_between(both[number % 2], both[1 - number % 2], chance, number) for number in range(RUNS)]
            seen = dict(await within(asyncio.gather(*made)))
            await until_all_ended(any_store, seen)
        for id, sequences in seen.items():
            whole = list(await any_store.events(id, 0))
            assert bool(whole) is (id not in chance.deleted)
            for sequence in [whole, *sequences]:
                check_sequence(sequence, whole)
        await until(lambda: not any(interactions._runs._runs for interactions in both))
        assert [interactions._journal._live for interactions in both] == [{}, {}]


async def run_between(one: Interactions, other: Interactions, chance: Chance, number: int) -> tuple[str, list[Seen]]:
    """Begin a run at one process; read and disturb it at both."""
    await chance.pause()
    made = await one.create(turn(str(number), background=True), "ann", "steps")
    asked = [one, other, other]
    reading = [asyncio.create_task(chance.read(interactions, made.id)) for interactions in asked]
    await asyncio.gather(*(chance.disturb(interactions, made.id) for interactions in asked))
    read = await asyncio.gather(*reading, return_exceptions=True)
    assert all(isinstance(sequence, list | NotFound) for sequence in read), read
    return made.id, [sequence for sequence in read if isinstance(sequence, list)]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_store_refuses_nobody_hangs(seed: int):
    chance, store, unlucky = Chance(seed), HeldStore(), Random(seed)
    for name in ("append", "finish", "events"):
        store.fail(name, lambda *_: unlucky.random() < 0.15)
    async with open_engine(store=store, model=ScriptedModel(answer=chance.script)) as engine:
        async with chance.open_gates():
            await within(run_everything_despite(engine.interactions, chance))
        store.heal()


async def run_everything_despite(interactions: Interactions, chance: Chance) -> None:
    """Runs and their readers, of whom some are told that the store broke. All of them come to an end."""
    made = [interactions.begin(turn(str(number), stream=True), "ann", "steps") for number in range(RUNS)]
    begun = await asyncio.gather(*made, return_exceptions=True)
    recordings = [one for one in begun if not isinstance(one, Exception)]
    reading = [chance.read(interactions, recording.interaction.id) for recording in recordings for _ in range(3)]
    await asyncio.gather(*reading, return_exceptions=True)
    for recording in recordings:
        await interactions.cancel(recording.interaction.id, "ann")
        assert recording.ended
