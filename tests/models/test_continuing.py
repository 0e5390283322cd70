"""Backends that go on with an answer that was begun: how each is told to, and that the whole is the same in the end."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.prompts import finish, prompt, read, read_until_it_breaks, text, thought
from models.upstream import Reply, Request, answer, delta, events, refused, serve
from models.vendor_servers import FAKES, Said
from turnwise.app.models import entries
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.steps import Thought, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.models.catalogue import Catalogue
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.engines import ModelEntry
from turnwise.models.model import CallFragment, ModelCard, Prompt
from turnwise.models.openai import OpenAIModel
from turnwise.models.vendors import VENDORS
from turnwise.models.vendors.model import VendorModel
from turnwise.settings import ModelSettings, Settings

WHOLE = "The capital of France is Paris, which lies on the Seine."
CARD = ModelCard("m", continues=True, tools=True)
QUESTION = {"role": "user", "content": "What is the capital of France?"}
BEGUN = {"role": "assistant", "content": "The capital of France"}

WAYS: dict[Any, tuple[dict[str, Any], dict[str, Any]]] = {
    "prefill": ({}, {}),
    "continue_final_message": ({}, {"continue_final_message": True, "add_generation_prompt": False}),
    "prefix": ({"prefix": True}, {}),
}
"""What each way adds to the message and to the call."""


def goes_on(*, echoes: bool = False) -> Reply:
    """A server that says the whole behind whatever it is given, or all of it from the start."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        last = request.body["messages"][-1]
        given = last["content"] if last["role"] == "assistant" else ""
        rest = WHOLE if echoes else WHOLE.removeprefix(given)
        await answer(*(rest[at : at + 5] for at in range(0, len(rest), 5)))(request, out)

    return reply


def asked(said: str, **more: Any) -> Prompt:
    return replace(prompt(QUESTION["content"]), said=said, **more)


# --- Chat completions


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_is_said_as_its_servers_want_it(way: Any) -> None:
    async with serve(goes_on()) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m", continues=way)
        fragments = await read(model, asked("The capital of France is"))
        await model.close()
    on_message, in_call = WAYS[way]
    assert text(fragments) == " Paris, which lies on the Seine."
    sent = upstream.requests[0].body
    assert sent["messages"] == [QUESTION, {**BEGUN, **on_message}]
    assert {name: sent.get(name) for name in ("continue_final_message", "add_generation_prompt") if name in sent} == (
        in_call
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streaming", [True, False])
async def test_wherever_it_was_cut_the_whole_is_the_same(way: Any, streaming: bool) -> None:
    async with serve(goes_on(echoes=way == "prefix")) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m", continues=way)
        for cut in range(1, len(WHOLE) + 1):
            said = WHOLE[:cut]
            assert said + text(await read(model, asked(said, streaming=streaming))) == WHOLE
        await model.close()


async def test_an_answer_that_was_begun_is_streamed_since_in_one_piece_it_may_come_back_with_its_beginning() -> None:
    async with serve(goes_on()) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        await read(model, asked("The capital of", streaming=False))
        await model.close()
    assert upstream.requests[0].body["stream"] is True


async def test_a_call_may_follow_the_text() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "look", "arguments": "{}"}}
    reply = events(delta(content=" is it"), delta(tool_calls=[call]), delta("tool_calls"), b"data: [DONE]\n\n")
    async with serve(reply) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        fragments = await read(model, asked("What is", tools=(FunctionTool("look"),)))
        await model.close()
    assert text(fragments) == " it"
    assert CallFragment(0, "c", "look", "{}") in fragments
    assert upstream.requests[0].body["tools"]


async def test_what_was_said_counts_for_the_limit() -> None:
    """About four bytes are a token, where nobody can count them. One token is always left, to try."""
    async with serve(goes_on()) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        for limit in (20, 2):
            limited = prompt(QUESTION["content"], max_output_tokens=limit)
            await read(model, replace(limited, said="The capital of France is"))
        await model.close()
    assert [request.body["max_tokens"] for request in upstream.requests] == [20 - 6, 1]


async def test_the_thoughts_that_an_answer_began_with_stand_before_it_and_it_is_not_thought_of_anew() -> None:
    steps = (UserInput((Text("Hi"),)), Thought(None, (Text("Be kind."),)))
    generation = prompt(thinking_level="high").generation
    async with serve(goes_on()) as upstream:
        model = OpenAIModel(replace(CARD, thinks=True), upstream.url, "m")
        await read(model, Prompt(steps, generation=generation, said="The capital of"))
        await model.close()
    sent = upstream.requests[0].body
    assert sent["messages"][-1] == {"role": "assistant", "content": "The capital", "reasoning_content": "Be kind."}
    assert "reasoning_effort" not in sent


async def test_thoughts_behind_which_nothing_was_said_are_thought_anew() -> None:
    steps = (UserInput((Text("Hi"),)), Thought(None, (Text("Be kind."),)))
    async with serve(answer("Hello")) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        await read(model, Prompt(steps))
        await model.close()
    assert upstream.requests[0].body["messages"] == [{"role": "user", "content": "Hi"}]


async def test_a_server_that_thinks_all_the_same_shows_nobody() -> None:
    reply = events(delta(reasoning_content="Hm"), delta(content=" of France"), delta("stop"), b"data: [DONE]\n\n")
    async with serve(reply) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        fragments = await read(model, asked("The capital of"))
        await model.close()
    assert (text(fragments), thought(fragments)) == (" France", "")


async def test_a_server_that_refuses_says_so_before_anything_is_taken() -> None:
    async with serve(refused(400, "the last message must be the user's")) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        fragments, error = await read_until_it_breaks(model, asked("The capital of"))
        await model.close()
    assert fragments == []
    assert isinstance(error, InvalidRequest)


async def test_a_conversation_that_ends_with_the_models_words_is_streamed_too() -> None:
    async with serve(answer("!")) as upstream:
        model = OpenAIModel(CARD, upstream.url, "m")
        await read(model, prompt("Hi", "Hello", streaming=False))
        await model.close()
    assert upstream.requests[0].body["stream"] is True


# --- Vendors


@pytest.mark.parametrize(
    ("name", "continues"),
    [
        ("claude-3-5-haiku-20241022", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-opus-4-1", True),
        ("claude-haiku-4-5", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-opus-4-6", False),
        ("claude-sonnet-4-6", False),
        ("claude-sonnet-5", False),
        ("claude-next", False),
    ],
)
async def test_only_models_of_anthropic_that_are_known_to_go_on_do(name: str, continues: bool) -> None:
    model = vendor("anthropic", "http://127.0.0.1:9/v1", name)
    assert model.card.continues is continues
    assert model.named("claude-haiku-4-5").card.continues is True
    await model.close()


def vendor(kind: str, url: str, name: str | None = None, **more: Any) -> VendorModel:
    wanted = ModelEntry(kind, base_url=url.removesuffix("/v1"), model=name, api_key="secret", **more)
    return VENDORS[kind]("mine", wanted, Path())  # type: ignore[return-value]


@pytest.mark.parametrize("streaming", [True, False])
async def test_anthropic_is_given_what_was_said_behind_the_conversation(streaming: bool) -> None:
    fake = FAKES["anthropic"]
    async with serve(fake.answer(Said(" of"), Said(" France"))) as upstream:
        model = vendor("anthropic", upstream.url, "claude-haiku-4-5")
        limited = prompt("Hi", max_output_tokens=50, thinking_level="high", streaming=streaming)
        fragments = await read(model, replace(limited, said="The capital of"))
        await model.close()
    sent = upstream.requests[0].body
    assert text(fragments) == " France"
    assert finish(fragments) == "stop"
    assert sent["messages"][-1]["role"] == "assistant"
    assert sent["messages"][-1]["content"] == [{"text": "The capital", "type": "text"}]
    assert "thinking" not in sent
    assert sent["max_tokens"] == 50 - 3


# --- Settings


def card_of(tmp_path: Path, **more: Any) -> ModelCard:
    settings = Settings(models={"*": ModelSettings(**more)})
    return Catalogue(entries(settings), tmp_path).card("any")


def upstream_of(**more: Any) -> dict[str, Any]:
    return {"engine": "openai", "base_url": "http://127.0.0.1:9/v1", **more}


@pytest.mark.parametrize(
    ("more", "continues"),
    [
        (upstream_of(), False),
        (upstream_of(continues=False), False),
        (upstream_of(continues="prefill"), True),
        (upstream_of(continues="continue_final_message"), True),
        (upstream_of(continues="prefix"), True),
        ({}, True),
        ({"continues": False}, False),
        ({"engine": "anthropic", "api_key": "k", "model": "claude-opus-4-6"}, False),
        ({"engine": "anthropic", "api_key": "k", "model": "claude-opus-4-6", "continues": True}, True),
        ({"engine": "anthropic", "api_key": "k", "model": "claude-haiku-4-5", "continues": False}, False),
        ({"engine": "gemini", "api_key": "k"}, False),
    ],
)
def test_the_settings_say_whether_a_model_goes_on(tmp_path: Path, more: dict[str, Any], continues: bool) -> None:
    assert card_of(tmp_path, **more).continues is continues


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (upstream_of(continues=True), r"models\.\*: continues: say how"),
        (upstream_of(continues="prefill", outputs=["text", "audio"]), r"models\.\*: continues: an answer with sound"),
        (upstream_of(continues="prefill", outputs=["image"]), r"models\.\*: engine 'openai' has no continues"),
        ({"continues": "prefill"}, r"models\.\*: engine 'embedded' has no continues"),
        ({"engine": "anthropic", "api_key": "k", "continues": "prefix"}, r"engine 'anthropic' has no continues"),
        ({"engine": "gemini", "api_key": "k", "continues": True}, r"models\.\*: continues: there is no way"),
        ({"engine": "espeak", "continues": False}, r"models\.\*: engine 'espeak' has no continues"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, more: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        card_of(tmp_path, **more)


# --- The embedded engine, with the default model


@pytest.mark.model
@pytest.mark.parametrize(
    "talk",
    [
        ("What is the capital of France?",),
        ("Name four planets.",),
        ("Hello, my name is Ann.", "Hello Ann! How can I help you?", "What is my name?"),
    ],
    ids=["a sentence", "a list", "an answer whose beginning is bound"],
)
async def test_wherever_the_default_model_was_cut_the_whole_is_the_same(
    engine: EmbeddedModel, talk: tuple[str, ...]
) -> None:
    """What it says of a prompt that it reads anew may differ a little from what it says of one that it has read before;
    so it is asked twice first."""
    asked = prompt(*talk, temperature=0.0)
    await read(engine, asked)
    whole = text(await read(engine, asked))
    for cut in range(1, len(whole) + 1):
        fragments = await read(engine, replace(asked, said=whole[:cut], streaming=cut % 2 == 0))
        assert whole[:cut] + text(fragments) == whole
        assert finish(fragments) == "stop"


@pytest.mark.model
async def test_the_embedded_engine_counts_what_was_said_exactly(engine: EmbeddedModel) -> None:
    asked = prompt("Name four planets.", temperature=0.0, max_output_tokens=6)
    await read(engine, asked)
    whole = text(await read(engine, asked))
    assert finish(await read(engine, asked)) == "length"
    for cut in range(1, len(whole) + 1):
        fragments = await read(engine, replace(asked, said=whole[:cut]))
        assert whole[:cut] + text(fragments) == whole
        assert finish(fragments) == "length"


@pytest.mark.model
async def test_a_text_that_is_over_its_limit_already_ends_there(engine: EmbeddedModel) -> None:
    asked = prompt("Name four planets.", temperature=0.0, max_output_tokens=2)
    fragments = await read(engine, replace(asked, said="Four planets are Mercury, Venus, Earth"))
    assert (text(fragments), finish(fragments)) == ("", "length")
