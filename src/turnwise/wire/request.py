"""What clients send: the body of `create`, in any form of any client generation, as a domain Turn.

Both dialects have nearly the same request, real clients mix their forms, and an interaction made in one is continued
in the other: so there is one reader for both, and no form is refused for coming in the other dialect's clothes.

The fixed fields are pydantic models, which also describe the API in `/openapi.json`. The input is read by
`wire/input.py`. Types are strict (a temperature is a number, not "0.7"), and a field that is not listed here is
refused: nothing is dropped in silence.
"""

from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.interaction import UNSET, GenerationConfig, Turn, WebhookConfig
from turnwise.wire.formats import parse_answer_form
from turnwise.wire.input import parse_input
from turnwise.wire.invalid import explain
from turnwise.wire.tools import parse_tool_choice, parse_tools


class Body(BaseModel):
    """A JSON object of a request: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class GenerationConfigBody(Body):
    """How the model is to speak."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """How freely the model chooses its words: 0 is the most likely ones."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    """Choose among the likeliest words that together have this probability."""
    top_k: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    """Choose among this many of the likeliest words."""
    seed: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    """The same seed and the same request give the same answer, as far as the model can."""
    max_output_tokens: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    """The longest answer, in tokens. One that is cut off has the status `incomplete`."""
    stop_sequences: list[Annotated[str, Field(min_length=1)]] | None = None
    """Texts at which the answer ends, without them."""
    thinking_level: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long the model is to think before it speaks."""
    thinking_summaries: Literal["auto", "none"] | None = None
    """Whether to show what the model thought."""
    tool_choice: Any = None
    """Whether the model may, must or must not call a tool, and which."""
    speech_config: Any = None
    """The voices of spoken answers."""
    image_config: Any = None
    """The shape and size of images in the answer."""
    video_config: Any = None
    """What kind of video to make."""
    transcription_config: Any = None
    """How to write down speech."""

    LATER: ClassVar = ("video_config", "transcription_config")


WEBHOOK_URIS = 10
"""How many addresses a request may have told."""

USER_METADATA_BYTES = 16 * 1024
"""How long what is sent along may be, as JSON."""


class WebhookConfigBody(Body):
    """Whom to tell how this interaction ended."""

    uris: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=WEBHOOK_URIS)] | None = None
    """Addresses that are told in place of the owner's webhooks."""
    user_metadata: dict[str, Any] | None = None
    """What is sent along with what they are told."""


class CreateBody(Body):
    """The body of `POST /interactions`."""

    input: Any = None
    """What is asked: a string, a piece of content, or a list of content, turns and steps in any mixture."""
    model: Annotated[str, Field(min_length=1)] | None = None
    """Who answers; or name an `agent`."""
    agent: Annotated[str, Field(min_length=1)] | None = None
    """Who works on it, in place of a `model`."""
    previous_interaction_id: Annotated[str, Field(min_length=1)] | None = None
    """The interaction to continue. Only what was asked and answered is inherited, never settings."""
    system_instruction: str | None = None
    """What the model is told about its part before it reads the input."""
    generation_config: GenerationConfigBody | None = None
    """How the model is to speak."""
    agent_config: dict[str, Any] | None = None
    """How the agent is to work."""
    tools: list[dict[str, Any]] | None = None
    """What the model may do besides speaking."""
    response_format: Any = None
    """What the answer has to look like: a JSON schema; or `{"type": "text", "mime_type": ..., "schema": ...}`, or the
    like of an image or a sound; or a list of these."""
    response_mime_type: str | None = None
    """The form of a text answer: `text/plain` or `application/json`."""
    response_modalities: list[str] | None = None
    """What the answer may consist of, in either case of letters."""
    store: bool | None = None
    """Whether to keep it, for reading it back and going on from it. Kept unless this is false."""
    stream: bool | None = None
    """Whether to answer with server-sent events while the answer is made."""
    background: bool | None = None
    """Whether to answer at once and work on. Read it back by its id."""
    labels: dict[str, str] | None = None
    """Words of your own, given back as they came."""
    service_tier: Literal["flex", "standard", "priority", "deferred"] | None = None
    """Given back as it came; there is one tier."""
    webhook_config: WebhookConfigBody | None = None
    """Whom to tell when it has ended."""
    safety_settings: Any = None
    """What the answer must not hold."""
    environment: Any = None
    """The machine on which an agent works."""
    cached_content: Any = None
    """A prefix that was cached before."""
    continuation_token: Any = None
    """Where to go on within a long interaction."""

    LATER: ClassVar = (
        "safety_settings",
        "environment",
        "cached_content",
        "continuation_token",
    )


def parse_request(body: JSON) -> Turn:
    """A request's JSON as a Turn.

    Raises:
        InvalidRequest: a field is missing, unknown, of a wrong type or value; the message names it.
        Unimplemented: a field whose promise turnwise cannot keep yet; the message names it.
    """
    if not isinstance(body, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {_kind(body)}")
    try:
        asked = CreateBody.model_validate(body)
    except ValidationError as error:
        raise explain(error, CreateBody) from None
    _refuse_what_is_missing(asked)
    _check_together(asked)
    tools = parse_tools(asked.tools)
    config = asked.generation_config
    form = parse_answer_form(
        asked.response_format,
        asked.response_mime_type,
        asked.response_modalities,
        config.image_config if config else None,
        config.speech_config if config else None,
    )
    return Turn(
        input=parse_input(asked.input),
        model=asked.model.removeprefix("models/") if asked.model else None,
        agent=asked.agent.removeprefix("agents/") if asked.agent else None,
        agent_config=asked.agent_config or {},
        previous_interaction_id=asked.previous_interaction_id,
        system_instruction=asked.system_instruction or None,
        tools=tools,
        tool_choice=parse_tool_choice(config.tool_choice if config else None, tools),
        response_format=form.text,
        generation=_parse_generation(config),
        store=asked.store is not False,
        stream=asked.stream is True,
        background=asked.background is True,
        response_modalities=form.modalities,
        image=form.image,
        audio=form.audio,
        voices=form.voices,
        webhook=_parse_webhook_config(asked),
        echo=_parse_echo(asked),
    )


def _kind(value: JSON) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "a list"}
    return names.get(type(value), "a number")


def _refuse_what_is_missing(asked: CreateBody) -> None:
    """Refuse by name what is asked for and cannot be kept yet. An empty list asks for nothing."""
    for owner, prefix in ((asked, ""), (asked.generation_config, "generation_config.")):
        for name in owner.LATER if owner is not None else ():
            if getattr(owner, name) not in (None, [], {}):
                raise Unimplemented(f"{prefix}{name}: turnwise does not support this yet; leave it out")


def _check_together(asked: CreateBody) -> None:
    """Rules that hold between fields."""
    if asked.model is None and asked.agent is None:
        raise InvalidRequest("a request names a model or an agent; set `model`", field="model")
    if asked.model == "models/":
        raise InvalidRequest("there is no name behind 'models/'", field="model")
    if asked.agent == "agents/":
        raise InvalidRequest("there is no name behind 'agents/'", field="agent")
    if asked.model is not None and asked.agent is not None:
        raise InvalidRequest("a request names a model or an agent, not both; leave one out", field="agent")
    if asked.agent_config and asked.model is not None:
        raise InvalidRequest("only an agent has one; a model takes `generation_config`", field="agent_config")
    if asked.background and asked.store is False:
        raise InvalidRequest(
            "a background interaction must be stored, or nobody could read it; leave out `store: false`",
            field="background",
        )
    if asked.agent is not None:
        _check_agents_part(asked)


def _check_agents_part(asked: CreateBody) -> None:
    """Rules for requests that name an agent."""
    for name in ("generation_config", "response_format", "response_mime_type", "response_modalities"):
        if getattr(asked, name) not in (None, [], {}):
            raise InvalidRequest("only a model has one; an agent takes `agent_config`", field=name)
    if not asked.background:
        raise InvalidRequest(
            "an agent works in the background; set `background: true`, and read the interaction by its id",
            field="background",
        )


def _parse_generation(body: GenerationConfigBody | None) -> GenerationConfig:
    if body is None:
        return UNSET
    return GenerationConfig(
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        seed=body.seed,
        max_output_tokens=body.max_output_tokens,
        stop_sequences=tuple(body.stop_sequences or ()),
        thinking_level=body.thinking_level,
        thinking_summaries=body.thinking_summaries,
    )


def _parse_webhook_config(asked: CreateBody) -> WebhookConfig | None:
    body = asked.webhook_config
    if body is None or not (body.uris or body.user_metadata):
        return None
    if asked.store is False:
        raise InvalidRequest(
            "of an interaction that is not stored nobody is told, since nobody could read it; leave out `store: false`",
            field="webhook_config",
        )
    uris, metadata = tuple(body.uris or ()), body.user_metadata or {}
    for index, uri in enumerate(uris):
        if uri in uris[:index]:
            raise InvalidRequest("this address is there twice; leave one out", field=f"webhook_config.uris[{index}]")
    size = len(orjson.dumps(metadata))
    if size > USER_METADATA_BYTES:
        raise InvalidRequest(
            f"it has {size} bytes as JSON; at most {USER_METADATA_BYTES} are sent along",
            field="webhook_config.user_metadata",
        )
    return WebhookConfig(uris, metadata)


def _parse_echo(asked: CreateBody) -> dict[str, JSON]:
    given = {"labels": asked.labels, "service_tier": asked.service_tier}
    return {name: value for name, value in given.items() if value is not None}
