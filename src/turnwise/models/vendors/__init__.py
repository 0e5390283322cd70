"""Vendors: the models of those who do not speak chat completions, or speak them in their own way.

One adapter for all of them, on top of `pydantic-ai-slim`'s model layer, which knows their protocols, their clients and
what each of their models can do. Here are only the names that an entry of the settings may choose, and what such an
entry must say; nothing of the layer is imported before one does.

    access.py     how a vendor is reached: its client, its limits, its key
    prompts.py    a prompt in the layer's words: messages, settings, tools
    sight.py      what vendors are shown that is not text
    wire.py       a look below the layer: no parameter is dropped on the way, no connection is left open
    answers.py    the layer's events as fragments
    tokens.py     what a vendor wants back with a thought or a call
    errors.py     what goes wrong, in the domain's words
    model.py      the model itself
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnwise.models.engines import Build, ModelEntry
    from turnwise.models.vendors.model import VendorModel

KINDS = ("anthropic", "gemini", "mistral", "groq", "bedrock", "openrouter", "huggingface")
"""The engines there are."""

KEYLESS = frozenset({"bedrock"})
"""Those that can find credentials by themselves: in the environment, in a profile, or in the machine's role."""


def build(kind: str, name: str, entry: ModelEntry, models_dir: Path) -> VendorModel:
    """The engine of an entry.

    Raises:
        ValueError: an entry that cannot be, or the parts that this engine needs are not installed.
    """
    _check(kind, name, entry)
    try:
        from turnwise.models.vendors.access import Access
        from turnwise.models.vendors.model import VendorModel

        access = Access(api_key=entry.api_key, base_url=entry.base_url, **_options(kind, name, entry.options))
        model = entry.model or name
        return VendorModel(kind, access, model, can=entry.can, context_tokens=entry.context_tokens)
    except ImportError as error:
        raise ValueError(
            f"models.{name}: engine {kind!r} needs parts that are not installed: pip install 'turnwise[vendors]'"
        ) from error
    except ValueError as error:
        raise ValueError(f"models.{name}: {error}") from error


VENDORS: dict[str, Build] = {kind: partial(build, kind) for kind in KINDS}
"""The builders, for the catalogue."""


def _check(kind: str, name: str, entry: ModelEntry) -> None:
    if not entry.api_key and kind not in KEYLESS:
        raise ValueError(f"models.{name}: engine {kind!r} needs an api_key")


def _options(kind: str, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an entry: the fields of `Limits`, and for Bedrock `region`."""
    from turnwise.models.openai import Limits

    limits = dict(options)
    region = {"region": limits.pop("region")} if kind == "bedrock" and "region" in limits else {}
    try:
        return {"limits": Limits(**limits), **region}
    except TypeError as error:
        raise ValueError(f"models.{name}: {error}") from error
