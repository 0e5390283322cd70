"""What tests hear: prompts that ask for speech, answers put together, and sound measured.

Sound is decoded by PyAV and measured by autocorrelation and by its spectrum, which know nothing of how it was made.
"""

import asyncio
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler

from models.prompts import BOUND, said
from turnwise.domain.content import Media, Text
from turnwise.domain.formats import AudioFormat, Voice
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.model import Finished, Fragment, MediaFragment, Model, Prompt, UsageFragment

RATE = 24_000

LOUDEST_SILENCE = 300
"""The mean of what counts as nothing said, of 32768."""


def asked(
    *texts: str,
    voices: Sequence[Voice] = (),
    audio: AudioFormat | None = None,
    streaming: bool = True,
    system: str | None = None,
    **generation: Any,
) -> Prompt:
    """A prompt that asks for speech. More than one text: the user, the answer, the user, ..."""
    return Prompt(
        said(*texts),
        system_instruction=system,
        modalities=("audio",),
        voices=voices,
        audio=audio or AudioFormat(),
        generation=GenerationConfig(**generation),
        streaming=streaming,
    )


def after_speech(first: str, *later: str) -> list[UserInput | ModelOutput]:
    """A conversation whose answers were sound."""
    steps: list[UserInput | ModelOutput] = [UserInput((Text(first),))]
    for text in later:
        steps += [ModelOutput((Media("audio", "audio/l16", "AAAA"),)), UserInput((Text(text),))]
    return steps


@dataclass(frozen=True)
class Answer:
    """What a model answered."""

    fragments: list[Fragment]

    @property
    def pieces(self) -> list[MediaFragment]:
        return [fragment for fragment in self.fragments if isinstance(fragment, MediaFragment)]

    @property
    def data(self) -> bytes:
        return b"".join(piece.data for piece in self.pieces)

    @property
    def usage(self) -> Usage:
        return next(fragment.usage for fragment in self.fragments if isinstance(fragment, UsageFragment))

    @property
    def reason(self) -> str:
        last = self.fragments[-1]
        assert isinstance(last, Finished)
        return last.reason

    @property
    def samples(self) -> np.ndarray:
        """The sound, where it is bare PCM."""
        assert self.pieces[0].mime_type == "audio/l16"
        return np.frombuffer(self.data, "<i2").astype(float)

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


async def hear(model: Model, prompt: Prompt) -> Answer:
    """A whole answer."""
    async with asyncio.timeout(BOUND), aclosing(model.stream(prompt)) as fragments:
        return Answer([fragment async for fragment in fragments])


@dataclass(frozen=True)
class Decoded:
    """A file, as PyAV reads it."""

    container: str
    codec: str
    rate: int
    channels: int
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def decoded(data: bytes, container: str | None = None, rate: int | None = None) -> Decoded:
    """Sound out of a file. One without a header needs to be told what it is."""
    options = {"sample_rate": str(rate)} if rate else {}
    with av.open(io.BytesIO(data), "r", format=container, options=options) as file:
        stream = file.streams.audio[0]
        resampler = AudioResampler(format="s16", layout="mono", rate=stream.rate)
        pieces = [one for frame in file.decode(audio=0) for one in resampler.resample(frame)]
        pieces += resampler.resample(None)
        samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces]).astype(float)
        return Decoded(file.format.name, stream.codec_context.name, stream.rate, stream.channels, samples)


def pitch(samples: np.ndarray, rate: int = RATE) -> float:
    """The middle of the fundamental frequency where a voice is heard, in hertz."""
    return float(np.median([found for frame in _frames(samples, rate) if (found := _pitch(frame, rate))]))


def brightness(samples: np.ndarray, rate: int = RATE) -> float:
    """The centre of the spectrum's energy, in hertz."""
    power = sum(np.abs(np.fft.rfft(frame * np.hanning(len(frame)))) ** 2 for frame in _frames(samples, rate))
    frequencies = np.fft.rfftfreq(round(rate * 0.04), 1 / rate)
    return float((power * frequencies).sum() / power.sum())


def voiced(samples: np.ndarray, rate: int = RATE) -> float:
    """Which part of what is heard has a tone."""
    frames = _frames(samples, rate)
    return sum(1 for frame in frames if _pitch(frame, rate)) / len(frames)


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt((samples**2).mean()))


def parts(samples: np.ndarray, rate: int = RATE, pause: float = 0.3) -> list[np.ndarray]:
    """What is said between silences of at least this length, in seconds."""
    step = rate // 100
    loud = [np.abs(samples[at : at + step]).mean() > 20 for at in range(0, len(samples), step)]
    found: list[list[int]] = []
    for index, is_loud in enumerate(loud):
        if is_loud and found and index - found[-1][1] <= pause * 100:
            found[-1][1] = index
        elif is_loud:
            found.append([index, index])
    return [samples[start * step : (end + 1) * step] for start, end in found]


def _frames(samples: np.ndarray, rate: int) -> list[np.ndarray]:
    size = round(rate * 0.04)
    frames = [samples[at : at + size] for at in range(0, len(samples) - size, size // 2)]
    return [frame - frame.mean() for frame in frames if np.sqrt((frame**2).mean()) > LOUDEST_SILENCE]


def _pitch(frame: np.ndarray, rate: int) -> float | None:
    """The fundamental frequency of a frame, by autocorrelation: the shortest of the best periods."""
    size = len(frame)
    likeness = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * size)) ** 2)[:size]
    likeness = likeness / likeness[0] / (1 - np.arange(size) / size)
    shortest, longest = rate // 450, rate // 55
    best = shortest + int(np.argmax(likeness[shortest:longest]))
    if likeness[best] < 0.6:
        return None
    for period in range(shortest + 1, best):
        is_peak = likeness[period - 1] <= likeness[period] >= likeness[period + 1]
        if is_peak and likeness[period] > 0.9 * likeness[best]:
            return rate / period
    return rate / best
