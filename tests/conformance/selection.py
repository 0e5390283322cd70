"""Which SDK generations a test runs over, as decorators for tests that take an `sdk`, and on which models.

What the API promises must hold whatever answers behind it. So what is said, called, thought and shown is tested twice:
on the default model, and on an upstream.
"""

from collections.abc import Iterable, Sequence

import pytest

from .sdks import ALL, JAVASCRIPT, PYTHON, Sdk
from .serving import MODELS, UPSTREAM

FIRST_AND_LAST = (PYTHON[0], PYTHON[-1], JAVASCRIPT[0], JAVASCRIPT[-1])
"""The generations that also run on the default model where it takes its time. What the others read is the same."""


def each_sdk(sdks: Iterable[Sdk]) -> pytest.MarkDecorator:
    """Run the test once for each of the given generations; all tests of a module on one generation run in a row."""
    params = [pytest.param(sdk, id=str(sdk), marks=marks_of(sdk)) for sdk in sdks]
    return pytest.mark.parametrize("sdk", params, scope="module")


def each_sdk_and_model(sdks: Sequence[Sdk]) -> pytest.MarkDecorator:
    """Run the test once for each of the given generations on each model; `server` is the one with that behind it."""
    params = [pytest.param(sdk, model, id=f"{sdk}-{model}", marks=marks_of(sdk)) for model in MODELS for sdk in sdks]
    return pytest.mark.parametrize(("sdk", "server"), params, indirect=["server"], scope="module")


def each_sdk_and_some_on_default(sdks: Iterable[Sdk], some: Sequence[Sdk] = FIRST_AND_LAST) -> pytest.MarkDecorator:
    """Run the test for each of the given generations on the strong model, and for some on the default one too."""
    runs = [(sdk, model) for sdk in sdks for model in MODELS if model == UPSTREAM or sdk in some]
    params = [pytest.param(sdk, model, id=f"{sdk}-{model}", marks=marks_of(sdk)) for sdk, model in runs]
    return pytest.mark.parametrize(("sdk", "server"), params, indirect=["server"], scope="module")


def marks_of(sdk: Sdk) -> list[pytest.MarkDecorator]:
    marks = [pytest.mark.sdk]
    if sdk.language == "javascript":
        marks.append(pytest.mark.node)
    return marks


OUTPUTS = [sdk for sdk in ALL if sdk.dialect == "outputs"]
STEPS = [sdk for sdk in ALL if sdk.dialect == "steps"]

over_every_sdk = each_sdk(ALL)
over_every_sdk_and_model = each_sdk_and_model(ALL)
over_outputs_sdks_and_models = each_sdk_and_model(OUTPUTS)
over_steps_sdks_and_models = each_sdk_and_model(STEPS)
over_every_model = pytest.mark.parametrize(
    "server", [pytest.param(model, id=model) for model in MODELS], indirect=True, scope="module"
)
"""For tests that need no SDK."""
