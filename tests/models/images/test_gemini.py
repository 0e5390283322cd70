"""Images from Gemini, over a real socket that speaks its protocol."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.pictures import opened, picture, shown
from models.prompts import finish, prompt, read, said, text, thought, usage
from models.upstream import Reply, Upstream, body, serve, silent
from turnwise.domain.content import Text
from turnwise.domain.errors import (
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
)
from turnwise.domain.formats import ImageFormat
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionResult, ModelOutput, Thought, UnknownStep, UserInput
from turnwise.models.images.gemini import GeminiImages
from turnwise.models.model import Fragment, MediaFragment, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.openai import Limits

QUICK = Limits(connect=2.0, idle=0.2, total=5.0)
RED = picture("red")
BLOB = {"inlineData": {"mimeType": "image/png", "data": b64encode(RED).decode()}}
COST = {
    "promptTokenCount": 264,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}, {"modality": "IMAGE", "tokenCount": 258}],
    "candidatesTokenCount": 1290,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    "thoughtsTokenCount": 5,
    "totalTokenCount": 1559,
}

Ask = Callable[[Upstream], GeminiImages]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[GeminiImages] = []

    def make(upstream: Upstream) -> GeminiImages:
        card = ModelCard("banana", inputs=frozenset({"text", "image"}), outputs=frozenset({"text", "image"}))
        base_url = upstream.url.removesuffix("/v1")
        made.append(GeminiImages(card, "banana", "secret", base_url=base_url, limits=QUICK))
        return made[-1]

    yield make
    for model in made:
        await model.close()


def answered(*parts: dict[str, Any], reason: str = "STOP", **fields: Any) -> Reply:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0, **fields}
    return body(orjson.dumps({"candidates": [candidate], "usageMetadata": COST, "modelVersion": "banana"}))


def drawing(*texts: str, modalities: Any = ("text", "image"), **fields: Any) -> Prompt:
    return replace(prompt(*texts), modalities=modalities, **fields)


def images(fragments: list[Fragment]) -> list[MediaFragment]:
    return [fragment for fragment in fragments if isinstance(fragment, MediaFragment)]


async def test_words_and_images_come_as_they_stand(ask: Ask) -> None:
    async with serve(answered({"text": "One:"}, BLOB, {"text": "Two:"}, BLOB)) as upstream:
        fragments = await read(ask(upstream), drawing("Two cats."))
    assert fragments[:5] == [
        Taken(),
        TextFragment("One:"),
        MediaFragment(0, "image", "image/png", RED),
        TextFragment("Two:"),
        MediaFragment(1, "image", "image/png", RED),
    ]
    assert usage(fragments) == Usage(input={"text": 6, "image": 258}, output={"image": 1290}, thought=5)
    assert finish(fragments) == "stop"


async def test_the_call_says_everything_that_the_prompt_says(ask: Ask) -> None:
    asked = Prompt(
        said("A cat."),
        "Pastel colours.",
        modalities=("image",),
        image=ImageFormat("16:9", "2K"),
        generation=prompt(
            temperature=0.5, top_p=0.9, top_k=20, seed=7, max_output_tokens=99, stop_sequences=("END",)
        ).generation,
    )
    async with serve(answered(BLOB)) as upstream:
        await read(ask(upstream), asked)
    (request,) = upstream.requests
    assert request.path == "/v1beta/models/banana:generateContent"
    assert request.headers["x-goog-api-key"] == "secret"
    assert "authorization" not in request.headers
    assert request.body == {
        "contents": [{"role": "user", "parts": [{"text": "A cat."}]}],
        "systemInstruction": {"parts": [{"text": "Pastel colours."}]},
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 20,
            "seed": 7,
            "maxOutputTokens": 99,
            "stopSequences": ["END"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            "responseModalities": ["TEXT", "IMAGE"],
        },
    }


async def test_history_goes_along_with_its_pictures(ask: Ask) -> None:
    steps = [
        UserInput((Text("This cat"), shown(RED, resolution="high"))),
        Thought("sealed", (Text("Hm."),)),
        ModelOutput((Text("Here."), shown(RED))),
        *said("Make it blue."),
    ]
    async with serve(answered(BLOB)) as upstream:
        await read(ask(upstream), Prompt(steps, modalities=("image",)))
    assert upstream.requests[0].body["contents"] == [
        {
            "role": "user",
            "parts": [{"text": "This cat"}, {**BLOB, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}],
        },
        {"role": "model", "parts": [{"text": "Here."}]},
        {"role": "user", "parts": [{"text": "[image 1 of the answer above]"}, BLOB, {"text": "Make it blue."}]},
    ]


async def test_results_of_functions_go_along(ask: Ask) -> None:
    item = {"type": "image", "mime_type": "image/png", "data": BLOB["inlineData"]["data"]}
    steps = [*said("Draw the weather."), FunctionResult("c1", [{"type": "text", "text": "sunny"}, item])]
    async with serve(answered(BLOB)) as upstream:
        await read(ask(upstream), Prompt(steps, modalities=("image",)))
    (content,) = upstream.requests[0].body["contents"]
    title = "[image 1 of the result]"
    assert content["parts"] == [
        {"text": "Draw the weather."},
        {"text": f"sunny\n{title}"},
        {"text": title},
        BLOB,
    ]


async def test_who_wants_images_alone_gets_no_words(ask: Ask) -> None:
    async with serve(answered({"text": "Here."}, BLOB)) as upstream:
        fragments = await read(ask(upstream), drawing("A cat.", modalities=("image",)))
    assert (text(fragments), len(images(fragments))) == ("", 1)


async def test_who_wants_images_alone_is_told_if_there_is_none(ask: Ask) -> None:
    async with serve(answered({"text": "What colour?"})) as upstream:
        model = ask(upstream)
        with pytest.raises(ModelFailed, match="made no image: What colour"):
            await read(model, drawing("A cat.", modalities=("image",)))
        assert text(await read(model, drawing("A cat."))) == "What colour?"


async def test_thoughts_are_thoughts_and_their_pictures_no_answer(ask: Ask) -> None:
    async with serve(answered({"text": "Hm.", "thought": True}, {**BLOB, "thought": True}, BLOB)) as upstream:
        fragments = await read(ask(upstream), drawing("A cat."))
    assert (thought(fragments), text(fragments), len(images(fragments))) == ("Hm.", "", 1)


async def test_another_form_is_made_here(ask: Ask) -> None:
    async with serve(answered(BLOB)) as upstream:
        fragments = await read(ask(upstream), drawing("A cat.", image=ImageFormat(mime_type="image/webp")))
    (made,) = images(fragments)
    assert (made.mime_type, opened(made.data).format) == ("image/webp", "WEBP")


@pytest.mark.parametrize("reason", ["SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT"])
async def test_what_it_does_not_want_to_draw_is_a_refusal(ask: Ask, reason: str) -> None:
    async with serve(answered(reason=reason)) as upstream:
        assert finish(await read(ask(upstream), drawing("Bad.", modalities=("image",)))) == "refusal"


async def test_a_prompt_that_is_blocked_is_a_refusal(ask: Ask) -> None:
    async with serve(body(b'{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}')) as upstream:
        assert finish(await read(ask(upstream), drawing("Bad.", modalities=("image",)))) == "refusal"


async def test_an_answer_at_its_limit_says_so(ask: Ask) -> None:
    async with serve(answered(reason="MAX_TOKENS")) as upstream:
        assert finish(await read(ask(upstream), drawing("A cat."))) == "length"


def error(status: int, message: str, **fields: Any) -> Reply:
    return body(orjson.dumps({"error": {"code": status, "message": message, **fields}}), status)


KEY = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
REFUSALS: list[tuple[Reply, type[TurnwiseError], str]] = [
    (error(400, "odd size"), InvalidRequest, "odd size"),
    (error(400, "API key not valid", details=KEY), ModelUnavailable, "turnwise's own key"),
    (error(404, "no such model"), ModelFailed, "not known"),
    (error(429, "quota"), RateLimited, "quota"),
    (error(503, "overloaded"), ModelUnavailable, "overloaded"),
    (answered(reason="NO_IMAGE", finishMessage="could not"), ModelFailed, "made no image: could not"),
    (body(b"{}"), ModelFailed, "no answer"),
    (answered({"inlineData": {"mimeType": "image/png", "data": "?"}}), ModelFailed, "no answer"),
    (silent(), ModelTimeout, "in time"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), REFUSALS, ids=[words for _, _, words in REFUSALS])
async def test_what_goes_wrong_is_told_in_our_words(
    ask: Ask, reply: Reply, kind: type[TurnwiseError], words: str
) -> None:
    async with serve(reply) as upstream:
        with pytest.raises(kind, match=words) as raised:
            await read(ask(upstream), drawing("A cat."))
    assert "secret" not in raised.value.message


async def test_a_step_that_cannot_be_shown_is_refused(ask: Ask) -> None:
    async with serve(answered(BLOB)) as upstream:
        with pytest.raises(TurnwiseError, match="'unknown'"):
            await read(ask(upstream), Prompt([UnknownStep("odd", {})], modalities=("image",)))
    assert not upstream.requests


async def test_another_name_is_asked_of_the_same_vendor(ask: Ask) -> None:
    async with serve(answered(BLOB)) as upstream:
        other = ask(upstream).named("cherry")
        await read(other, drawing("A cat."))
    assert other.card.name == "cherry"
    assert upstream.requests[0].path == "/v1beta/models/cherry:generateContent"
