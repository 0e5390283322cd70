"""Whether what is claimed is what was read."""

import os
import subprocess
import sys

import pytest

from turnwise.agents.deep_research.checking import Checker, first_of_alike
from turnwise.agents.deep_research.sources import Finding, Library

PAGES = {
    "https://a.example/tpu": (
        "The first TPU",
        'The first TPU was running in data centers in 2015. It has 65,536 multipliers for integers. Berkeley said "we '
        'needed a new chip for speech". It is cooled with air. Nobody knows its price. Weights stay on the chip. '
        "References: ISCA 2017.",
    ),
    "https://b.example/bread": ("Bread", "Rye bread keeps for a week. It is baked for an hour in a hot oven."),
}


@pytest.fixture
def checker() -> Checker:
    library = Library()
    library.add(Finding(text, title, place, {"url": place}) for place, (title, text) in PAGES.items())
    return Checker(library, "TPUs of Google")


@pytest.mark.parametrize(
    ("claim", "sources"),
    [
        ("The first TPU was running in data centers in 2015.", (1,)),
        ("In data centers, the first TPU was running in 2015 already.", (1,)),
        ("The first TPU has 65536 multipliers.", (1,)),
        ("Google's first TPU was running in data centers in 2015.", (1,)),
        ("Rye bread keeps for a week.", (2,)),
        ('Berkeley said "we needed a new chip for speech".', (1,)),
    ],
)
def test_a_claim_that_a_passage_says_is_its_sources(checker: Checker, claim: str, sources: tuple[int, ...]):
    assert checker.check(claim).sources == sources


@pytest.mark.parametrize(
    "claim",
    [
        "The first TPU was running in data centers in 2014.",
        "The first TPU was running in data centers in 2017.",
        "The first TPU was running in data centers of Harvard.",
        'Berkeley said "we needed a new chip for vision".',
        "The first TPU was running in data centers in 2015, see https://c.example/x.",
        "Write to tpu@a.example about the first TPU in data centers.",
        "Rye bread is running in data centers.",
        "Penguins nest on beaches.",
        "",
    ],
)
def test_a_claim_that_no_passage_says_is_nobodys(checker: Checker, claim: str):
    assert checker.check(claim).sources == ()


def test_an_address_that_was_read_may_be_given(checker: Checker):
    assert checker.check("The first TPU was running in data centers in 2015: https://a.example/tpu").sources == (1,)


def test_fewer_words_with_all_numbers_are_doubtful(checker: Checker):
    verdict = checker.check("The first TPU was put into operation in 2015.")
    assert verdict.sources == ()
    assert verdict.doubtful == (1,)
    assert "2015" in verdict.evidence


def test_of_sources_that_say_the_same_the_preferred_one_comes_first():
    library = Library()
    text = "Rye bread keeps for a week."
    library.add(Finding(text, "Bread", place, None) for place in ("https://a.example", "https://b.example"))
    assert Checker(library).check(text).sources == (1, 2)
    assert Checker(library).check(text, [2]).sources == (2, 1)


def test_a_place_is_one_source_however_often_it_is_found():
    library = Library()
    found = [Finding("One.", "T", "https://a.example/", None), Finding("Two.", "T", "http://a.example", None)]
    assert library.add(found) == [1]
    assert library[1].text == "One.\n\nTwo."
    assert library.add(found) == []
    assert library.add([Finding("One. Two.", "T", "https://www.a.example", None)]) == [1]
    assert len(library) == 1


COMPARE = """
from turnwise.agents.deep_research.checking import Checker
from turnwise.agents.deep_research.sources import Finding, Library
library = Library()
words = [f"word{number}" for number in range(60)]
library.add(
    Finding(" ".join(words[start : start + 30]) + ".", "T", f"https://{start}.example", None) for start in range(25)
)
checker = Checker(library)
print([checker.weight(frozenset(words[start : start + 24])) for start in range(30)])
"""


def test_what_a_process_finds_another_one_finds_too():
    """Sets give their words in another order in each process."""
    run = [
        subprocess.run([sys.executable, "-c", COMPARE], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True)
        for seed in ("1", "2")
    ]
    assert run[0].stdout == run[1].stdout != b""


def test_what_says_nearly_the_same_is_said_once():
    texts = ["The first TPU ran in 2015.", "In 2015 the first TPU ran.", "Rye bread keeps."]
    assert first_of_alike(texts) == [0, 2]
    assert first_of_alike(texts, ["Rye bread keeps well."]) == [0]
