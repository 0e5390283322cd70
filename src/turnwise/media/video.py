"""What a video says: how long it is and what it is made of, what can be read in it and when, and what is spoken.

A video is looked at in `CANDIDATES` moments, evenly spread; of these, the ones are chosen that show the most that the
others do not. A short one is decoded as a whole for that, of a longer one only its key frames, which its encoder put
where the scene changes.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
from PIL import Image, ImageChops

from turnwise.domain.errors import InvalidRequest
from turnwise.media import audio, ocr
from turnwise.media.images import as_excerpt, colours, flattened
from turnwise.media.media import Account, Excerpt, Options, Passage
from turnwise.media.moments import Sight, Stretch, between, clock, duration, stretches
from turnwise.media.recordings import Damage, codec_name, frames, opened
from turnwise.media.speech import Said

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy import float32
    from numpy.typing import NDArray

CANDIDATES = 48
"""In so many moments a video is looked at."""

LOOKED_AT = 16
"""In so many of them text is looked for."""

DECODED = 3000
"""Up to so many frames a video is decoded as a whole."""

SIDE = 1600
"""Pixels on the longer side of a frame, while it waits to be chosen."""

PIXELS = 50_000_000
"""The largest frame that is decoded."""

SIGN = 16
"""How large, in points across and down, the sign of a frame is by which frames are compared."""

NOTICED, SPECK = 48, 0.00005
"""By how much, of 255, and in how much of a picture points must differ, for it to be another picture."""

COLOUR = 0.15
"""A colour that covers less than this is not told of a scene."""

SHARE = 0.6
"""How much of the time that reading may take is taken for text in frames."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A moment of a video, as a picture."""

    second: float
    image: Image.Image
    """Upright, and not larger than `SIDE`."""
    sign: "NDArray[float32]"
    """The picture in very few points, between 0 and 1."""
    turned: bool
    """Whether the camera was held upright, so that width and height are exchanged."""


def read(path: Path, options: Options) -> Account:
    """What a video says. If its sound cannot be heard, or text in it not be read, the facts say so.

    Raises:
        InvalidRequest: it is broken.
        Unimplemented: the speech weights are.
    """
    latest = time.monotonic() + options.seconds * SHARE
    damage = Damage()
    with opened(path, options.mime_type) as container:
        stream = _stream(container)
        shots = choose(list(_shots(container, stream, damage)), LOOKED_AT)
        if not shots:
            raise InvalidRequest("the video is broken: none of its pictures can be decoded")
        facts, seconds = _facts(container, stream, options, shots[0]), _seconds(container, stream)
    sights, unread = _look(shots, options, latest)
    hearing = audio.listen(path, options)
    seen = stretches(sights, max(seconds, shots[-1].second))
    facts += [f"{len(shots)} moments of it were looked at", *unread, *_of_sound(hearing)]
    if damage:
        facts.append(damage.words)
    heard = hearing.said if hearing is not None else ()
    return Account(", ".join(facts), _merged(seen, heard), _manner(seen, heard))


def pictures(path: Path, limit: int, options: Options) -> list[Excerpt]:
    """At most `limit` frames, of the moments that differ most.

    Raises:
        InvalidRequest: it is broken.
    """
    with opened(path, options.mime_type) as container:
        shots = list(_shots(container, _stream(container), Damage()))
    if not shots:
        raise InvalidRequest("the video is broken: none of its pictures can be decoded")
    return [as_excerpt(shot.image, clock(shot.second), lossless=False) for shot in choose(shots, limit)]


def choose(shots: Sequence[Shot], limit: int) -> list[Shot]:
    """The shots that together show the most: the first one, then again and again the one that is least like any that
    is chosen and farthest from it."""
    if len(shots) <= limit:
        return list(shots)
    length = (shots[-1].second - shots[0].second) or 1.0
    chosen = [0]
    nearest = [_distance(shot, shots[0], length) for shot in shots]
    while len(chosen) < limit:
        newest = max(range(len(shots)), key=nearest.__getitem__)
        chosen.append(newest)
        nearest = [
            min(before, _distance(shot, shots[newest], length)) for before, shot in zip(nearest, shots, strict=True)
        ]
    return [shots[number] for number in sorted(chosen)]


def _distance(one: Shot, other: Shot, length: float) -> float:
    """How much two shots differ, in what they show and in when: each at most 1."""
    return float(numpy.abs(one.sign - other.sign).mean()) + abs(one.second - other.second) / length


def _stream(container: "InputContainer") -> "VideoStream":
    """
    Raises:
        InvalidRequest: there is none, or its frames are too large.
    """
    if not container.streams.video:
        raise InvalidRequest("there are no pictures in the file, which is said to be video")
    stream = container.streams.video[0]
    if stream.codec_context.width * stream.codec_context.height > PIXELS:
        raise InvalidRequest(
            f"the video's frames have more than {PIXELS:,} pixels, and are not decoded; make it smaller"
        )
    stream.thread_type = "AUTO"
    return stream


def _seconds(container: "InputContainer", stream: "VideoStream") -> float:
    """How long it is, as the file says. 0: it does not."""
    if container.duration is not None:
        return float(container.duration / 1_000_000)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return 0.0


def _shots(container: "InputContainer", stream: "VideoStream", damage: Damage) -> Iterator[Shot]:
    seconds = _seconds(container, stream)
    rate = stream.average_rate or Fraction(25)
    if seconds > 0 and seconds * rate > DECODED:
        yield from _key_shots(container, stream, damage, seconds)
    else:
        yield from _even_shots(frames(container, stream, damage), _begin(container), seconds / CANDIDATES)


def _begin(container: "InputContainer") -> float:
    """The time at which it begins, which some containers do not call 0."""
    return (container.start_time or 0) / 1_000_000


def _even_shots(found: "Iterator[VideoFrame]", begin: float, apart: float) -> Iterator[Shot]:
    """Shots that are so many seconds apart. If that is not known, it becomes more and more: half are thrown away each
    time that there are too many."""
    kept: list[Shot] = []
    for frame in found:
        second = max(0.0, (frame.time or 0.0) - begin)
        if not kept or second - kept[-1].second >= apart * 0.999:
            kept.append(_shot(frame, second))
        if len(kept) >= 2 * CANDIDATES:
            apart = max(apart, (kept[-1].second - kept[0].second) / CANDIDATES)
            kept = kept[::2]
    yield from kept


def _key_shots(container: "InputContainer", stream: "VideoStream", damage: Damage, seconds: float) -> Iterator[Shot]:
    """The key frames before moments that are evenly spread, each once."""
    stream.codec_context.skip_frame = "NONKEY"
    begin, last = _begin(container), -1.0
    for number in range(CANDIDATES):
        container.seek(int((begin + seconds * number / CANDIDATES) * 1_000_000))
        frame = next(frames(container, stream, damage), None)
        if frame is None or frame.time is None:
            continue
        second = max(0.0, frame.time - begin)
        if second > last:
            last = second
            yield _shot(frame, second)


def _shot(frame: "VideoFrame", second: float) -> Shot:
    scale = min(1.0, SIDE / max(frame.width, frame.height))
    width, height = (max(1, int(side * scale)) for side in (frame.width, frame.height))
    image: Image.Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    sign = numpy.asarray(image.resize((SIGN, SIGN), Image.Resampling.BOX), numpy.float32) / numpy.float32(255)
    return Shot(second, image, sign, turned=frame.rotation % 180 != 0)


def _facts(container: "InputContainer", stream: "VideoStream", options: Options, shot: Shot) -> list[str]:
    name = options.mime_type.rpartition("/")[2].removeprefix("x-").upper()
    seconds, rate, codec = _seconds(container, stream), stream.average_rate, stream.codec_context
    facts = [f"{name} video"]
    if seconds:
        facts.append(duration(seconds))
    width, height = (codec.height, codec.width) if shot.turned else (codec.width, codec.height)
    facts.append(f"{width} x {height} pixels")
    if rate:
        facts.append(f"{float(rate):.3g} frames a second")
    return [*facts, codec_name(stream)]


def _look(shots: Sequence[Shot], options: Options, latest: float) -> tuple[list[Sight], list[str]]:
    """What is seen in each shot, and as facts what could not be read."""
    if ocr.chosen(options.ocr) is None:
        return [Sight(shot.second, "", _scene(shot.image)) for shot in shots], [ocr.why_not(options.ocr)]
    sights: list[Sight] = []
    for number, shot in enumerate(shots):
        if number and _is_same(shot.image, shots[number - 1].image):
            sights.append(replace(sights[-1], second=shot.second))
        elif time.monotonic() > latest:
            return sights, [f"what is seen from {clock(shot.second)} on was not read, for want of time"]
        else:
            text = ocr.read_text(flattened(shot.image), options.ocr)
            sights.append(Sight(shot.second, " / ".join(filter(None, text.splitlines())), _scene(shot.image)))
    return sights, []


def _is_same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures differ by no more than their encoder made of them."""
    different = ImageChops.difference(one, other).convert("L").histogram()
    return sum(different[NOTICED:]) <= SPECK * one.width * one.height


def _scene(image: Image.Image) -> str:
    """The largest colours, in a few words that stay the same as long as the scene does."""
    found = [(name, share) for name, share in colours(image) if share >= COLOUR][:2]
    if not found:
        return "many colours"
    return f"mostly {found[0][0]}" if found[0][1] > 0.5 else " and ".join(name for name, _ in found)


def _of_sound(hearing: audio.Hearing | None) -> list[str]:
    if hearing is None:
        return ["without sound"]
    facts = [f"sound: {fact}" if number == 0 else fact for number, fact in enumerate(hearing.facts)]
    return facts if hearing.unheard is None else [*facts, f"the sound was not heard: {hearing.unheard}"]


def _merged(seen: Sequence[Stretch], heard: Sequence[Said]) -> tuple[Passage, ...]:
    """What is seen and what is said, in the order in which it happens."""
    sights = [(stretch.start, Passage(_words(stretch), between(stretch.start, stretch.end))) for stretch in seen]
    sounds = [(said.start, Passage(f"heard: {said.text}", clock(said.start))) for said in heard]
    return tuple(passage for _, passage in sorted([*sights, *sounds], key=lambda found: found[0]))


def _words(stretch: Stretch) -> str:
    colours = f"seen: {stretch.colours}"
    return f"{colours}; text: {stretch.text}" if stretch.text else colours


def _manner(seen: Sequence[Stretch], heard: Sequence[Said]) -> str:
    manners = ["text in frames read by OCR"] if any(stretch.text for stretch in seen) else []
    return ", ".join([*manners, "speech written down"] if heard else manners)
