"""What the guides say to write and to type works, word for word."""

import asyncio
import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from conformance.exhibits import make_exhibits
from models.hub import open_hub

from .home import Home
from .readme import Block, read_blocks
from .waiting import BOUND

GUIDES = Path(__file__).parents[2] / "docs/guides"
TINY = b"GGUF" + bytes(1000)
BLOCKS = [block for page in sorted(GUIDES.glob("*.md")) for block in read_blocks(page.read_text())]
VENDORS = re.compile(r'engine = "(?!embedded|openai)')
SERVER = "127.0.0.1:8787"
COMMANDS = [block for block in BLOCKS if block.language == "sh" and SERVER not in block.code]
REQUESTS = [block for block in BLOCKS if block.language == "sh" and SERVER in block.code]
ANSWERS = {"inline": "14:35", "files-by-curl": "Ingrid Solberg"}
"""What a guide's request is answered with, by the block's name."""


@pytest.fixture
def person(tmp_path: Path) -> Home:
    """Someone with no settings, with a model file, and with a key for everything."""
    home = Home(tmp_path, PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    (tmp_path / "some-model.gguf").write_bytes(TINY)
    return home


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml"], ids=lambda block: block.name)
async def test_settings_of_the_guides_can_be(person: Home, block: Block):
    if VENDORS.search(block.code) and importlib.util.find_spec("pydantic_ai") is None:
        pytest.skip("no vendor's package is installed")
    person.environment |= dict.fromkeys(re.findall(r'api_key_env = "(\w+)"', block.code), "a key")
    person.configure(block.code.replace("/models/", f"{person.folder}/"))
    done = await person.run("doctor")
    assert done.err == ""
    names = re.findall(r'^\[models\."?([\w*]+)"?\]', block.code, re.MULTILINE)
    assert not names or re.findall(r"model '(.+)':", done.out) == list(dict.fromkeys(names)) or "defaults" in block.code


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.name)
async def test_commands_of_the_guides_work(person: Home, block: Block):
    sources = re.findall(r"hf:([\w.-]+/[\w.-]+)/(\S+)", block.code)
    async with open_hub({f"main/{file}": TINY for _, file in sources}, repo=sources[0][0]) as hub:
        person.environment |= {"HF_ENDPOINT": hub.url, "no_proxy": "127.0.0.1,localhost"}
        person.configure(f'[models.some]\nsource = "{person.folder}/some-model.gguf"\n')
        out = await run(block.code, person)
    assert out.strip()


@pytest.mark.model
@pytest.mark.parametrize("block", REQUESTS, ids=lambda block: block.name)
async def test_requests_of_the_guides_are_answered(tmp_path: Path, weights: Path, block: Block):
    person = Home(tmp_path, TURNWISE_MODELS_DIR=str(weights.parent))
    person.configure('[models."*".defaults]\ntemperature = 0\nmax_output_tokens = 24\n')
    make_exhibits(tmp_path)
    async with person.serve() as server:
        out = await run(block.code.replace(SERVER, server.url.removeprefix("http://")), person)
    assert ANSWERS[block.name] in out


async def run(code: str, person: Home) -> str:
    """What a shell prints that runs this in somebody's folder; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", code),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=person.folder,
        env=person.environment,
    )
    async with asyncio.timeout(BOUND):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()
