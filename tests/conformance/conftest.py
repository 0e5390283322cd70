"""What the conformance tests share: the server as a real process, the SDKs' environments, and what scripts report.

A server is started once for each test process and each model behind it: the default one, whose weights lie in the test
cache, and one behind chat completions. `TURNWISE_TEST_SERVER` names the address of a running server to test in place of
the first.
"""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .competent import competent
from .founding import DocumentMissing, read_snippets
from .programs import TIMEOUT, Outcome, run_sdk
from .sdks import EnvironmentUnavailable, Sdk, cache_folder, find_program, locked, open_environment
from .serving import DEFAULT_MODEL, serve
from .upstream import Upstream, open_upstream

SCRIPTS = Path(__file__).with_name("scripts")

UPSTREAM_SETTINGS = """
[models."*"]
engine = "openai"
base_url = "{address}"
thinks = true
"""


@pytest.fixture(scope="session")
def cache() -> Path:
    return cache_folder()


@pytest.fixture(scope="session")
def competent_upstream() -> Iterator[Upstream]:
    """A model behind chat completions that does well what it is asked."""
    with open_upstream(competent) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def address_of(
    cache: Path, tmp_path_factory: pytest.TempPathFactory, competent_upstream: Upstream
) -> Iterator[Callable[[str], str]]:
    """The address of the server with a model behind it; each is started when it is first asked for."""
    addresses: dict[str, str] = {}
    with ExitStack() as stack:

        def open_once(model: str) -> str:
            if model not in addresses:
                folder, models = tmp_path_factory.mktemp(model), cache / "models"
                opened = (
                    on_default_model(folder, models)
                    if model == DEFAULT_MODEL
                    else on_upstream(folder, models, competent_upstream)
                )
                addresses[model] = stack.enter_context(opened)
            return addresses[model]

        yield open_once


@contextmanager
def on_default_model(folder: Path, models: Path) -> Iterator[str]:
    """A server that answers from the model in the package."""
    running = os.environ.get("TURNWISE_TEST_SERVER")
    if running:
        yield running.rstrip("/")
        return
    with ExitStack() as stack:
        # One at a time, so that the first of several test processes fetches the weights and the others find them.
        with locked(models):
            address = stack.enter_context(serve(folder, models))
        yield address


@contextmanager
def on_upstream(folder: Path, models: Path, upstream: Upstream) -> Iterator[str]:
    """A server that answers from a model behind chat completions."""
    settings = folder / "turnwise.toml"
    settings.write_text(UPSTREAM_SETTINGS.format(address=upstream.address))
    with serve(folder / "data", models, "--config", str(settings)) as address:
        yield address


@pytest.fixture
def server(address_of: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """The address of the server under test. Tests that ask for none have the default model behind it."""
    return address_of(getattr(request, "param", DEFAULT_MODEL))


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
def outcomes() -> dict[tuple[str, Sdk, str], Outcome]:
    """How our scripts ended, by server, SDK and name."""
    return {}


@pytest.fixture
def report_of(
    server: str,
    environment_of: Callable[[Sdk], Path],
    tmp_path_factory: pytest.TempPathFactory,
    outcomes: dict[tuple[str, Sdk, str], Outcome],
) -> Callable[[Sdk, str], dict]:
    """What one of our scripts reports when an SDK runs it; each is run once and read by many tests."""

    def run_once(sdk: Sdk, name: str) -> dict:
        if (server, sdk, name) not in outcomes:
            folder = tmp_path_factory.mktemp(f"{sdk}-{name}")
            outcomes[server, sdk, name] = run_sdk(sdk, environment_of(sdk), script_of(sdk, name), folder, server)
        return outcomes[server, sdk, name].report()

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
