"""Which of the engine's slots a turn is given: the one that holds the most of its conversation already, and where none
does, the one that has not been used for longest.

llama.cpp would choose by itself, and take whichever slot holds a tenth of a prompt. Conversations that begin alike
(with the same instruction, or with a profile's examples) would then take one slot from one another, turn by turn, and
each be read again from where they part. So turnwise says which slot a turn is for. A slot that has to be given up is
put by before, and what was put by is brought back into it (see `SIMILAR` in `embedded_worker.py`).

That is no more than advice: the engine compares tokens, and reads what a slot does not hold.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

COMPARED = 2**20
"""How much of a conversation is remembered, in bytes, so that it can be known again."""


@dataclass(slots=True)
class Slot:
    """A place in the engine for one conversation."""

    number: int
    conversation: bytes = b""
    """The beginning of what it was last asked."""

    def likeness(self, conversation: bytes) -> int:
        """How many bytes of a conversation it holds; 0 where that is less than half of either of the two."""
        shared = shared_beginning(self.conversation, conversation)
        return shared if 2 * shared >= min(len(self.conversation), len(conversation)) else 0


class Slots:
    """The slots of an engine. Turns that find none free wait in the order in which they came."""

    def __init__(self, count: int) -> None:
        self._free = [Slot(number) for number in range(count)]
        """Those that answer nobody, the one that has not been used for longest first."""
        self._room = asyncio.Semaphore(count)

    @asynccontextmanager
    async def hold(self, asked: dict[str, Any]) -> AsyncGenerator[None, None]:
        """Keep a slot for a call, and say in the call which it is."""
        conversation = orjson.dumps(asked["messages"])[:COMPARED]
        async with self._room:
            slot = max(self._free, key=lambda slot: slot.likeness(conversation))
            self._free.remove(slot)
            slot.conversation = conversation
            asked["id_slot"] = slot.number
            try:
                yield
            finally:
                self._free.append(slot)


def shared_beginning(one: bytes, other: bytes) -> int:
    """How many bytes two texts have in common before they part."""
    sizes = range(1, min(len(one), len(other)) + 1)
    return bisect_right(sizes, 0, key=lambda size: one[:size] != other[:size])
