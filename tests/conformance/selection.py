"""Which SDK generations a test runs over, as decorators for tests that take an `sdk`."""

from collections.abc import Iterable

import pytest

from .sdks import ALL, Sdk


def each_sdk(sdks: Iterable[Sdk]) -> pytest.MarkDecorator:
    """Run the test once for each of the given generations; all tests of a module on one generation run in a row."""
    params = [pytest.param(sdk, id=str(sdk), marks=marks_of(sdk)) for sdk in sdks]
    return pytest.mark.parametrize("sdk", params, scope="module")


def marks_of(sdk: Sdk) -> list[pytest.MarkDecorator]:
    marks = [pytest.mark.sdk]
    if sdk.language == "javascript":
        marks.append(pytest.mark.node)
    return marks


over_every_sdk = each_sdk(ALL)
over_outputs_sdks = each_sdk(sdk for sdk in ALL if sdk.dialect == "outputs")
over_steps_sdks = each_sdk(sdk for sdk in ALL if sdk.dialect == "steps")
