"""API keys, made and revoked from the command line while a server runs."""

from .client import Client, open_client
from .home import Home
from .waiting import until

SHORTLY = 10.0
"""Seconds within which a running server knows of a change; it looks every second."""


async def make_key(home: Home, *options: str) -> tuple[str, str]:
    """A new key's id and its secret."""
    id, *_, secret = (await home.run("keys", "create", *options)).out.split()
    return id, secret


async def answers_with(client: Client, status: int) -> None:
    """Wait until the server answers like that."""

    async def does() -> bool:
        return (await client.create("hello")).status == status

    await until(does, within=SHORTLY)


async def test_without_keys_any_key_will_do(home: Home):
    async with home.serve() as server, open_client(server.url, key="whatever") as client:
        assert (await client.create("hello")).status == 200


async def test_once_there_is_a_key_every_request_needs_one(home: Home):
    async with home.serve() as server, open_client(server.url) as stranger:
        mine = (await stranger.create("hello")).body["id"]
        _, secret = await make_key(home)
        await answers_with(stranger, 401)
        refused = await stranger.get(mine)
        assert refused.status == 401
        assert "turnwise keys list" in refused.body["error"]["message"]
        assert [await stranger.status(path) for path in ("/readyz", "/healthz")] == [200, 200]

        async with open_client(server.url, key=secret) as client:
            assert (await client.create("hello")).status == 200


async def test_a_key_works_from_each_place_where_clients_put_it(home: Home):
    async with home.serve() as server:
        _, secret = await make_key(home)
        async with open_client(server.url, key=secret) as client:
            await answers_with(client, 200)
            missing = f"/v1/interactions/int_missing?key={secret}"
        async with open_client(server.url, key="") as client:
            await answers_with(client, 401)
            assert await client.status(missing) == 404


async def test_a_key_that_is_revoked_stops_working_and_the_others_go_on(home: Home):
    first, first_secret = await make_key(home, "--name", "the first")
    _, second_secret = await make_key(home)
    async with (
        home.serve() as server,
        open_client(server.url, key=first_secret) as first_client,
        open_client(server.url, key=second_secret) as second_client,
    ):
        assert (await first_client.create("hello")).status == 200
        revoked = await home.run("keys", "revoke", first)
        assert revoked.out == f"{first} is revoked\n"
        await answers_with(first_client, 401)
        assert (await second_client.create("hello")).status == 200


async def test_each_key_is_an_owner_of_its_own_unless_told_otherwise(home: Home):
    async with home.serve() as server, open_client(server.url) as client:
        before_keys = (await client.create("hello")).body["id"]
        own, own_secret = await make_key(home)
        _, same_secret = await make_key(home, "--owner", own)
        _, local_secret = await make_key(home, "--owner", "local")
        async with (
            open_client(server.url, key=own_secret) as own_client,
            open_client(server.url, key=same_secret) as same_client,
            open_client(server.url, key=local_secret) as local_client,
        ):
            await answers_with(local_client, 200)
            await answers_with(client, 401)
            made = (await own_client.create("hello")).body["id"]
            clients = (own_client, same_client, local_client)
            assert [(await each.get(made)).status for each in clients] == [200, 200, 404]
            assert [(await each.get(before_keys)).status for each in clients] == [404, 404, 200]
            assert (await local_client.delete(made)).status == 404
            stolen = await local_client.create("and on", previous_interaction_id=made)
            assert stolen.status == 404


async def test_a_list_shows_keys_without_their_secrets(home: Home):
    id, secret = await make_key(home, "--name", "for the laptop")
    other, _ = await make_key(home)
    await home.run("keys", "revoke", other)
    listed = (await home.run("keys", "list")).out
    mine, theirs = listed.splitlines()
    assert id in mine
    assert "active" in mine
    assert "for the laptop" in mine
    assert other in theirs
    assert "revoked" in theirs
    assert secret not in listed


async def test_a_key_that_is_not_there_cannot_be_revoked(home: Home):
    assert (await home.run("keys", "revoke", "key_x")).error == (
        "there is no active key 'key_x'; see `turnwise keys list`"
    )


async def test_no_file_holds_a_secret(home: Home):
    async with home.serve() as server:
        _, secret = await make_key(home)
        async with open_client(server.url, key=secret) as client:
            await answers_with(client, 200)
        files = [path for path in home.data.rglob("*") if path.is_file()]
        assert files
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
