"""Prompts for pictures, and what is to be seen in a picture."""

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO

from PIL import Image

from models.prompts import read
from turnwise.domain.content import Media, Text
from turnwise.domain.formats import ImageFormat, Modality
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.models.drawing.model import DrawingModel
from turnwise.models.model import Fragment, MediaFragment, Prompt
from turnwise.models.scripted import ScriptedModel

Colour = tuple[int, int, int]
Look = Callable[[Colour], bool]

SMALL = ImageFormat(image_size="512")


def painter() -> DrawingModel:
    """A model whose composer is never asked: it has nothing to say."""
    return DrawingModel("painter", ScriptedModel())


def user(text: str, *pictures: bytes, mime_type: str = "image/png") -> UserInput:
    return UserInput((*(media(picture, mime_type) for picture in pictures), Text(text)))


def media(picture: bytes, mime_type: str = "image/png") -> Media:
    return Media("image", mime_type, b64encode(picture).decode())


def asked(
    *steps: Step,
    image: ImageFormat = SMALL,
    modalities: tuple[Modality, ...] = ("image",),
    seed: int | None = 1,
    system: str | None = None,
) -> Prompt:
    return Prompt(
        steps, system_instruction=system, modalities=modalities, image=image, generation=GenerationConfig(seed=seed)
    )


def drawn(fragments: list[Fragment]) -> bytes:
    """The bytes of the one picture of an answer."""
    (picture,) = (fragment for fragment in fragments if isinstance(fragment, MediaFragment))
    return picture.data


async def draw(text: str, **how: object) -> Image.Image:
    """The picture of a prompt."""
    return opened(drawn(await read(painter(), asked(user(text), **how))))  # type: ignore[arg-type]


async def talk(*texts: str) -> list[Image.Image]:
    """The pictures of a conversation."""
    steps: list[Step] = []
    pictures = []
    for text in texts:
        steps.append(user(text))
        picture = drawn(await read(painter(), asked(*steps)))
        steps.append(ModelOutput((media(picture),)))
        pictures.append(opened(picture))
    return pictures


def opened(picture: bytes) -> Image.Image:
    image = Image.open(BytesIO(picture))
    image.load()
    return image.convert("RGB")


def at(image: Image.Image, x: float, y: float) -> Colour:
    """The colour at a place, told as shares of the width and the height."""
    colour = image.getpixel((min(int(x * image.width), image.width - 1), min(int(y * image.height), image.height - 1)))
    assert isinstance(colour, tuple)
    return (colour[0], colour[1], colour[2])


def red(colour: Colour) -> bool:
    return colour[0] > 150 and colour[1] < 110 and colour[2] < 110


def blue(colour: Colour) -> bool:
    return colour[2] > 140 and colour[0] < 110 and colour[2] > colour[1] + 40


def green(colour: Colour) -> bool:
    return colour[1] > colour[0] + 20 and colour[1] > colour[2] + 20


def yellow(colour: Colour) -> bool:
    return colour[0] > 190 and colour[1] > 150 and colour[2] < 110


def white(colour: Colour) -> bool:
    return min(colour) > 245


def share(image: Image.Image, look: Look) -> float:
    """Which share of a picture looks so."""
    small = image.resize((96, 96), Image.Resampling.NEAREST)
    return sum(look(at(small, x / 96, y / 96)) for x in range(96) for y in range(96)) / 96**2


def middle(image: Image.Image, look: Look) -> tuple[float, float]:
    """The middle of everything that looks so, as shares of the width and the height."""
    small = image.resize((96, 96), Image.Resampling.NEAREST)
    found = [(x / 96, y / 96) for x in range(96) for y in range(96) if look(at(small, x / 96, y / 96))]
    assert found, "nothing looks so"
    return sum(x for x, _ in found) / len(found), sum(y for _, y in found) / len(found)


def blobs(image: Image.Image, look: Look, least: int = 20) -> int:
    """How many separate spots look so, of at least so many of 96 x 96 points."""
    small = image.resize((96, 96), Image.Resampling.NEAREST)
    left = {(x, y) for x in range(96) for y in range(96) if look(at(small, x / 96, y / 96))}
    count = 0
    while left:
        spot = [left.pop()]
        for x, y in spot:
            near = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & left
            left -= near
            spot.extend(near)
        count += len(spot) >= least
    return count
