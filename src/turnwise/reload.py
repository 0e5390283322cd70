"""SIGHUP has the models of the settings read again, while the server goes on.

Turns that go on are not disturbed, new ones are answered by the new models, and settings that cannot be change
nothing. A SIGHUP also says that the terminal which the server was started from is closed: then it stops, as ever.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from turnwise.domain.errors import TurnwiseError
from turnwise.settings import Settings, SettingsError

log = logging.getLogger("turnwise")


@contextmanager
def reloading(
    settings: Settings,
    *,
    read: Callable[[], Settings],
    reload: Callable[[Settings], Awaitable[None]],
    stop: Callable[[], None],
    tell: Callable[[str], None] = log.info,
) -> Iterator[Callable[[], None]]:
    """Listen for SIGHUP while the block lasts. `settings` are those that were read at the start, and `tell` is told
    what has changed. What this gives asks for a reload too."""
    asked = asyncio.Event()
    if sys.platform == "win32":
        yield asked.set
        return
    had_terminal = _has_terminal()

    def hang_up() -> None:
        if had_terminal and not _has_terminal():
            stop()
        else:
            asked.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    task = loop.create_task(_reload_when(asked, settings, read, reload, tell), name="reload")
    try:
        yield asked.set
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()


async def _reload_when(
    asked: asyncio.Event,
    settings: Settings,
    read: Callable[[], Settings],
    reload: Callable[[Settings], Awaitable[None]],
    tell: Callable[[str], None],
) -> None:
    while True:
        await asked.wait()
        asked.clear()
        try:
            fresh = read()
            await reload(fresh)
        except (SettingsError, TurnwiseError) as error:
            log.error("the models stay as they were: %s", error)
        except Exception:  # a server that goes on is worth more than one that has the new models
            log.exception("the models stay as they were")
        else:
            for line in differences(settings, fresh):
                tell(line)
            settings = fresh


def differences(before: Settings, after: Settings) -> Iterator[str]:
    """What is another model now, and what will only count at the next start."""
    changed = [
        f"{name!r} {'is new' if name not in before.models else 'has changed'}"
        for name, model in after.models.items()
        if before.models.get(name) != model
    ]
    gone = [f"{name!r} is gone" for name in before.models if name not in after.models]
    yield f"the models are read again: {', '.join([*changed, *gone]) or 'they are the same'}"
    for name in type(after).model_fields:
        if name != "models" and getattr(before, name) != getattr(after, name):
            yield f"{name} has changed too, which counts from the next start on"


def _has_terminal() -> bool:
    return any(os.isatty(descriptor) for descriptor in range(3))
