"""Agents in a real process: that of the guide, one whose process is killed in the middle, and one that breaks."""

import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from .client import Client, Frame, open_client
from .home import Home, Server
from .readme import read_blocks
from .upstream import Upstream, answer_to
from .waiting import until

GUIDE = Path(__file__).parents[2] / "docs/guides/agents.md"

CLERK = """
import asyncio
from pathlib import Path

from turnwise.plugins import Says, Thinks, agent

@agent("clerk")
async def clerk(task, desk):
    for number in range(6):
        yield Thinks(f"I do the work of hour {number}.")
        if number == 3 and not Path("go-on").exists():
            await asyncio.Event().wait()
        yield Says(await desk.step(f"hour {number}", lambda: desk.ask("", f"hour {number}")))
"""

ASKED = {"model": None, "agent": "clerk", "background": True, "agent_config": {"thinking_summaries": "auto"}}


def plug_in(home: Home, code: str, settings: str = 'plugins = ["./my_agent.py"]\n') -> None:
    """Put a plug-in beside the settings, which go on as they are."""
    (home.folder / "my_agent.py").write_text(code)
    home.configure(settings + (home.folder / "turnwise.toml").read_text())


async def ended(client: Client, id: str) -> Any:
    """An interaction, once it has ended."""

    async def is_over() -> bool:
        return (await client.get(id)).body["status"] != "in_progress"

    await until(is_over)
    return await client.get(id)


async def call(server: Server, method: str, path: str, body: Any = None) -> Any:
    """A call of the API that must work."""
    async with aiohttp.request(method, f"{server.url}/v1beta/{path}", json=body) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


def deltas(frames: list[Frame], kind: str) -> list[Any]:
    """What came of this kind."""
    found = [frame.payload["delta"] for frame in frames if frame.name == "step.delta"]
    return [delta for delta in found if delta["type"] == kind]


def whole_thoughts(frames: list[Frame]) -> list[str]:
    """What was thought, a paragraph each."""
    return [delta["content"]["text"] for delta in deltas(frames, "thought_summary")]


async def test_the_agent_of_the_guide_works(home: Home, upstream: Upstream):
    blocks = {block.name: block.code for block in read_blocks(GUIDE.read_text())}
    plug_in(home, blocks["agents-plugin"], blocks["agents-plugin-settings"])
    async with home.serve() as server, open_client(server.url) as client:
        begun = await client.create("Cars?", **{**ASKED, "agent": "debater", "agent_config": {"type": "dynamic"}})
        assert (begun.status, begun.body["status"], begun.body["agent"]) == (200, "in_progress", "debater")
        done = await ended(client, begun.body["id"])
        assert done.body["status"] == "completed"
        assert done.body["agent_config"] == {"type": "dynamic"}
        assert done.text.startswith(f"## For\n\n{answer_to('Cars?', 3)}\n\n## Against\n\n")
        assert done.body["usage"]["total_output_tokens"] == 3
        went_on = await client.create("And bicycles?", previous_interaction_id=begun.body["id"])
        assert went_on.text == answer_to("And bicycles?", 3)
        assert upstream.requests[-1].messages[-2]["content"].startswith("## For")


async def test_an_agent_goes_on_where_it_was_killed_and_its_readers_miss_nothing(home: Home, upstream: Upstream):
    plug_in(home, CLERK)
    cut: list[Frame] = []
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("Work.", **ASKED)
        async for frame in stream:
            cut.append(frame)
            if whole_thoughts(cut)[-1:] == ["I do the work of hour 3."]:
                break
        await server.stop(signal.SIGKILL)
    (home.folder / "go-on").touch()

    async with home.serve() as server, open_client(server.url) as client:
        rest = await client.follow(stream.id, cut[-1].event_id).whole()
        assert await client.follow(stream.id).whole() == cut + rest
        done = await client.get(stream.id)
    assert done.body["status"] == "completed"
    assert whole_thoughts(cut + rest) == [f"I do the work of hour {number}." for number in range(6)]
    assert done.text == "".join(answer_to(f"hour {number}", 3) for number in range(6))
    assert done.text == "".join(delta["text"] for delta in deltas(cut + rest, "text"))
    asked = [request.messages[-1]["content"] for request in upstream.requests]
    assert asked == [f"hour {number}" for number in range(6)]


async def test_a_saved_agent_that_is_deleted_works_to_its_end(home: Home, upstream: Upstream):
    plug_in(home, CLERK)
    async with home.serve() as server, open_client(server.url) as client:
        saved = {"id": "mine", "base_agent": "clerk", "system_instruction": "Be brief."}
        assert await call(server, "POST", "agents", saved) == saved
        upstream.taking.clear()
        begun = await client.create("Work.", **{**ASKED, "agent": "mine"})
        await upstream.asked(1)
        await call(server, "DELETE", "agents/mine")
        await server.stop(signal.SIGKILL)
    upstream.taking.set()
    (home.folder / "go-on").touch()
    async with home.serve() as server, open_client(server.url) as client:
        done = await ended(client, begun.body["id"])
    assert (done.body["status"], done.body["agent"]) == ("completed", "mine")
    assert done.body["system_instruction"] == "Be brief."


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nowhere_at_all", "line 1 of my_agent.py: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1", "there is no agent in it; make one with @agent(name)"),
    ],
)
async def test_a_server_whose_plug_in_breaks_says_which_and_why_and_does_not_start(
    home: Home, upstream: Upstream, code: str, why: str
):
    plug_in(home, code)
    done = await home.run("serve", "--port", "0")
    assert done.error == f"plugins: ./my_agent.py: {why}"
