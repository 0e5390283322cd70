"""The process of one search by ddgs. See `public.py`, which starts it and ends it.

    python -P -m turnwise.tools.google_search.public_worker

It reads an order as JSON from its input and writes JSON: `{"hits": [[url, title, text, image], ...]}`, or
`{"failed": ...}` with one of the words that `public.py` knows.
"""

import os
import sys
import threading
from typing import Any

import orjson
from ddgs import DDGS
from ddgs.exceptions import DDGSException, TimeoutException

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

MEMORY = 2 * 1024**3
"""In bytes of address space."""

ONE = 5.0
"""In seconds: how long one engine is waited for, or a third of the whole time if that is less."""


def main() -> None:
    order = orjson.loads(sys.stdin.buffer.read())
    seconds = order["seconds"]
    alarm = threading.Timer(seconds + 1, os._exit, (1,))  # for the case that whoever asked is no more
    alarm.daemon = True
    alarm.start()
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.buffer.write(orjson.dumps(_search(order, min(ONE, seconds / 3))))
    sys.stdout.buffer.flush()
    os._exit(0)  # engines that are still being asked are not waited for


def _search(order: dict[str, Any], timeout: float) -> dict[str, Any]:
    engines = DDGS(timeout=timeout)  # type: ignore[arg-type]  # it hands it on to what takes parts of seconds too
    try:
        if order["search_type"] == "image_search":
            found = engines.images(order["query"], max_results=order["limit"])
            return {"hits": [_image(hit) for hit in found]}
        found = engines.text(order["query"], max_results=order["limit"])
        return {"hits": [[_text(hit, "href"), _text(hit, "title"), _text(hit, "body"), ""] for hit in found]}
    except TimeoutException:
        return {"failed": "slow"}
    except DDGSException as error:
        return {"failed": "unreachable" if _is_of_connection(error) else "nothing"}


def _is_of_connection(error: DDGSException) -> bool:
    """Whether the last engine could not be asked. Else it had nothing, or gave a page that is no answer, as those do
    that take us for a robot."""
    return bool(error.args) and isinstance(error.args[0], DDGSException)


def _image(hit: dict[str, Any]) -> list[str]:
    image = _text(hit, "image")
    return [_text(hit, "url") or image, _text(hit, "title"), "", image]


def _text(hit: dict[str, Any], key: str) -> str:
    value = hit.get(key)
    return value if isinstance(value, str) else ""


if __name__ == "__main__":
    main()
