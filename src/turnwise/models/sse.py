"""Server-sent events, coming in: bytes as they arrive, made into the data of whole events.

Only what completions need: the `data` of each event. Names, ids and comments are skipped, and what is left of an
event that never ended stays in `rest`. How events go out is the business of `wire/`.
"""

MAX_EVENT = 16 * 2**20
"""No backend sends so large an event; one that seems to has lost its way, and must not fill the memory."""


class EventTooLarge(ValueError):
    """An event that grew over MAX_EVENT without an end."""


class EventReader:
    """Splits a stream of bytes into events. Speed counts: this runs for every token of every stream."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = b""
        """The beginning of an event whose end has not come."""

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that end within these bytes."""
        if self.rest:
            data = self.rest + data
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        *events, self.rest = data.split(b"\n\n")
        if len(self.rest) > MAX_EVENT:
            raise EventTooLarge
        return [
            payload
            for event in events
            # Nearly all of them are one line of data.
            if (payload := event[6:] if event.startswith(b"data: ") and b"\n" not in event else _data(event))
        ]


def _data(event: bytes) -> bytes | None:
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None
