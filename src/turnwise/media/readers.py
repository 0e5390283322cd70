"""Reads files of every kind: identified here, read in a process of their own, and remembered for a while.

The history of a conversation brings the same files back in each turn. So what a file says is remembered by its bytes,
and a file that is being read is not read a second time: who comes next waits for it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from turnwise.domain.errors import InvalidRequest
from turnwise.media.kinds import identify
from turnwise.media.media import Account, Excerpt, Kind, Material, Options
from turnwise.media.process import Processes

REMEMBERED = 64 * 1024**2
"""In bytes of text, over all files."""

_Key = tuple[str, Kind, Options]


class Readers:
    """A `Reader`. See `media.py`."""

    def __init__(
        self,
        processes: Processes,
        *,
        max_bytes: int,
        seconds: float,
        ocr: str = "auto",
        speech: str = "whisper-base",
        find_speech_weights: Callable[[], Path | None] = lambda: None,
        remembered_bytes: int = REMEMBERED,
    ) -> None:
        """`find_speech_weights` is asked each time: they may have been fetched since."""
        self._processes = processes
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._ocr = ocr
        self._speech = speech
        self._find_speech_weights = find_speech_weights
        self._remembered = _Remembered(remembered_bytes)
        self._reading: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    def identify(self, path: Path, claimed: str | None) -> Kind:
        """What a file is. See `Reader.identify` in `media.py`."""
        return identify(path, claimed)

    async def read(self, material: Material) -> Account:
        """What a file says. See `Reader.read` in `media.py`."""
        options = self._options(material)
        key = (material.sha256, material.kind, options)
        lock = self._reading.setdefault(key, asyncio.Lock())
        async with lock:
            account = self._remembered.find(key)
            if account is None:
                account = await self._processes.read(material.kind.type, material.path, options)
                self._remembered.keep(key, account)
        return account

    async def pictures(self, material: Material, limit: int) -> Sequence[Excerpt]:
        """At most so many pictures. See `Reader.pictures` in `media.py`."""
        return await self._processes.pictures(material.kind.type, material.path, self._options(material), limit)

    async def as_sound(self, material: Material) -> Excerpt | None:
        """The sound of a file. See `Reader.as_sound` in `media.py`."""
        return await self._processes.as_sound(material.kind.type, material.path, self._options(material))

    async def close(self) -> None:
        """End the processes."""
        await self._processes.close()

    def _options(self, material: Material) -> Options:
        if material.size > self._max_bytes:
            raise InvalidRequest(
                f"the file has {material.size} bytes: at most {self._max_bytes} are read (the setting media.max_bytes)"
            )
        return Options(
            mime_type=material.kind.mime_type,
            ocr=self._ocr,
            speech=self._speech,
            speech_weights=self._find_speech_weights(),
            seconds=self._seconds,
        )


class _Remembered:
    """What files say: those that were asked for the longest ago are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._accounts: OrderedDict[_Key, tuple[Account, int]] = OrderedDict()

    def find(self, key: _Key) -> Account | None:
        if key not in self._accounts:
            return None
        self._accounts.move_to_end(key)
        return self._accounts[key][0]

    def keep(self, key: _Key, account: Account) -> None:
        size = _size(account)
        if size > self._most:
            return
        self._accounts[key] = (account, size)
        self._size += size
        while self._size > self._most:
            self._size -= self._accounts.popitem(last=False)[1][1]


def _size(account: Account) -> int:
    """Roughly, in bytes of memory."""
    texts = [account.facts, account.manner, *(passage.text for passage in account.passages)]
    if account.page is not None:
        texts += [account.page.title, *(link.text + link.url for link in account.page.links)]
    return sum(4 * len(text) + 200 for text in texts)
