"""Which addresses a conversation names, and whether one is among them, however it is written.

    known = Addresses()
    known.learn("See example.com/a (or https://www.example.com/b).")
    known.find("https://example.com/a/")     # "https://example.com/a"

Texts are written for people: an address ends where its sentence does, stands in brackets, has no scheme. Several ways
to read one are kept where it is not clear. None of them can say more than the text did.
"""

import html
import re
from collections.abc import Iterator
from typing import TypeAlias

from yarl import URL

from turnwise.domain.content import DEPTH, JSON

Key: TypeAlias = tuple[str, int | None, str, str]
"""What makes addresses the same: host, port, path and query. Which of http and https, is not asked."""

LONGEST = 8192
"""In characters."""

_RUN = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,15}:/{1,3}|www\.)[^\s<>\"]+"
    r"|(?<![\w@./%-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}(?::\d{1,5})?(?:[/?][^\s<>\"]*)?(?![\w@])",
    re.IGNORECASE | re.ASCII,
)
"""What may be an address: with a scheme, or a name with a dot."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
_FOREIGN_END = re.compile(r"[，。；：！？、（）「」『』【】《》“”‘’…|\\^{}`]")
_NOT_ASCII = re.compile(r"[^\x21-\x7e]")
_SENTENCE_END = ".,;:!?'*_~"
_BRACKETS = ((")", "("), ("]", "["))


class Addresses:
    """Those that are known, each as it was written the first time."""

    def __init__(self) -> None:
        self._known: dict[Key, str] = {}

    def learn(self, said: JSON, *, but: "Addresses | None" = None) -> None:
        """Know of those in a text, or in the texts of any other JSON; `but` not of these."""
        for text in _texts(said):
            for found in _RUN.finditer(text):
                for form in _forms(found[0]):
                    key = _key(form)
                    if key is not None and (but is None or key not in but._known):
                        self._known.setdefault(key, _whole(form))

    def find(self, url: str) -> str | None:
        """The address as it is known. None: it is not."""
        key = _key(url.strip().strip("<>\"'"))
        return self._known.get(key) if key is not None else None


def _texts(said: JSON) -> Iterator[str]:
    level = [said]
    for _ in range(DEPTH + 1):
        yield from (node for node in level if isinstance(node, str))
        level = [
            inner
            for node in level
            if isinstance(node, dict | list)
            for inner in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return


def _forms(run: str) -> Iterator[str]:
    """The ways to read what may be an address, those first that leave a sentence its end."""
    run = run[:LONGEST]
    cuts = [found.start() for end in (_FOREIGN_END, _NOT_ASCII) if (found := end.search(run)) is not None]
    cuts += [run.find(closing) for closing, opening in _BRACKETS if closing in run and opening not in run]
    for form in dict.fromkeys([run, *(run[:cut] for cut in cuts)]):
        bare = form.rstrip(_SENTENCE_END)
        yield bare
        yield form
        for closing, opening in _BRACKETS:
            if bare.endswith(closing) and bare.count(opening) < bare.count(closing):
                bare = bare[:-1].rstrip(_SENTENCE_END)
                yield bare
        if "&amp;" in bare:
            yield html.unescape(bare)


def _whole(form: str) -> str:
    """An address with its scheme, and without what only a browser needs."""
    return (form if _SCHEME.match(form) and not _is_host_and_port(form) else f"https://{form}").partition("#")[0]


def _is_host_and_port(form: str) -> bool:
    return re.match(r"[^/:]+\.[^/:]+:\d", form) is not None


def _key(form: str) -> Key | None:
    if len(form) > LONGEST:
        return None
    try:
        url = URL(_whole(form))
        if url.scheme not in ("http", "https"):
            return (url.scheme, None, str(url), "")
        host = (url.raw_host or "").lower().removesuffix(".")
        port = None if url.is_default_port() or url.explicit_port in (80, 443) else url.explicit_port
        return (host, port, url.raw_path.rstrip("/"), url.raw_query_string) if host else None
    except ValueError:
        return None
