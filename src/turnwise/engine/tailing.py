"""Following runs that another process carries: from the store, as it says that there is more.

However many readers there are, one task looks for all of them, in one call: when the store has news of a run that
somebody here reads, and now and then of itself, since news may be missed. Readers get what is behind their position,
each event once and in order.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress
from typing import TypeAlias

from turnwise.domain.errors import HandedOver, NotFound
from turnwise.domain.events import End, Event
from turnwise.store.store import News, Store

log = logging.getLogger("turnwise.journal")

Numbered: TypeAlias = Sequence[tuple[int, Event]]
"""Events with their positions."""

BLIND = "this server cannot reach its store; read on elsewhere, from the last event that you have, by `last_event_id`"
STOPPED = "this server is being stopped; read on elsewhere, from the last event that you have, by `last_event_id`"


class _Reader:
    """Somebody who reads one run."""

    def __init__(self, id: str, position: int) -> None:
        self.id = id
        self.position = position
        """Of the last event that it has, or that waits for it."""
        self.groups: list[Numbered] = []
        self.woken = asyncio.Event()
        self.in_doubt = True
        """Whether something may have happened to the run that is no event behind its position: it may have been
        deleted, or have ended, before anybody listened too."""

    def give(self, events: Numbered) -> bool:
        """More events of the run. Those that are not the very next ones come again later. Whether there was any behind
        its position."""
        new = [pair for pair in events if pair[0] > self.position]
        if new and new[0][0] == self.position + 1:
            self.position = new[-1][0]
            self.groups.append(new)
            self.woken.set()
        return bool(new)

    def doubt(self) -> None:
        """Something happened to the run that is no event behind its position."""
        self.in_doubt = True
        self.woken.set()


class Tail:
    """All who read from the store in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers: dict[str, set[_Reader]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._is_blind = False
        """Whether the store could not be read when it was last tried."""
        self._closed = False

    async def follow(self, id: str, owner: str, after: int, *, idle: float) -> AsyncGenerator[Numbered, None]:
        """The events of a run behind a position, in groups, to its end. An empty group means that nothing happened for
        `idle` seconds.

        Raises:
            NotFound: it was deleted.
            HandedOver: this process stops, or cannot reach the store.
        """
        reader = _Reader(id, after)
        self._readers.setdefault(id, set()).add(reader)
        if self._looking is None:
            self._look_out()
        try:
            await self._look_first(id, idle)
            while True:
                groups, reader.groups = reader.groups, []
                reader.woken.clear()
                for group in groups:
                    yield group
                    if isinstance(group[-1][1], End):
                        return
                if groups:
                    continue
                if self._closed:
                    raise HandedOver(STOPPED)
                if self._is_blind:
                    raise HandedOver(BLIND)
                is_idle = not reader.in_doubt and await self._waited(reader, idle)
                if is_idle or reader.in_doubt:
                    reader.in_doubt = False
                    if await self._is_over(reader, owner, idle):
                        return
                if is_idle:
                    yield ()
        finally:
            self._forget(reader)

    async def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        for readers in self._readers.values():
            for reader in readers:
                reader.woken.set()
        looking = self._looking
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _look_first(self, id: str, patience: float) -> None:
        """See what happened before anybody looked. A store that takes its time is looked at again later."""
        try:
            async with asyncio.timeout(patience):
                await self._look({id})
            self._is_blind = False
        except TimeoutError:
            pass
        except Exception as error:
            log.exception("the store could not be read")
            raise HandedOver(BLIND) from error

    def _see_nothing(self) -> None:
        """Have all readers told that this process cannot tell them more."""
        self._is_blind = True
        for readers in self._readers.values():
            for reader in readers:
                reader.woken.set()

    async def _is_over(self, reader: _Reader, owner: str, patience: float) -> bool:
        """Whether the run has ended, and a reader has all that it told, as far as the store says so in time.

        Raises:
            NotFound: it was deleted.
            HandedOver: this process cannot reach the store.
        """
        try:
            async with asyncio.timeout(patience):
                interaction = await self._store.load(reader.id, owner)
                if interaction is not None and interaction.status.is_terminal:
                    await self._look({reader.id})
        except TimeoutError:
            return False
        except Exception as error:
            log.exception("the store could not be read")
            raise HandedOver(BLIND) from error
        if interaction is None:
            raise NotFound(f"the interaction '{reader.id}' was deleted")
        return interaction.status.is_terminal and not reader.groups

    async def _waited(self, reader: _Reader, idle: float) -> bool:
        """Wait until there is something for a reader. True: there was nothing for so long."""
        try:
            async with asyncio.timeout(idle):
                await reader.woken.wait()
        except TimeoutError:
            return True
        return False

    def _forget(self, reader: _Reader) -> None:
        readers = self._readers[reader.id]
        readers.discard(reader)
        if not readers:
            del self._readers[reader.id]

    def _look_out(self) -> None:
        """Begin to look on. What is told from this moment on is heard."""
        self._looking = asyncio.create_task(self._look_on(self._store.news()), name="journal tail")

    async def _look_on(self, news: AsyncGenerator[News, None]) -> None:
        """Look whenever there is news of a run that is read here, and when there was none for a while; as long as
        anybody reads."""
        heard = asyncio.Event()
        told: set[str] = set()
        listening = asyncio.create_task(self._listen(news, heard, told), name="journal tail ears")
        try:
            while self._readers:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._store.patience):
                        await heard.wait()
                heard.clear()
                named = {id for id in told if id in self._readers}
                told.clear()
                try:
                    await self._look(named or set(self._readers), named)
                except Exception:
                    log.exception("the store could not be read; trying again")
                    self._see_nothing()
                else:
                    self._is_blind = False
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._looking = None
            if self._readers and not self._closed:  # one that came in this very moment
                self._look_out()

    async def _listen(self, all_news: AsyncGenerator[News, None], heard: asyncio.Event, told: set[str]) -> None:
        async for news in all_news:
            if self._concerns(news):
                told |= news.told
                heard.set()

    def _concerns(self, news: News) -> bool:
        """Whether somebody here waits for this. News of nothing in particular concern everybody."""
        return news == News() or not self._readers.keys().isdisjoint(news.told)

    async def _look(self, ids: Collection[str], named: Collection[str] = ()) -> None:
        """See what is behind. Of those that were `named` there should be something."""
        places = {id: min(reader.position for reader in self._readers[id]) for id in ids if id in self._readers}
        if not places:
            return
        found = await self._store.tail(places)
        for id in places:
            for reader in self._readers.get(id, ()):
                # Another reader of the run may be behind this one: what there is for that one is no news here.
                if not reader.give(found.get(id, ())) and id in named:
                    reader.doubt()
