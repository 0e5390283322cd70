"""What was measured: printed as a table, and kept with the machine and the date for `docs/performance.md`."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"

Value = str | int


class Table:
    """Figures of several rounds. A row is told from others by its labels."""

    def __init__(self, name: str, title: str, labels: Sequence[str], figures: Mapping[str, int]) -> None:
        """`name` is the command's. `figures` are the columns' headings, with how many decimals each is shown."""
        self.name = name
        self.title = title
        self._labels = list(labels)
        self._figures = dict(figures)
        self._rows: dict[tuple[Value, ...], dict[str, list[float]]] = {}
        self._notes: list[str] = []

    def add(self, labels: Sequence[Value], **figures: float) -> None:
        """Figures of one round, by their headings, of any that were measured in it."""
        self.add_all(labels, figures)

    def add_all(self, labels: Sequence[Value], figures: Mapping[str, float]) -> None:
        row = self._rows.setdefault(tuple(labels), {})
        for name, value in figures.items():
            assert name in self._figures, name
            row.setdefault(name, []).append(value)

    def note(self, text: str) -> None:
        """What a reader of the figures must know of this run: a server that was left out, and why."""
        self._notes.append(text)

    def median(self, labels: Sequence[Value], figure: str) -> float:
        """Of all rounds."""
        return statistics.median(self._rows[tuple(labels)][figure])

    def text(self) -> str:
        """The table in Markdown: medians, with the lowest and the highest of the rounds."""
        lines = [_line([*self._labels, *self._figures]), _line(["---"] * (len(self._labels) + len(self._figures)))]
        for labels, row in self._rows.items():
            shown = [_spread(row.get(name, []), decimals) for name, decimals in self._figures.items()]
            lines.append(_line([*map(str, labels), *shown]))
        return "\n".join([*lines, *(f"\n{note}." for note in self._notes)])

    def save(self) -> None:
        """Keep it for `docs/performance.md`."""
        RESULTS.mkdir(exist_ok=True)
        kept = {
            "title": self.title,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "labels": self._labels,
            "figures": self._figures,
            "notes": self._notes,
            "rows": [{"labels": list(labels), "figures": row} for labels, row in self._rows.items()],
        }
        Path(RESULTS, f"{self.name}.json").write_text(json.dumps(kept, indent=1) + "\n")

    def finish(self, given: argparse.Namespace) -> None:
        """Print it, and keep it if that was asked for."""
        print(f"\n{self.title}. {machine()}\n\n{self.text()}", flush=True)
        if given.save:
            self.save()


@dataclass(frozen=True)
class Kept:
    """A table that was kept."""

    name: str
    title: str
    date: str
    machine: str
    labels: list[str]
    figures: dict[str, int]
    notes: list[str]
    rows: dict[tuple[Value, ...], dict[str, list[float]]]

    @property
    def rounds(self) -> int:
        """How often it was measured."""
        return max(len(values) for row in self.rows.values() for values in row.values())

    def where(self, **labels: Value) -> dict[tuple[Value, ...], dict[str, float]]:
        """The rows that have these labels: the medians of their figures. A heading's spaces are underscores here."""
        wanted = {name.replace("_", " "): value for name, value in labels.items()}
        assert wanted.keys() <= set(self.labels), (self.name, wanted)
        return {
            row: {name: statistics.median(values) for name, values in figures.items()}
            for row, figures in self.rows.items()
            if wanted.items() <= dict(zip(self.labels, row, strict=True)).items()
        }

    def column(self, figure: str, **labels: Value) -> list[float]:
        """The medians of a figure in these rows, in their order. At least one.

        Raises:
            LookupError: no row with these labels has it.
        """
        found = [row[figure] for row in self.where(**labels).values() if figure in row]
        if not found:
            raise LookupError(f"{self.name} has no {figure!r} where {labels}")
        return found

    def text(self) -> str:
        """The table in Markdown: medians."""
        lines = [_line([*self.labels, *self.figures])]
        lines.append(_line(["---"] * len(self.labels) + ["--:"] * len(self.figures)))
        for row, medians in self.where().items():
            shown = [f"{medians[name]:,.{n}f}" if name in medians else "" for name, n in self.figures.items()]
            lines.append(_line([*map(str, row), *shown]))
        return "\n".join([*lines, *(f"\n{note}." for note in self.notes)])


def read(folder: Path = RESULTS) -> dict[str, Kept]:
    """All tables that were kept, by their names."""
    return {path.stem: _kept(path) for path in sorted(folder.glob("*.json"))}


def _kept(path: Path) -> Kept:
    held = json.loads(path.read_text())
    rows = {tuple(row["labels"]): row["figures"] for row in held.pop("rows")}
    return Kept(name=path.stem, rows=rows, **held)


def parser(description: str | None, *, rounds: int = 5) -> argparse.ArgumentParser:
    """The options that all tables have."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=rounds, help="how often each is measured")
    options.add_argument("--save", action="store_true", help="keep the figures for docs/performance.md")
    return options


def machine() -> str:
    """What it was measured on, in words."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    processor = processor or platform.machine()
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, turnwise {version('turnwise')}"
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: Sequence[float], decimals: int) -> str:
    if not values:
        return ""
    median = f"{statistics.median(values):,.{decimals}f}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):,.{decimals}f} to {max(values):,.{decimals}f})"
