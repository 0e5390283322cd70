"""Audio and video files, opened and decoded by FFmpeg's libraries (PyAV).

A file is somebody else's: only the containers that are named here are opened, so that none of those that name other
files or addresses (playlists, for one) is; and a packet that is broken is passed over, as players do it, and counted.
"""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from turnwise.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

CONTAINERS = (
    *("aac", "aiff", "asf", "avi", "flac", "flv", "m4v", "matroska", "webm", "mov", "mp4", "m4a", "3gp", "3g2", "mj2"),
    *("mp3", "mpeg", "mpegts", "mpegvideo", "ogg", "w64", "wav", "s16le", "s16be", "alaw", "mulaw"),
)
"""FFmpeg's names of what is opened."""

RATES = {"audio/l16": 24000, "audio/alaw": 8000, "audio/mulaw": 8000}
"""Sound that is nothing but samples, and how many a second it has if its type does not say."""

COMPARED = 2**20
"""So many bytes of samples tell in which order the two bytes of one stand."""


@dataclass
class Damage:
    """How much of a file could not be decoded."""

    packets: int = 0
    breaks_off: bool = False
    """Whether there was no going on."""

    def __bool__(self) -> bool:
        return self.breaks_off or self.packets > 0

    @property
    def words(self) -> str:
        """As a fact of the file."""
        return "broken off" if self.breaks_off else "damaged in places, which were passed over"


@contextmanager
def opened(path: Path, mime_type: str = "") -> "Iterator[InputContainer]":
    """A file, ready to be decoded. `mime_type` helps with sound that is nothing but samples.

    Raises:
        InvalidRequest: it is broken, or of no form that is read.
    """
    form, options = _of_samples(path, mime_type)
    try:
        container = av.open(
            f"file:{path}",
            format=form,
            options={"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS), **options},
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise InvalidRequest(f"the recording is broken, or of no form that is read: {_words(error)}") from error
    with container:
        yield container


def _of_samples(path: Path, mime_type: str) -> tuple[str | None, dict[str, str]]:
    """How to open what is nothing but samples: `audio/l16;rate=24000;channels=1`."""
    name, *said = mime_type.split(";")
    if name not in RATES:
        return None, {}
    parameters = dict(part.partition("=")[::2] for part in said)
    rate, channels = parameters.get("rate", str(RATES[name])), parameters.get("channels", "1")
    if not (rate.isdecimal() and 0 < int(rate) <= 768_000 and channels in ("1", "2")):
        raise InvalidRequest(f"'{mime_type}': rate is in samples per second, up to 768000; channels is 1 or 2")
    form = _byte_order(path) if name == "audio/l16" else name.removeprefix("audio/")
    return form, {"sample_rate": rate, "ch_layout": "mono" if channels == "1" else "stereo"}


def _byte_order(path: Path) -> str:
    """The standard says one order of bytes, most programs write the other, and in the wrong one all sound is noise."""
    with path.open("rb") as file:
        data = file.read(COMPARED)
    samples = array("h", data[: len(data) // 2 * 2])
    own = _roughness(samples)
    samples.byteswap()
    little = (own <= _roughness(samples)) == (array("H", b"\1\0")[0] == 1)
    return "s16le" if little else "s16be"


def _roughness(samples: "array[int]") -> int:
    return sum(abs(one - other) for one, other in pairwise(samples))


def frames(container: "InputContainer", stream: "AudioStream | VideoStream", damage: Damage) -> Iterator[Any]:
    """What a stream holds, decoded, from where the container stands."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except (av.error.FFmpegError, ValueError):
                damage.packets += 1
    except (av.error.FFmpegError, ValueError):
        damage.breaks_off = True


def codec_name(stream: "AudioStream | VideoStream") -> str:
    """The coding of a stream, for people."""
    name: str = stream.codec_context.codec.long_name
    return name.partition(" / ")[0]


def _words(error: Exception) -> str:
    """FFmpeg's own words, without the path of the file."""
    return getattr(error, "strerror", None) or type(error).__name__
