"""When a server looks for garbage.

Almost all that a request leaves is gone at once. Only what refers to itself has to be looked for, and Python looks for
it through everything that there is: after a start a hundred thousand things of which hardly any ever goes; and with a
thousand open streams, of which each is three hundred things that stay, it took a quarter of the time, and up to 0.2 s
in which nobody was answered. So nothing is looked for while the server starts, and what is there then is never looked
through again. What is new is looked through less often than Python does by itself, and everything now and then, so that
it takes a thousandth of the time at the most.

What breaks or is left by its client must therefore not refer to itself: a circle that holds a whole request would wait
for minutes. Tests see to that.
"""

import asyncio
import gc
import time

YOUNG = 5000
"""How many more things are made than go before the new ones are looked through. By itself Python takes 700."""

EVERYTHING, LONGEST, SHARE = 60.0, 600.0, 1000
"""How many seconds, at the least and at the most, everything is left before it is looked through again; and in between,
how many times as long as that took."""

_NEVER = 1_000_000


def put_off() -> None:
    """Look for no garbage until `settle`: nothing that is loaded goes."""
    gc.disable()


def settle() -> None:
    """Take all that is there now for what stays, and look for garbage from now on, as long as the event loop runs."""
    gc.freeze()
    gc.set_threshold(YOUNG, 10, _NEVER)
    gc.enable()
    _look_later(EVERYTHING)


def _look_later(seconds: float) -> None:
    asyncio.get_running_loop().call_later(seconds, _look_through_everything)


def _look_through_everything() -> None:
    began = time.perf_counter()
    gc.collect()
    _look_later(min(max(EVERYTHING, SHARE * (time.perf_counter() - began)), LONGEST))
