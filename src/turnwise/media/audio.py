"""What a recording says: how long and how loud it is, and what is spoken in it.

A recording is decoded piece by piece, so that hours of it take no more memory than minutes do; pieces are cut where it
is quietest, so that no word is cut in two.
"""

import io
import math
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
from av import AudioFrame, AudioResampler

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import speech
from turnwise.media.media import Account, Excerpt, Options
from turnwise.media.moments import duration
from turnwise.media.recordings import Damage, codec_name, frames, opened
from turnwise.media.speech import RATE, SILENCE, Piece, Said

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy import float32, int16
    from numpy.typing import NDArray

HOURS = 4
"""The longest recording that is heard."""

PIECE, CUT, QUIET = 300.0, 30.0, 0.1
"""Seconds: how long a piece is, within how much of its end it is cut, and what is looked for there: so long a quiet."""

CHANNELS = {1: "mono", 2: "stereo"}


@dataclass
class Levels:
    """How loud a recording is, told while it is decoded."""

    samples: int = 0
    squares: float = 0.0
    peak: float = 0.0

    def add(self, samples: "NDArray[float32]") -> None:
        """Go on with these samples, between -1 and 1."""
        if len(samples):
            self.samples += len(samples)
            self.squares += float(numpy.square(samples, dtype=numpy.float64).sum())
            self.peak = max(self.peak, float(numpy.abs(samples).max()))

    @property
    def seconds(self) -> float:
        return self.samples / RATE

    @property
    def is_silent(self) -> bool:
        return self.peak < SILENCE

    @property
    def words(self) -> str:
        """As a fact of the recording. The loudest that there can be is 0 dBFS."""
        if self.is_silent:
            return "silent"
        return f"{10 * math.log10(self.squares / self.samples):.0f} dBFS loud"


@dataclass
class Hearing:
    """What a sound track says."""

    form: str
    """Its coding, channels and rate, for people."""
    levels: Levels = field(default_factory=Levels)
    damage: Damage = field(default_factory=Damage)
    said: tuple[Said, ...] = ()
    unheard: str | None = None
    """Why nobody wrote down what is said, and what changes that. None: it was done, or there is nothing to be heard."""

    @property
    def is_cut(self) -> bool:
        """Whether it is longer than what is heard."""
        return self.levels.seconds >= HOURS * 3600

    @property
    def facts(self) -> list[str]:
        """What is true of it."""
        facts = [self.form, self.levels.words]
        if not self.levels.is_silent and self.unheard is None and not self.said:
            facts.append("no speech was found in it")
        if self.is_cut:
            facts.append(f"of which the first {HOURS} hours were heard")
        if self.damage:
            facts.append(self.damage.words)
        return facts


def read(path: Path, options: Options) -> Account:
    """What a recording says.

    Raises:
        InvalidRequest: it is broken, or has no sound.
        Unimplemented: it is not silent, and nobody on this machine can write down what is said in it.
    """
    hearing = listen(path, options)
    if hearing is None:
        raise InvalidRequest("there is no sound in the file, which is said to be audio")
    if not hearing.levels.samples:
        raise InvalidRequest(f"the recording is broken: none of its sound ({hearing.form}) can be decoded")
    if hearing.unheard is not None:
        raise Unimplemented(f"audio cannot be heard: {hearing.unheard}")
    name = options.mime_type.partition(";")[0].rpartition("/")[2].upper()
    facts = [f"{name} audio", duration(hearing.levels.seconds), *hearing.facts]
    passages = tuple(said.passage for said in hearing.said)
    return Account(", ".join(facts), passages, "written down from speech" if passages else "")


def listen(path: Path, options: Options) -> Hearing | None:
    """What the sound of an audio or a video file says. None: it has no sound.

    Raises:
        InvalidRequest: the file is broken.
        Unimplemented: the weights are.
    """
    with opened(path, options.mime_type) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        hearing = Hearing(_form(stream))
        samples = _measured(_samples(container, stream, hearing.damage, "flt"), hearing.levels)
        unheard = speech.why_not(options)
        if unheard is None:
            hearing.said = tuple(speech.write_down(_pieces(samples), options))
            return hearing
        for _ in samples:
            pass
        hearing.unheard = None if hearing.levels.is_silent else unheard
        return hearing


def as_sound(path: Path, mime_type: str = "") -> Excerpt | None:
    """The sound of an audio or a video file as WAV, 16 bits, mono, 16 kHz. None: it has no sound.

    Raises:
        InvalidRequest: it is broken, or longer than `HOURS`.
    """
    data = io.BytesIO()
    with opened(path, mime_type) as container:
        if not container.streams.audio:
            return None
        _write(data, _samples(container, container.streams.audio[0], Damage(), "s16"))
    return Excerpt(data.getvalue(), "audio/wav")


def _write(data: io.BytesIO, samples: "Iterable[NDArray[int16]]") -> None:
    with wave.open(data, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        for part in samples:
            sound.writeframesraw(part.tobytes())
            if sound.tell() > HOURS * 3600 * RATE:
                raise InvalidRequest(f"the recording is longer than {HOURS} hours; give a part of it")
        if not sound.tell():
            raise InvalidRequest("the recording is broken: none of its sound can be decoded")


def _form(stream: "AudioStream") -> str:
    channels = stream.codec_context.channels
    return f"{codec_name(stream)}, {CHANNELS.get(channels, f'{channels} channels')}, {stream.rate} Hz"


def _samples(container: "InputContainer", stream: "AudioStream", damage: Damage, form: str) -> "Iterator[NDArray[Any]]":
    """All that is in a stream: mono, `RATE` a second, as `flt` (between -1 and 1) or `s16`."""
    resampler: AudioResampler | None = None
    before: tuple[object, ...] = ()
    for frame in frames(container, stream, damage):
        # The form may change in the middle of a stream, and a resampler knows one only.
        now = frame.format.name, frame.layout.name, frame.sample_rate
        if resampler is None or now != before:
            yield from _resampled(resampler, None)
            resampler, before = AudioResampler(form, "mono", RATE), now
        frame.pts = None
        yield from _resampled(resampler, frame)
    yield from _resampled(resampler, None)


def _resampled(resampler: AudioResampler | None, frame: AudioFrame | None) -> "Iterator[NDArray[Any]]":
    """What comes out for a frame; for None, what is left."""
    if resampler is not None:
        for part in resampler.resample(frame):
            yield part.to_ndarray().reshape(-1)


def _measured(samples: "Iterable[NDArray[float32]]", levels: Levels) -> "Iterator[NDArray[float32]]":
    """The same samples, as many as are heard."""
    for part in samples:
        levels.add(part)
        yield part
        if levels.seconds >= HOURS * 3600:
            return


def _pieces(samples: "Iterable[NDArray[float32]]") -> Iterator[Piece]:
    """A recording in pieces."""
    start, together, count = 0.0, list[Any](), 0
    for part in samples:
        together.append(part)
        count += len(part)
        if count >= PIECE * RATE:
            whole = numpy.concatenate(together)
            end = _quietest(whole)
            yield Piece(start, whole[:end])
            start, together, count = start + end / RATE, [whole[end:]], count - end
    if count:
        yield Piece(start, numpy.concatenate(together))


def _quietest(samples: "NDArray[float32]") -> int:
    """Where the quietest moment is, towards the end."""
    width, first = int(QUIET * RATE), len(samples) - int(CUT * RATE)
    moments = numpy.abs(samples[first:][: (len(samples) - first) // width * width]).reshape(-1, width).max(axis=1)
    return first + int(moments.argmin()) * width + width // 2
