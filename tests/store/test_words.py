"""How an index of words is asked in plain language. That the index finds them is tried in `tests/contract`."""

import pytest

from turnwise.store.words import LONGEST, TERMS, match, store_word, words_of


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("Gregor's beetle", ["Gregor", "s", "beetle"]),
        ("beetle beetle", ["beetle"]),
        ("what is the beetle", ["beetle"]),
        ("What is THE", ["What", "is", "THE"]),
        ("東京都", ["東 京", "京 都"]),
        ("犬", ["犬"]),
        ("RX-7 и 犬", ["RX", "7", "и", "犬"]),
        ('"a" AND (b*)', ["b"]),
    ],
)
def test_a_query_is_its_telling_words(query: str, terms: list[str]) -> None:
    words = " OR ".join(f'"{term}"' for term in terms)
    assert match(("s-1",), query) == f'store : ("ss1") AND {{title words}} : ({words})'


def test_what_has_no_words_is_not_asked() -> None:
    assert match(("s-1",), "?! \U0001f4a5") is None
    assert match((), "beetle") is None


def test_a_query_is_bounded() -> None:
    asked = match(("s-1",), " ".join(f"word{n}" for n in range(1000)) + " " + "x" * 9999)
    assert asked is not None
    assert asked.count('"word') == TERMS
    assert match(("s-1",), "x" * 9999) == f'store : ("ss1") AND {{title words}} : ("{"x" * LONGEST}")'


def test_letters_of_scripts_without_spaces_are_set_apart() -> None:
    assert words_of("in 東京 today").split() == ["in", "東", "京", "today"]
    assert words_of("in Tokyo today") == "in Tokyo today"


def test_a_store_is_one_word() -> None:
    assert store_word("my-store-0a1b") == "smystore0a1b"
