"""Structured output over models that can be bound to a schema, and over models that cannot."""

from typing import Any

import pytest

from models.upstream import answer, refused, serve
from support import open_app
from turnwise.domain.content import Text
from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.engine.forms import ANY_INSTRUCTION, CHANCE, INSTRUCTION, Formed
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    UsageFragment,
)
from turnwise.models.openai import OpenAIModel
from turnwise.models.scripted import ScriptedModel, say

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
BOUND = ModelCard("bound", schemas=True)
GOOD = '{"n": 1}'


def prompt(schema: Any = SCHEMA, **fields: Any) -> Prompt:
    return Prompt([UserInput((Text("Hi"),))], schema=schema, **fields)


async def fragments(model: Any, asked: Prompt) -> list[Fragment]:
    return [fragment async for fragment in Formed(model).stream(asked)]


def said(found: list[Fragment]) -> str:
    return "".join(fragment.text for fragment in found if isinstance(fragment, TextFragment))


@pytest.mark.parametrize("card", [BOUND, ModelCard("free")])
async def test_a_valid_answer_is_shown_in_one_piece(card: ModelCard):
    model = ScriptedModel(say('{"n"', ": 1}"), card=card)
    found = await fragments(model, prompt())
    assert found == [Taken(), TextFragment(GOOD), UsageFragment(Usage()), Finished("stop")]


async def test_a_model_that_can_be_bound_is_given_the_schema_and_no_words_about_it():
    model = ScriptedModel(say(GOOD), card=BOUND)
    await fragments(model, prompt())
    assert model.prompts == [prompt()]


@pytest.mark.parametrize("own", [None, "Be brief."])
async def test_a_model_that_cannot_be_bound_is_told_the_schema_behind_the_own_instruction(own: str | None):
    model = ScriptedModel(say(GOOD))
    await fragments(model, prompt(system_instruction=own))
    instruction = model.prompts[0].system_instruction or ""
    assert instruction.startswith(f"{own}\n\n{INSTRUCTION}" if own else INSTRUCTION)
    assert instruction.endswith('"required": ["n"]}')
    assert model.prompts[0].schema is None


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"n": 1}\n```',
        '```\n{"n": 1}```',
        ' \n{"n": 1}\n\n',
        'Here you are:\n```JSON\n{"n": 1}\n```\nAnything else?',
        'The answer is {"n": 1}.',
    ],
)
async def test_what_stands_around_the_json_is_not_shown(text: str):
    assert said(await fragments(ScriptedModel(say(text)), prompt())) == GOOD


async def test_an_invalid_answer_is_not_shown_and_the_model_is_told_what_is_wrong():
    model = ScriptedModel(say('{"n": "x"}'), say(GOOD))
    assert said(await fragments(model, prompt())) == GOOD
    first, second = model.prompts
    assert second.steps[:-2] == tuple(first.steps)
    assert second.steps[-2] == ModelOutput((Text('{"n": "x"}'),))
    complaint = second.steps[-1]
    assert isinstance(complaint, UserInput)
    assert "'x' is not of type 'integer' at ['n']" in complaint.content[0].text  # type: ignore[union-attr]


async def test_a_model_that_is_bound_is_first_asked_the_same_again():
    model = ScriptedModel(say("{"), say("{"), say(GOOD), card=BOUND)
    await fragments(model, prompt())
    one, two, three = model.prompts
    assert (one.steps, len(three.steps)) == (two.steps, 3)


async def test_no_attempt_is_like_another():
    model = ScriptedModel(*[say("no")] * len(CHANCE))
    with pytest.raises(ModelFailed, match="did not keep to `response_format` in 4 attempts: it is not JSON"):
        await fragments(model, prompt(generation=GenerationConfig(temperature=0.5, seed=7)))
    sampled = [(asked.generation.temperature, asked.generation.seed) for asked in model.prompts]
    assert {asked.wishes for asked in model.prompts} == {frozenset()}, "what the client set is no wish of the engine's"
    assert sampled == [(0.5, 7), (0.5, 8), (0.7, 9), (1.0, 10)]


async def test_all_attempts_are_paid_for():
    cost = Usage(input={"text": 5}, output={"text": 2})
    found = await fragments(ScriptedModel(say("no", usage=cost), say(GOOD, usage=cost)), prompt())
    assert UsageFragment(Usage(input={"text": 10}, output={"text": 4})) in found


async def test_an_answer_that_the_callers_limit_cut_is_shown_and_incomplete():
    model = ScriptedModel([Taken(), TextFragment('{"n": '), Finished("length")], card=BOUND)
    found = await fragments(model, prompt(generation=GenerationConfig(max_output_tokens=3)))
    assert (said(found), found[-1], len(model.prompts)) == ('{"n":', Finished("length"), 1)


async def test_an_answer_that_the_models_own_limit_cut_is_asked_for_once_more():
    cut = [Taken(), TextFragment('{"n": '), Finished("length")]
    assert said(await fragments(ScriptedModel(cut, say(GOOD), card=BOUND), prompt())) == GOOD
    found = await fragments(ScriptedModel(cut, cut, card=BOUND), prompt())
    assert found[-1] == Finished("length")


async def test_a_refusal_passes_through():
    found = await fragments(ScriptedModel([Taken(), TextFragment("I will not"), Finished("refusal")]), prompt())
    assert (said(found), found[-1]) == ("I will not", Finished("refusal"))


async def test_calls_instead_of_text_pass_through():
    call = CallFragment(0, "c", "f", "{}")
    found = await fragments(ScriptedModel([Taken(), call, Finished("calls")], card=BOUND), prompt())
    assert found == [Taken(), call, UsageFragment(Usage()), Finished("calls")]


async def test_without_a_schema_nothing_is_touched():
    script = say("He", "llo")
    assert await fragments(ScriptedModel(script), prompt(None)) == script


@pytest.mark.parametrize("text", ["[1]", "{}"])
@pytest.mark.parametrize("card", [BOUND, ModelCard("free")])
async def test_json_of_any_form_is_an_object_or_a_list(card: ModelCard, text: str):
    model = ScriptedModel(say('"words"'), say(text), card=card)
    assert said(await fragments(model, prompt({}))) == text
    assert model.prompts[0].system_instruction == ANY_INSTRUCTION


@pytest.mark.parametrize("text", ['{"n": NaN}', '{"n": Infinity}', "[" * 100_000, ""])
async def test_what_only_looks_like_json_is_none(text: str):
    model = ScriptedModel(say(text), say(GOOD))
    assert said(await fragments(model, prompt())) == GOOD


async def test_an_object_that_has_a_name_twice_is_written_anew():
    assert said(await fragments(ScriptedModel(say('{"n": "x", "n": 1}')), prompt())) == GOOD


@pytest.mark.parametrize("stream", [False, True])
async def test_only_the_valid_answer_reaches_the_client(stream: bool):
    async with open_app(say("wrong"), say(GOOD)) as app:
        made = await app.create(response_format=SCHEMA, stream=stream)
    if stream:
        deltas = [frame.data["delta"] for frame in made if frame.name == "step.delta"]
        assert "".join(delta["text"] for delta in deltas) == GOOD
    else:
        assert made["steps"][-1]["content"][0]["text"] == GOOD


async def test_a_schema_that_cannot_be_kept_is_refused_before_the_model_is_asked():
    async with open_app() as app:
        body = {"model": "m", "input": "Hi", "response_format": {"type": "object", "$dynamicRef": "#x"}}
        reply = await app.ask("POST", "/v1beta/interactions", json=body)
        assert (reply.status, app.model.prompts) == (501, [])
        assert "response_format.$dynamicRef" in reply.json["error"]["message"]


async def test_a_turn_that_never_gets_it_right_ends_as_failed_with_the_reason():
    async with open_app(*[say("no")] * len(CHANCE)) as app:
        body = {"model": "m", "input": "Hi", "response_format": SCHEMA}
        reply = await app.ask("POST", "/v1/interactions", json=body)
        assert (reply.status, reply.json["status"], reply.json["steps"]) == (200, "failed", [])
        assert "did not keep to `response_format`" in reply.json["errors"][0]["message"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_upstream_is_asked_in_its_own_words(streaming: bool):
    async with serve(answer('{"n":', ' "x"}'), answer(GOOD)) as upstream:
        model = OpenAIModel(ModelCard("u", schemas=True), upstream.url, "u")
        found = await fragments(model, prompt(streaming=streaming))
        await model.close()
    first, second = (request.body for request in upstream.requests)
    assert said(found) == GOOD
    assert first["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    assert ("seed" in first, second["seed"], second["temperature"]) == (False, 1, CHANCE[1])


async def test_an_upstream_that_refuses_the_schema_is_not_asked_again():
    async with serve(refused(400, "Invalid schema")) as upstream:
        model = OpenAIModel(ModelCard("u", schemas=True), upstream.url, "u")
        with pytest.raises(Exception, match="Invalid schema"):
            await fragments(model, prompt())
        await model.close()
    assert len(upstream.requests) == 1
