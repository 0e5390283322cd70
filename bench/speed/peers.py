"""Other servers that take interactions, each in an environment of its own, measured beside turnwise where they are.

    python -m bench.speed peers --install build/peers      sets them up, from the package index
    python -m bench.speed peers --peers build/peers        starts each, and says whether it answers

They translate a call for another API, and keep nothing: an interaction that they answered cannot be read, continued or
resumed. So they do only a part of what turnwise does. A peer is only measured if its answers, plain and streamed, hold
the upstream's words. All run with one process, as they are installed, without keys and without a database. LiteLLM is
told to ask nobody for the prices of models, which is all that it would say to the network, and asks its upstream by
OpenAI's Responses: through chat completions it takes more than twice the CPU time, and answers the same.
"""

import argparse
import json
import socket
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.speed.calls import asked, load, run, session
from bench.speed.servers import Output, Server, asgi, process

HERE = Path(__file__).parents[2] / "build" / "peers"
"""Where their environments are looked for, unless another folder is named."""

PATIENCE = 180.0
"""Seconds for a peer to listen."""

LEFT_OUT = {
    "OGX": "left out, for it takes 7 GB to install, and speaks a form of interactions that today's SDKs do not read",
}
"""Peers that are not measured, and why."""

Start = Callable[[Path, Path, Server, int, Sequence[str]], tuple[list[str], Mapping[str, str]]]
"""The arguments for a peer's Python, and its settings; told its environment, a folder for its files, the upstream, the
port, and the names of models that it will be asked for."""


@dataclass(frozen=True)
class Peer:
    """A server that is not ours."""

    name: str
    package: str
    """What is installed, and the name of its environment."""
    extras: str
    start: Start
    tongue: str = "upstream"
    """The program that is its upstream: the one whose API it is quickest with."""


def _litellm(
    environment: Path, folder: Path, model: Server, port: int, names: Sequence[str]
) -> tuple[list[str], Mapping[str, str]]:
    reach = {"api_base": f"{model.url}/v1", "api_key": "none"}
    streams = {"supports_native_streaming": True, "mode": "responses", "litellm_provider": "openai"}
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", **reach}, "model_info": streams}
        for name in names
    ]
    config = Path(folder, "config.yaml")  # JSON is YAML
    config.write_text(json.dumps({"model_list": models}))
    settings = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    program = str(environment / "bin" / "litellm")
    return [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)], settings


def _llm_rosetta(
    environment: Path, folder: Path, model: Server, port: int, names: Sequence[str]
) -> tuple[list[str], Mapping[str, str]]:
    config = Path(folder, "config.json")
    config.write_text(
        json.dumps(
            {
                "providers": {"openai_chat": {"api_key": "none", "base_url": f"{model.url}/v1"}},
                "models": dict.fromkeys(names, "openai_chat"),
                "server": {"host": "127.0.0.1", "port": port, "open_on_no_keys": True},
            }
        )
    )
    program = str(environment / "bin" / "llm-rosetta-gateway")
    quiet = ["--no-banner", "--log-level", "warning"]
    return [program, "--config", str(config), "--data-dir", str(folder / "data"), *quiet], {}


PEERS = (
    Peer("LiteLLM", "litellm", "[proxy]", _litellm, tongue="responses"),
    Peer("llm-rosetta", "llm-rosetta", "", _llm_rosetta),
)


@contextmanager
def peers(folder: Path, names: Sequence[str]) -> Iterator[tuple[list[Server], list[str]]]:
    """Those that are in the folder, started. And in words why the others are not."""
    with ExitStack() as stack:
        found: list[Server] = []
        missing = [f"{name}: {reason}" for name, reason in LEFT_OUT.items()]
        for peer in PEERS:
            if (folder / peer.package / "bin" / "python").exists():
                found.append(stack.enter_context(peer_server(peer, folder / peer.package, names)))
            else:
                missing.append(f"{peer.name}: left out, for it is not installed")
        yield found, missing


@contextmanager
def peer_server(peer: Peer, environment: Path, names: Sequence[str]) -> Iterator[Server]:
    """The peer, started, which has shown that it answers with the upstream's words.

    Raises:
        SystemExit: it did not start, or answers something else.
    """
    name = f"{peer.name} {_version(peer, environment)}"
    with tempfile.TemporaryDirectory() as folder, asgi(peer.tongue, {}) as model:
        port = _free_port()
        arguments, settings = peer.start(environment, Path(folder), model, port, names)
        python = str(environment / "bin" / "python")
        with process(name, arguments, {"HOME": folder, **settings}, python=python) as (pid, output):
            _await_listening(port, output)
            url = f"http://127.0.0.1:{port}"
            server = Server(name, url, (pid,), path="/v1beta/interactions", may_cut_off=True)
            run(_confirm(server, names))
            yield server


def notes(missing: Sequence[str], cut_off: Mapping[str, int]) -> list[str]:
    """What a reader of the figures must know of them."""
    return [
        *missing,
        *(f"{name} cut off {calls} calls, which are not in the figures" for name, calls in cut_off.items()),
    ]


async def _confirm(server: Server, names: Sequence[str]) -> None:
    """Ask once for each model's words, plain and streamed, and for each word of the stream."""
    async with session() as client:
        for name in names:
            try:
                await load(client, server, asked(model=name), callers=1, calls=1, word=b"Hello")
                await load(client, server, asked(model=name, streamed=True), callers=1, calls=1, word=b"word99 ")
            except AssertionError as error:
                raise SystemExit(f"{server.name} does not answer with the upstream's words: {error}") from error


def _version(peer: Peer, environment: Path) -> str:
    asking = f"import importlib.metadata; print(importlib.metadata.version('{peer.package}'))"
    return subprocess.check_output([environment / "bin" / "python", "-c", asking], text=True).strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_listening(port: int, output: Output) -> None:
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest and not output.has_ended():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise output.failed()


def install(folder: Path) -> None:
    """Make an environment for each, with the newest version that can be had."""
    for peer in PEERS:
        environment = folder / peer.package
        venv.create(environment, with_pip=True)
        pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.check_call([*pip, f"{peer.package}{peer.extras}"])
        print(f"{peer.name} {_version(peer, environment)} is in {environment}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--install", type=Path, nargs="?", const=HERE, metavar="DIR", help="set them up there")
    options.add_argument("--peers", type=Path, default=HERE, metavar="DIR", help="start those that are there")
    given = options.parse_args()
    if given.install:
        install(given.install)
    with peers((given.install or given.peers).absolute(), ["m"]) as (found, missing):
        print("\n".join([*(f"{server.name} answers" for server in found), *missing]))


if __name__ == "__main__":
    main()
