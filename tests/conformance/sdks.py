"""The official SDK generations, and one cached environment for each of them.

A generation is a published version of `google-genai` (Python) or `@google/genai` (JavaScript). Its environment is a
virtual environment or a folder with `node_modules`, built once with the plain `pip` or `npm` of this machine and kept
in the test cache (`cache_folder`). The folder's name holds a hash of the exact requirement list, so a changed list
builds a new one beside the old. What runs inside an environment is in `programs.py`.

An environment is built at its final place, since a virtual environment cannot be moved, and its marker file is written
last: a folder without the marker is an interrupted build and is built again. A lock beside the folder lets several test
processes ask at the same time.

`python -m tests.conformance.sdks` builds all of them.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

INSTALL_TIMEOUT = 900
MARKER = "complete.json"
CONSTRAINTS = Path(__file__).with_name("constraints.txt")

# What the founding document's snippets import beside the SDK itself.
PYTHON_COMPANIONS = ("requests",)
JAVASCRIPT_COMPANIONS = {"node-fetch": "3.3.2", "wav": "1.0.2", "zod": "4.1.13"}
# What the JavaScript SDK brings along, held as `constraints.txt` holds the Python side.
JAVASCRIPT_OVERRIDES = {
    "google-auth-library": "10.9.1",
    "p-retry": "4.6.2",
    "protobufjs": "7.6.6",
    "ws": "8.23.0",
}


@dataclass(frozen=True, slots=True)
class Sdk:
    """One published generation of an official SDK."""

    language: Literal["python", "javascript"]
    version: str

    def __str__(self) -> str:
        return f"{self.language}-{self.version}"

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def dialect(self) -> Literal["outputs", "steps"]:
        return "outputs" if self.major == 1 else "steps"


PYTHON = tuple(Sdk("python", version) for version in ("1.55.0", "1.65.0", "1.75.0", "2.0.0", "2.34.0", "3.4.0"))
JAVASCRIPT = tuple(Sdk("javascript", version) for version in ("1.33.0", "1.52.0", "2.0.0", "3.1.0"))
ALL = PYTHON + JAVASCRIPT


class EnvironmentUnavailable(Exception):
    """This machine cannot build the environment; the message is the reason a test gives when it skips."""


def cache_folder() -> Path:
    """Where environments and the default model are kept between test runs."""
    chosen = os.environ.get("TURNWISE_TEST_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnwise-tests"


def open_environment(sdk: Sdk, cache: Path) -> Path:
    """The folder of the SDK's environment, which is built first if it is not there."""
    return open_recipe(cache / "sdks", str(sdk), _recipe(sdk))


def open_recipe(folder: Path, name: str, recipe: "Recipe") -> Path:
    """The folder that holds what a recipe makes. A changed recipe has another one."""
    build, wanted = recipe
    return open_folder(folder / f"{name}-{_address(wanted)}", wanted, build)


def open_folder(folder: Path, wanted: dict, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, marked with what was `wanted` of it; built at most once, however many ask."""
    with locked(folder):
        if not (folder / MARKER).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            build(folder)
            (folder / MARKER).write_text(json.dumps(wanted, indent=2))
    return folder


def python_executable(environment: Path) -> Path:
    return environment / "bin" / "python"


Recipe: TypeAlias = tuple[Callable[[Path], None], dict]
"""How an environment is built, and all that it depends on."""


def _recipe(sdk: Sdk) -> Recipe:
    if sdk.language == "python":
        return python_recipe([f"google-genai=={sdk.version}", *PYTHON_COMPANIONS], CONSTRAINTS)
    return javascript_recipe({"@google/genai": sdk.version, **JAVASCRIPT_COMPANIONS}, JAVASCRIPT_OVERRIDES)


def python_recipe(requirements: list[str], constraints: Path) -> Recipe:
    """A virtual environment with these packages."""

    def build(folder: Path) -> None:
        _install([sys.executable, "-m", "venv", str(folder)], folder)
        pip = [str(python_executable(folder)), "-m", "pip", "install", "--quiet", "--no-input"]
        _install([*pip, "--constraint", str(constraints), *requirements], folder)

    wanted = {
        "python": sys.version.split()[0],
        "base": sys.base_prefix,
        "requirements": requirements,
        "constraints": constraints.read_text().splitlines(),
    }
    return build, wanted


def javascript_recipe(dependencies: dict[str, str], overrides: dict[str, str]) -> Recipe:
    """A folder with these packages in `node_modules`."""
    package = {"private": True, "type": "module", "dependencies": dependencies, "overrides": overrides}

    def build(folder: Path) -> None:
        npm = find_program("npm")
        (folder / "package.json").write_text(json.dumps(package, indent=2))
        _install([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"], folder)

    return build, package


def find_program(name: str) -> str:
    """The program's path; its absence is a reason to skip."""
    path = shutil.which(name)
    if path is None:
        raise EnvironmentUnavailable(f"{name} is not installed on this machine")
    return path


def _install(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise EnvironmentUnavailable(f"no end after {INSTALL_TIMEOUT} s: {' '.join(command)}") from None
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise EnvironmentUnavailable(f"failed: {' '.join(command)}\n{last_words}")


def _address(wanted: dict) -> str:
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock beside `path`, against every other process that asks for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f"{path.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for each in ALL:
        sys.stdout.write(f"{each}: {open_environment(each, cache_folder())}\n")
