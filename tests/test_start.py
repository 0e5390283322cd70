"""What is loaded when. How long a start takes is measured by `python -m bench.speed start`: here is held what makes it
short, which is that nothing is loaded before somebody needs it."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from turnwise.tools.toolbox import Late

SERVER = """
import asyncio, json, sys
from pathlib import Path
from turnwise import cli
from turnwise.app import open_app
from turnwise.http.server import Server
from turnwise.reload import reloading
from turnwise.settings import load_settings

async def start():
    upstream = {"engine": "openai", "base_url": "http://127.0.0.1:9/v1"}
    async with open_app(load_settings(data_dir=Path(sys.argv[1]), models={"*": upstream})):
        print(json.dumps(list(sys.modules)))

asyncio.run(start())
"""

COMMAND = """
import json, sys
from turnwise.cli import main
main(sys.argv[1:], standalone_mode=False)
print(json.dumps(list(sys.modules)))
"""

FOR_FEW = (
    *("alembic", "sqlalchemy", "asyncpg", "obstore"),  # databases that are not up to date, or are elsewhere
    *("cryptography", "jwt"),  # thoughts and webhooks
    *("jsonschema", "regex", "turnwise.engine.validation", "turnwise.engine.filters"),  # schemas and filters
    *("numpy", "PIL", "av", "trafilatura", "mcp", "pydantic_monty", "ddgs", "pydantic_ai", "xllamacpp", "rich", "pip"),
    *("turnwise.doctor", "turnwise.http.openapi", "turnwise.agents.deep_research"),
    *("turnwise.models.embedded", "turnwise.models.drawing", "turnwise.models.speech.espeak"),
    *("turnwise.tools.code_execution", "turnwise.tools.mcp_server", "turnwise.tools.url_context"),
    *("turnwise.tools.computer_use", "turnwise.tools.file_search", "turnwise.tools.google_search.index"),
)
"""What a server that answers by an upstream is ready without."""


def _loaded(code: str, *arguments: str) -> set[str]:
    """The modules that a Python of its own has loaded when it has run this."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=os.environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_server_is_ready_without_what_few_requests_need(tmp_path: Path) -> None:
    loaded = _loaded(SERVER, str(tmp_path))
    assert "turnwise.engine.interactions" in loaded
    assert not loaded.intersection(FOR_FEW)


@pytest.mark.parametrize("command", [["--help"], ["serve", "--help"], ["keys", "create", "--help"], ["--version"]])
def test_help_loads_neither_settings_nor_the_server(command: list[str]) -> None:
    loaded = _loaded(COMMAND, *command)
    assert not loaded.intersection({"pydantic", "aiohttp", "starlette", "orjson", "turnwise.settings", "turnwise.app"})


@pytest.mark.parametrize("command", [["models"], ["keys", "list"], ["keys", "create"]])
def test_a_command_that_looks_something_up_does_not_load_the_server(command: list[str], tmp_path: Path) -> None:
    loaded = _loaded(COMMAND, *command, "--data-dir", str(tmp_path))
    assert "turnwise.settings" in loaded
    assert not loaded.intersection({"aiohttp", "uvicorn", "turnwise.app", "turnwise.doctor", *FOR_FEW})


def test_the_package_itself_loads_nothing() -> None:
    code = "import json, sys; before = {*sys.modules}; import turnwise; print(json.dumps([*{*sys.modules} - before]))"
    assert _loaded(code) == {"turnwise"}


def test_garbage_is_looked_for_again_and_not_in_what_was_there() -> None:
    code = (
        "import asyncio, gc, json; from turnwise import garbage\n"
        "async def serve(): garbage.settle()\n"
        "garbage.put_off(); before = gc.isenabled(); asyncio.run(serve())\n"
        "print(json.dumps([str(before), str(gc.isenabled()), str(gc.get_freeze_count() > 1000)]))"
    )
    assert _loaded(code) == {"False", "True"}


def test_a_late_tool_is_made_once_and_not_before_it_is_declared() -> None:
    made: list[Any] = []

    class Opened:
        def open(self, declared: Any, occasion: Any) -> Any:
            return nullcontext((declared, occasion))

    def make() -> Opened:
        made.append(Opened())
        return made[-1]

    tool = Late(make)
    assert not made
    with tool.open("declared", "occasion") as first, tool.open("again", "occasion") as second:  # type: ignore[arg-type, attr-defined]
        assert (first, second) == (("declared", "occasion"), ("again", "occasion"))
    assert len(made) == 1
