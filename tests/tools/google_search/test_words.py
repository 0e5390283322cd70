"""Queries as the index takes them."""

import sqlite3

import pytest

from turnwise.tools.google_search.words import TOKENIZER, match_expression, spaced


def finds(query: str, text: str) -> bool:
    """Whether a query finds a text in a real index."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = '{TOKENIZER}')")
        connection.execute("INSERT INTO words VALUES (?)", (spaced(text),))
        expression = match_expression(query)
        if expression is None:
            return False
        return connection.execute("SELECT 1 FROM words WHERE words MATCH ?", (expression,)).fetchone() is not None
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("How many days of vacations do I get?", "Vacation is thirty days a year."),
        ("running shoes", "She runs every day."),
        ("CAFE", "Das Café am Markt"),
        ("Führerschein", "Die Fuhrerscheinstelle ist geöffnet"),
        ("Versicherung", "Versicherungsnehmer haften"),
        ("страхование", "Страхование жизни"),
        ("西班牙的首都是哪里?", "马德里是西班牙的首都。"),
        ("首", "西班牙的首都"),
        ("東京タワー", "昨日、東京タワーに行きました"),
        ("ภาษาไทย", "เขาพูดภาษาไทยได้"),
        ("서울", "서울은 한국의 수도입니다"),
        ("C++ foo_bar(x)", "call foo_bar here"),
        ("the", "the only word is a common one"),
    ],
)
def test_it_finds(query: str, text: str):
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"), [("art", "article"), ("中国", "国中"), ("What is the weather?", "what is it")]
)
def test_it_does_not_find(query: str, text: str):
    assert not finds(query, text)


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "a AND",
        "NOT",
        "title:x",
        "a* ^b",
        "NEAR(a b, 2)",
        "(",
        "{a}",
        "a - b",
        "'; DROP TABLE words; --",
        "\x00a\ud800b",
    ],
)
def test_no_query_is_taken_for_syntax(query: str):
    finds(query, "nothing of all that")


@pytest.mark.parametrize("query", ["", " \n", "?!", "_", "\ud800"])
def test_a_query_without_words_finds_nothing(query: str):
    assert match_expression(query) is None


def test_a_long_query_is_bounded():
    expression = match_expression(" ".join(f"word{number}" for number in range(1000)))
    assert expression is not None
    assert expression.count(" OR ") == 63
