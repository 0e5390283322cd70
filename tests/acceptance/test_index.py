"""`turnwise index`, what `turnwise doctor` says of search, and how a server searches in what was indexed."""

import json
from pathlib import Path

import pytest

from conformance.upstream import Upstream, open_upstream

from .client import open_client
from .home import Home

FOLDER = '[models."*"]\nengine = "openai"\nbase_url = "http://127.0.0.1:9"\n[tools.google_search]\nengine = '


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nThirty days a year.\n")
    (folder / "canteen.html").write_text("<html><head><title>Canteen</title></head><body>Soup at noon.</body></html>")
    (folder / "old.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    return folder


async def test_folders_are_indexed_listed_and_forgotten(home: Home, docs: Path):
    done = await home.run("index", str(docs))
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first == "handbook: 2 document(s): 2 new"
    assert second.startswith("  not read: 1 (old.zip): ")
    (docs / "leave.md").unlink()
    assert (await home.run("index")).out.splitlines()[0] == "handbook: 1 document(s): 1 gone, 1 unchanged"
    assert (await home.run("index", "--forget", str(docs))).out == "handbook: taken out of the index (1 document(s))\n"
    assert (await home.run("index")).error == "no folder is indexed yet; give one: turnwise index DIR"


async def test_what_cannot_be_is_said_in_one_line(home: Home, docs: Path):
    assert (await home.run("index", str(docs / "nowhere"))).error.startswith("there is no folder at")
    assert (
        await home.run("index", "--name", "x")
    ).error == "--name and --url say what one folder is called: give one DIR"
    assert (await home.run("index", "--forget")).error == "give the DIR that is to be taken out of the index"
    assert "is no address" in (await home.run("index", str(docs), "--url", "docs")).error


async def test_doctor_tells_who_searches_and_what_is_missing(home: Home, docs: Path):
    home.configure(f'{FOLDER}"folder"')
    done = await home.run("doctor")
    assert done.code == 1
    assert (
        "LACK google_search: off: nothing is indexed; whoever runs this server can run: turnwise index DIR" in done.out
    )
    await home.run("index", str(docs))
    assert "ok   google_search: by folder" in (await home.run("doctor")).out

    home.configure(f'{FOLDER}"searxng"')
    assert "->  set tools.google_search.url" in (await home.run("doctor")).out
    home.configure(f'{FOLDER}"searxng"\nurl = "http://127.0.0.1:8888"')
    assert "ok   google_search: by searxng at http://127.0.0.1:8888" in (await home.run("doctor")).out


async def test_a_server_whose_engine_cannot_be_says_which_setting(home: Home):
    home.configure(f'{FOLDER}"brave"')
    assert (await home.run("serve", "--port", "0")).error == (
        "tools.google_search.api_key_env: the engine 'brave' needs a key, in the variable that this setting names"
    )


# --- searched by a server


class Searcher:
    """A model that searches once, and then says what it is told to."""

    def __init__(self, queries: list[str], answer: str) -> None:
        self.queries = queries
        self.answer = answer
        self.read = ""
        """What it was told was found."""

    def __call__(self, body: dict) -> dict:
        last = body["messages"][-1]
        if last["role"] != "tool":
            function = {"name": "google_search", "arguments": json.dumps({"queries": self.queries})}
            calls = [{"index": 0, "id": "call_0", "type": "function", "function": function}]
            return {"role": "assistant", "content": None, "tool_calls": calls}
        self.read = json.dumps(last["content"])
        return {"role": "assistant", "content": self.answer}


def configured(home: Home, upstream: Upstream, engine: str) -> Home:
    home.configure(
        f'[models."*"]\nengine = "openai"\nbase_url = "{upstream.address}"\n'
        f'[tools.google_search]\nengine = "{engine}"\n'
    )
    return home


async def test_what_is_indexed_while_a_server_runs_is_found_cited_and_nothing_of_the_disk_is_told(
    home: Home, docs: Path
):
    searcher = Searcher(["days of leave", "soup"], "Employees have thirty days a year.")
    with open_upstream(searcher) as upstream:
        async with configured(home, upstream, "folder").serve() as server, open_client(server.url) as client:
            asked = {"tools": [{"type": "google_search"}]}
            before = await client.create("How long is my leave?", **asked)
            assert before.status == 501
            assert "nothing is indexed; whoever runs this server can run: turnwise index DIR" in str(before.body)
            await home.run("index", str(docs))
            reply = await client.create("How long is my leave?", **asked)
    call, result, said = (step for step in reply.body["steps"] if step["type"] != "user_input")
    assert call["arguments"] == {"queries": ["days of leave", "soup"]}
    assert {hit["url"]: hit["title"] for hit in result["result"]} == {
        "handbook/leave.md": "Leave",
        "handbook/canteen.html": "Canteen",
    }
    assert [note["url"] for note in said["content"][0]["annotations"]] == ["handbook/leave.md"]
    assert reply.body["usage"]["grounding_tool_count"] == [{"type": "google_search", "count": 1}]
    assert "Thirty days a year." in searcher.read
    assert str(docs.parent) not in f"{searcher.read}{reply.body}"


async def test_without_a_way_to_the_web_the_model_reads_so_and_the_turn_goes_on(home: Home):
    pytest.importorskip("ddgs")
    home.environment["DDGS_PROXY"] = "http://127.0.0.1:9"  # nobody listens there
    searcher = Searcher(["otters"], "I cannot search.")
    with open_upstream(searcher) as upstream:
        async with configured(home, upstream, "ddgs").serve() as server, open_client(server.url) as client:
            reply = await client.create("Where do otters live?", tools=[{"type": "google_search"}])
    assert reply.text == "I cannot search."
    (result,) = (step for step in reply.body["steps"] if step["type"] == "google_search_result")
    assert result["is_error"]
    assert "cannot be reached from this server" in result["result"][0]["error"]
    assert "set another engine, tools.google_search.engine" in searcher.read
