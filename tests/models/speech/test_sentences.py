"""A text in sentences."""

import pytest

from turnwise.models.speech.sentences import passages, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Smith paid 3.50, i.e. too much. He left.", ["Mr. Smith paid 3.50, i.e. too much.", "He left."]),
        ('"Really?" she asked.', ['"Really?"', "she asked."]),
        ("你好。再見！好嗎？", ["你好。", "再見！", "好嗎？"]),
        ("A title\nSome words", ["A title", "Some words"]),
        ("A line that was\nwrapped here.", ["A line that was wrapped here."]),
        ("One.\n\n two", ["One.", "two"]),
        ("... !? —", []),
        ("I ♥ 1 + 1", ["I ♥ 1 + 1"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_taken_apart(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


def test_a_sentence_without_end_is_taken_apart_at_commas_and_between_words() -> None:
    pieces = list(sentences("one two three, four five six seven", longest=16))
    assert pieces == ["one two three,", "four five six", "seven"]


def test_nothing_is_lost_of_a_text_without_any_place_to_break_it() -> None:
    text = "x" * 1_000_001
    pieces = list(sentences(text))
    assert "".join(pieces) == text
    assert max(map(len, pieces)) == 400


def test_passages_are_as_long_as_they_may_be() -> None:
    assert list(passages("One. Two. Three. Four.", 12)) == ["One. Two.", "Three. Four."]
