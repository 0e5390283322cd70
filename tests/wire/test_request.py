"""The body of `create`: every field is understood, or refused by its name."""

from typing import Any

import pytest

from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter
from turnwise.domain.interaction import GenerationConfig, Turn
from turnwise.domain.steps import UserInput
from turnwise.domain.tools import GoogleSearch
from turnwise.wire.request import CreateBody, GenerationConfigBody, parse_request


def parse(**fields: Any) -> Turn:
    """A request with a model and an input, unless the test says otherwise."""
    return parse_request({"model": "m", "input": "Hi", **fields})


def refusal(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        parse(**fields)
    return refused.value


# -- what is understood


def test_the_least_request_is_a_stored_turn_that_nobody_watches():
    assert parse() == Turn((UserInput((Text("Hi"),)),), model="m")


UNDERSTOOD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a model by its long name": ({"model": "models/gemma"}, {"model": "gemma"}),
    "an agent by its long name": (
        {"model": None, "agent": "agents/historian", "background": True},
        {"model": None, "agent": "historian", "background": True},
    ),
    "what it continues": ({"previous_interaction_id": "int_1"}, {"previous_interaction_id": "int_1"}),
    "an instruction": ({"system_instruction": "Be brief."}, {"system_instruction": "Be brief."}),
    "an empty instruction": ({"system_instruction": ""}, {"system_instruction": None}),
    "not to be stored": ({"store": False}, {"store": False}),
    "to be stored": ({"store": True}, {"store": True}),
    "a stream": ({"stream": True}, {"stream": True}),
    "the background": ({"background": True}, {"background": True}),
    "a stream of what works in the background": (
        {"background": True, "stream": True},
        {"background": True, "stream": True},
    ),
    "modalities in capitals": ({"response_modalities": ["TEXT"]}, {"response_modalities": ("text",)}),
    "labels": ({"labels": {"team": "Zürich"}}, {"echo": {"labels": {"team": "Zürich"}}}),
    "a tier that is given back": ({"service_tier": "deferred"}, {"echo": {"service_tier": "deferred"}}),
    "text as it is": ({"response_mime_type": "text/plain"}, {}),
}


@pytest.mark.parametrize(("sent", "meant"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_every_field_is_understood(sent: dict[str, Any], meant: dict[str, Any]):
    turn = parse(**sent)
    assert {name: getattr(turn, name) for name in meant} == meant


def test_every_field_of_the_generation_config_is_understood():
    sent = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": -7,
        "max_output_tokens": 100,
        "stop_sequences": ["stop", "\n"],
        "thinking_level": "xhigh",
        "thinking_summaries": "none",
    }
    assert parse(generation_config=sent).generation == GenerationConfig(
        0.5, 0.9, 40, -7, 100, ("stop", "\n"), "xhigh", "none"
    )


WORDS = {
    "thinking_level": ("minimal", "low", "medium", "high", "xhigh"),
    "thinking_summaries": ("auto", "none"),
}


@pytest.mark.parametrize(("name", "word"), [(name, word) for name, words in WORDS.items() for word in words])
def test_every_word_of_a_setting_is_understood(name: str, word: str):
    assert getattr(parse(generation_config={name: word}).generation, name) == word


@pytest.mark.parametrize("tier", ["flex", "standard", "priority", "deferred"])
def test_every_tier_is_taken_and_kept_to_be_told(tier: str):
    assert parse(service_tier=tier).echo == {"service_tier": tier}


@pytest.mark.parametrize("temperature", [0, 1, 2, 0.0])
def test_a_whole_number_is_a_temperature_too(temperature: float):
    assert parse(generation_config={"temperature": temperature}).generation.temperature == temperature


@pytest.mark.parametrize("name", [name for name in CreateBody.model_fields if name not in ("model", "input")])
def test_a_field_that_is_null_is_a_field_left_out(name: str):
    assert parse(**{name: None}) == parse()


@pytest.mark.parametrize("name", GenerationConfigBody.model_fields)
def test_a_setting_that_is_null_is_a_setting_left_out(name: str):
    assert parse(generation_config={name: None}) == parse()


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_list_of_what_is_to_come_asks_for_nothing(empty: Any):
    later = next(name for name in CreateBody.LATER if CreateBody.model_fields[name].annotation is Any)
    assert parse(**{later: empty}) == parse()


# -- what is refused

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "neither model nor agent": ({"model": None}, "model: a request names a model or an agent; set `model`"),
    "an empty model": ({"model": ""}, "model: string should have at least 1 character, not ''"),
    "an empty model by its long name": ({"model": "models/"}, "model: there is no name behind 'models/'"),
    "an empty agent by its long name": (
        {"model": None, "agent": "agents/"},
        "agent: there is no name behind 'agents/'",
    ),
    "model and agent": ({"agent": "a"}, "agent: a request names a model or an agent, not both; leave one out"),
    "an agent with a model's settings": (
        {"model": None, "agent": "a", "generation_config": {}},
        "generation_config: only a model has one; an agent takes `agent_config`",
    ),
    "a model with an agent's settings": (
        {"agent_config": {"type": "dynamic"}},
        "agent_config: only an agent has one; a model takes `generation_config`",
    ),
    "an agent that is to look like a model": (
        {"model": None, "agent": "a", "background": True, "response_format": {"type": "object"}},
        "response_format: only a model has one; an agent takes `agent_config`",
    ),
    "an agent that is to say a mime type": (
        {"model": None, "agent": "a", "background": True, "response_mime_type": "application/json"},
        "response_mime_type: only a model has one; an agent takes `agent_config`",
    ),
    "an agent that is to paint": (
        {"model": None, "agent": "a", "background": True, "response_modalities": ["IMAGE"]},
        "response_modalities: only a model has one; an agent takes `agent_config`",
    ),
    "an agent that is waited for": (
        {"model": None, "agent": "a"},
        "background: an agent works in the background; set `background: true`, and read the interaction by its id",
    ),
    "an agent that is not kept": (
        {"model": None, "agent": "a", "background": True, "store": False},
        "background: a background interaction must be stored, or nobody could read it; leave out `store: false`",
    ),
    "an agent's settings that are none": (
        {"model": None, "agent": "a", "background": True, "agent_config": "deep-research"},
        "agent_config: input should be a valid dictionary, not 'deep-research'",
    ),
    "the background without a store": (
        {"background": True, "store": False},
        "background: a background interaction must be stored, or nobody could read it; leave out `store: false`",
    ),
    "a model that is a number": ({"model": 3}, "model: input should be a valid string, not 3"),
    "a flag in words": ({"stream": "true"}, "stream: input should be a valid boolean, not 'true'"),
    "a flag as a number": ({"store": 0}, "store: input should be a valid boolean, not 0"),
    "an instruction that is content": (
        {"system_instruction": {"text": "x"}},
        "system_instruction: input should be a valid string, not {'text': 'x'}",
    ),
    "an unknown tier": (
        {"service_tier": "gold"},
        "service_tier: input should be 'flex', 'standard', 'priority' or 'deferred', not 'gold'",
    ),
    "a label that is a number": ({"labels": {"n": 1}}, "labels.n: input should be a valid string, not 1"),
    "an unknown modality": (
        {"response_modalities": ["text", "smell"]},
        "response_modalities[1]: unknown value 'smell'; one of text, image, audio",
    ),
    "no input": ({"input": None}, "input: this field is required"),
    "no input behind another turn": (
        {"input": None, "previous_interaction_id": "int_1"},
        "input: this field is required",
    ),
}


@pytest.mark.parametrize(("sent", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_field_the_value_and_the_remedy(sent: dict[str, Any], message: str):
    assert refusal(**sent).message.startswith(message)


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a temperature in words": ({"temperature": "0.7"}, "temperature: input should be a valid number, not '0.7'"),
    "a temperature too high": ({"temperature": 2.5}, "temperature: input should be less than or equal to 2, not 2.5"),
    "a temperature below nothing": (
        {"temperature": -1},
        "temperature: input should be greater than or equal to 0, not -1",
    ),
    "a probability over one": ({"top_p": 1.5}, "top_p: input should be less than or equal to 1, not 1.5"),
    "no words to choose among": ({"top_k": 0}, "top_k: input should be greater than or equal to 1, not 0"),
    "half a token": ({"max_output_tokens": 1.5}, "max_output_tokens: input should be a valid integer, not 1.5"),
    "no tokens": ({"max_output_tokens": 0}, "max_output_tokens: input should be greater than or equal to 1, not 0"),
    "more tokens than can be counted": (
        {"max_output_tokens": 2**31},
        "max_output_tokens: input should be less than 2147483648, not 2147483648",
    ),
    "more words than can be counted": ({"top_k": 2**31}, "top_k: input should be less than 2147483648, not 2147483648"),
    "a seed that is a flag": ({"seed": True}, "seed: input should be a valid integer, not True"),
    "a seed too long": ({"seed": 2**31}, "seed: input should be less than 2147483648, not 2147483648"),
    "a stop of nothing": (
        {"stop_sequences": ["x", ""]},
        "stop_sequences[1]: string should have at least 1 character, not ''",
    ),
    "one stop that is no list": ({"stop_sequences": "x"}, "stop_sequences: input should be a valid list, not 'x'"),
    "an unknown level": (
        {"thinking_level": "deep"},
        "thinking_level: input should be 'minimal', 'low', 'medium', 'high' or 'xhigh', not 'deep'",
    ),
    "an unknown kind of summary": (
        {"thinking_summaries": "long"},
        "thinking_summaries: input should be 'auto' or 'none', not 'long'",
    ),
}


@pytest.mark.parametrize(("sent", "message"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_is_refused_is_named_with_its_path(sent: dict[str, Any], message: str):
    assert refusal(generation_config=sent).message == f"generation_config.{message}"


@pytest.mark.parametrize(
    ("body", "kind"), [(None, "null"), ([], "a list"), ("Hi", "a string"), (3, "a number"), (True, "a boolean")]
)
def test_a_body_that_is_no_object_is_refused(body: Any, kind: str):
    with pytest.raises(InvalidRequest, match=f"the body must be a JSON object, not {kind}"):
        parse_request(body)


def test_a_refusal_never_quotes_a_whole_document():
    assert len(refusal(model=["x" * 100_000]).message) < 200


# -- what nobody knows

UNKNOWN: dict[str, tuple[dict[str, Any], str, str]] = {
    "a misspelt field": ({"modle": "m"}, "modle", "did you mean 'model'?"),
    "a field of the other case": (
        {"systemInstruction": "x"},
        "systemInstruction",
        "did you mean 'system_instruction'?",
    ),
    "a setting at the top": ({"temperature": 1}, "temperature", "did you mean 'generation_config.temperature'?"),
    "a misspelt setting": (
        {"generation_config": {"max_tokens": 5}},
        "generation_config.max_tokens",
        "did you mean 'generation_config.max_output_tokens'?",
    ),
    "a field from elsewhere": ({"frequency": 1}, "frequency", "leave it out"),
    "a field called like a branch of a union": ({"a[b]": 1}, "a[b]", "leave it out"),
    "a field with brackets in its name": ({"f(x)": 1}, "f(x)", "leave it out"),
    "a field with a word of ours in its name": ({"unconstrained": 1}, "unconstrained", "leave it out"),
}


@pytest.mark.parametrize(("sent", "field", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_field_is_refused_with_a_hint(sent: dict[str, Any], field: str, hint: str):
    refused = refusal(**sent)
    assert isinstance(refused, UnknownParameter)
    assert refused.field == field
    assert refused.message.endswith(hint)


# -- what is to come


def something(name: str, body: type[CreateBody] | type[GenerationConfigBody]) -> Any:
    """A value of the field's own type that asks for something."""
    kind = str(body.model_fields[name].annotation)
    return [{"type": "x"}] if kind.startswith("list") else {"type": "x"}


@pytest.mark.parametrize("name", CreateBody.LATER)
def test_a_field_that_is_to_come_is_refused_by_name(name: str):
    with pytest.raises(Unimplemented, match=f"^{name}: turnwise does not support this yet; leave it out"):
        parse(**{name: something(name, CreateBody)})


@pytest.mark.parametrize("name", ["environment", "cached_content", "continuation_token"])
def test_a_field_that_is_to_come_is_refused_as_a_plain_id_too(name: str):
    with pytest.raises(Unimplemented, match=f"^{name}: turnwise does not support this yet; leave it out"):
        parse(**{name: "some-id"})


@pytest.mark.parametrize("name", GenerationConfigBody.LATER)
def test_a_setting_that_is_to_come_is_refused_by_name(name: str):
    with pytest.raises(Unimplemented, match=f"^generation_config.{name}: turnwise does not support this yet"):
        parse(generation_config={name: something(name, GenerationConfigBody)})


def test_an_agent_is_asked_with_its_own_settings_and_with_tools():
    config = {"type": "deep-research", "thinking_summaries": "auto", "further": [1]}
    asked = parse(model=None, agent="a", background=True, agent_config=config, tools=[{"type": "google_search"}])
    assert (asked.model, asked.agent, asked.background) == (None, "a", True)
    assert asked.agent_config == config
    assert asked.tools == (GoogleSearch(),)
