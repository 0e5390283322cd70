"""Pictures, recordings and videos of which is known what they say; and who reads text on this machine."""

import importlib.util
import shutil
import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Samples = NDArray[np.float32]

RATE = 16000

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract is not installed: apt-get install tesseract-ocr"
)
needs_rapidocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="rapidocr is not installed: pip install 'turnwise[rapidocr]'"
)


def screen(
    *lines: str,
    letters: int = 28,
    ink: str = "black",
    paper: str = "white",
    size: tuple[int, int] = (640, 360),
) -> Image.Image:
    """A picture with these lines of text on it."""
    picture = Image.new("RGB", size, paper)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=letters)
    for number, line in enumerate(lines):
        draw.text((size[0] // 10, size[1] // 10 + number * letters * 2), line, fill=ink, font=font)
    return picture


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    """A picture as a file; the form is that of its name."""
    picture.save(path, **options)
    return path


def tone(seconds: float, loudness: float = 0.3) -> Samples:
    """Something that can be heard."""
    return (np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * 440 / RATE) * loudness).astype(np.float32)


def silence(seconds: float) -> Samples:
    """Nothing that can be heard."""
    return np.zeros(int(seconds * RATE), np.float32)


def recorded(path: Path, *parts: Samples) -> Path:
    """A WAV file with these sounds, one after the other."""
    samples = np.concatenate(parts)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def encoded(path: Path, codec: str, samples: Samples, rate: int = 48000, form: str | None = None) -> Path:
    """A sound in another form, such as MP3."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        _mux_sound(container, stream, samples)
    return path


def filmed(
    path: Path,
    scenes: Sequence[tuple[Image.Image, float]],
    sound: Samples | None = None,
    *,
    codec: str = "libx264",
    rate: int = 10,
    turned: int = 0,
    keys: int | None = None,
) -> Path:
    """A video in which each picture is shown for so many seconds. `keys`: how many frames apart key frames are."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = scenes[0][0].size
        stream.pix_fmt = "yuv420p"
        if keys is not None:
            stream.gop_size = keys
        if turned:
            stream.set_display_rotation(turned)
        track = container.add_stream("aac", rate=48000, layout="mono") if sound is not None else None
        for picture, seconds in scenes:
            for _ in range(round(seconds * rate)):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
        if track is not None and sound is not None:
            _mux_sound(container, track, sound)
    return path


def _mux_sound(container: "av.container.OutputContainer", stream: "av.AudioStream", samples: Samples) -> None:
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
    frame.sample_rate = RATE
    resampler = av.AudioResampler(stream.format.name, "mono", stream.rate, frame_size=stream.frame_size or 1024)
    for part in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(part))
    container.mux(stream.encode())
