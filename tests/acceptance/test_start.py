"""Starting: the line that says it is ready, and one line that says what is wrong when it cannot be."""

import socket
from pathlib import Path

import pytest

from .client import open_client, text_of
from .home import READY, Home
from .upstream import Upstream, answer_to

EVERYWHERE = "0.0.0.0"


async def test_it_says_where_it_is_ready_and_answers_there(home: Home):
    async with home.serve() as server, open_client(server.url) as client:
        assert server.url.startswith("http://127.0.0.1:")
        assert [await client.status(path) for path in ("/readyz", "/healthz")] == [200, 200]
        assert (await client.create("hello")).text == answer_to("hello", 3)


async def test_it_says_nothing_else_when_all_is_well(home: Home):
    async with home.serve() as server, open_client(server.url) as client:
        await client.create("hello")
        assert await server.stop() == 0
        assert server.lines == [f"{READY}{client.url}"]


async def test_the_port_is_the_one_that_was_asked_for(home: Home):
    port = free_port()
    async with home.serve("--port", str(port)) as server:
        assert server.url == f"http://127.0.0.1:{port}"


async def test_settings_come_from_the_file_then_the_environment_then_the_command_line(home: Home, upstream: Upstream):
    ports = [free_port(), free_port(), free_port()]
    home.configure(f'port = {ports[0]}\n[models."*"]\nengine = "openai"\nbase_url = "{upstream.url}"\n')
    async with home.starting("serve") as server:
        await server.ready()
        assert server.url.endswith(f":{ports[0]}")
    home.environment["TURNWISE_PORT"] = str(ports[1])
    async with home.starting("serve") as server:
        await server.ready()
        assert server.url.endswith(f":{ports[1]}")
    async with home.serve("--port", str(ports[2])) as server:
        assert server.url.endswith(f":{ports[2]}")


async def test_an_ipv6_address_is_written_as_a_url_wants_it(home: Home):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with home.serve("--host", "::1") as server, open_client(server.url) as client:
        assert server.url.startswith("http://[::1]:")
        assert await client.status("/readyz") == 200


# -- when it cannot start


async def test_a_port_that_is_taken_is_named(home: Home):
    async with home.serve() as server:
        port = server.url.rpartition(":")[2]
        other = await home.run("serve", "--port", port)
    assert other.code == 1
    assert other.error == f"cannot listen on 127.0.0.1:{port}: the port is taken; choose another with --port"


async def test_an_address_that_is_not_ours_is_named(home: Home):
    done = await home.run("serve", "--host", "192.0.2.1", "--insecure")
    assert done.code == 1
    assert done.error.startswith("cannot listen on 192.0.2.1:8787: ")


async def test_a_host_that_does_not_exist_is_named(home: Home):
    done = await home.run("serve", "--host", "no such host", "--insecure")
    assert done.code == 1
    assert done.error.startswith("cannot listen on no such host:8787: ")


WRONG_SETTINGS = {
    "an unknown setting": ("colour = 1", "colour: there is no such setting"),
    "an unknown setting of a model": ('[models.m]\ncolour = "red"', "models.m.colour: there is no such setting"),
    "a value of the wrong type": ('port = "many"', "port: "),
    "a value out of range": ("port = 70000", "port: "),
    "a dialect that is none": ('default_dialect = "klingon"', "default_dialect: "),
    "an engine that is none": ('[models.m]\nengine = "steam"', "models.m.engine: "),
    "a database in memory": ('database_url = "sqlite:///:memory:"', "database_url: "),
    "a database that is none": ('database_url = "mysql://here"', "database_url: "),
    "models that are no table": ("models = 5", "models: "),
    "an upstream without an address": ('[models.m]\nengine = "openai"', "models.m: "),
    "a weights file that is not there": ('[models.m]\nsource = "/nowhere/m.gguf"', "models.m: "),
    "a source that is none": ('[models.m]\nsource = "somewhere"', "models.m: "),
    "an option of another engine": ('[models.m]\nbase_url = "http://127.0.0.1:1/v1"', "models.m: "),
    "a key that is not there": (
        '[models.m]\nengine = "openai"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "NO_SUCH_KEY"',
        "models.m: api_key_env names the variable NO_SUCH_KEY, which is not set",
    ),
    "a sandbox that is none": ('[tools.code_execution]\nsandbox = "box"', "tools.code_execution.sandbox: "),
    "actions that no browser has": (
        '[tools.computer_use]\nbrowser_actions = "x"',
        "tools.computer_use.browser_actions: ",
    ),
    "a search without an address": ('[tools.google_search]\nengine = "searxng"', "tools.google_search.url: "),
    "embeddings that are none": (
        '[tools.file_search]\nembeddings = "none"',
        "tools.file_search.embeddings: source is ",
    ),
    "a network that is none": ('[network]\nallow = ["nobody/99"]', "network.allow: "),
    "an ear that is none": ('[media]\nspeech = "ear"', "media.speech: "),
    "bad TOML": ("port = = 1", "turnwise.toml is not valid TOML: "),
    "a setting given twice": ("port = 1\nport = 2", "turnwise.toml is not valid TOML: "),
}


@pytest.mark.parametrize(("toml", "complaint"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS.keys())
async def test_a_wrong_setting_is_named_in_one_line(home: Home, toml: str, complaint: str):
    home.configure(toml)
    done = await home.run("serve")
    assert done.code == 1
    assert done.error.startswith(complaint)


async def test_a_wrong_setting_says_what_it_is_and_where_it_was_looked_for(home: Home):
    home.configure('default_dialect = "klingon"')
    complaint = (await home.run("serve")).error
    assert "'klingon'" in complaint
    assert "'outputs' or 'steps'" in complaint
    assert "turnwise.toml" in complaint


async def test_a_wrong_variable_is_named_in_one_line(home: Home):
    home.environment["TURNWISE_PORT"] = "many"
    assert (await home.run("serve")).error.startswith("port: ")


READING = [("serve",), ("api",), ("worker",), ("migrate",), ("doctor",), ("models",), ("pull",), ("keys", "list")]
"""Commands that read the settings."""


async def test_bytes_that_are_no_text_are_no_settings(home: Home):
    (home.folder / "turnwise.toml").write_bytes(b"\xff\xfe")
    assert (await home.run("serve")).error.startswith("turnwise.toml is not valid TOML: ")


@pytest.mark.parametrize("command", READING, ids=" ".join)
async def test_a_settings_file_that_is_not_there_is_named(home: Home, command: tuple[str, ...]):
    assert (await home.run(*command, "--config", "nowhere.toml")).error == "there is no settings file at nowhere.toml"


async def test_a_data_directory_that_cannot_be_made_is_named(home: Home):
    (home.folder / "file").touch()
    done = await home.run("serve", "--data-dir", str(home.folder / "file" / "data"))
    assert done.code == 1
    assert str(home.folder / "file" / "data") in done.error


async def test_a_database_that_is_none_is_named(home: Home):
    home.data.mkdir()
    (home.data / "turnwise.db").write_text("a diary, and no database" * 100)
    for command in (("serve",), ("keys", "list")):
        done = await home.run(*command)
        assert done.code == 1
        assert "turnwise.db" in done.error


async def test_a_second_server_leaves_the_data_of_the_first_alone(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        begun = await client.create("hello", background=True)
        await upstream.asked(1)
        other = await home.run("serve", "--port", "0")
        assert other.code == 1
        assert other.error == f"another turnwise is serving from {home.data}; stop it, or choose another place"
        upstream.telling.set()
        assert text_of(await client.follow(begun.body["id"]).whole()) == answer_to("hello", 3)
        assert (await client.get(begun.body["id"])).body["status"] == "completed"


async def test_a_wrong_start_leaves_nothing_behind(home: Home):
    home.configure('[models.m]\nengine = "openai"')
    await home.run("serve")
    assert not home.data.exists()


async def test_a_home_directory_is_found_by_its_sign(home: Home, upstream: Upstream):
    home.environment |= {"HOME": str(home.folder), "TURNWISE_DATA_DIR": "~/elsewhere"}
    async with home.serve():
        assert (home.folder / "elsewhere" / "turnwise.db").is_file()


# -- who may reach it


async def test_others_reach_a_server_without_keys_only_if_that_is_meant(home: Home):
    complaint = (await home.run("serve", "--host", EVERYWHERE)).error
    assert EVERYWHERE in complaint
    assert "turnwise keys create" in complaint
    assert "--insecure" in complaint

    async with home.serve("--host", EVERYWHERE, "--insecure") as server, at_home(server.url) as client:
        assert (await client.create("hello")).status == 200


async def test_others_reach_a_server_that_asks_for_a_key(home: Home):
    secret = (await home.run("keys", "create")).out.split()[-1]
    async with home.serve("--host", EVERYWHERE) as server:
        async with at_home(server.url) as client:
            assert (await client.create("hello")).status == 401
        async with at_home(server.url, key=secret) as client:
            assert (await client.create("hello")).status == 200


async def test_only_revoked_keys_let_nobody_in_and_no_server_be_open(home: Home):
    key = (await home.run("keys", "create")).out.split()[0]
    await home.run("keys", "revoke", key)
    async with home.serve("--host", EVERYWHERE) as server, at_home(server.url) as client:
        assert (await client.create("hello")).status == 401


def at_home(url: str, *, key: str = "any-key"):
    """A client of a server that listens everywhere."""
    return open_client(url.replace(EVERYWHERE, "127.0.0.1"), key=key)


async def test_what_is_kept_is_for_its_owner_alone(home: Home):
    async with home.serve():
        readable = [path for path in (home.data, *home.data.rglob("*")) if others_may_enter(path)]
    assert readable == []


def others_may_enter(path: Path) -> bool:
    return path.stat().st_mode & 0o077 != 0 and not any(parent.stat().st_mode & 0o077 == 0 for parent in path.parents)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
