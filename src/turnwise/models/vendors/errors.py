"""What goes wrong at a vendor, in the domain's words. Pure.

The layer sorts errors already; what they mean for the one who asked is what the same answer of any upstream means
(`completions.parse_error`). A vendor's own words are quoted, but never a key, an address, or how the layer is called.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    UnexpectedModelBehavior,
    UserError,
)

from turnwise.domain.errors import (
    ContentBlocked,
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    TurnwiseError,
    Unimplemented,
)
from turnwise.models.completions import parse_error

BROKEN: tuple[type[Exception], ...] = (
    ModelAPIError,
    UnexpectedModelBehavior,
    UserError,
    NotImplementedError,
    TimeoutError,
    OSError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What the layer raises when a request cannot be made or an answer cannot be read: some of it of its own, and some the
first thing that happens to a client that expected something else."""

HIDDEN = "(hidden)"

SMALLEST = 100
"""No context holds fewer tokens."""


KEYS = frozenset({"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError"})
"""What the client of AWS raises when it has nothing to sign a request with."""


def meaning(error: BaseException, model: str, hidden: tuple[str, ...]) -> TurnwiseError:
    """What an error means for the one who asked. `hidden`: what no message may have in it."""
    own = _own(error)
    if own is not None:
        return own
    named = f"the model {model!r}"
    match error:
        case ModelTimeoutError() | ModelRequestTimeout() | TimeoutError():
            return ModelTimeout(f"the vendor of {named} did not answer in time")
        case ModelConnectionError(phase="connect"):
            return ModelUnavailable(f"the vendor of {named} cannot be reached")
        case ModelConnectionError() | OSError():
            return broke_off(model)
        case ContentFilterError():
            return ContentBlocked(f"the vendor of {named} refused to answer this")
        case ModelAPIError():
            return _answered(error, model, hidden)
        case UserError() | NotImplementedError():
            return Unimplemented(f"{named} cannot be asked this: {_clean(str(error), hidden)}")
    if type(error).__name__ in KEYS:
        return ModelUnavailable(
            f"turnwise has no key for {named}: set the api_key of this model's entry in the settings, or give its"
            " machine credentials of its own"
        )
    return no_answer(model)


def no_answer(model: str) -> ModelFailed:
    """What it means that an answer cannot be read, or says nothing."""
    return ModelFailed(f"the vendor of the model {model!r} answered with something that is no answer")


def broke_off(model: str) -> ModelUnavailable:
    """What it means that an answer ends before its end."""
    return ModelUnavailable(f"the vendor of the model {model!r} broke off before its answer was complete")


def _own(error: BaseException) -> TurnwiseError | None:
    """An error of ours that was raised within a vendor's client, which puts its own around it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TurnwiseError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _answered(error: ModelAPIError, model: str, hidden: tuple[str, ...]) -> TurnwiseError:
    """What an answer that is a refusal means."""
    detail = _detail(error.body)
    words = _clean(_words(detail), hidden) or "no reason given"
    status = error.status_code if isinstance(error, ModelHTTPError) else None
    if status is None and not isinstance(error, ModelRequestRejectedError) and not detail:
        # with a cause it was something that could not be read, and without one there was nothing more to read
        return no_answer(model) if error.__cause__ else broke_off(model)
    if isinstance(error, ModelContextWindowExceededError) or "maximum context length" in words:
        return InvalidRequest(_over_context(words), field="input")
    if isinstance(error, ModelAuthenticationError):
        status = status if status in (401, 403) else 401
    elif isinstance(error, ModelNotFoundError):
        status = 404
    elif status == 403:  # not about the key: what was said is not to be said there
        return ContentBlocked(f"the vendor of the model {model!r} refused this: {words}")
    wait = None if error.retry_after is None else str(error.retry_after)
    return parse_error({**_numbers(detail), "message": words}, status, wait, model)


def _over_context(words: str) -> str:
    """What is said of a prompt that is too long. The vendor's words have both numbers, if two in them can be that."""
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", words)}
    numbers = {number for number in numbers if number >= SMALLEST}
    if len(numbers) != 2:
        return f"the prompt is longer than the model's context: {words}"
    prompt, context = max(numbers), min(numbers)
    return f"the prompt has {prompt} tokens, but the model's context holds {context}: shorten it or its history"


def _detail(body: Any) -> dict[str, Any]:
    """The object in a refusal's body that tells. It may be JSON of any shape, or a proxy's page."""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, str):
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError:
            return {"message": body.strip()} if body.strip() else {}
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return {"message": str(body)} if body else {}
    inner = body.get("error") or body.get("Error") or body.get("detail")
    if isinstance(inner, dict):
        return inner
    return {"message": inner} if inner else body


def _words(detail: dict[str, Any]) -> str:
    message = detail.get("message") or detail.get("Message")
    if isinstance(message, str):
        return message
    return orjson.dumps(message or detail, default=str).decode() if detail else ""


def _numbers(detail: dict[str, Any]) -> dict[str, Any]:
    """What else `parse_error` looks at: only a status may stand where a code does."""
    code = detail.get("code")
    return {"code": code} if isinstance(code, int) and not isinstance(code, bool) else {}


def _clean(words: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        words = words.replace(secret, HIDDEN)
    return words
