"""The page of figures: it says what the tables say that were kept, all of it, and nothing else."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.speed import results, targets
from bench.speed.__main__ import TABLES
from bench.speed.report import PAGE, PLOTS, filled, plots, write
from bench.speed.results import Kept, Table, read
from bench.speed.sections import SECTIONS

EMPTY = "".join(f"<!-- figures: {name} -->\n<!-- end -->\n" for name in ["targets", *TABLES])
"""A page with a place for everything."""


@pytest.fixture
def creates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kept:
    """A table of creates that was kept: of two rounds, in each of which turnwise takes a little more than the floor."""
    table = Table(
        "create", "Creates", ("callers", "server"), {"requests/s": 0, "CPU-ms": 2, "times the floor's": 2} | WAITS
    )
    for callers in (1, 16, 64, 256):
        for server, cost in {"floor": 0.25, "turnwise": 0.5, "Peer 1.0": 9.0}.items():
            for more in (0.0, 0.1):
                figures = {"requests/s": 1000 / cost, "CPU-ms": cost + more, "times the floor's": cost / 0.25}
                table.add_all((callers, server), figures | {"p50 ms": callers * cost, "p99 ms": callers * cost * 2})
    table.note("Another Peer: left out, for it is not installed")
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    table.save()
    return read(tmp_path)["create"]


WAITS = {"p50 ms": 1, "p99 ms": 1}


# -- the page as it is


def test_the_page_says_what_the_tables_say():
    page = PAGE.read_text()
    assert filled(page, read()) == page, "python -m bench.speed report"


def test_the_plots_are_those_of_the_tables():
    kept = {path.name: path.read_text() for path in (PAGE.parent / PLOTS).glob("*.svg")}
    assert kept == plots(read()), "python -m bench.speed report"


def test_only_tables_are_on_the_page():
    named = {*read(), *SECTIONS, *(target.table for target in targets.TARGETS)}
    assert named <= TABLES.keys()


# -- how it is written


def test_a_table_without_a_place_is_missed():
    with pytest.raises(SystemExit, match=r"for stream$"):
        filled(EMPTY.replace("figures: stream ", "figures: another "), {})


def test_a_table_that_was_not_measured_says_so():
    assert filled(EMPTY, {}).count("Not measured yet.") == len(TABLES)


def test_figures_are_medians_of_all_rounds(creates: Kept):
    page = filled(EMPTY, {"create": creates})
    assert "| 16 | turnwise | 2,000 | 0.55 | 2.00 | 8.0 | 16.0 |" in page
    assert "takes 0.55 CPU-milliseconds, 2.0 times the floor's. It takes 9.1 with Peer 1.0" in page
    assert "medians of 2 rounds" in page
    assert "Another Peer: left out, for it is not installed." in page


def test_writing_it_again_changes_nothing(creates: Kept):
    page = filled(EMPTY, {"create": creates})
    assert filled(page, {"create": creates}) == page


def test_what_is_written_by_hand_stays(creates: Kept):
    page = filled(f"By hand.\n{EMPTY}And this.\n", {"create": creates})
    assert page.startswith("By hand.\n")
    assert page.endswith("And this.\n")


def test_a_target_is_met_or_not(creates: Kept):
    said = targets.text({"create": creates})
    assert "| A stored create, 16 callers and more | at most 0.8 CPU-ms | 0.55 CPU-ms | yes |" in said
    for row in creates.rows.values():
        row["CPU-ms"] = [0.81]
    said = targets.text({"create": creates})
    assert "| A stored create, 16 callers and more | at most 0.8 CPU-ms | 0.81 CPU-ms | **no** |" in said


def test_a_figure_that_a_target_needs_is_missed(creates: Kept):
    for row in creates.rows.values():
        del row["CPU-ms"]
    with pytest.raises(LookupError, match="create has no 'CPU-ms'"):
        targets.text({"create": creates})


def test_plots_are_small_drawings_that_follow_the_figures(creates: Kept, tmp_path: Path):
    page = tmp_path / "performance.md"
    page.write_text(EMPTY)
    write(page, {"create": creates})
    drawn = {path.name: path.read_text() for path in (tmp_path / PLOTS).iterdir()}
    assert drawn.keys() == {"create-cost.svg", "create-latency.svg"}
    for name, drawing in drawn.items():
        assert ElementTree.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"
        assert len(drawing) < 40_000
        assert f"({PLOTS}/{name})" in page.read_text()
    assert "9.05 CPU-ms" in drawn["create-cost.svg"]
    write(page, {})
    assert not list((tmp_path / PLOTS).iterdir())
