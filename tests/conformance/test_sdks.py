"""The SDK environments: each holds the generation that it is named after, and is built once however many ask for it."""

import threading
from pathlib import Path

import pytest

from .programs import run_sdk
from .sdks import EnvironmentUnavailable, find_program, open_folder
from .selection import over_every_sdk

NO_SERVER = "http://127.0.0.1:9"
PROBES = {
    "python": "from google import genai\nprint(genai.__version__)\n",
    "javascript": (
        "import { GoogleGenAI } from '@google/genai';\n"
        "import { readFileSync } from 'node:fs';\n"
        "new GoogleGenAI({});\n"
        "console.log(JSON.parse(readFileSync('node_modules/@google/genai/package.json')).version);\n"
    ),
}


@over_every_sdk
def test_each_sdk_imports_at_its_own_version(sdk, environment_of, tmp_path):
    script = tmp_path / ("probe.py" if sdk.language == "python" else "probe.mjs")
    script.write_text(PROBES[sdk.language])
    outcome = run_sdk(sdk, environment_of(sdk), script, tmp_path, NO_SERVER).succeeded()
    assert outcome.stdout.strip() == sdk.version


def test_environment_that_many_ask_for_is_built_once(tmp_path):
    builds = []
    asking = threading.Barrier(8)

    def ask():
        asking.wait(10)
        open_folder(tmp_path / "one", {"wanted": 1}, builds.append)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert builds == [tmp_path / "one"]


def test_interrupted_build_is_done_again(tmp_path):
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise EnvironmentUnavailable("the line went down")

    with pytest.raises(EnvironmentUnavailable):
        open_folder(tmp_path / "one", {}, interrupted)
    folder = open_folder(tmp_path / "one", {}, lambda folder: (folder / "whole").touch())
    assert (folder / "whole").exists()
    assert not (folder / "half").exists()


def test_missing_program_is_a_reason_to_skip():
    with pytest.raises(EnvironmentUnavailable, match="no-such-program is not installed"):
        find_program("no-such-program")
