"""What turnwise aims at, and where in the tables stands what was reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.speed.results import Kept


@dataclass(frozen=True)
class Target:
    """A bound that a figure should keep."""

    table: str
    """Where it is measured."""
    what: str
    bound: float
    unit: str
    measured: Callable[[Kept], float]
    decimals: int = 2
    is_least: bool = False
    """Whether more is better."""

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound

    def said(self, value: float) -> str:
        return f"{value:,.{self.decimals}f} {self.unit}".strip()

    @property
    def aim(self) -> str:
        return f"at {'least' if self.is_least else 'most'} {self.bound:,g} {self.unit}".strip()


def text(results: Mapping[str, Kept]) -> str:
    """All of them in Markdown, with what was reached."""
    lines = ["| | target | measured | met |", "| --- | --- | --: | --- |"]
    for target in TARGETS:
        reached, met = "not measured", ""
        if target.table in results:
            value = target.measured(results[target.table])
            reached, met = target.said(value), "yes" if target.is_met(value) else "**no**"
        lines.append(f"| {target.what} | {target.aim} | {reached} | {met} |")
    return "\n".join(lines)


def highest(figure: str, *wheres: Mapping[str, str | int]) -> Callable[[Kept], float]:
    """The highest median of a figure in rows that have one of these sets of labels."""
    return lambda kept: max(value for labels in wheres for value in kept.column(figure, **labels))


def lowest(figure: str, *wheres: Mapping[str, str | int]) -> Callable[[Kept], float]:
    """The lowest."""
    return lambda kept: min(value for labels in wheres for value in kept.column(figure, **labels))


def _ours(**labels: str | int) -> Mapping[str, str | int]:
    return {"server": "turnwise", **labels}


def _spread_at_64(kept: Kept) -> float:
    row = _ours(callers=64)
    return kept.column("p99 ms", **row)[0] / kept.column("p50 ms", **row)[0]


def _kept_up(kept: Kept) -> float:
    return kept.column("requests/s", **_ours(callers=256))[0] / kept.column("requests/s", **_ours(callers=16))[0]


_MANY = (_ours(callers=16), _ours(callers=64), _ours(callers=256))

_READY = _ours(what="ready, an upstream's model")

TARGETS = (
    Target("create", "A stored create, 16 callers and more", 0.8, "CPU-ms", highest("CPU-ms", *_MANY)),
    Target("create", "The same, beside the floor", 3, "times", highest("times the floor's", *_MANY)),
    Target("create", "Slowest of a hundred creates beside the middle one, 64 callers", 5, "times", _spread_at_64, 1),
    Target("create", "Creates a second with 256 callers, beside 16", 0.95, "times", _kept_up, is_least=True),
    Target(
        "stream",
        "A stored stream of 100 deltas, 16 callers and more",
        2.5,
        "CPU-ms",
        highest("CPU-ms", *_MANY[:2]),
    ),
    Target(
        "stream",
        "Deltas that one process relays",
        30_000,
        "a second",
        highest("deltas/s", _ours()),
        decimals=0,
        is_least=True,
    ),
    Target(
        "first_event", "First word, 1 stream, half of them", 1, "ms", highest("first word p50 ms", _ours(streams=1))
    ),
    Target(
        "first_event", "First word, 64 streams, half of them", 20, "ms", highest("first word p50 ms", _ours(streams=64))
    ),
    Target(
        "first_event",
        "First word beside 1,000 streams, 20 beginning in a second, 99 in a hundred",
        100,
        "ms",
        highest("first word p99 ms", _ours(streams=1000, begun="20 a second")),
    ),
    Target(
        "first_event",
        "First word, 1,000 streams, 100 beginning in a second, 99 in a hundred",
        100,
        "ms",
        highest("first word p99 ms", _ours(streams=1000, begun="100 a second")),
    ),
    Target("open_streams", "Memory of one of 1,000 open streams", 60, "KB", highest("KB a stream", _ours()), 1),
    Target(
        "chain",
        "What 1,000 turns behind it add to a turn",
        10,
        "ms",
        highest("added ms", *(_ours(store="sqlite", answered=how, turns=1000) for how in ("plain", "streamed"))),
    ),
    Target(
        "store_size",
        "Get, create and resume with 1,000,000 interactions stored, beside a few",
        1.3,
        "times",
        lambda kept: max(
            row["times the small one's"]
            for (call, _), row in kept.where().items()
            if call != "start" and "times the small one's" in row
        ),
    ),
    Target(
        "scaling",
        "Throughput that each of two processes adds, beside one",
        0.8,
        "times",
        lowest("growth for each", {"processes": 2}),
        is_least=True,
    ),
    Target(
        "embedded",
        "Tokens a second of the built-in engine through the API, beside the engine by itself",
        0.95,
        "times",
        lowest("of the engine's", {"asked": "through turnwise"}),
        is_least=True,
    ),
    Target(
        "second_turn",
        "First token of a second turn behind 2,000 tokens, beside a cold one",
        8,
        "times sooner",
        lowest("times sooner", {"tokens": 2000}),
        decimals=1,
        is_least=True,
    ),
    Target("start", "From the command to ready, with an upstream's model", 0.8, "s", highest("seconds", _READY)),
    Target("start", "`import turnwise`", 0.15, "s", highest("seconds", _ours(what="import turnwise"))),
    Target("start", "Memory before the model", 80, "MB", highest("MB", _READY), 1),
    Target("install", "The core with the built-in engine, installed", 250, "MB", highest("MB", {"package": "all"}), 0),
)
