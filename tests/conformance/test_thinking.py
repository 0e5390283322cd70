"""Every SDK sees thoughts in its own form, and sends them back."""

from base64 import b64decode
from collections.abc import Callable

import pytest

from .selection import over_every_sdk_and_model


@pytest.fixture
def thinking(sdk, report_of: Callable[..., dict]) -> dict:
    return report_of(sdk, "thinking")


@over_every_sdk_and_model
def test_thought_stands_before_the_answer_and_its_tokens_are_counted(sdk, thinking):
    for name in ("shown", "silent"):
        seen = thinking[name]
        assert seen["status"] in ("completed", "incomplete")
        assert (seen["steps"][0], seen["steps"].count("thought")) == ("thought", 1)
        assert len(seen["steps"]) > 1
        assert seen["thought_tokens"] > 0


@over_every_sdk_and_model
def test_summary_is_there_when_it_is_asked_for_and_the_signature_always(sdk, thinking):
    assert "".join(thinking["shown"]["summaries"]).strip()
    assert thinking["silent"]["summaries"] == []
    for name in ("shown", "silent"):
        (signature,) = thinking[name]["signatures"]
        assert b64decode(signature, validate=True)


@over_every_sdk_and_model
def test_without_a_level_the_answer_comes_first(sdk, thinking):
    assert "thought" not in thinking["plain"]["steps"]


@over_every_sdk_and_model
def test_thought_that_is_sent_back_as_it_came_is_accepted(sdk, thinking):
    assert thinking["again"]["status"] in ("completed", "incomplete")


@over_every_sdk_and_model
def test_thought_that_was_changed_is_a_bad_request_that_says_so(sdk, thinking):
    changed = thinking["changed"]
    assert (changed["error"], changed["status"]) == ("BadRequestError", 400)
    assert "signature" in changed["message"]
