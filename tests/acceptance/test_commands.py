"""The commands that look and leave: help, version, models, doctor."""

import os
import sqlite3

import pytest

import turnwise

from .home import Home
from .upstream import Upstream

COMMANDS = [
    (),
    ("serve",),
    ("api",),
    ("worker",),
    ("migrate",),
    ("pull",),
    ("doctor",),
    ("index",),
    ("models",),
    ("chat",),
    ("keys",),
    ("keys", "create"),
    ("keys", "list"),
    ("keys", "revoke"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "turnwise")
async def test_every_command_explains_itself(home: Home, command: tuple[str, ...]):
    done = await home.run(*command, "--help")
    assert (done.code, done.err) == (0, "")
    usage, _, rest = done.out.partition("\n\n")
    assert usage.startswith("Usage: ")
    assert rest.strip()


async def test_the_commands_that_there_are_are_those_that_are_tested(home: Home):
    out = (await home.run("--help")).out
    listed = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert sorted(listed) == sorted({command[0] for command in COMMANDS if command})


async def test_it_says_its_version(home: Home):
    assert (await home.run("--version")).out == f"turnwise, version {turnwise.__version__}\n"


async def test_an_unknown_command_or_option_is_named(home: Home):
    for wrong in (("dance",), ("serve", "--dance"), ("serve", "--port", "many"), ("pull", "nothing")):
        done = await home.run(*wrong)
        assert done.code != 0
        assert f"'{wrong[-1]}'" in done.err or wrong[-1] in done.err
        assert "Traceback" not in done.err


async def test_models_lists_the_names_that_requests_may_use(home: Home, upstream: Upstream):
    home.configure(
        f'[models.qwen]\nengine = "openai"\nbase_url = "{upstream.url}"\nmodel = "Qwen/Qwen3-8B"\n[models."*"]\n'
    )
    qwen, other = (await home.run("models")).out.splitlines()
    assert qwen == f"qwen  openai, Qwen/Qwen3-8B at {upstream.url}"
    assert other == "*     embedded, builtin  (answers every name that is not listed)"


async def test_doctor_finds_all_well_for_an_upstream(home: Home):
    done = await home.run("doctor")
    assert done.code == 0, done.out
    assert "LACK" not in done.out
    for looked_at in ("turnwise", "Python", "SQLite", "data directory", "model '*'"):
        assert looked_at in done.out
    assert "embedded engine" not in done.out, "it is not needed"
    assert not home.data.exists(), "it only looks"


async def test_doctor_says_how_many_processes_serve(home: Home):
    assert "processes" not in (await home.run("doctor")).out
    home.environment["TURNWISE_PROCESSES"] = "200"
    assert "processes: 200 serve as one, which is more than the " in (await home.run("doctor")).out


async def test_doctor_names_what_is_lacking_and_the_command_that_adds_it(home: Home):
    home.configure("")
    done = await home.run("doctor")
    assert done.code == 1
    (lack,) = [line for line in done.out.splitlines() if line.startswith("LACK")]
    assert lack == f"LACK default model: not in {home.data / 'models'}  ->  turnwise pull builtin"


@pytest.mark.model
async def test_doctor_finds_the_weights_where_they_are_kept(home: Home, weights):
    home.configure("")
    home.environment["TURNWISE_MODELS_DIR"] = str(weights.parent)
    done = await home.run("doctor")
    assert done.code == 0, done.out
    assert f"ok   default model: cached at {weights}" in done.out


async def test_doctor_names_weights_that_are_not_where_a_setting_says(home: Home):
    home.configure('[tools.file_search]\nembeddings = "/nowhere/x.gguf"\n')
    done = await home.run("doctor")
    assert done.err == ""
    assert "LACK file_search: by words alone: there is no file '/nowhere/x.gguf'" in done.out


@pytest.mark.postgres
async def test_doctor_looks_at_a_database_that_is_shared(home: Home, postgres_url: str, empty_postgres_url: str):
    home.environment["TURNWISE_DATABASE_URL"] = postgres_url
    done = await home.run("doctor")
    assert done.code == 0, done.out
    assert "ok   PostgreSQL: reached, and its tables are up to date" in done.out
    assert "which processes on other machines cannot read" in done.out
    home.environment["TURNWISE_DATABASE_URL"] = empty_postgres_url
    done = await home.run("doctor")
    assert done.code == 1
    (lack,) = [line for line in done.out.splitlines() if line.startswith("LACK")]
    assert "turnwise migrate" in lack


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
async def test_doctor_sees_a_data_directory_that_cannot_be_written(home: Home):
    home.data.mkdir(mode=0o500)
    done = await home.run("doctor")
    assert done.code == 1
    assert "choose another with --data-dir" in done.out


async def test_doctor_names_a_model_that_cannot_be(home: Home):
    home.configure('[models.m]\nengine = "openai"')
    assert (await home.run("doctor")).error.startswith("models.m: ")


async def test_a_database_of_a_newer_version_is_left_alone(home: Home):
    await home.run("keys", "list")
    with sqlite3.connect(home.data / "turnwise.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in (("serve",), ("keys", "list")):
        assert "a newer turnwise" in (await home.run(*command)).error
