"""Errors as clients read them: an answer for every error, and none that clients would retry in vain."""

from http import HTTPStatus

import pytest

from turnwise.domain import errors as e
from turnwise.wire.errors import STATUS, http_status, render_error, render_rpc_error

EVERY_ERROR = [cls for cls in vars(e).values() if isinstance(cls, type) and issubclass(cls, e.TurnwiseError)]

CONTRACT = {
    "invalid_request": {400, 405, 413, 415},
    "parameter_unknown": {400},
    "failed_precondition": {400},
    "already_exists": {400},
    "content_blocked": {400},
    "authentication": {401},
    "permission_denied": {403},
    "not_found": {404},
    "model_not_found": {404},
    "out_of_range": {416},
    "rate_limit_exceeded": {429},
    "api_error": {500},
    "unimplemented": {501},
    "service_unavailable": {503},
    "gateway_timeout": {504},
}
"""The API's words and the statuses with which they come."""


def made(cls: type[e.TurnwiseError]) -> e.TurnwiseError:
    return cls("It broke.", allowed=("GET",)) if issubclass(cls, e.MethodNotAllowed) else cls("It broke.")


def test_no_error_is_a_conflict_since_every_sdk_retries_those():
    assert 409 not in {status for status, _ in STATUS.values()}


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_every_error_has_the_status_that_goes_with_its_word(cls: type[e.TurnwiseError]):
    assert http_status(made(cls)) in CONTRACT[cls.code]


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_every_error_is_known_by_itself_or_by_its_parent(cls: type[e.TurnwiseError]):
    assert any(parent in STATUS for parent in cls.__mro__) or cls is e.TurnwiseError


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_every_status_has_a_reason_phrase(cls: type[e.TurnwiseError]):
    assert HTTPStatus(http_status(made(cls))).phrase


def test_an_error_of_the_interactions_api_has_a_word_and_a_sentence():
    error = e.ModelNotFound("there is no model 'x'")
    assert render_error(error) == {"error": {"code": "model_not_found", "message": "there is no model 'x'"}}


def test_an_error_of_the_files_api_has_a_number_and_a_word_in_capitals():
    error = e.NotFound("there is no file 'x'")
    assert render_rpc_error(error) == {"error": {"code": 404, "message": "there is no file 'x'", "status": "NOT_FOUND"}}


def test_an_error_that_is_not_listed_is_answered_like_its_parent():
    class Stranger(e.ModelUnavailable):
        """Not in the table."""

    assert http_status(Stranger("gone")) == 503
