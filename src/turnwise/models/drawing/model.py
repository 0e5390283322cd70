"""A model that answers with pictures, and is no image model: it draws.

    DrawingModel("painter", composer, help, lays_out=True)

A prompt becomes a scene, the scene SVG, the SVG a picture. A composer that can lay out a scene is asked for it, bound
to a schema; the words of the prompt are the measure of what it answers, and they carry the picture alone where it falls
short or where there is nobody to ask (the default model cannot, and is not). A picture that stands in the
conversation is gone on from: one of ours by the scene that it carries, any other as the ground that is painted upon.
"""

import asyncio
import base64
import binascii
import secrets
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

from turnwise.domain.content import Media, Text, Told
from turnwise.domain.errors import InvalidRequest, ModelFailed, ModelTimeout, ModelUnavailable
from turnwise.domain.formats import ImageFormat
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.models.drawing import layout
from turnwise.models.drawing.carried import Unreadable, note_of, scene_of
from turnwise.models.drawing.changing import Change, change, is_new
from turnwise.models.drawing.composing.composer import abstract, compose
from turnwise.models.drawing.composing.figures import Frame
from turnwise.models.drawing.describing import describe
from turnwise.models.drawing.painting import Photo, paint
from turnwise.models.drawing.rendering import render
from turnwise.models.drawing.scene import Scene
from turnwise.models.drawing.sizes import PIXELS_AT_1K, Size, pixels, tokens
from turnwise.models.drawing.words.reading import read
from turnwise.models.drawing.words.request import Request
from turnwise.models.manner import Help, no_help
from turnwise.models.model import (
    Finished,
    Fragment,
    MediaFragment,
    Model,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    UsageFragment,
)

AT_ONCE = 2
"""How many pictures a model renders beside one another."""

MOST_PIXELS = 50_000_000
"""How large a picture may be that is painted upon."""

LONGEST_CONTENT = 400
"""How much of a file that was told in words is drawn, in characters."""

SEEDS = 2**31
"""From how many chance chooses where the request has no seed."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A picture in the conversation."""

    picture: Image.Image
    scene: Scene | None
    given: bool
    """Whether it came with the last message, rather than standing before it."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be drawn, as far as it is known before a composer is asked."""

    text: str
    request: Request
    size: Size
    seed: int
    scene: Scene | None = None
    photo: Photo | None = None
    missing: Sequence[str] = ()
    """What was to be changed but is not there."""
    idle: bool = False
    """Whether a change was asked for, and nothing in the text was understood as one."""

    @property
    def frame(self) -> Frame:
        return Frame(self.size.width / self.size.short, self.size.height / self.size.short)


class DrawingModel:
    """Draws what the prompt names."""

    def __init__(self, name: str, composer: Model, help: Help = no_help, *, lays_out: bool = False) -> None:
        """`lays_out` is whether the composer is strong enough to be asked for a layout. The default model is not."""
        self.card = ModelCard(
            name,
            context_tokens=composer.card.context_tokens,
            inputs=frozenset({"text", "image"}),
            outputs=frozenset({"image"}),
            description="Draws scenes, signs and symbols as vector graphics.",
        )
        self._composer = composer
        self._help = help
        self._lays_out = lays_out
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt with a picture (see the contract).

        Raises:
            InvalidRequest: a picture in the prompt cannot be read, or what is asked for cannot be done with one that
                was not drawn here.
        """
        self._check_parameters(prompt)
        plan = await asyncio.to_thread(_plan, prompt)
        image = prompt.image
        usage = Usage(output={"image": tokens(image)})
        scene = plan.scene
        if scene is None and self._lays_out and not plan.request.is_empty:
            answer: list[str] = []
            asked = self._question(plan, prompt)
            async with aclosing(self._help(self._composer, asked).stream(asked)) as fragments:
                try:
                    async for fragment in fragments:
                        if isinstance(fragment, Taken):
                            yield fragment
                        elif isinstance(fragment, TextFragment):
                            answer.append(fragment.text)
                        elif isinstance(fragment, UsageFragment):
                            usage = add_usage(fragment.usage, Usage(output={"image": tokens(image)}))
                except (ModelUnavailable, ModelTimeout):
                    raise
                except ModelFailed:
                    answer.clear()  # its layout is no layout: the words carry the picture
            scene = layout.scene_of_layout("".join(answer), plan.request, plan.frame.down, plan.seed, plan.text)
        else:
            yield Taken()
        scene = scene or _composed(plan)
        mime_type = image.mime_type or "image/png"
        picture = await self._rendered(scene, plan, mime_type)
        if "text" in prompt.modalities:
            yield TextFragment(_said(scene, plan))
        yield MediaFragment(0, "image", mime_type, picture)
        yield UsageFragment(usage)
        yield Finished("stop")

    def _check_parameters(self, prompt: Prompt) -> None:
        """Refuse by name what means nothing to a picture that is drawn. How words are chosen is the composer's
        business, where one is asked.

        Raises:
            InvalidRequest: as said.
        """
        words = () if self._lays_out else ("top_p", "top_k", "thinking_level")
        for name in ("stop_sequences", *words):
            if getattr(prompt.generation, name) not in (None, ()) and name not in prompt.wishes:
                raise InvalidRequest(
                    "pictures are drawn here, which has no such parameter; leave it out",
                    field=f"generation_config.{name}",
                )
        most, counted = prompt.generation.max_output_tokens, tokens(prompt.image)
        if most is not None and most < counted and "max_output_tokens" not in prompt.wishes:
            raise InvalidRequest(
                f"a picture of this size counts as {counted} tokens, more than {most}; allow as many, or leave it out",
                field="generation_config.max_output_tokens",
            )

    def _question(self, plan: _Plan, prompt: Prompt) -> Prompt:
        return Prompt(
            steps=[UserInput((Text(layout.question(plan.text)),))],
            schema=layout.SCHEMA,
            generation=replace(prompt.generation, max_output_tokens=None),
            streaming=False,
        )

    async def _rendered(self, scene: Scene, plan: _Plan, mime_type: str) -> bytes:
        svg = await asyncio.to_thread(paint, scene, plan.size, plan.photo)
        note = "" if plan.photo else note_of(scene)
        async with self._turns:
            return await render(svg, plan.size, mime_type, note=note, pixelated="pixel" in scene.styles)


def _composed(plan: _Plan) -> Scene:
    """The scene that the words alone give."""
    if plan.request.is_empty and not (
        plan.request.time or plan.request.weather or plan.request.season or plan.request.sky
    ):
        return abstract(plan.frame, plan.seed, plan.request, plan.text)
    return compose(plan.request, plan.frame, plan.seed, plan.text)


def _plan(prompt: Prompt) -> _Plan:
    """What a prompt wants: a new picture, or a change of the last one."""
    text = _last_words(prompt.steps)
    seed = _seed(prompt, text)
    earlier = _earlier(prompt.steps)
    size = _size(prompt.image, earlier)
    plan = _Plan(text, _request(text, prompt.system_instruction), size, seed)
    if earlier is None:
        return _changed_words(plan, prompt.steps)
    if earlier.scene is None:
        return _upon_photo(plan, earlier)
    if is_new(text) and not earlier.given:
        return plan
    changed = change(earlier.scene, text, plan.frame, seed)
    return replace(plan, scene=changed.scene, missing=tuple(changed.missing), idle=not changed.done)


def _request(text: str, instruction: str | None) -> Request:
    """What the text asks for. An instruction may set the style and the time; what is drawn is the text's business."""
    request = read(text)
    if instruction:
        rule = read(instruction)
        request.styles.extend(rule.styles)
        request.time = request.time or rule.time
        request.background = request.background or rule.background
    return request


def _changed_words(plan: _Plan, steps: Sequence[Step]) -> _Plan:
    """A change of a picture that is not at hand (it was given as an address): what its words gave is changed."""
    before = [_words(step) for step in steps if isinstance(step, UserInput)][:-1]
    drawn = any(isinstance(part, Media) for step in steps if isinstance(step, ModelOutput) for part in step.content)
    if not drawn or not before or is_new(plan.text):
        return plan
    base = _composed(replace(plan, text=before[-1], request=read(before[-1])))
    changed = change(base, plan.text, plan.frame, plan.seed)
    return replace(plan, scene=changed.scene, missing=tuple(changed.missing), idle=not changed.done)


def _upon_photo(plan: _Plan, earlier: _Earlier) -> _Plan:
    """A picture that was not drawn here is painted upon, since nobody knows what is where in it."""
    if is_new(plan.text) and not earlier.given:
        return plan
    changed = change(Scene("plain", background=None), plan.text, plan.frame, plan.seed)
    if changed.removes or not changed.done:
        raise InvalidRequest(_refusal(changed), field="input")
    return replace(plan, scene=changed.scene, photo=_photo(earlier.picture, plan.size))


def _refusal(changed: Change) -> str:
    done = "things can be drawn over it, and its colours, time of day, weather and style can be changed"
    if changed.removes:
        what = f" {changed.missing[0]!r}" if changed.missing else ""
        return f"nothing{what} can be removed, replaced or moved in a picture that was not drawn by this model; {done}"
    return f"nothing was found in the text that can be done with a picture that was not drawn by this model; {done}"


def _photo(picture: Image.Image, size: Size) -> Photo:
    """A picture as large as it will be shown, and no larger than 2K: more is not seen below what is drawn over it."""
    try:
        picture.draft("RGB", (size.width, size.height))
        shown = picture.convert("RGB")
    except Unreadable as error:
        raise InvalidRequest(f"the picture cannot be read: {error}", field="input") from error
    shown.thumbnail((2048, 2048))
    made = BytesIO()
    shown.save(made, "JPEG", quality=93)
    return Photo(made.getvalue(), "image/jpeg")


def _earlier(steps: Sequence[Step]) -> _Earlier | None:
    """The last picture of the conversation."""
    last = max((index for index, step in enumerate(steps) if isinstance(step, UserInput)), default=-1)
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if not isinstance(step, UserInput | ModelOutput):
            continue
        for part in reversed(step.content):
            if isinstance(part, Media) and part.type == "image":
                if part.data is None and index < last:
                    return None
                picture = _opened(part)
                return _Earlier(picture, scene_of(picture), given=index == last)
    return None


def _opened(part: Media) -> Image.Image:
    """A picture's head: its size and what it carries. Its pixels are read when they are needed.

    Raises:
        InvalidRequest: it has no bytes, or they are no picture, or one that is too large.
    """
    if part.data is None:
        raise InvalidRequest(f"the picture at {part.uri!r} has to be given by its bytes (data)", field="input")
    try:
        picture = Image.open(BytesIO(base64.b64decode(part.data)))
    except binascii.Error as error:
        raise InvalidRequest("the picture's data is not base64", field="input") from error
    except Unreadable as error:
        raise InvalidRequest(f"the picture cannot be read: {error}", field="input") from error
    if picture.width * picture.height > MOST_PIXELS:
        raise InvalidRequest(
            f"the picture has {picture.width} x {picture.height} pixels; at most {MOST_PIXELS:,} are read",
            field="input",
        )
    return picture


def _size(image: ImageFormat, earlier: _Earlier | None) -> Size:
    """How large the picture is to be. Without a word about that, as the one that it goes on from."""
    if earlier is None or image.aspect_ratio is not None:
        return pixels(image)
    width, height = earlier.picture.size
    ratio = min(PIXELS_AT_1K, key=lambda name: abs(PIXELS_AT_1K[name][0] / PIXELS_AT_1K[name][1] - width / height))
    return pixels(replace(image, aspect_ratio=ratio))


def _seed(prompt: Prompt, text: str) -> int:
    """What chance starts from. The same seed gives other details to another text. A temperature of 0 leaves nothing to
    chance, as a seed does."""
    seed = prompt.generation.seed
    if seed is None:
        seed = 0 if prompt.generation.temperature == 0 else secrets.randbelow(SEEDS)
    return zlib.crc32(f"{seed}\n{text}".encode())


def _last_words(steps: Sequence[Step]) -> str:
    """The text of the last message."""
    said = next((_words(step) for step in reversed(steps) if isinstance(step, UserInput)), "")
    return said.encode(errors="replace").decode()  # JSON may hold halves of characters


def _words(step: UserInput) -> str:
    """What was said; and of a file that was told in words, what it says, without what is said about it."""
    return "\n".join(
        _content(part) if isinstance(part, Told) else part.text for part in step.content if isinstance(part, Text)
    )


def _content(told: Told) -> str:
    lines = (line for line in told.text.splitlines() if not line.startswith("["))
    return "\n".join(lines)[:LONGEST_CONTENT]


def _said(scene: Scene, plan: _Plan) -> str:
    """What was drawn, and what of it could not be done."""
    said = describe(scene, upon_picture=plan.photo is not None)
    if plan.idle and not plan.missing:
        said += " Nothing in the text was understood as a change of it."
    if plan.missing:
        said += f" There is no {plan.missing[0]} in the picture."
    return said
