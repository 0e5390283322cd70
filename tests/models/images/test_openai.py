"""Images from an upstream that speaks as OpenAI does, over a real socket."""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.pictures import opened, picture, shown
from models.prompts import finish, prompt, read, said, text, usage
from models.upstream import Reply, Request, Upstream, body, raw, refused, serve, silent
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
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.images.openai import OpenAIImages
from turnwise.models.model import Fragment, MediaFragment, ModelCard, Prompt, Taken, UsageFragment
from turnwise.models.openai import Limits

QUICK = Limits(connect=2.0, idle=0.2, total=5.0)
RED = picture("red", size=(1024, 1024))
USAGE = {
    "total_tokens": 1100,
    "input_tokens": 50,
    "output_tokens": 1050,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
}

Ask = Callable[..., OpenAIImages]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[OpenAIImages] = []

    def make(upstream: Upstream, model: str = "gpt-image-1") -> OpenAIImages:
        card = ModelCard(model, outputs=frozenset({"image"}))
        made.append(OpenAIImages(card, upstream.url, model, "secret", limits=QUICK))
        return made[-1]

    yield make
    for model in made:
        await model.close()


def painted(data: bytes = RED, usage: Any = USAGE, **fields: Any) -> Reply:
    """An answer with an image."""
    image = {"b64_json": b64encode(data).decode(), **fields}
    return body(orjson.dumps({"created": 1, "data": [image], **({"usage": usage} if usage else {})}))


def drawing(*texts: str, **fields: Any) -> Prompt:
    return replace(prompt(*texts), modalities=("image",), **fields)


def image(fragments: list[Fragment]) -> MediaFragment:
    (made,) = [fragment for fragment in fragments if isinstance(fragment, MediaFragment)]
    return made


async def test_an_image_is_made_of_words(ask: Ask) -> None:
    async with serve(painted()) as upstream:
        fragments = await read(ask(upstream), drawing("A red square."))
    request = upstream.requests[0]
    assert (request.path, request.headers["authorization"]) == ("/v1/images/generations", "Bearer secret")
    assert request.body == {"model": "gpt-image-1", "prompt": "A red square.", "n": 1}
    assert fragments[0] == Taken()
    assert image(fragments) == MediaFragment(0, "image", "image/png", RED)
    assert usage(fragments) == Usage(input={"text": 10, "image": 40}, output={"image": 1050})
    assert (text(fragments), finish(fragments)) == ("", "stop")


async def test_other_servers_are_asked_for_bytes_and_exact_pixels_and_a_seed(ask: Ask) -> None:
    asked = replace(prompt("A cat", seed=7), image=ImageFormat("16:9", "1K"), modalities=("image",))
    async with serve(painted(picture("blue", size=(1376, 768)), usage=None)) as upstream:
        fragments = await read(ask(upstream, "FLUX.1-dev"), asked)
    assert upstream.requests[0].body == {
        "model": "FLUX.1-dev",
        "prompt": "A cat",
        "n": 1,
        "size": "1376x768",
        "response_format": "b64_json",
        "seed": 7,
    }
    assert opened(image(fragments).data).size == (1376, 768)
    assert not any(isinstance(fragment, UsageFragment) for fragment in fragments)


async def test_an_image_of_another_size_is_cut_and_scaled_to_the_exact_pixels(ask: Ask) -> None:
    asked = drawing("A cat", image=ImageFormat("21:9", "2K", "image/jpeg"))
    async with serve(painted(picture("blue", size=(1536, 1024)))) as upstream:
        fragments = await read(ask(upstream), asked)
    assert upstream.requests[0].body["size"] == "1536x1024"
    assert upstream.requests[0].body["output_format"] == "jpeg"
    made = image(fragments)
    assert (made.mime_type, opened(made.data).format, opened(made.data).size) == ("image/jpeg", "JPEG", (3168, 1344))


async def test_words_of_the_model_are_told_if_words_are_wanted(ask: Ask) -> None:
    asked = drawing("A cat")
    async with serve(painted(revised_prompt="A ginger cat.")) as upstream:
        model = ask(upstream, "dall-e-3")
        assert text(await read(model, asked)) == ""
        assert text(await read(model, replace(asked, modalities=("text", "image")))) == "A ginger cat."


def parts_of(request: Request) -> list[tuple[str, str, bytes]]:
    """The parts of a form: name, head, content."""
    boundary = re.findall(r"boundary=([^;]+)", request.headers["content-type"])[0].strip('"')
    pieces = request.raw.split(b"--" + boundary.encode())[1:-1]
    parts = []
    for piece in pieces:
        head, _, content = piece.strip(b"\r\n").partition(b"\r\n\r\n")
        name = re.findall(r'(?<!file)name="([^"]+)"', head.decode())[0]
        parts.append((name, head.decode(), content))
    return parts


async def test_a_picture_of_the_conversation_is_changed(ask: Ask) -> None:
    steps = [*said("A car."), ModelOutput((shown(RED),)), *said("Make it blue.")]
    async with serve(painted()) as upstream:
        await read(ask(upstream), Prompt(steps, modalities=("image",), image=ImageFormat("1:1")))
    (request,) = upstream.requests
    assert request.path == "/v1/images/edits"
    fields = [(name, content) for name, _, content in parts_of(request)]
    assert fields == [
        ("model", b"gpt-image-1"),
        ("prompt", b"Make it blue."),
        ("n", b"1"),
        ("size", b"1024x1024"),
        ("image", RED),
    ]
    assert 'filename="image-1.png"' in parts_of(request)[-1][1]
    assert "image/png" in parts_of(request)[-1][1]


async def test_several_pictures_go_along_as_a_list(ask: Ask) -> None:
    green = picture("green", "JPEG")
    steps = [ModelOutput((shown(RED),)), UserInput((Text("With this hat."), shown(green, "image/jpeg")))]
    async with serve(painted()) as upstream:
        await read(ask(upstream), Prompt(steps, modalities=("image",)))
    sent = [(name, content) for name, _, content in parts_of(upstream.requests[0]) if name.startswith("image")]
    assert sent == [("image[]", RED), ("image[]", green)]


async def test_a_picture_goes_again_over_a_connection_that_was_closed_meanwhile(ask: Ask) -> None:
    steps = [*said("A car."), ModelOutput((shown(RED),)), *said("Make it blue.")]

    async def whole_then_gone(request: Request, out: asyncio.StreamWriter) -> None:
        await painted()(request, out)
        await out.drain()
        out.close()

    async with serve(whole_then_gone, painted()) as upstream:
        model = ask(upstream)
        for _ in range(2):
            assert image(await read(model, Prompt(steps, modalities=("image",)))).data == RED


@pytest.mark.parametrize("code", ["moderation_blocked", "content_policy_violation"])
async def test_what_it_does_not_want_to_draw_is_a_refusal(ask: Ask, code: str) -> None:
    words = "Your request was rejected as a result of our safety system."
    async with serve(refused(400, words, code=code, type="invalid_request_error")) as upstream:
        fragments = await read(ask(upstream), drawing("Something bad."))
    assert fragments[0] == Taken()
    assert finish(fragments) == "refusal"
    assert words in text(fragments)


REFUSALS: list[tuple[Reply, type[TurnwiseError], str]] = [
    (refused(400, "size is odd"), InvalidRequest, "refused the request: size is odd"),
    (refused(401, "bad key"), ModelUnavailable, "turnwise's own key"),
    (refused(404, "no such model"), ModelFailed, "not known to its upstream"),
    (body(b'{"error":{"message":"slow down"}}', 429, retry_after="7"), RateLimited, "busy: slow down"),
    (refused(500, "oh"), ModelUnavailable, "unavailable"),
    (body(b'{"data":[]}'), ModelFailed, "no image"),
    (body(b'{"data":[{"b64_json":"?"}]}'), ModelFailed, "no image"),
    (body(b"[1]"), ModelFailed, "no image"),
    (body(b'{"data":[{"url":"https://example.com/a.png"}]}'), ModelFailed, "an address in place of an image"),
    (body(b"<html>", content_type="text/html"), ModelFailed, "is its base_url right"),
    (
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
        ModelUnavailable,
        "broke",
    ),
    (raw(b"HTTP/1.1 200"), ModelUnavailable, "broke off"),
    (silent(), ModelTimeout, "in time"),
]


@pytest.mark.parametrize(("reply", "error", "words"), REFUSALS, ids=[words for _, _, words in REFUSALS])
async def test_what_goes_wrong_is_told_in_our_words(
    ask: Ask, reply: Reply, error: type[TurnwiseError], words: str
) -> None:
    async with serve(reply) as upstream:
        with pytest.raises(error, match=words) as raised:
            await read(ask(upstream), drawing("A cat."))
    assert "secret" not in raised.value.message
    assert upstream.url not in raised.value.message
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after == 7


async def test_what_comes_and_is_no_image_is_told_before_anything_is_taken(ask: Ask) -> None:
    async with serve(painted(b"GIF89a, or so it says")) as upstream:
        with pytest.raises(ModelFailed, match="no image"):
            await read(ask(upstream), drawing("A cat.", image=ImageFormat("1:1")))


async def test_nobody_there_is_unavailable(ask: Ask) -> None:
    async with serve(painted()) as upstream:
        pass
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await read(ask(upstream), drawing("A cat."))


async def test_a_seed_is_refused_where_it_would_be_dropped(ask: Ask) -> None:
    async with serve(painted()) as upstream:
        with pytest.raises(InvalidRequest, match=r"generation_config\.seed"):
            await read(ask(upstream), replace(prompt("A cat", seed=1), modalities=("image",)))
    assert not upstream.requests


async def test_leaving_while_it_draws_closes_the_connection(ask: Ask) -> None:
    async with serve(silent()) as upstream:
        model = ask(upstream)

        async def drawn() -> None:
            async with aclosing(model.stream(drawing("A cat."))) as fragments:
                await anext(fragments)

        turn = asyncio.create_task(drawn())
        async with asyncio.timeout(5):
            while not upstream.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            turn.cancel()
            with suppress(asyncio.CancelledError):
                await turn
            await upstream.requests[0].gone.wait()


async def test_another_name_is_asked_of_the_same_upstream_in_its_own_way(ask: Ask) -> None:
    async with serve(painted()) as upstream:
        other = ask(upstream).named("some-painter")
        await read(other, drawing("A cat."))
    assert other.card.name == "some-painter"
    assert upstream.requests[0].body["response_format"] == "b64_json"
