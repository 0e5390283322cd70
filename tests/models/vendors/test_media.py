"""What is not text, shown to vendors and made by them: in their own protocols, over a real socket."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.pictures import picture, shown
from models.prompts import prompt, read, said, text, usage
from models.upstream import END, Upstream, head, piece, serve
from models.vendor_servers import FAKES, Fake, Said, entry, lend_credentials, sse
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput
from turnwise.models.model import Fragment, MediaFragment, Prompt
from turnwise.models.vendors import VENDORS
from turnwise.models.vendors.model import VendorModel
from turnwise.models.vendors.sight import SIGHTS

EVERY = pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
BOTH = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])

PICTURE = picture()
IMAGE = shown(PICTURE)
PDF = Media("document", "application/pdf", b64encode(b"%PDF-1.4 hi").decode())
WAV = Media("audio", "audio/x-wav", b64encode(b"RIFF....WAVE").decode())
MP4 = Media("video", "video/mp4", b64encode(b"....ftypisom").decode())

Ask = Callable[[Fake, Upstream], VendorModel]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    lend_credentials(monkeypatch)


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[VendorModel] = []

    def make(fake: Fake, upstream: Upstream) -> VendorModel:
        made.append(VENDORS[fake.kind]("mine", entry(fake, upstream), Path()))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for model in made:
        await model.close()


async def asked(ask: Ask, fake: Fake, *steps: Step, streaming: bool = True) -> dict[str, Any]:
    """What a vendor is asked for these steps."""
    async with serve(fake.answer(Said("ok"))) as upstream:
        assert text(await read(ask(fake, upstream), Prompt(steps, streaming=streaming))) == "ok"
    return upstream.requests[0].body


def found(body: Any, *keys: str) -> list[Any]:
    """Everything that stands under one of these keys, wherever it is in a body."""
    if isinstance(body, list):
        return [each for item in body for each in found(item, *keys)]
    if not isinstance(body, dict):
        return []
    own = [value for key, value in body.items() if key in keys]
    return own + [each for value in body.values() for each in found(value, *keys)]


def holds(body: dict[str, Any], media: Media) -> bool:
    """Whether the very bytes are in a request, in either alphabet of base64."""
    words = orjson.dumps(body).decode()
    assert media.data is not None
    return media.data in words or media.data.replace("+", "-").replace("/", "_") in words


@BOTH
@EVERY
async def test_a_picture_is_shown_between_the_words_around_it(ask: Ask, fake: Fake, streaming: bool) -> None:
    body = await asked(ask, fake, UserInput((Text("before"), IMAGE, Text("after"))), streaming=streaming)
    words = orjson.dumps(body).decode().replace("_", "/").replace("-", "+")
    assert words.index("before") < words.index(str(IMAGE.data)) < words.index("after")


TAKEN = [
    ("anthropic", PDF),
    ("gemini", PDF),
    ("gemini", WAV),
    ("gemini", MP4),
    ("mistral", PDF),
    ("openrouter", PDF),
    ("openrouter", WAV),
    ("openrouter", MP4),
    ("bedrock", PDF),
    ("bedrock", MP4),
]


@pytest.mark.parametrize(("kind", "media"), TAKEN, ids=lambda value: getattr(value, "type", value))
async def test_other_media_are_shown_where_a_vendor_takes_them(ask: Ask, kind: str, media: Media) -> None:
    body = await asked(ask, FAKES[kind], UserInput((Text("What is this?"), media)))
    assert holds(body, media)


@EVERY
async def test_a_kind_that_a_vendor_does_not_take_is_refused_by_its_name(ask: Ask, fake: Fake) -> None:
    async with serve(fake.answer(Said("ok"))) as upstream:
        for media in (PDF, WAV, MP4):
            if media.type not in SIGHTS[fake.kind].takes:
                with pytest.raises(Unimplemented, match=f"'{media.type}' cannot be shown to a model of '{fake.kind}'"):
                    await read(ask(fake, upstream), Prompt([UserInput((media,))]))
    assert not upstream.requests


@pytest.mark.parametrize("kind", ["anthropic", "mistral", "openrouter", "bedrock"])
async def test_a_type_that_a_vendor_does_not_take_is_refused_with_those_that_it_takes(ask: Ask, kind: str) -> None:
    odd = Media("document", "application/x-odd", "aGk=")
    async with serve(FAKES[kind].answer(Said("ok"))) as upstream:
        with pytest.raises(InvalidRequest, match=r"'application/x-odd' cannot be shown .*; it takes .*application/pdf"):
            await read(ask(FAKES[kind], upstream), Prompt([UserInput((odd,))]))


@pytest.mark.parametrize("kind", ["anthropic", "groq"])
async def test_a_picture_of_another_form_is_made_png(ask: Ask, kind: str) -> None:
    body = await asked(ask, FAKES[kind], UserInput((shown(picture(form="BMP"), "image/bmp"),)))
    words = orjson.dumps(body).decode()
    assert "image/png" in words
    assert "bmp" not in words


LOOKS = {
    "gemini": ("mediaResolution", {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}),
    "mistral": ("detail", "high"),
    "groq": ("detail", "high"),
    "openrouter": ("detail", "high"),
}


@EVERY
async def test_how_closely_to_look_is_said_or_refused(ask: Ask, fake: Fake) -> None:
    step = UserInput((Text("Look"), shown(PICTURE, resolution="ultra_high")))
    if fake.kind in LOOKS:
        key, value = LOOKS[fake.kind]
        assert found(await asked(ask, fake, step), key, "media_resolution") == [value]
    else:
        with pytest.raises(InvalidRequest, match=f"resolution: .* a model of '{fake.kind}'"):
            await asked(ask, fake, step)


CALL = FunctionCall("call_0001", "look", {})
LOOK = [{"type": "text", "text": "here"}, {"type": "image", "mime_type": "image/png", "data": IMAGE.data}]


@EVERY
async def test_a_picture_in_a_result_is_named_there_and_shown_behind_all_results(ask: Ask, fake: Fake) -> None:
    other = FunctionCall("call_0002", "listen", {})
    results = [FunctionResult(CALL.id, LOOK), FunctionResult(other.id, "silence")]
    body = await asked(ask, fake, *said("Look!"), CALL, other, *results, *said("And?"))
    (_, first), (_, second) = fake.results(body)
    assert "here\\n[image 1 of the result of look]" in first.replace("\n", "\\n")
    assert "silence" in second
    words = orjson.dumps(body).decode().replace("_", "/").replace("-", "+")
    assert words.index("silence") < words.index(str(IMAGE.data)) < words.index("And?")


@EVERY
async def test_a_picture_that_the_model_made_is_shown_to_it_again(ask: Ask, fake: Fake) -> None:
    body = await asked(ask, fake, *said("Draw!"), ModelOutput((Text("Done."), IMAGE)), *said("Make it blue."))
    assert holds(body, IMAGE)
    words = orjson.dumps(body).decode()
    assert words.index("Done.") < words.index("[image 1 of the answer above]") < words.index("Make it blue.")


PAINTED = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Here: "},
                    {"inlineData": {"mimeType": "image/png", "data": b64encode(PICTURE).decode()}},
                    {"text": "Done."},
                ],
            },
            "index": 0,
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 270,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 12},
            {"modality": "IMAGE", "tokenCount": 258},
        ],
        "candidatesTokenCount": 1124,
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 4},
            {"modality": "IMAGE", "tokenCount": 1120},
        ],
        "totalTokenCount": 1394,
    },
    "modelVersion": "gemini",
    "responseId": "r1",
}


async def painted(request: Any, out: Any) -> None:
    streams = "tream" in request.path
    content = sse(PAINTED) if streams else orjson.dumps(PAINTED)
    kind = "text/event-stream" if streams else "application/json"
    out.write(head(content_type=kind) + piece(content) + END)


@BOTH
async def test_a_picture_that_gemini_makes_is_a_piece_of_its_answer(ask: Ask, streaming: bool) -> None:
    async with serve(painted) as upstream:
        fragments: list[Fragment] = await read(ask(FAKES["gemini"], upstream), prompt(streaming=streaming))
    (made,) = [fragment for fragment in fragments if isinstance(fragment, MediaFragment)]
    assert made == MediaFragment(0, "image", "image/png", PICTURE)
    assert text(fragments) == "Here: Done."
    place = fragments.index(made)
    assert (text(fragments[:place]), text(fragments[place:])) == ("Here: ", "Done.")
    assert usage(fragments) == Usage(input={"text": 12, "image": 258}, output={"text": 4, "image": 1120})


async def test_only_vendors_whose_models_all_see_say_so(ask: Ask) -> None:
    async with serve(FAKES["gemini"].answer(Said("ok"))) as upstream:
        inputs = {kind: ask(fake, upstream).card.inputs for kind, fake in FAKES.items()}
    assert inputs["gemini"] == {"text", "image", "audio", "video", "document"}
    assert inputs["anthropic"] == {"text", "image", "document"}
    assert inputs["groq"] == inputs["bedrock"] == {"text"}


async def test_an_answer_that_is_no_text_is_refused(ask: Ask) -> None:
    async with serve(FAKES["anthropic"].answer(Said("ok"))) as upstream:
        with pytest.raises(Unimplemented, match="'image'"):
            await read(ask(FAKES["anthropic"], upstream), Prompt(said("Draw!"), modalities=("image",)))
