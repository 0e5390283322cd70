"""The tree of errors: as it is drawn, with a word for programs and a sentence for people."""

import inspect
import re

import pytest

from turnwise.domain import errors

EVERY_ERROR = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.TurnwiseError)]


def test_the_tree_at_the_top_of_the_file_is_the_tree():
    drawn: dict[int, str] = {}
    parents: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"[\s│├└─]*([A-Z][A-Za-z]+)(?:\s{2,}|$)", line)
        if found is not None and line.startswith("    "):
            depth = found.start(1)
            drawn = {at: name for at, name in drawn.items() if at < depth} | {depth: found[1]}
            above = [name for at, name in drawn.items() if at < depth]
            parents[found[1]] = above[-1] if above else "Exception"
    assert parents == {cls.__name__: cls.__bases__[0].__name__ for cls in EVERY_ERROR}


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_every_error_has_a_word_in_the_form_of_the_api(cls: type[errors.TurnwiseError]):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", cls.code)


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_every_error_says_what_it_is_for(cls: type[errors.TurnwiseError]):
    assert cls.__doc__


def test_a_wrong_field_stands_at_the_front_of_the_message():
    error = errors.InvalidRequest("this field is required", field="input[0].type")
    assert (error.message, error.field) == ("input[0].type: this field is required", "input[0].type")
    assert str(error) == error.message


def test_an_error_without_a_field_says_only_its_sentence():
    assert errors.InvalidRequest("this call takes no body").message == "this call takes no body"


def test_an_error_of_the_limit_knows_when_to_come_back():
    assert errors.RateLimited("too many", retry_after=1.5).retry_after == 1.5


def test_a_wrong_method_knows_the_right_ones():
    assert errors.MethodNotAllowed("no such method", allowed=("GET",)).allowed == ("GET",)
