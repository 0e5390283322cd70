"""Errors as clients read them: the one table from an error to its HTTP status, and the two bodies.

The Interactions API answers `{"error": {"code": "<word>", "message": "..."}}`; the Files API, older, answers in the
form of google.rpc: a number and a word in capitals. 409 is not in the table: every SDK retries it.
"""

from turnwise.domain import errors as e
from turnwise.domain.content import JSON

STATUS: dict[type[e.TurnwiseError], tuple[int, str]] = {
    e.InvalidRequest: (400, "INVALID_ARGUMENT"),
    e.FailedPrecondition: (400, "FAILED_PRECONDITION"),
    e.AlreadyExists: (400, "ALREADY_EXISTS"),
    e.Unauthenticated: (401, "UNAUTHENTICATED"),
    e.PermissionDenied: (403, "PERMISSION_DENIED"),
    e.NotFound: (404, "NOT_FOUND"),
    e.MethodNotAllowed: (405, "INVALID_ARGUMENT"),
    e.PayloadTooLarge: (413, "INVALID_ARGUMENT"),
    e.UnsupportedMediaType: (415, "INVALID_ARGUMENT"),
    e.ContentBlocked: (400, "FAILED_PRECONDITION"),
    e.OutOfRange: (416, "OUT_OF_RANGE"),
    e.RateLimited: (429, "RESOURCE_EXHAUSTED"),
    e.Unimplemented: (501, "UNIMPLEMENTED"),
    e.ModelFailed: (500, "INTERNAL"),
    e.ModelUnavailable: (503, "UNAVAILABLE"),
    e.ModelTimeout: (504, "DEADLINE_EXCEEDED"),
    e.HandedOver: (503, "UNAVAILABLE"),
    e.Internal: (500, "INTERNAL"),
}
"""HTTP status and google.rpc word of each error; a class that is not listed has its parent's."""


def _entry(error: e.TurnwiseError) -> tuple[int, str]:
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return STATUS[e.Internal]


def http_status(error: e.TurnwiseError) -> int:
    """The HTTP status of an error."""
    return _entry(error)[0]


def render_error(error: e.TurnwiseError) -> dict[str, JSON]:
    """An error as the Interactions API has it."""
    return {"error": {"code": error.code, "message": error.message}}


def render_rpc_error(error: e.TurnwiseError) -> dict[str, JSON]:
    """An error as the Files API has it."""
    status, word = _entry(error)
    return {"error": {"code": status, "message": error.message, "status": word}}
