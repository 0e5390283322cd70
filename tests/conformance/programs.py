"""Running a client program against a server: an SDK script in its environment, or a shell snippet.

Every program gets only what a user of the founding document would set, the base address and a key, in an environment
cleaned of this machine's own settings. It runs in a folder of its own, has bounded time, and is ended with all its
children when that is over. What it printed and how it ended comes back as an `Outcome`.
"""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .sdks import Sdk, find_program, python_executable

TIMEOUT = 180
FOREIGN_SETTINGS = ("GOOGLE_", "GEMINI_", "PYTHON", "NODE_")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    code: int
    stdout: str
    stderr: str

    def succeeded(self) -> "Outcome":
        """This outcome, if the program ended well."""
        assert self.code == 0, f"ended with {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        return self

    def report(self) -> dict:
        """The JSON object that one of our scripts prints as its last line."""
        return json.loads(self.succeeded().stdout.splitlines()[-1])


def run_sdk(sdk: Sdk, environment: Path, script: Path, folder: Path, server: str, *arguments: str) -> Outcome:
    """Run a script with the SDK that was installed in `environment`."""
    if sdk.language == "python":
        return run([str(python_executable(environment)), str(script), *arguments], folder, server)
    # Node looks for packages upwards from the script, so the script stands beside a link to them.
    packages = folder / "node_modules"
    if not packages.exists():
        packages.symlink_to(environment / "node_modules", target_is_directory=True)
    module = folder / script.with_suffix(".mjs").name
    if module != script:
        module.write_bytes(script.read_bytes())
    return run([find_program("node"), str(module), *arguments], folder, server)


def run_shell(snippet: str, folder: Path, server: str) -> Outcome:
    """Run a shell snippet as somebody would who pasted it into a terminal."""
    return run([find_program("bash"), "-c", snippet], folder, server)


def run(command: list[str], folder: Path, server: str, timeout: float = TIMEOUT) -> Outcome:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=client_settings(server),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        stderr += f"\n(no end after {timeout} s)"
    return Outcome(process.returncode, stdout, stderr)


def client_settings(server: str) -> dict[str, str]:
    """The environment of a client program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_SETTINGS)}
    return kept | {
        "GOOGLE_GEMINI_BASE_URL": server,
        "GEMINI_API_KEY": "any-key",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }
