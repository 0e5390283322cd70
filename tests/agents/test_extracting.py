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

SENTENCE = "In 1759 John Smeaton built the third lighthouse on the Eddystone Rocks, of granite. "
PROSE = SENTENCE * (LONGEST // len(SENTENCE))

FACTOR = 40
"""A text of the kind that once held up the reader took some hundreds of times as long as prose."""


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
def test_no_text_of_any_kind_takes_much_longer_than_prose(piece: str):
    """Measured beside each other, by the thread's own clock: what else the machine does falls on neither."""
    assert _work_of(piece * (LONGEST // len(piece)) + "x") < FACTOR * max(_work_of(PROSE), 0.1)


def _work_of(text: str) -> float:
    """How long a text keeps the reader busy, in seconds."""
    began = time.thread_time()
    library = Library()
    library.add([Finding(unwrapped(text), "The Eddystone Lighthouse", "https://a.example")])
    extract(PLAN, library, [1])
    Checker(library).check(text[:2000])
    list(_paragraphs(text))
    return time.thread_time() - began
