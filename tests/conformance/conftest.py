"""What the conformance tests share: the server as a real process, the SDKs' environments, and what scripts report.

The server is started once for each test process and answers from the default model, whose weights lie in the test
cache. `TURNWISE_TEST_SERVER` names the address of a running server to test in its place.
"""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .founding import DocumentMissing, read_snippets
from .programs import TIMEOUT, Outcome, run_sdk
from .sdks import EnvironmentUnavailable, Sdk, cache_folder, find_program, locked, open_environment
from .serving import serve

SCRIPTS = Path(__file__).with_name("scripts")


@pytest.fixture(scope="session")
def cache() -> Path:
    return cache_folder()


@pytest.fixture(scope="session")
def server(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server under test."""
    running = os.environ.get("TURNWISE_TEST_SERVER")
    if running:
        yield running.rstrip("/")
        return
    models = cache / "models"
    with ExitStack() as stack:
        # One at a time, so that the first of several test processes fetches the weights and the others find them.
        with locked(models):
            address = stack.enter_context(serve(tmp_path_factory.mktemp("data"), models))
        yield address


@pytest.fixture(scope="session")
def snippets() -> dict[str, dict[str, str]]:
    """The founding document's snippets, by name and language."""
    try:
        return read_snippets()
    except DocumentMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a program of this machine; where it is missing, the test skips with the reason."""

    def find(name: str) -> str:
        try:
            return find_program(name)
        except EnvironmentUnavailable as unavailable:
            pytest.skip(str(unavailable))

    return find


@pytest.fixture(scope="session")
def environment_of(cache: Path) -> Callable[[Sdk], Path]:
    """The folder of an SDK's environment; where it cannot be had, the test skips with the reason."""
    known: dict[Sdk, Path | EnvironmentUnavailable] = {}

    def open_once(sdk: Sdk) -> Path:
        if sdk not in known:
            try:
                known[sdk] = open_environment(sdk, cache)
            except EnvironmentUnavailable as unavailable:
                known[sdk] = unavailable
        environment = known[sdk]
        if isinstance(environment, EnvironmentUnavailable):
            pytest.skip(f"{sdk}: {environment}")
        return environment

    return open_once


@pytest.fixture(scope="session")
def report_of(
    server: str, environment_of: Callable[[Sdk], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sdk, str], dict]:
    """What one of our scripts reports when an SDK runs it; each is run once and read by many tests."""
    outcomes: dict[tuple[Sdk, str], Outcome] = {}

    def run_once(sdk: Sdk, name: str) -> dict:
        if (sdk, name) not in outcomes:
            folder = tmp_path_factory.mktemp(f"{sdk}-{name}")
            outcomes[sdk, name] = run_sdk(sdk, environment_of(sdk), script_of(sdk, name), folder, server)
        return outcomes[sdk, name].report()

    return run_once


@pytest.fixture
def run_crossing(
    server: str, environment_of: Callable[[Sdk], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict]:
    """Run the script that begins a conversation, or goes on from a given interaction."""

    def run_now(sdk: Sdk, *before: str) -> dict:
        folder = tmp_path_factory.mktemp(f"{sdk}-crossing")
        return run_sdk(sdk, environment_of(sdk), script_of(sdk, "crossing"), folder, server, *before).report()

    return run_now


@pytest.fixture
def create_interaction(server: str) -> Callable[..., dict]:
    """Make a stored interaction with a plain request, in the founding document's own form."""

    def create(text: str, model: str = "gemini-3-flash-preview") -> dict:
        body = {"model": model, "input": text}
        request = urllib.request.Request(
            f"{server}/v1beta/interactions",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "x-goog-api-key": "any-key"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            return json.load(reply)

    return create


def script_of(sdk: Sdk, name: str) -> Path:
    """The script of that name in the SDK's form, or the one that both forms share."""
    suffix = ".py" if sdk.language == "python" else ".mjs"
    own_form = SCRIPTS / sdk.dialect / f"{name}{suffix}"
    return own_form if own_form.exists() else SCRIPTS / f"{name}{suffix}"
