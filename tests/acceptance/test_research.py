"""Deep research on a whole server, over a folder that was indexed: polled, streamed, and killed in its middle."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from aiohttp import web

from agents.researcher import Researcher
from agents.tpus import ABOUT_TPUS

from .client import Client, open_client
from .home import Home
from .waiting import BOUND, until

AGENT = "deep-research-preview-04-2026"
QUESTION = "Research the history of Google TPUs."
THOUGHTS = {"type": "deep-research", "thinking_summaries": "auto"}


class Gate(Researcher):
    """A researcher that does not write before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = asyncio.Event()
        self.waits = asyncio.Event()

    async def wait(self, body: dict) -> None:
        if "The section answers" in body["messages"][-1]["content"]:
            self.waits.set()
            await self.may_write.wait()


@asynccontextmanager
async def open_researcher(gate: Gate) -> AsyncIterator[str]:
    """An upstream with this model: its address."""

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        await gate.wait(body)
        delta = {"index": 0, "delta": {"content": gate.answer(body)}, "finish_reason": "stop"}
        chunk = orjson.dumps({"choices": [delta], "usage": {"prompt_tokens": 9, "completion_tokens": 9}})
        return web.Response(body=b"data: " + chunk + b"\n\ndata: [DONE]\n\n", content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        gate.may_write.set()
        await runner.cleanup()


async def index_tpus(home: Home, tmp_path: Path) -> None:
    """Let there be something to search in."""
    docs = tmp_path / "library"
    docs.mkdir()
    for name, text in ABOUT_TPUS.items():
        (docs / name).write_text(text)
    done = await home.run("index", str(docs))
    assert done.code == 0, done


def settings(url: str) -> str:
    """An upstream that keeps to schemas, and a folder to search in."""
    model = f'[models."*"]\nengine = "openai"\nbase_url = "{url}"\nschemas = true\n'
    return f'{model}[tools.google_search]\nengine = "folder"\n'


async def ended(client: Client, id: str) -> dict:
    """The interaction, when it has ended."""
    body: dict = {}

    async def is_over() -> bool:
        nonlocal body
        body = (await client.get(id)).body
        return body["status"] != "in_progress"

    await until(is_over)
    return body


async def test_a_report_is_made_of_a_folder_and_can_be_asked_about(home: Home, tmp_path: Path):
    gate = Gate()
    gate.may_write.set()
    async with open_researcher(gate) as url:
        home.configure(settings(url))
        await index_tpus(home, tmp_path)
        async with home.serve() as server, open_client(server.url) as client:
            started = await client.create(QUESTION, model=None, agent=AGENT, background=True, agent_config=THOUGHTS)
            assert started.body["status"] == "in_progress"
            report = await ended(client, started.body["id"])
            asked = await client.create(
                "When was Trillium announced?",
                model=None, agent=AGENT, background=True, previous_interaction_id=report["id"],
            )  # fmt: skip
            answer = await ended(client, asked.body["id"])
    (text,) = report["steps"][-1]["content"]
    assert report["status"] == "completed"
    assert text["text"].startswith("# A history of Google TPUs\n")
    assert {one["url"] for one in text["annotations"]} == {f"library/{name}" for name in ABOUT_TPUS}
    assert "**Searching**" in str(report["steps"])
    assert "in May 2024 [" in answer["steps"][-1]["content"][0]["text"]


async def test_research_is_streamed_as_it_goes(home: Home, tmp_path: Path):
    gate = Gate()
    async with open_researcher(gate) as url:
        home.configure(settings(url))
        await index_tpus(home, tmp_path)
        async with home.serve() as server, open_client(server.url) as client:
            stream = client.stream(QUESTION, model=None, agent=AGENT, background=True, agent_config=THOUGHTS)
            async for frame in stream:
                if "**Noting**" in frame.data:
                    assert not gate.may_write.is_set()
                    gate.may_write.set()
            names = [frame.name for frame in stream.frames]
            kept = await ended(client, stream.id)
    deltas = [frame.payload["delta"] for frame in stream.frames if frame.name == "step.delta"]
    told = "".join(delta["text"] for delta in deltas if delta["type"] == "text")
    assert told == kept["steps"][-1]["content"][0]["text"]
    assert names[0] == "interaction.created"
    assert names[-1] == "interaction.completed"


async def test_research_that_is_killed_goes_on_where_it_was(home: Home, tmp_path: Path):
    gate = Gate()
    async with open_researcher(gate) as url:
        home.configure(settings(url))
        await index_tpus(home, tmp_path)
        async with home.serve() as server, open_client(server.url) as client:
            started = await client.create(QUESTION, model=None, agent=AGENT, background=True, agent_config=THOUGHTS)
            async with asyncio.timeout(BOUND):
                await gate.waits.wait()
            await server.stop(signal.SIGKILL)
        before = list(gate.prompts)
        gate.may_write.set()
        async with home.serve() as server, open_client(server.url) as client:
            report = await ended(client, started.body["id"])
    assert report["status"] == "completed"
    assert report["steps"][-1]["content"][0]["text"].startswith("# A history of Google TPUs\n")
    assert str(report["steps"]).count("**Searching**") == 1
    again = [prompt for prompt in gate.prompts[len(before) :] if prompt in before]
    assert again == []
    assert len(before) >= 4
