"""What of an answer's pieces needs no upstream to be seen; the rest is in `test_openai.py`."""

from turnwise.models.pieces import let_go


def raised(words: str) -> ValueError:
    try:
        raise ValueError(words)
    except ValueError as error:
        return error


def test_errors_that_name_each_other_are_let_go_of_once() -> None:
    first, second = raised("first"), raised("second")
    first.__cause__, second.__context__ = second, first
    let_go(first)
    assert (first.__traceback__, second.__traceback__) == (None, None)
