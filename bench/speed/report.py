"""Writes the figures that were kept into `docs/performance.md`, and draws its plots.

    python -m bench.speed report

What stands between `<!-- figures: NAME -->` and `<!-- end -->` is written anew: all sentences with a figure in them, so
that none is ever older than the tables. Everything else on the page is by hand.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from bench.speed import targets
from bench.speed.__main__ import TABLES
from bench.speed.results import RESULTS, Kept, read
from bench.speed.sections import SECTIONS, Section

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLOTS = "performance"
"""The folder of the plots, beside the page."""

_BETWEEN = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.parse_args()
    write(PAGE, read(RESULTS))


def write(page: Path, results: Mapping[str, Kept]) -> None:
    """Bring the page and its plots up to what was kept."""
    page.write_text(filled(page.read_text(), results))
    folder = page.parent / PLOTS
    folder.mkdir(exist_ok=True)
    drawn = plots(results)
    for old in folder.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, drawing in drawn.items():
        Path(folder, name).write_text(drawing)


def filled(page: str, results: Mapping[str, Kept]) -> str:
    """The page with the figures of these tables.

    Raises:
        SystemExit: a table has no place on the page.
    """
    places = [found[2] for found in _BETWEEN.finditer(page)]
    if missing := sorted({*TABLES, "targets"} - set(places)):
        raise SystemExit(f"docs/performance.md has no <!-- figures: ... --> and <!-- end --> for {', '.join(missing)}")
    return _BETWEEN.sub(lambda found: f"{found[1]}\n{_figures(found[2], results)}\n\n{found[3]}", page)


def _figures(name: str, results: Mapping[str, Kept]) -> str:
    if name == "targets":
        return targets.text(results)
    if name not in results:
        return "Not measured yet."
    kept, section = results[name], SECTIONS.get(name, Section())
    parts = [section.words(kept)]
    parts += [f"![{_title(drawing)}]({PLOTS}/{file})" for file, drawing in section.plots(kept).items()]
    rounds = "one round" if kept.rounds == 1 else f"medians of {kept.rounds} rounds"
    parts += [kept.text(), f"`python -m bench.speed {name}`: {rounds}, {kept.date}, on {kept.machine}."]
    return "\n\n".join(part for part in parts if part)


def plots(results: Mapping[str, Kept]) -> dict[str, str]:
    """All drawings of these tables, by the names of their files."""
    return {
        file: drawing
        for name, section in SECTIONS.items()
        if name in results
        for file, drawing in section.plots(results[name]).items()
    }


def _title(drawing: str) -> str:
    return drawing.partition("<title>")[2].partition("</title>")[0]
