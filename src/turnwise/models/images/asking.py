"""What a conversation asks an image model for. Pure.

An image model reads one text and looks at some pictures; it knows no turns. A picture that an answer had holds all that
was asked before it. So what counts is that picture and what came behind it: "make it blue" is asked with the picture
that is to become blue. Where no answer had a picture the whole conversation counts.
"""

from base64 import b64decode
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from turnwise.domain.content import Content, Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.models.messages import render_result, result_media
from turnwise.models.model import Prompt


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to start from."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What an image is to be made of."""

    words: str
    pictures: tuple[Picture, ...]
    """Oldest first."""


def asked_of(prompt: Prompt) -> Asked:
    """
    Raises:
        InvalidRequest: there are no words, or something is asked of a picture that cannot be said.
        Unimplemented: a kind of step or content that cannot be shown to an image model.
    """
    steps = _since_last_picture(prompt.steps)
    words = [prompt.system_instruction] if prompt.system_instruction else []
    pictures: list[Picture] = []
    for index, step in enumerate(steps):
        match step:
            case UserInput(content) | ModelOutput(content):
                starts = index == 0 and isinstance(step, ModelOutput) and len(steps) < len(prompt.steps)
                media = [part for part in content if isinstance(part, Media)]
                pictures += [_picture(part) for part in (media[-1:] if starts else media)]
                words += [] if starts else [_words(content)]
            case FunctionResult():
                words.append(render_result(step, step.name or ""))
                pictures += [_picture(media) for _, media in result_media(step)]
            case Thought() | FunctionCall():
                pass  # what came of them stands behind them
            case _:
                raise Unimplemented(f"a step of type {step.type!r} cannot be shown to an image model")
    text = "\n\n".join(said for said in words if said.strip())
    if not text:
        raise InvalidRequest("it does not say what the image is to show", field="input")
    return Asked(text, tuple(pictures))


def check_parameters(prompt: Prompt, model: str, takes: Collection[str] = ()) -> None:
    """Refuse by name what the request says of how to speak and an image model does not take.

    Raises:
        InvalidRequest: as said.
    """
    generation = prompt.generation
    said = {
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "top_k": generation.top_k,
        "seed": generation.seed,
        "max_output_tokens": generation.max_output_tokens,
        "stop_sequences": generation.stop_sequences or None,
        "thinking_level": generation.thinking_level,
    }
    for name, value in said.items():
        if value is not None and name not in takes and name not in prompt.wishes:
            raise InvalidRequest(
                f"the model {model!r} takes no such parameter; leave it out", field=f"generation_config.{name}"
            )
    if prompt.schema is not None:
        raise InvalidRequest(f"the model {model!r} makes images, and no JSON", field="response_format")
    if "audio" in prompt.modalities:
        raise InvalidRequest(f"the model {model!r} makes images, and no sound", field="response_modalities")


def _since_last_picture(steps: Sequence[Step]) -> Sequence[Step]:
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if isinstance(step, ModelOutput) and any(isinstance(part, Media) for part in step.content):
            return steps[index:]
    return steps


def _words(content: Sequence[Content]) -> str:
    return "\n".join(part.text for part in content if isinstance(part, Text))


def _picture(media: Media) -> Picture:
    if media.type != "image" or media.data is None or media.mime_type is None:
        raise Unimplemented(f"content of type {media.type!r} cannot be shown to an image model")
    if media.options.get("resolution"):
        raise InvalidRequest("resolution: an image model cannot be told how closely to look; leave it out")
    return Picture(b64decode(media.data), media.mime_type)
