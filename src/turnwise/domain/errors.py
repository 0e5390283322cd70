"""Every error that turnwise answers with.

    TurnwiseError
    ├── InvalidRequest          a field is wrong: its name, its value and what to do instead
    │   ├── UnknownParameter    a field that the API does not have
    │   ├── FailedPrecondition  well formed, but not in this state (a chain through a failed interaction)
    │   └── AlreadyExists       a name that is taken
    ├── Unauthenticated         no key, or not one of ours
    ├── PermissionDenied        a key that may not do this
    ├── NotFound                no such interaction, file or path (a stranger's id is the same as an unknown one)
    │   └── ModelNotFound       no such model in the catalogue
    ├── MethodNotAllowed        the path exists, the method does not
    ├── PayloadTooLarge         a body over the limit
    ├── UnsupportedMediaType    a body that does not say it is JSON
    ├── OutOfRange              a position that the stream never had
    ├── RateLimited             come back later
    ├── Unimplemented           the API has it, turnwise does not (yet)
    ├── ContentBlocked          the model refused to answer
    ├── ModelFailed             the model, or what stands behind it, broke
    │   ├── NotComplied         it answered, and not as it had to, however often it was asked
    │   ├── ModelUnavailable    it cannot be reached, or is gone
    │   └── ModelTimeout        it did not answer in time
    ├── HandedOver              this process lets go of a run; it goes on, and can be read on, elsewhere
    └── Internal                our own fault

An error knows what it is (`code`, the API's own word), never its HTTP status: that is one table in `wire/errors.py`.
"""


class TurnwiseError(Exception):
    """The root. `message` says what was wrong, with which value, and what to do."""

    code = "api_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(TurnwiseError):
    """A field of the request is wrong. `field` is its path, as in `input[0].content[1].type`."""

    code = "invalid_request"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class UnknownParameter(InvalidRequest):
    """A field that the API does not have. Nothing is dropped in silence."""

    code = "parameter_unknown"


class FailedPrecondition(InvalidRequest):
    """The request is well formed but cannot be done in this state."""

    code = "failed_precondition"


class AlreadyExists(InvalidRequest):
    """A name that the caller has given to something else already."""

    code = "already_exists"


class Unauthenticated(TurnwiseError):
    """No key, or one that was never made or is revoked."""

    code = "authentication"


class PermissionDenied(TurnwiseError):
    """A valid key that may not do this."""

    code = "permission_denied"


class NotFound(TurnwiseError):
    """No such thing for this caller. Another owner's id gives the very same answer."""

    code = "not_found"


class ModelNotFound(NotFound):
    """The catalogue answers no such model name."""

    code = "model_not_found"


class MethodNotAllowed(TurnwiseError):
    """The path exists, the method does not. `allowed` are the methods that do."""

    code = "invalid_request"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class PayloadTooLarge(TurnwiseError):
    """A body over the limit."""

    code = "invalid_request"


class UnsupportedMediaType(TurnwiseError):
    """A body that does not say it is JSON."""

    code = "invalid_request"


class OutOfRange(TurnwiseError):
    """An event position that the stream never had."""

    code = "out_of_range"


class RateLimited(TurnwiseError):
    """Too many requests. `retry_after` is in seconds."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unimplemented(TurnwiseError):
    """The API has this, turnwise does not keep its promise yet."""

    code = "unimplemented"


class ContentBlocked(TurnwiseError):
    """The model, or a filter before it, refused to answer."""

    code = "content_blocked"


class ModelFailed(TurnwiseError):
    """The model, or what stands behind it, answered with something that is no answer."""

    code = "api_error"


class NotComplied(ModelFailed):
    """The model answered, and not as it had to, however often it was asked: who asks once more gets nothing else. So
    this is how a turn ends, and no answer to a request."""


class ModelUnavailable(ModelFailed):
    """The model cannot be reached, or went away in the middle of a turn."""

    code = "service_unavailable"


class ModelTimeout(ModelFailed):
    """The model did not answer in time."""

    code = "gateway_timeout"


class HandedOver(TurnwiseError):
    """This process has let go of a run, which goes on elsewhere. A stream of it breaks off here, and is read on
    there."""

    code = "service_unavailable"


class Internal(TurnwiseError):
    """Our own fault; the traceback is in the log."""

    code = "api_error"
