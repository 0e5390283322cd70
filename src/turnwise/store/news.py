"""News of runs, told within this process to all who listen.

Whoever tells never waits. What a listener has not read yet is merged, so a slow one hears the same in fewer words; one
that has missed too much hears only that something has happened.
"""

import asyncio
from collections.abc import AsyncGenerator
from weakref import WeakSet

from turnwise.store.store import News

REMEMBERED = 10_000
"""How many ids may wait for a listener."""

SOMETHING = News()
"""Nothing in particular: whoever hears it has to look for itself."""


class Teller:
    """Tells all who listen, within one event loop."""

    def __init__(self) -> None:
        # Only the generators hold the listeners: one that is dropped is forgotten, even if nobody ever read from it.
        self._listeners: WeakSet[_Listener] = WeakSet()

    def listen(self) -> AsyncGenerator[News, None]:
        """What is told from now on, until `close`."""
        listener = _Listener()
        self._listeners.add(listener)
        return _read(listener)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens, so that there is a reason to put news together."""
        return bool(self._listeners)

    def tell(self, news: News) -> None:
        """Tell everybody."""
        for listener in list(self._listeners):
            listener.hear(news)

    def close(self) -> None:
        """Nothing more will be told."""
        for listener in list(self._listeners):
            listener.leave()


class _Listener:
    """What one of them has not read yet."""

    def __init__(self) -> None:
        self.over = False
        self.changed = asyncio.Event()
        self._told: set[str] = set()
        self._taken: set[str] = set()
        self._waiting = False
        self._something = False
        """Whether there was more than can be said."""

    def hear(self, news: News) -> None:
        self._told |= news.told
        self._taken |= news.taken
        self._waiting |= news.waiting
        self._something |= news == SOMETHING or len(self._told) + len(self._taken) > REMEMBERED
        if self._something:
            self._told, self._taken = set(), set()
        self.changed.set()

    def leave(self) -> None:
        self.over = True
        self.changed.set()

    def read(self) -> News:
        """All of it, as one."""
        news = News(frozenset(self._told), frozenset(self._taken), self._waiting)
        if self._something:
            news = SOMETHING
        self._told, self._taken, self._waiting, self._something = set(), set(), False, False
        self.changed.clear()
        return news


async def _read(listener: _Listener) -> AsyncGenerator[News, None]:
    while True:
        await listener.changed.wait()
        if listener.over:
            return
        yield listener.read()
