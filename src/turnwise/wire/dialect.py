"""Which dialect a request speaks.

The founding dialect (`outputs`) and the current one (`steps`) share their paths, and most clients send no revision,
so the choice is made from what a client says of itself, then from what it does. The rules below go from certain to
likely; the first that speaks decides. A client that is only likely to speak a dialect is given both `outputs` and
`steps` in a reply that is not a stream: every SDK generation reads its own and ignores the other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.interaction import DialectName

STEPS_REVISION = "2026-05-20"
"""The first revision in which the API speaks `steps`."""

_SDK = re.compile(r"google-genai-sdk/(\d+)\.")
_STEPS_CLIENTS = re.compile(r"(?:^|[\s(;])(?:google-adk|ai-sdk-google|ai-sdk/google|ai)/")
_WITHOUT_BUDGETS = re.compile(r"(?:^|[\s(;])(?:ai-sdk-google|ai-sdk/google|ai)/")
"""Clients of the current dialect that do not know all of its statuses: they wait for ever for an end that they know."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_STEP_TYPES = ("user_input", "model_output")
_STEP_FORMATS = ("text", "image", "audio", "video")
"""Tuples, since the `type` that is looked for may be a list: a JSON schema has such."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A dialect, and whether the client is known to speak it."""

    dialect: DialectName
    certain: bool
    knows_budgets: bool = True
    """Whether it knows the status `budget_exceeded`; if not, `incomplete` is what comes next to it."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a request shows of its dialect before its body is looked at."""

    revision: str = ""
    """The header `Api-Revision`."""
    client: str = ""
    """The headers `x-goog-api-client` and `User-Agent`, joined: some SDKs send two of the latter."""
    version: str = ""
    """The first segment of the path: `v1`, `v1beta` or `v1alpha`."""
    alt_sse: bool = False
    """Whether the query has `alt=sse`, which only the founding document's own REST examples send."""


def choose_dialect(
    signs: Signs,
    *,
    default: DialectName,
    made_in: DialectName | None = None,
    body: Mapping[str, JSON] | None = None,
) -> Choice:
    """The dialect of a request.

    `made_in` is the dialect in which the interaction that the request names was made.
    """
    certain = identified_dialect(signs)
    if certain is not None:
        return Choice(certain, certain=True, knows_budgets=_WITHOUT_BUDGETS.search(signs.client) is None)
    if made_in is not None:
        return Choice(made_in, certain=False)
    shown = _shown_by(body or {})
    if shown is not None:
        return Choice(shown, certain=False)
    if signs.alt_sse or "curl/" in signs.client:
        return Choice("outputs", certain=False)
    return Choice(default, certain=False)


def identified_dialect(signs: Signs) -> DialectName | None:
    """The dialect of a client that says which it speaks. None: it says nothing."""
    if signs.revision:
        return _by_revision(signs.revision)
    sdk = _SDK.search(signs.client)
    if sdk is not None:
        return "outputs" if int(sdk[1]) < 2 else "steps"
    if _STEPS_CLIENTS.search(signs.client):
        return "steps"
    return "steps" if signs.version == "v1" else None


def _by_revision(revision: str) -> DialectName:
    if not _DATE.match(revision):
        raise InvalidRequest(f"'{revision}' is not a date; send a revision as YYYY-MM-DD", field="Api-Revision")
    return "steps" if revision >= STEPS_REVISION else "outputs"


def _shown_by(body: Mapping[str, JSON]) -> DialectName | None:
    """What only one dialect can have written: steps or typed response formats; or turns with roles."""
    items = _objects(body.get("input"))
    if any(item.get("type") in _STEP_TYPES for item in items):
        return "steps"
    if any(item.get("type") in _STEP_FORMATS for item in _objects(body.get("response_format"))):
        return "steps"
    return "outputs" if any("role" in item for item in items) else None


def _objects(value: JSON) -> list[dict[str, JSON]]:
    """The objects that a field holds, whether as a list or as itself."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
