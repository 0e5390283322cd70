"""The founding document's requests with tools on the default model itself, through the whole engine."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.rules.told import BOWL, EURO, PORTAL, UNREAD
from engine.tooling import ToolForTests
from models.prompts import models_dir
from support import open_engine, turn
from turnwise.domain.content import Text
from turnwise.domain.formats import ResponseFormat
from turnwise.domain.interaction import Interaction
from turnwise.domain.steps import ModelOutput, ServerTool, ToolCall, ToolResult
from turnwise.domain.tools import CodeExecution, FunctionTool, GoogleSearch, UrlContext
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions
from turnwise.models.smollm2 import SMOLLM2
from turnwise.models.weights import BUILTIN, fetch
from turnwise.tools.code_execution.tool import CodeExecutionTool
from turnwise.tools.tool import Outcome, Source

pytestmark = pytest.mark.model

LISTS = {"type": "array", "items": {"type": "string"}}


@pytest.fixture
async def model() -> AsyncIterator[EmbeddedModel]:
    weights = await fetch(BUILTIN, models_dir())

    async def at_hand() -> Path:
        return weights

    model = EmbeddedModel(at_hand, EngineOptions(threads=2, context=8192), name="smollm2", profile=SMOLLM2)
    await model.start()
    await model.loaded()
    yield model
    await model.close()


def telling(tool: ServerTool, parameter: str, told: str, *, is_error: bool = False) -> ToolForTests:
    """A tool that always tells this."""
    schema = {"type": "object", "properties": {parameter: LISTS}, "required": [parameter]}
    source = Source(told, {"type": "url_citation", "url": "https://a.example", "title": "A"})
    outcome = Outcome([{"text": told}], told, is_error=is_error, sources=[source])
    return ToolForTests(lambda *_: outcome, tool, (FunctionTool(tool, "", schema),))


def searching(told: str) -> ToolForTests:
    return telling("google_search", "queries", told)


def reading(told: str, *, is_error: bool = False) -> ToolForTests:
    return telling("url_context", "urls", told, is_error=is_error)


async def ask(model: EmbeddedModel, toolbox: Mapping[str, Any], text: str, **fields: Any) -> Interaction:
    async with asyncio.timeout(120), open_engine(model=model, tools=toolbox) as engine:
        return await engine.interactions.create(turn(text, **fields), "ann", "steps")


def said(interaction: Interaction) -> str:
    return "".join(
        part.text
        for step in interaction.steps
        if isinstance(step, ModelOutput)
        for part in step.content
        if isinstance(part, Text)
    )


async def test_a_question_is_searched_for_and_its_answer_is_cited(model: EmbeddedModel) -> None:
    answer = await ask(
        model, {"google_search": searching(BOWL)}, "Who won the last Super Bowl?", tools=(GoogleSearch(),)
    )
    call, _, output = answer.steps
    assert isinstance(call, ToolCall)
    assert call.arguments == {"queries": ["Who won the last Super Bowl"]}
    assert "Philadelphia Eagles defeated" in said(answer)
    assert isinstance(output, ModelOutput)
    assert isinstance(output.content[0], Text)
    assert output.content[0].annotations


async def test_the_model_computes_what_is_to_be_computed(model: EmbeddedModel) -> None:
    tools = {"code_execution": CodeExecutionTool()}
    answer = await ask(model, tools, "Calculate the 50th Fibonacci number.", tools=(CodeExecution(),))
    *_, call, result, _ = answer.steps
    assert isinstance(call, ToolCall)
    assert "50" in str(call.arguments["code"])
    assert isinstance(result, ToolResult)
    assert not result.is_error
    assert said(answer).rstrip(".").endswith(str(result.result).split()[-1])
    assert "12586269025" in said(answer)


async def test_a_page_is_summed_up_in_its_own_words(model: EmbeddedModel) -> None:
    answer = await ask(
        model,
        {"url_context": reading(PORTAL)},
        "Summarize the content of https://www.wikipedia.org/",
        tools=(UrlContext(),),
    )
    assert "hosted by the Wikimedia Foundation" in said(answer)


async def test_a_page_that_cannot_be_read_is_not_made_up(model: EmbeddedModel) -> None:
    answer = await ask(
        model,
        {"url_context": reading(UNREAD, is_error=True)},
        "Summarize the content of https://www.wikipedia.org/",
        tools=(UrlContext(),),
    )
    assert said(answer) == "I could not read it. https://www.wikipedia.org/: there is no server of that name."


async def test_json_is_filled_from_what_was_found(model: EmbeddedModel) -> None:
    text = {"type": "string"}
    schema = {"type": "object", "properties": {"winning_team": text, "score": text}}
    answer = await ask(
        model,
        {"google_search": searching(EURO)},
        "Who won the last euro?",
        tools=(GoogleSearch(),),
        response_format=ResponseFormat(schema),
    )
    assert json.loads(said(answer)) == {"winning_team": "Spain", "score": "2–1"}


async def test_content_is_judged_even_if_the_address_in_it_cannot_be_read(model: EmbeddedModel) -> None:
    kinds = ["phishing", "scam", "unsolicited promotion", "other"]
    schema = {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "spam_type": {"enum": kinds}},
        "required": ["reason", "spam_type"],
    }
    answer = await ask(
        model,
        {"url_context": reading(UNREAD, is_error=True)},
        "Moderate the following content: 'Congratulations! You've won a free cruise. Click here to claim your prize: "
        "www.definitely-not-a-scam.com'",
        tools=(UrlContext(),),
        response_format=ResponseFormat(schema),
    )
    assert isinstance(answer.steps[0], ToolCall)
    assert json.loads(said(answer))["spam_type"] in kinds


async def test_a_greeting_calls_no_tool(model: EmbeddedModel) -> None:
    search = searching(BOWL)
    answer = await ask(model, {"google_search": search}, "Hello!", tools=(GoogleSearch(),))
    assert search.calls == []
    assert said(answer)
