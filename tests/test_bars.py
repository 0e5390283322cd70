"""Bars on a terminal."""

import io
import re
import sys

import pytest

from turnwise.cli import _bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(terminal: Terminal) -> list[str]:
    """The last that each bar showed."""
    lines = [line.split("\r")[-1] for line in terminal.getvalue().split("\n")]
    return [re.sub(r"\x1b\[\?25[hl]|  \[[#-]*] ", "", line) for line in lines if line]


def test_two_things_of_one_name_have_a_bar_each(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with _bars() as show:
        for done, of in ((0, 3), (3, 3), (0, 4), (2, 4)):
            show("docs", done, of)
    assert told(terminal) == ["docs 3/3", "docs 2/4"]


def test_where_nobody_looks_there_are_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with _bars() as show:
        show("docs", 1, 3)
    assert capsys.readouterr().err == ""
