"""How each vendor is reached: its client, with our limits and our key, and a model of the layer on top of it.

A vendor's own package is imported when its engine is built, not before. Nothing is tried twice by a client: who asked
is told at once what went wrong, and knows best whether to ask again. What a vendor's host is its package knows; an
entry's `base_url` stands instead of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model as LayerModel
from pydantic_ai.models import create_async_http_client, create_async_httpx2_client
from pydantic_ai.profiles import ModelProfile

from turnwise.models.openai import Limits
from turnwise.models.vendors.wire import look_at_boto, look_at_http


@dataclass(frozen=True, slots=True)
class Access:
    """Where to go, and with what."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    region: str | None = None
    """Bedrock's. None: as the environment or the profile has it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A client of a vendor."""

    model: Callable[[str, ModelProfile], LayerModel]
    """A model by its name, over this client. The profile is what an entry knows better than the layer."""
    close: Callable[[], Awaitable[None]]
    breaks: tuple[type[Exception], ...] = ()
    """What only this client raises, where the layer lets it through."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """What is to be known of a vendor beside what the layer knows."""

    connect: Callable[[Access], Connection]
    binds: bool = True
    """Whether the layer can have its text bound to a schema at all."""
    thinks: bool = True
    """Whether the layer can say how hard to think, and passes thoughts back."""
    narrows: bool = False
    """Whether a schema is made narrower on its way: objects are closed, so that one with free names stays empty."""
    beside: frozenset[str] = frozenset()
    """Parameters that the vendor takes and the layer does not know, sent beside what it writes."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """What is to be known of all of its models, in the layer's words."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """How a model is asked to show its thoughts that would else give only their signature, beside what is written."""
    continues: str | None = None
    """A regular expression: the names of those of its models that go on with an answer that stands last in a request.
    None: there is no way to ask for that."""
    once: bool = False
    """Whether its client leaves connections open behind it, so that each turn needs one of its own."""


def anthropic(access: Access) -> Connection:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = _client(access)
    provider = AnthropicProvider(api_key=access.api_key, base_url=access.base_url, http_client=client)
    return _connection(AnthropicModel, provider, client.aclose, httpx2.HTTPError, httpx2.StreamError)


def gemini(access: Access) -> Connection:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    client = _client(access)
    provider = GoogleProvider(api_key=access.api_key, base_url=access.base_url, http_client=client)
    return _connection(GoogleModel, provider, client.aclose, httpx2.HTTPError, httpx2.StreamError)


def mistral(access: Access) -> Connection:
    from pydantic_ai.models.mistral import MistralModel
    from pydantic_ai.providers.mistral import MistralProvider

    client = _client(access)
    provider = MistralProvider(api_key=access.api_key, base_url=access.base_url, http_client=client)
    return _connection(MistralModel, provider, client.aclose, httpx2.HTTPError, httpx2.StreamError)


def groq(access: Access) -> Connection:
    import httpx
    from pydantic_ai.models.groq import GroqModel
    from pydantic_ai.providers.groq import GroqProvider

    client = _older_client(access)
    provider = GroqProvider(api_key=access.api_key, base_url=access.base_url, http_client=client)
    return _connection(GroqModel, provider, client.aclose, httpx.HTTPError, httpx.StreamError)


def openrouter(access: Access) -> Connection:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openrouter import OpenRouterModel
    from pydantic_ai.providers.openrouter import OpenRouterProvider

    client = _client(access)
    provider = (
        OpenRouterProvider(openai_client=AsyncOpenAI(**_where(access), http_client=client))
        if access.base_url
        else OpenRouterProvider(api_key=access.api_key, http_client=client)
    )
    return _connection(OpenRouterModel, provider, client.aclose, httpx2.HTTPError, httpx2.StreamError)


def huggingface(access: Access) -> Connection:
    import httpx
    from huggingface_hub import AsyncInferenceClient, set_async_client_factory
    from huggingface_hub.errors import HfHubHTTPError
    from pydantic_ai.models.huggingface import HuggingFaceModel
    from pydantic_ai.providers.huggingface import HuggingFaceProvider

    set_async_client_factory(lambda: look_at_http(httpx.AsyncClient()))  # of the whole process; nobody else needs one
    client = AsyncInferenceClient(**_where(access), timeout=access.limits.idle)
    provider = HuggingFaceProvider(hf_client=client, api_key=access.api_key)
    return _connection(HuggingFaceModel, provider, client.close, httpx.HTTPError, httpx.StreamError, HfHubHTTPError)


def bedrock(access: Access) -> Connection:
    import boto3  # type: ignore[import-untyped]
    from anyio.to_thread import run_sync
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, NoRegionError  # type: ignore[import-untyped]
    from botocore.session import Session  # type: ignore[import-untyped]
    from botocore.tokens import FrozenAuthToken  # type: ignore[import-untyped]
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.providers.bedrock import BedrockProvider

    class WithKey(Session):  # type: ignore[misc]
        """A session that knows a key and nothing else."""

        def get_auth_token(self, **_: Any) -> FrozenAuthToken:
            return FrozenAuthToken(access.api_key)

        def get_credentials(self) -> None:
            return None

    config = Config(
        connect_timeout=access.limits.connect,
        read_timeout=access.limits.idle,
        retries={"total_max_attempts": 1},
        max_pool_connections=100,
        **({"signature_version": "bearer"} if access.api_key else {}),
    )
    session = boto3.Session(botocore_session=WithKey() if access.api_key else None, region_name=access.region)
    try:
        client = session.client("bedrock-runtime", config=config, endpoint_url=access.base_url)
    except NoRegionError as error:
        raise ValueError("engine 'bedrock' needs a region: set `region`, or AWS_REGION") from error
    look_at_boto(client)
    provider = BedrockProvider(bedrock_client=client)
    return _connection(BedrockConverseModel, provider, lambda: run_sync(client.close), BotoCoreError)


# From 4.6 on they refuse it.
_PREFILLED_CLAUDES = r"claude-(?:3(?:-\w+)*|(?:opus|sonnet|haiku)-4(?:-[015])?)(?:-\d{8}|-latest)?"

BY_KIND = {
    "anthropic": Vendor(
        anthropic,
        narrows=True,
        shown={"thinking": {"type": "adaptive", "display": "summarized"}},
        continues=_PREFILLED_CLAUDES,
    ),
    "gemini": Vendor(gemini),
    "mistral": Vendor(mistral, binds=False),
    "groq": Vendor(groq),
    "openrouter": Vendor(
        openrouter,
        beside=frozenset({"top_k"}),
        # or a stream that was cut would count as one that ended
        profile={"openai_chat_streaming_requires_finish_reason": True},
    ),
    "huggingface": Vendor(huggingface, binds=False, thinks=False, once=True),
    "bedrock": Vendor(bedrock, narrows=True),
}


def connect(vendor: Vendor, access: Access) -> Connection:
    """A vendor's client.

    Raises:
        ValueError: the layer cannot make one of what it was given.
    """
    try:
        return vendor.connect(access)
    except UserError as error:
        raise ValueError(error.message) from error


def _connection(
    model: Any, provider: Any, close: Callable[[], Awaitable[None]], *breaks: type[Exception]
) -> Connection:
    return Connection(lambda name, profile: model(name, provider=provider, profile=profile), close, breaks)


def _where(access: Access) -> dict[str, Any]:
    return {"api_key": access.api_key, **({"base_url": access.base_url} if access.base_url else {})}


def _client(access: Access) -> Any:
    client = create_async_httpx2_client(timeout=httpx2.Timeout(access.limits.idle, connect=access.limits.connect))
    return look_at_http(client)


def _older_client(access: Access) -> Any:
    """The same for who still needs the library that the other one came from."""
    import httpx

    client = create_async_http_client()
    client.timeout = httpx.Timeout(access.limits.idle, connect=access.limits.connect)
    return look_at_http(client)
