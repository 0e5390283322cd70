"""Whether what an agent says can be told: agents are written by others, and what they say is kept and shown for good.

hearing = Hearing()
wrong = hearing.hear(said)           what is wrong with it, if anything is
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import get_args

import orjson

from turnwise.agents.agent import Cites, Done, Said, Says, Shows, Thinks
from turnwise.domain.content import Media

ENDS = ("completed", "incomplete", "budget_exceeded")


class Hearing:
    """Listens to one agent, from its first word on."""

    def __init__(self) -> None:
        self._said: int | None = None
        """How long the text is that is open, in bytes of its UTF-8. None: none is."""

    def hear(self, said: object) -> str:
        """What is wrong with something that the agent says, as what the agent does. Empty: nothing."""
        match said:
            case Thinks(text) | Says(text):
                return self._words(said, text)
            case Cites(annotations):
                length, self._said = self._said, None
                return _wrong_citations(annotations, length)
            case Shows(media):
                self._said = None
                return _wrong_media(media)
            case Done(status):
                return "" if status in ENDS else f"is done as {status!r}, which is none of {_listed(ENDS)}"
            case _:
                known = _listed([one.__name__ for one in get_args(Said)])
                return f"says a {type(said).__name__}, which is none of {known}"

    def _words(self, said: Thinks | Says, text: object) -> str:
        name = type(said).__name__
        if not isinstance(text, str):
            return f"gives {name} a {type(text).__name__} for a text"
        try:
            length = len(text.encode())
        except UnicodeEncodeError:
            return f"gives {name} what is no Unicode (a half of a pair of surrogates)"
        if isinstance(said, Says):
            self._said = (self._said or 0) + length if text else self._said
        elif text.strip():
            self._said = None
        return ""


def _wrong_citations(annotations: object, length: int | None) -> str:
    if length is None:
        return "cites where there is no text: Cites comes right behind the text that it is about"
    if not isinstance(annotations, Sequence) or isinstance(annotations, str | bytes):
        return f"gives Cites a {type(annotations).__name__} for a tuple of annotations"
    for place, annotation in enumerate(annotations):
        if wrong := _wrong_annotation(annotation, length):
            return f"cites what cannot be told (annotation {place}: {wrong})"
    return ""


def _wrong_annotation(annotation: object, length: int) -> str:
    if not isinstance(annotation, Mapping) or not isinstance(annotation.get("type"), str):
        return "it has to be an object with a `type`"
    start, end = annotation.get("start_index"), annotation.get("end_index")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= length):
        return f"`start_index` and `end_index` are bytes of the text, which has {length}, and not {start!r} and {end!r}"
    try:
        orjson.dumps(annotation)
    except TypeError as error:
        return f"it is not JSON: {error}"
    return ""


def _wrong_media(media: object) -> str:
    if not isinstance(media, Media):
        return f"gives Shows a {type(media).__name__} for media"
    if media.uri is not None:
        return ""
    try:
        b64decode(media.data or "", validate=True)
    except (TypeError, ValueError):
        return "shows media whose `data` is no base64"
    return "" if media.data and media.mime_type else "shows media without `data` and `mime_type`, or a `uri`"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
