"""Speech, written down by whisper.cpp (`pywhispercpp`) with weights that are on this machine.

It is given the path of a file and nothing else: told a name that it does not find, `pywhispercpp` would fetch one by
itself. What is silent is not given to it: it would hear words there.
"""

import atexit
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from turnwise.domain.errors import Unimplemented
from turnwise.media.media import Options, Passage
from turnwise.media.moments import clock

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

RATE = 16000
"""Samples a second, as the weights want them."""

MAGIC = b"lmgg"
"""What every file of such weights begins with."""

SHORTEST = 1.0
"""Seconds: what is shorter is filled up with silence, since the model takes nothing less."""

SILENCE = 0.003
"""What nowhere goes beyond this, of a full scale of 1, is silent: 50 dB below the loudest sound there can be."""

PASSAGE, PASSAGE_SECONDS = 400, 60.0
"""How long a passage becomes, in characters and in seconds, before the next one begins."""

STARTING, SLOWEST = 60.0, 6.0
"""How long writing down may take: in seconds to load the weights, and in seconds for each second of sound."""

ADD = "pip install 'turnwise[media]'"

_NOTHING = ("[BLANK_AUDIO]", "[SILENCE]")
"""What the model writes where there is nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording."""

    start: float
    """In seconds from its beginning."""
    samples: "NDArray[float32]"
    """Mono, between -1 and 1, `RATE` a second."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def is_silent(self) -> bool:
        return self.is_silent_between(0, self.seconds)

    def is_silent_between(self, start: float, end: float) -> bool:
        """Whether there is nothing to be heard between two moments, in seconds from where the piece starts."""
        part = self.samples[int(start * RATE) : int(end * RATE)]
        return not len(part) or float(abs(part).max()) < SILENCE


@dataclass(frozen=True, slots=True)
class Said:
    """Some words, and when they are spoken, in seconds."""

    start: float
    end: float
    text: str

    @property
    def passage(self) -> Passage:
        return Passage(self.text, clock(self.start))


def why_not(options: Options) -> str | None:
    """Why speech cannot be written down on this machine, and the command that changes it. None: it can."""
    if find_spec("pywhispercpp") is None:
        return f"pywhispercpp is not installed on this machine; run: {ADD}"
    if options.speech_weights is None:
        return f"the speech weights '{options.speech}' are not on this machine; run: turnwise pull {options.speech}"
    return None


def write_down(pieces: Iterable[Piece], options: Options) -> list[Said]:
    """What is said in a recording, in whichever language it is.

    Raises:
        Unimplemented: it cannot be done on this machine, as `why_not` says, or the weights are broken.
    """
    missing = why_not(options)
    if missing is not None or options.speech_weights is None:
        raise Unimplemented(f"audio cannot be heard: {missing}")
    said: list[Said] = []
    for piece in pieces:
        if not piece.is_silent:
            options.more_time(STARTING + SLOWEST * piece.seconds)
            said += _write_down(piece, options.speech_weights)
    return list(_together(said))


def _write_down(piece: Piece, weights: Path) -> Iterator[Said]:
    import numpy

    missing = int(SHORTEST * RATE) - len(piece.samples)
    samples = numpy.pad(piece.samples, (0, max(0, missing)))
    for segment in _model(weights, weights.stat().st_mtime_ns).transcribe(samples):
        start, end = segment.t0 / 100, segment.t1 / 100
        text = segment.text.strip()
        if text and text not in _NOTHING and not piece.is_silent_between(start, end):
            yield Said(piece.start + start, piece.start + end, text)


@lru_cache(maxsize=1)
def _model(weights: Path, changed: int) -> Any:
    """The weights, loaded; as long as the file does not change, once.

    Raises:
        Unimplemented: they are not what they should be.
    """
    with weights.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise Unimplemented(f"audio cannot be heard: {weights} is no ggml file of whisper; remove it")
    from pywhispercpp.model import Model

    with _printed() as printed:
        model = Model(
            str(weights.resolve(strict=True)),
            n_threads=max(1, (os.cpu_count() or 2) // 2),
            print_progress=False,
            print_realtime=False,
        )
    # Nothing is raised; using it would be the end of this process.
    if b"failed to load" in printed.getvalue():
        raise Unimplemented(f"audio cannot be heard: the speech weights {weights} are broken; remove the file")
    return model


atexit.register(_model.cache_clear)  # any later, the library no longer knows how to free it


@contextmanager
def _printed() -> Iterator[BytesIO]:
    """What C code prints to stderr in the meantime."""
    printed, stderr = BytesIO(), os.dup(2)
    with TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield printed
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            printed.write(file.read())


def _together(said: list[Said]) -> Iterator[Said]:
    """Some sentences together."""
    group: list[Said] = []
    for one in said:
        if group and _is_long([*group, one]):
            yield _as_one(group)
            group = []
        group.append(one)
    if group:
        yield _as_one(group)


def _is_long(group: list[Said]) -> bool:
    return sum(len(one.text) + 1 for one in group) > PASSAGE or group[-1].end - group[0].start > PASSAGE_SECONDS


def _as_one(group: list[Said]) -> Said:
    return Said(group[0].start, group[-1].end, " ".join(one.text for one in group))
