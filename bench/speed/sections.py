"""What the page says of each table that was kept: a sentence or two with its figures, and its plots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.speed.plots import Bar, Goal, Ink, Line, bars, lines
from bench.speed.results import Kept

Plots = Mapping[str, str]
"""Drawings by the names of their files."""


@dataclass(frozen=True)
class Section:
    """How a table is told."""

    words: Callable[[Kept], str] = lambda kept: ""
    plots: Callable[[Kept], Plots] = lambda kept: {}


def _ours(kept: Kept, figure: str, **labels: str | int) -> float:
    return kept.column(figure, server="turnwise", **labels)[0]


def _beside(kept: Kept, callers: int) -> list[tuple[str, float]]:
    """What a call costs each server with so many callers, the cheapest first."""
    place = kept.labels.index("server")
    rows = kept.where(callers=callers).items()
    return sorted(((str(row[place]), figures["CPU-ms"]) for row, figures in rows), key=lambda one: one[1])


def _others(kept: Kept) -> str:
    """A sentence on the peers, if there are any."""
    said = [f"{cost:,.1f} with {name}" for name, cost in _beside(kept, 16) if name not in ("floor", "turnwise")]
    return f" It takes {' and '.join(said)}, which keep nothing." if said else ""


def _cost_bars(kept: Kept, title: str, goal: float) -> str:
    inks: dict[str, Ink] = {"turnwise": "first"}
    drawn = [Bar(name, cost, inks.get(name, "other")) for name, cost in _beside(kept, 16)]
    return bars(title, drawn, unit="CPU-ms", decimals=2, goal=Goal(f"target {goal:g}", goal))


def _create_words(kept: Kept) -> str:
    cost, times = _ours(kept, "CPU-ms", callers=16), _ours(kept, "times the floor's", callers=16)
    rates = [_ours(kept, "requests/s", callers=callers) for callers in (1, 16, 64, 256)]
    return (
        f"With 16 callers a stored create takes {cost:.2f} CPU-milliseconds, {times:.1f} times the floor's."
        f"{_others(kept)} One process answers {rates[0]:,.0f}, {rates[1]:,.0f}, {rates[2]:,.0f} and {rates[3]:,.0f} "
        "calls a second with 1, 16, 64 and 256 callers."
    )


def _create_plots(kept: Kept) -> Plots:
    def over(server: str, figure: str) -> dict[str, float]:
        place = kept.labels.index("callers")
        return {f"{row[place]:,}": figures[figure] for row, figures in kept.where(server=server).items()}

    drawn = [
        Line("turnwise, 99 in a hundred", over("turnwise", "p99 ms"), "first", is_dashed=True),
        Line("turnwise, half of them", over("turnwise", "p50 ms"), "first"),
        Line("floor, 99 in a hundred", over("floor", "p99 ms"), "other", is_dashed=True),
        Line("floor, half of them", over("floor", "p50 ms"), "other"),
    ]
    return {
        "create-cost.svg": _cost_bars(kept, "CPU time of a create, 16 callers", 0.8),
        "create-latency.svg": lines("How long a create takes", "callers at once", drawn, unit="ms", is_log=True),
    }


def _stream_words(kept: Kept) -> str:
    cost, times = _ours(kept, "CPU-ms", callers=16), _ours(kept, "times the floor's", callers=16)
    rates = kept.column("deltas/s", server="turnwise")
    return (
        f"With 16 callers a stored stream of 100 deltas takes {cost:.2f} CPU-milliseconds, {times:.1f} times the "
        f"floor's.{_others(kept)} One process relays up to {max(rates):,.0f} deltas a second."
    )


def _stream_plots(kept: Kept) -> Plots:
    return {"stream-cost.svg": _cost_bars(kept, "CPU time of a stream of 100 deltas, 16 callers", 2.5)}


def _first_event_words(kept: Kept) -> str:
    one, added = (kept.column(f"{what} p50 ms", server="turnwise", streams=1) for what in ("first word", "added"))
    few, many = (
        [kept.column(f"first word {part} ms", server="turnwise", streams=1000, begun=begun) for part in ("p50", "p99")]
        for begun in ("20 a second", "100 a second")
    )
    return (
        f"A first word is under way for {_range(one, 2)} ms where nothing else is going on, of which turnwise adds "
        f"{_range(added, 2)} ms. Where 1,000 streams are open and 20 begin in a second it is for {_range(few[0], 1)} "
        f"ms, and the slowest of a hundred for {_range(few[1], 1)} ms; where 100 begin and end in a second for "
        f"{_range(many[0], 1)} and {_range(many[1], 1)} ms: one process is nearly full there."
    )


def _open_streams_words(kept: Kept) -> str:
    memory, word, times = (_ours(kept, name) for name in ("KB a stream", "CPU-us a word", "times the floor's"))
    least = kept.column("KB a stream", server="floor")[0]
    return (
        f"An open stream takes {memory:.1f} KB, beside {least:.1f} KB of the floor's, and each of its words {word:.0f} "
        f"CPU-microseconds, {times:.1f} times the floor's."
    )


def _chain_words(kept: Kept) -> str:
    plain = _ours(kept, "added ms", store="sqlite", answered="plain", turns=1000)
    alone = kept.column("added ms", server="upstream alone", turns=1000)[0]
    return (
        f"A thousand turns, two megabytes, add {plain:.1f} ms to a plain turn, of which the upstream alone takes "
        f"{alone:.1f} ms to be sent and to read them."
    )


def _chain_plots(kept: Kept) -> Plots:
    place = kept.labels.index("turns")

    def over(**labels: str) -> dict[str, float]:
        return {f"{row[place]:,}": figures["added ms"] for row, figures in kept.where(**labels).items()}

    drawn = [
        Line("turnwise, streamed", over(server="turnwise", store="sqlite", answered="streamed"), "second"),
        Line("turnwise, plain", over(server="turnwise", store="sqlite", answered="plain"), "first"),
        Line("upstream alone", over(server="upstream alone"), "other"),
    ]
    title = "What the turns behind it add to a turn"
    return {"chain.svg": lines(title, "turns behind it", drawn, unit="ms", goal=Goal("target 10 ms", 10))}


def _store_size_words(kept: Kept) -> str:
    times = _times(kept)
    slowest = max(times, key=lambda call: times[call])
    return f"What grows most is “{slowest}”: {times[slowest]:.2f} times what it takes on a small store."


def _times(kept: Kept) -> dict[str, float]:
    """How many times the small store's CPU time each call takes on the large one."""
    times = "times the small one's"
    return {
        str(row[0]): figures[times] for row, figures in kept.where().items() if times in figures and row[0] != "start"
    }


def _store_size_plots(kept: Kept) -> Plots:
    drawn = [Bar(call, value, "first") for call, value in _times(kept).items()]
    title = "A million interactions beside a few: how many times as much a call takes"
    return {"store-size.svg": bars(title, drawn, unit="times", decimals=2, goal=Goal("target 1.3", 1.3))}


def _scaling_words(kept: Kept) -> str:
    growths = kept.column("growth for each", processes=2)
    return f"Each of two processes has {_range(growths, 2)} times the throughput of one alone."


def _scaling_plots(kept: Kept) -> Plots:
    places = kept.labels.index("kind"), kept.labels.index("processes")
    grown: dict[str, dict[str, float]] = {}
    for row, figures in kept.where(store="SQLite").items():
        kind, processes = (row[place] for place in places)
        grown.setdefault(f"{kind}s", {})[str(processes)] = figures["growth for each"] * int(processes)
    inks: Sequence[Ink] = ("first", "second")
    drawn = [Line(kind, by, ink) for (kind, by), ink in zip(grown.items(), inks, strict=True)]
    ideal = Line("a core for each", {place: float(place) for place in drawn[0].values}, "other", is_dashed=True)
    title = "Throughput on SQLite, beside one process"
    return {"scaling.svg": lines(title, "processes", [ideal, *drawn], unit="times")}


def _embedded_words(kept: Kept) -> str:
    reached = kept.column("of the engine's", asked="through turnwise")
    return f"Through the API come {_range(reached, 2)} times as many tokens a second as from the engine by itself."


def _second_turn_words(kept: Kept) -> str:
    sooner = kept.column("times sooner", tokens=2000)
    return (
        f"Behind 2,000 tokens the first token of a second turn comes {_range(sooner, 1)} times sooner than a cold one."
    )


def _start_words(kept: Kept) -> str:
    ready = _ours(kept, "seconds", what="ready, an upstream's model")
    least = kept.column("seconds", what="ready", server="floor")[0]
    memory = _ours(kept, "MB", what="ready, an upstream's model")
    return f"turnwise is ready after {ready:.2f} s, the floor after {least:.2f} s. It holds {memory:.0f} MB then."


def _install_words(kept: Kept) -> str:
    return f"All that `pip install` puts on the disk for it is {kept.column('MB', package='all')[0]:,.0f} MB."


def _range(values: Sequence[float], decimals: int) -> str:
    low, high = (f"{value:,.{decimals}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


SECTIONS = {
    "create": Section(_create_words, _create_plots),
    "stream": Section(_stream_words, _stream_plots),
    "first_event": Section(_first_event_words),
    "open_streams": Section(_open_streams_words),
    "chain": Section(_chain_words, _chain_plots),
    "store_size": Section(_store_size_words, _store_size_plots),
    "scaling": Section(_scaling_words, _scaling_plots),
    "embedded": Section(_embedded_words),
    "second_turn": Section(_second_turn_words),
    "start": Section(_start_words),
    "install": Section(_install_words),
}
"""Tables that have more than their figures."""
