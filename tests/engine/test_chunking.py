"""Cutting into chunks: how long they are, what they share, and which page they are of."""

import tracemalloc
from itertools import islice

import pytest

from turnwise.domain.file_search import Chunk, Chunking
from turnwise.engine.chunking import cut
from turnwise.media.media import Passage


def chunks(text: str, words: int, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in cut([Passage(text)], Chunking(words, overlap))]


def test_a_chunk_has_so_many_words_and_ends_between_two() -> None:
    assert chunks("one two three four five", 2) == ["one two", "three four", "five"]


def test_the_last_words_of_a_chunk_begin_the_next() -> None:
    assert chunks("a b c d e f g", 4, 2) == ["a b c d", "c d e f", "e f g"]
    assert chunks("a b c d", 4, 3) == ["a b c d"]


def test_a_text_stands_as_it_was_written() -> None:
    assert chunks("  A title\n\nand\ta  text, of two.\n", 4) == ["A title\n\nand\ta", "text, of two."]


def test_a_text_without_words_is_no_chunk() -> None:
    assert chunks(" \n\t ", 5) == []
    assert list(cut([], Chunking())) == []


def test_a_chunk_ends_with_its_page() -> None:
    passages = [Passage("a b c", "page 1"), Passage("d", "page 1"), Passage("e f", "page 12")]
    assert list(cut(passages, Chunking(3, 1))) == [
        Chunk("a b c", 1, "page 1"),
        Chunk("c\nd", 1, "page 1"),
        Chunk("e f", 12, "page 12"),
    ]


def test_without_pages_a_chunk_goes_over_passages_and_says_where_it_begins() -> None:
    passages = [Passage("a b", "00:01"), Passage("c d", "00:05"), Passage("e", "00:09")]
    assert list(cut(passages, Chunking(3, 0))) == [Chunk("a b\nc", None, "00:01"), Chunk("d\ne", None, "00:05")]


def test_what_is_longer_than_any_word_counts_as_several() -> None:
    assert chunks("x" * 200, 2) == ["x" * 128, "x" * 72]


def test_letters_of_a_script_without_spaces_count_as_words() -> None:
    assert chunks("我的狗叫小白", 3) == ["我的狗", "叫小白"]


def test_of_a_long_text_no_more_is_read_than_is_asked_for() -> None:
    text, chunk = "a " * 1_000_000, Chunk("a a", None, "")
    tracemalloc.start()
    try:
        assert list(islice(cut([Passage(text)], Chunking(2, 0)), 3)) == [chunk] * 3
        assert tracemalloc.get_traced_memory()[1] < len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("overlap", [0, 1, 49])
def test_every_word_of_a_long_text_is_in_a_chunk(overlap: int) -> None:
    words = [f"w{n}" for n in range(1003)]
    found = chunks(" ".join(words), 50, overlap)
    assert [word for chunk in found for word in chunk.split()[overlap if chunk != found[0] else 0 :]] == words
    assert all(len(chunk.split()) <= 50 for chunk in found)
