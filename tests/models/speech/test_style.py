"""Words of style as numbers."""

import pytest

from turnwise.models.speech.style import PLAIN, has_style, read_style


def test_words_multiply() -> None:
    both = read_style("slowly and sadly")
    assert both.rate == pytest.approx(read_style("slowly").rate * read_style("sadly").rate)
    assert both.pitch == read_style("sadly").pitch < 1


def test_a_degree_makes_a_word_stronger_or_weaker() -> None:
    assert read_style("very fast").rate > read_style("fast").rate > read_style("slightly fast").rate > 1


@pytest.mark.parametrize("words", ["not too fast", "don't shout", "without whispering", "不要大聲"])
def test_a_negation_takes_a_word_away(words: str) -> None:
    assert read_style(words) == PLAIN


def test_a_word_that_is_said_twice_counts_once() -> None:
    assert read_style("slow, in a slow voice, slow") == read_style("slow")


def test_no_words_go_beyond_what_can_be_understood() -> None:
    fast = read_style("extremely fast, excited, angry, nervous, cheerful")
    slow = read_style("extremely slow, tired, sad, eerie")
    assert (fast.rate, slow.rate) == (2.5, 0.4)


@pytest.mark.parametrize(
    ("words", "known"), [("in a slow whisper", True), ("用悲伤的语气", True), ("like a pirate", False)]
)
def test_words_of_style_are_known(words: str, known: bool) -> None:
    assert has_style(words) is known
