"""What the README says to type works, word for word: on a clean checkout, in an empty environment."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from conformance.sdks import (
    EnvironmentUnavailable,
    Sdk,
    cache_folder,
    find_program,
    open_environment,
    python_executable,
)

from .home import Server
from .readme import FIRST, README, Block, read_blocks
from .test_start import free_port

ROOT = Path(__file__).parents[2]
INSTALL = 600.0
"""Seconds that the first command may take: it installs everything."""


def test_marked_blocks_are_read_in_order():
    first, other = "<!-- test: a -->\n```sh\nls\n```\n", "```sh\nno\n```\n"
    last = "<!-- test: b google-genai==2.0.0 -->\n\n```python\n1\n2\n```\n"
    assert read_blocks(first + other + last) == [Block("a", "sh", "ls\n"), Block("b", "python", "1\n2\n", "2.0.0")]


@pytest.mark.parametrize("text", ["<!-- test: a -->\nwords\n", "<!-- test: a -->\n```sh\n1\n```\n" * 2])
def test_a_mark_that_marks_nothing_is_refused(text: str):
    with pytest.raises(ValueError, match=r"comment|same name"):
        read_blocks(text)


@pytest.fixture
def blocks() -> list[Block]:
    blocks = read_blocks(README.read_text())
    if not any(block.name == FIRST for block in blocks):
        pytest.skip(f"README.md has no block that is marked `<!-- test: {FIRST} -->`; see tests/acceptance/readme.py")
    return blocks


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that git knows, as they are now."""
    try:
        git = find_program("git")
    except EnvironmentUnavailable as unavailable:
        pytest.skip(str(unavailable))
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    folder = tmp_path / "turnwise"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.model
@pytest.mark.sdk
async def test_what_the_readme_says_works(blocks: list[Block], checkout: Path, weights: Path, tmp_path: Path):
    port = str(free_port())
    foreign = ("TURNWISE_", "PYTHON", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "PATH": os.pathsep.join([str(Path(sys.base_prefix) / "bin"), os.environ["PATH"]]),
        "XDG_DATA_HOME": str(tmp_path / "home"),
        "TURNWISE_MODELS_DIR": str(weights.parent),
        "TURNWISE_PORT": port,
    }
    first = next(block for block in blocks if block.name == FIRST)
    process = await start(["bash", "-euo", "pipefail", "-c", first.code], checkout, environment)
    server = Server(process)
    try:
        await server.ready(within=INSTALL)
        for block in blocks:
            if block is not first:
                command = await asyncio.to_thread(command_for, block, block.code.replace("8787", port), checkout)
                await check(block, command, checkout, environment)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # the shell that we started, and what it started
        await server.ended()


def command_for(block: Block, code: str, checkout: Path) -> list[str]:
    """How a person would run the block."""
    match block.language:
        case "sh" | "bash" | "console":
            return ["bash", "-euo", "pipefail", "-c", code]
        case "python":
            try:
                environment = open_environment(Sdk("python", block.sdk), cache_folder())
            except EnvironmentUnavailable as unavailable:
                pytest.skip(str(unavailable))
            return [str(python_executable(environment)), "-c", code]
        case "toml":
            file = checkout / f"{block.name}.toml"
            file.write_text(code)
            return [str(checkout / ".venv/bin/turnwise"), "models", "--config", str(file)]
        case other:
            raise ValueError(f"the block '{block.name}' is marked as tested, but nobody knows how to run {other}")


async def check(block: Block, command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a block. It must end well, and say something."""
    process = await start(command, folder, environment)
    async with asyncio.timeout(120):
        out, _ = await process.communicate()
    assert process.returncode == 0, f"{block.name}:\n{out.decode()}"
    assert out.strip(), f"{block.name} says nothing"


async def start(command: list[str], folder: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
