"""What a conversation asks an image model for."""

from base64 import b64encode
from typing import Any

import pytest

from models.pictures import picture, shown
from models.prompts import prompt, said
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UnknownStep, UserInput
from turnwise.models.images.asking import Asked, Picture, asked_of, check_parameters
from turnwise.models.model import Prompt

RED, BLUE, GREEN = (picture(colour) for colour in ("red", "blue", "green"))


def asked(*steps: Step, system: str | None = None) -> Asked:
    return asked_of(Prompt(steps, system))


def pictures(*data: bytes) -> tuple[Picture, ...]:
    return tuple(Picture(each, "image/png") for each in data)


def test_one_message_is_its_words() -> None:
    assert asked(*said("A cat.")) == Asked("A cat.", ())


def test_the_instruction_and_the_whole_conversation_count_where_there_is_no_picture_yet() -> None:
    told = asked(*said("Invent a creature.", "A fox with six legs.", "Draw it."), system="Pastel colours.")
    assert told.words == "Pastel colours.\n\nInvent a creature.\n\nA fox with six legs.\n\nDraw it."


def test_behind_a_picture_only_it_and_what_came_later_counts() -> None:
    first, second = ModelOutput((Text("Here."), shown(RED))), ModelOutput((shown(GREEN), shown(BLUE)))
    steps = [*said("A car."), first, *said("Make it blue."), second, *said("Bigger.", "I see.", "Well?")]
    assert asked(*steps) == Asked("Bigger.\n\nI see.\n\nWell?", pictures(BLUE))


def test_pictures_of_the_user_go_along() -> None:
    steps = [ModelOutput((shown(RED),)), UserInput((Text("Put this on it:"), shown(GREEN)))]
    assert asked(*steps) == Asked("Put this on it:", pictures(RED, GREEN))
    photo = UserInput((shown(GREEN), Text("As an oil painting.")))
    assert asked(photo) == Asked("As an oil painting.", pictures(GREEN))


def test_what_functions_gave_counts_too() -> None:
    item = {"type": "image", "mime_type": "image/png", "data": b64encode(RED).decode()}
    result = FunctionResult("c1", [{"type": "text", "text": "A map:"}, item], name="look")
    told = asked(*said("Draw a map."), FunctionCall("c1", "look"), result)
    assert told == Asked("Draw a map.\n\nA map:\n[image 1 of the result of look]", pictures(RED))


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        (UserInput((shown(RED),)), InvalidRequest, "what the image is to show"),
        (UserInput((Text("x"), shown(RED, resolution="low"))), InvalidRequest, "resolution"),
        (UserInput((Text("x"), Media("audio", "audio/wav", "aGk="))), Unimplemented, "'audio'"),
        (UnknownStep("odd", {}), Unimplemented, "'unknown'"),
    ],
    ids=["no words", "resolution", "sound", "unknown"],
)
def test_what_cannot_be_said_is_refused(step: Step, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        asked(step)


PARAMETERS: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "seed": 1,
    "max_output_tokens": 9,
    "stop_sequences": ("x",),
    "thinking_level": "low",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_that_is_not_taken_is_refused_unless_only_the_engine_wishes_it(name: str) -> None:
    said = prompt(**{name: PARAMETERS[name]})
    with pytest.raises(InvalidRequest) as refusal:
        check_parameters(said, "painter")
    assert refusal.value.field == f"generation_config.{name}"
    check_parameters(said, "painter", {name})
    wished = Prompt(said.steps, generation=GenerationConfig(**{name: PARAMETERS[name]}), wishes=frozenset({name}))
    check_parameters(wished, "painter")


def test_json_and_sound_are_refused() -> None:
    for fields in ({"schema": {"type": "object"}}, {"modalities": ("image", "audio")}):
        with pytest.raises(InvalidRequest, match="makes images"):
            check_parameters(Prompt(said("Hi"), **fields), "painter")  # type: ignore[arg-type]
