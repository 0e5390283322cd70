"""Sound in the form that was asked for: the one place where it is resampled and encoded, by PyAV.

    encoder = Encoder(AudioFormat(mime_type="audio/mp3"))
    encoder.add(sound); encoder.add(sound); encoder.end()

What an encoder gives can be sent as it comes, and joins to a whole, but for WAV: its header says how long it is, so all
of it comes at the end.

Bare PCM is little-endian, as the API has it and its clients write it into files, though `audio/l16` means the other
order elsewhere (RFC 2586). The clients are told the rate beside the bytes (`sample_rate`, `channels`).
"""

import io
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from turnwise.domain.errors import InvalidRequest, ModelFailed
from turnwise.domain.formats import AudioFormat
from turnwise.models.speech.speaker import SAMPLE, Sound

PATH = "response_format"

RATES = (8000, 16000, 22050, 24000, 44100, 48000)


@dataclass(frozen=True, slots=True)
class _Form:
    """A form that sound can have."""

    rate: int = 24_000
    """What it has when the request does not say."""
    rates: tuple[int, ...] = RATES
    container: str = ""
    codec: str = ""
    bit_rates: tuple[int, int] | None = None
    """The least and the most. None: it is not compressed."""
    bit_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()


_FORMS: dict[str, _Form] = {
    "audio/l16": _Form(),
    "audio/wav": _Form(),
    "audio/mp3": _Form(
        container="mp3",
        codec="libmp3lame",
        bit_rates=(8_000, 320_000),
        bit_rate=64_000,
        options=(("write_xing", "0"), ("id3v2_version", "0")),  # both want to go back to the beginning
    ),
    "audio/ogg_opus": _Form(
        rates=(8000, 16000, 24000, 48000),
        container="ogg",
        codec="libopus",
        bit_rates=(6_000, 256_000),
        bit_rate=32_000,
        options=(("page_duration", "100000"),),  # microseconds: a page is what can be sent
    ),
    "audio/alaw": _Form(8_000, container="alaw", codec="pcm_alaw"),
    "audio/mulaw": _Form(8_000, container="mulaw", codec="pcm_mulaw"),
}

_SMALL_RATES = {8000: (8_000, 64_000), 16000: (8_000, 160_000), 22050: (8_000, 160_000), 24000: (8_000, 160_000)}
"""The bit rates of MP3 at low sample rates, where its standard has others."""


class Encoder:
    """Brings sound of any rate into one form."""

    def __init__(self, asked: AudioFormat, longest: float | None = None) -> None:
        """`longest`: where the sound is cut, in seconds.

        Raises:
            InvalidRequest: the form does not have such a rate.
        """
        self.mime_type = asked.mime_type or "audio/l16"
        form = _FORMS[self.mime_type]
        self.rate = _sample_rate(asked, form, self.mime_type)
        self.options = {"sample_rate": self.rate, "channels": 1}
        """What is told beside the bytes."""
        self.samples = 0
        """How many samples went in so far, at the rate that was asked for."""
        self.was_cut = False
        """Whether there was more than it takes."""
        self._most = None if longest is None else round(longest * self.rate)
        self._resampler: AudioResampler | None = None
        self._from = 0
        self._end = _end(form, self.rate, _bit_rate(asked, form, self.mime_type, self.rate), self.mime_type)

    @property
    def seconds(self) -> float:
        """How long the sound is so far."""
        return self.samples / self.rate

    def add(self, sound: Sound) -> bytes:
        """More sound, and what of the encoded bytes is ready."""
        pcm = b""
        if sound.rate != self._from:
            pcm = self._flush()
            self._resampler = AudioResampler(format="s16", layout="mono", rate=self.rate)
            self._from = sound.rate
        assert self._resampler is not None
        if sound.data:
            pcm += _joined(self._resampler.resample(_frame(sound)))
        return self._encode(pcm)

    def end(self) -> bytes:
        """What is left."""
        return self._encode(self._flush()) + self._end.end()

    def _flush(self) -> bytes:
        """What the resampler holds back."""
        if self._resampler is None:
            return b""
        frames = self._resampler.resample(None)
        self._resampler, self._from = None, 0
        return _joined(frames)

    def _encode(self, pcm: bytes) -> bytes:
        if self._most is not None and self.samples + len(pcm) // SAMPLE > self._most:
            pcm = pcm[: (self._most - self.samples) * SAMPLE]
            self.was_cut = True
        self.samples += len(pcm) // SAMPLE
        return self._end.add(pcm) if pcm else b""


class _Bare:
    """PCM as it is."""

    def add(self, pcm: bytes) -> bytes:
        return pcm

    def end(self) -> bytes:
        return b""


class _Wav:
    """PCM behind a header that says how long it is."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pieces: list[bytes] = []

    def add(self, pcm: bytes) -> bytes:
        self._pieces.append(pcm)
        return b""

    def end(self) -> bytes:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(SAMPLE)
            file.setframerate(self._rate)
            file.writeframes(b"".join(self._pieces))
        return out.getvalue()


class _Coded:
    """What a codec makes of it."""

    def __init__(self, form: _Form, rate: int, bit_rate: int | None) -> None:
        self._out = _Outlet()
        self._rate = rate
        self._file = av.open(self._out, "w", format=form.container, options=dict(form.options))
        stream: Any = self._file.add_stream(form.codec, rate=rate, layout="mono")
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        self._stream = stream

    def add(self, pcm: bytes) -> bytes:
        self._file.mux(self._stream.encode(_frame(Sound(self._rate, pcm))))
        return self._out.take()

    def end(self) -> bytes:
        self._file.mux(self._stream.encode(None))
        self._file.close()
        return self._out.take()


class _Outlet:
    """A file that is only written to, and read by us: without a way back, so that a container never wants one."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def decode(data: bytes) -> list[Sound]:
    """Sound out of a file of any kind that PyAV knows.

    Raises:
        ModelFailed: it is no sound.
    """
    try:
        with av.open(io.BytesIO(data), "r") as file:
            rate = file.streams.audio[0].rate
            resampler = AudioResampler(format="s16", layout="mono", rate=rate)
            pieces = [_joined(resampler.resample(frame)) for frame in file.decode(audio=0)]
            return [Sound(rate, b"".join([*pieces, _joined(resampler.resample(None))]))]
    except (av.FFmpegError, IndexError) as error:
        raise ModelFailed("what the upstream answered is no sound that can be read") from error


def _end(form: _Form, rate: int, bit_rate: int | None, mime_type: str) -> "_Bare | _Wav | _Coded":
    if form.container:
        return _Coded(form, rate, bit_rate)
    return _Wav(rate) if mime_type == "audio/wav" else _Bare()


def _sample_rate(asked: AudioFormat, form: _Form, mime_type: str) -> int:
    if asked.sample_rate is None:
        return form.rate
    if asked.sample_rate not in form.rates:
        known = ", ".join(map(str, form.rates))
        raise InvalidRequest(
            f"{mime_type} cannot have {asked.sample_rate} samples a second here; one of {known}",
            field=f"{PATH}.sample_rate",
        )
    return asked.sample_rate


def _bit_rate(asked: AudioFormat, form: _Form, mime_type: str, rate: int) -> int | None:
    field = f"{PATH}.bit_rate"
    if asked.bit_rate is None:
        return form.bit_rate
    if form.bit_rates is None:
        raise InvalidRequest(f"{mime_type} is not compressed and has no bit rate; leave it out", field=field)
    least, most = _SMALL_RATES.get(rate, form.bit_rates) if mime_type == "audio/mp3" else form.bit_rates
    if not least <= asked.bit_rate <= most:
        raise InvalidRequest(
            f"{asked.bit_rate} bits a second: {mime_type} with {rate} samples a second takes {least} to {most}",
            field=field,
        )
    return asked.bit_rate


def _frame(sound: Sound) -> AudioFrame:
    frame = AudioFrame(format="s16", layout="mono", samples=len(sound.data) // SAMPLE)
    frame.sample_rate = sound.rate
    frame.planes[0].update(sound.data.ljust(frame.planes[0].buffer_size, b"\0"))
    return frame


def _joined(frames: Iterable[AudioFrame]) -> bytes:
    return b"".join(bytes(frame.planes[0])[: frame.samples * SAMPLE] for frame in frames)
