"""Sentences chosen by rule, out of texts that strangers have written to wear out whoever reads them."""

import time

import pytest

from turnwise.agents.deep_research.checking import Checker
from turnwise.agents.deep_research.effort import Effort
from turnwise.agents.deep_research.extracting import extract
from turnwise.agents.deep_research.planning import plan_by_rule
from turnwise.agents.deep_research.sources import LONGEST, Finding, Library
from turnwise.agents.deep_research.words import unwrapped
from turnwise.agents.deep_research.writing import _paragraphs

PLAN = plan_by_rule("Research the history of the Eddystone Lighthouse.", "", Effort())


@pytest.mark.parametrize(
    "piece",
    [
        *(
            ".",
            "[",
            "(",
            "[x](",
            "[[x]",
            "<!--",
            "```\n",
            '"',
            "“",
            ".'",
            "*",
            "# ",
            "http://",
            "a.",
            "a+",
            "1,",
            "1.1:",
        ),
        *("A'", " ", "\n", "e.g. ", "a<sup>[", "www.", "x[1]", "的", "中国", "!?", "。", "a@"),
    ],
)
def test_no_text_of_any_kind_takes_long(piece: str):
    text = f"{piece * (LONGEST // len(piece))}x"
    began = time.perf_counter()
    library = Library()
    library.add([Finding(unwrapped(text), "The Eddystone Lighthouse", "https://a.example")])
    extract(PLAN, library, [1])
    Checker(library).check(text[:2000])
    list(_paragraphs(text))
    assert time.perf_counter() - began < 3.0
