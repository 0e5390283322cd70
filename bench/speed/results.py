"""What was measured: printed as a table, and kept with the machine and the date for `docs/performance.md`."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
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

    def add(self, labels: Sequence[Value], **figures: float) -> None:
        """Figures of one round, by their headings, of any that were measured in it."""
        self.add_all(labels, figures)

    def add_all(self, labels: Sequence[Value], figures: Mapping[str, float]) -> None:
        row = self._rows.setdefault(tuple(labels), {})
        for name, value in figures.items():
            assert name in self._figures, name
            row.setdefault(name, []).append(value)

    def median(self, labels: Sequence[Value], figure: str) -> float:
        """Of all rounds."""
        return statistics.median(self._rows[tuple(labels)][figure])

    def text(self) -> str:
        """The table in Markdown: medians, with the lowest and the highest of the rounds."""
        lines = [_line([*self._labels, *self._figures]), _line(["---"] * (len(self._labels) + len(self._figures)))]
        for labels, row in self._rows.items():
            shown = [_spread(row.get(name, []), decimals) for name, decimals in self._figures.items()]
            lines.append(_line([*map(str, labels), *shown]))
        return "\n".join(lines)

    def save(self) -> None:
        """Keep it for `docs/performance.md`."""
        RESULTS.mkdir(exist_ok=True)
        kept = {
            "title": self.title,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "labels": self._labels,
            "figures": self._figures,
            "rows": [{"labels": list(labels), "figures": row} for labels, row in self._rows.items()],
        }
        Path(RESULTS, f"{self.name}.json").write_text(json.dumps(kept, indent=1) + "\n")

    def finish(self, given: argparse.Namespace) -> None:
        """Print it, and keep it if that was asked for."""
        print(f"\n{self.title}. {machine()}\n\n{self.text()}", flush=True)
        if given.save:
            self.save()


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
