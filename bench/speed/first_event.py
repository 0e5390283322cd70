"""How long a word is under way from the upstream to the reader, beside the floor, with 1, 64 and 1,000 streams open.

All streams say ten words a second. As many begin in a second as end in it, so that as many as the table says are open
all the time; or all of them begin in the same moment, and again when they have ended; or a thousand stay open, and a
few short ones begin and end beside them. A stream's first word is said together with the head of the upstream's answer,
as llama.cpp's server does; or a moment after it, as most others do.

Some of that time nobody in between can spare: it takes the upstream a while to send a word that it has stamped, and a
listener to wake up for it. So where there are few streams, the listeners also ask an upstream themselves, by turns with
the others; what a server adds is what is more than that.

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench.speed.calls import asked, quantile
from bench.speed.listeners import Listeners, gathered, listeners, within
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, beside_floor, upstream

TABLE = Table(
    "first_event",
    "How long words of stored streams are under way, ten words a second each",
    ("streams", "begun", "first word", "server"),
    {
        "first word p50 ms": 2,
        "added p50 ms": 2,
        "first word p99 ms": 2,
        "any word p50 ms": 2,
        "any word p99 ms": 2,
        "words/s": 0,
        "CPU-ms a second": 0,
        "listeners late p99 ms": 2,
    },
)

WORDS = 10
"""How many words a stream says in a second."""

THINKING = 0.15
"""How long, in seconds, an upstream thinks that has taken the prompt."""

LONGER = 3
"""How many times as long a single stream is listened to as many are: it has few first words."""

OPENING = 200
"""How many of the streams that stay begin in a second: as many as any server keeps up with."""

SETTLING = 1.0
"""How long, in seconds, a server has to put away what it needed to begin streams, or to end them."""

LEAD = 0.3
"""How long, in seconds, before the first stream begins: the listeners are ready by then."""


@dataclass(frozen=True)
class Case:
    """Streams that are open."""

    streams: int
    seconds: float
    """How long each of them is."""
    together: bool = False
    """Whether all begin in the same moment."""
    thinks: bool = False
    """Whether the upstream's head comes before its first word."""
    beside: int = 0
    """How many streams are open all the time, and do not end. First words are those of others."""

    @property
    def are_few(self) -> bool:
        """Whether what the upstream and the listeners take is worth a figure."""
        return self.streams + self.beside < 1000

    @property
    def labels(self) -> tuple[int, str, str]:
        begun = "together" if self.together else f"{self.streams / self.seconds:.0f} a second"
        return (self.beside or self.streams, begun, "after the head" if self.thinks else "with the head")

    @property
    def model(self) -> str:
        words = max(1, round(self.seconds * WORDS))
        return f"deltas-{words}-at-{WORDS}" + (f"-after-{THINKING}" if self.thinks else "")

    def moments(self, begin: int, end: int) -> list[int]:
        """When streams begin, so that all are open between these moments."""
        length = int((self.seconds + (THINKING if self.thinks else 0.0)) * 1e9)
        if self.together:
            pause = length + length // 2
            return [at for at in range(begin, max(end - length, begin + 1), pause) for _ in range(self.streams)]
        return list(range(begin - length, end, max(1, length // self.streams)))


CASES = (
    Case(1, 0.3),
    Case(1, 0.3, thinks=True),
    Case(64, 2),
    Case(64, 2, thinks=True),
    Case(64, 1, together=True),
    Case(6, 0.3, beside=1000),
    Case(6, 0.3, beside=1000, thinks=True),
    Case(1000, 10),
    Case(1000, 10, thinks=True),
)


def main() -> None:
    options = parser(__doc__, rounds=3)
    options.add_argument("--seconds", type=float, default=6, help="how long each is measured")
    options.add_argument("--streams", type=int, nargs="+", default=[1, 64, 1000])
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        alone = replace(stack.enter_context(upstream()), name="upstream alone")
        servers = stack.enter_context(beside_floor(given.source))
        measure(alone, servers, stack.enter_context(listeners()), given)
    TABLE.finish(given)


def measure(alone: Server, servers: Sequence[Server], pool: Listeners, given: argparse.Namespace) -> None:
    """Every server with every number of streams, a round of all behind the other."""
    for server in (alone, *servers):
        listen(server, pool, Case(16, 0.5), 1.0)  # to be warm
    for _ in range(given.rounds):
        for case in CASES:
            if case.labels[0] in given.streams:
                measure_case(case, alone, servers, pool, given.seconds)


def measure_case(case: Case, alone: Server, servers: Sequence[Server], pool: Listeners, seconds: float) -> None:
    """Every server by turns; and where it counts, what a word takes that none of them is asked for."""
    if case.streams == 1:
        seconds *= LONGER
    unserved = listen(alone, pool, case, seconds) if case.are_few else {}
    if unserved:
        TABLE.add_all((*case.labels, alone.name), unserved)
    for server in servers:
        figures = listen(server, pool, case, seconds)
        if unserved:
            figures["added p50 ms"] = figures["first word p50 ms"] - unserved["first word p50 ms"]
        TABLE.add_all((*case.labels, server.name), figures)


def listen(server: Server, pool: Listeners, case: Case, seconds: float) -> dict[str, float]:
    """The figures of some seconds in which all streams are open."""
    filling = 0.0 if case.together else case.seconds + THINKING
    begin = time.monotonic_ns() + int((LEAD + filling) * 1e9)
    standing = None
    if case.beside:
        opening = case.beside / OPENING + SETTLING
        whole = round((opening + filling + seconds + SETTLING) * WORDS)
        moments = [begin + n * int(1e9) // OPENING for n in range(case.beside)]
        standing = pool.begin(server, asked(streamed=True, model=f"deltas-{whole}-at-{WORDS}"), moments)
        begin += int((opening + filling) * 1e9)
    end = begin + int(seconds * 1e9)
    listening = pool.begin(server, asked(streamed=True, model=case.model), case.moments(begin, end))
    time.sleep((begin - time.monotonic_ns()) / 1e9)
    processor = server.processor_seconds()
    time.sleep((end - time.monotonic_ns()) / 1e9)
    processor = server.processor_seconds() - processor
    heard = gathered(listening)
    firsts, words, lags = (within(pairs, begin, end) for pairs in (heard.firsts, heard.words, heard.lags))
    if standing is not None:
        others = gathered(standing)
        words += within(others.words, begin, end)
        lags += within(others.lags, begin, end)
    return {
        "first word p50 ms": quantile(firsts, 0.5),
        "first word p99 ms": quantile(firsts, 0.99),
        "any word p50 ms": quantile(words, 0.5),
        "any word p99 ms": quantile(words, 0.99),
        "words/s": len(words) / seconds,
        "CPU-ms a second": 1000 * processor / seconds,
        "listeners late p99 ms": quantile(lags, 0.99),
    }


if __name__ == "__main__":
    main()
