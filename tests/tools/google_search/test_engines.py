"""Which engines there are, and what each needs."""

from pathlib import Path

import pytest

from turnwise.tools.google_search.engines import build_engine


def build(name: str, url: str | None = None, key: str | None = None) -> str:
    return build_engine(name, url=url, key=key, index=Path("search.db"), seconds=15).name


@pytest.mark.parametrize(
    ("name", "url", "key"),
    [
        ("ddgs", None, None),
        ("folder", None, None),
        ("searxng", "http://127.0.0.1:8888", None),
        ("brave", None, "key"),
        ("tavily", "https://proxy.example/tavily", "key"),
    ],
)
def test_each_is_built_of_what_it_needs(name: str, url: str | None, key: str | None):
    assert build(name, url, key) == name


@pytest.mark.parametrize(
    ("name", "url", "key", "said"),
    [
        ("searxng", None, None, "url: the engine 'searxng' needs the address"),
        ("searxng", "127.0.0.1:8888", None, "url: '127.0.0.1:8888' is no address"),
        ("brave", None, None, "api_key_env: the engine 'brave' needs a key"),
        ("tavily", None, " ", "api_key_env: the engine 'tavily' needs a key"),
        ("altavista", None, None, "engine: there is no 'altavista'"),
    ],
)
def test_what_is_missing_is_named(name: str, url: str | None, key: str | None, said: str):
    with pytest.raises(ValueError, match="^" + said):
        build(name, url, key)
