"""Tools of the server in a real process, called by a model that is a plan: every tool in one turn, twenty tools and
fifty rounds, and what happens when something hangs, leaves, dies or is asked for more than it may have.

The search engine and the MCP servers are real ones on loopback (`tests/conformance/outside.py`).
"""

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mcp.server.mcpserver import MCPServer

from conformance.outside import CHAMPION, Outside, hosted, mcp_app, open_outside
from conformance.upstream import Upstream, open_upstream

from .client import Client, Frame, open_client
from .home import Home
from .waiting import BOUND, descendants, until

SECRET = "Bearer c2VjcmV0LW9mLWEtdGVuYW50"
FIFTIETH = "12586269025"
FIBONACCI = "a, b = 0, 1\nfor _ in range(50):\n    a, b = b, a + b\nprint(a)"

SEARCH = {"type": "google_search"}
CODE = {"type": "code_execution"}
REPORT = {
    "type": "function",
    "name": "send_report",
    "description": "Sends a report.",
    "parameters": {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
}

Call = tuple[str, Mapping[str, Any]]
"""The name of a function, and its arguments."""


# --- who calls


class Plan:
    """A model that makes these calls round by round, several of a round side by side, and then answers."""

    def __init__(self, *rounds: list[Call], answer: str = "Done.") -> None:
        self.rounds = rounds
        self.answer = answer
        self.asked_at: list[float] = []
        self.answered_at: list[float] = []

    def __call__(self, body: dict) -> dict:
        """The message that answers a request."""
        self.asked_at.append(time.perf_counter())
        messages = body["messages"]
        last_user = max(index for index, message in enumerate(messages) if message["role"] == "user")
        number = sum("tool_calls" in message for message in messages[last_user:])
        message: dict = {"role": "assistant", "content": self.answer}
        if number < len(self.rounds) and body.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": self._calls(number, len(messages))}
        self.answered_at.append(time.perf_counter())
        return message

    def _calls(self, number: int, behind: int) -> list[dict]:
        return [
            {
                "index": index,
                "id": f"call_{behind}_{index}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(self.rounds[number])
        ]


@contextmanager
def planned(plan: Plan) -> Iterator[Upstream]:
    with open_upstream(plan) as upstream:
        yield upstream


# --- what is called


@dataclass
class Workshop:
    """An MCP server whose tools count what they are called with, and one of which hangs until it is let go."""

    url: str = ""
    called: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def app(self, names: list[str]) -> Any:
        server = MCPServer("workshop", log_level="ERROR")

        def add(name: str) -> None:
            def work(piece: str) -> str:
                self.called.append((name, piece))
                return f"{name} has worked on {piece}."

            server.add_tool(work, name=name, description=f"Works on a piece as {name} does.")

        for name in names:
            add(name)

        @server.tool(description="Works without an end.")
        async def hang(piece: str) -> str:
            self.called.append(("hang", piece))
            self.hanging.set()
            try:
                await asyncio.sleep(10 * BOUND)
            finally:
                self.ended.set()
            return "it came to an end"

        async def watching(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            await app(scope, receive, send)

        app = mcp_app(server)
        return watching

    def declared(self, name: str = "workshop", **fields: Any) -> dict[str, Any]:
        return {"type": "mcp_server", "name": name, "url": self.url, **fields}


@contextmanager
def open_workshop(*names: str) -> Iterator[Workshop]:
    workshop = Workshop()
    with hosted(workshop.app(list(names))) as port:
        workshop.url = f"http://127.0.0.1:{port}/mcp"
        yield workshop


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    with open_workshop("saw", "plane") as workshop:
        yield workshop


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with open_outside(tmp_path_factory.mktemp("outside")) as outside:
        yield outside


@pytest.fixture
def open_home(tmp_path: Path, outside: Outside) -> Callable[..., Home]:
    """A folder whose server is answered by a plan, and may reach the stand-ins."""

    def open_now(upstream: Upstream, more: str = "") -> Home:
        home = Home(tmp_path)
        home.configure(
            f'[models."*"]\nengine = "openai"\nbase_url = "{upstream.address}"\n'
            f'[tools.google_search]\nengine = "searxng"\nurl = "{outside.search_url}"\n'
            f'[network]\nallow = ["127.0.0.1"]\n{more}'
        )
        return home

    return open_now


@asynccontextmanager
async def open_client_of(dialect: str, url: str) -> AsyncIterator[Client]:
    """A client that speaks this dialect."""
    revision = {"outputs": "2025-12-01", "steps": "2026-05-20"}[dialect]
    headers = {"Api-Revision": revision, "x-goog-api-key": "any-key"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Client(session, url)


def kinds(body: dict, dialect: str = "steps") -> list[str]:
    return [item["type"] for item in body[dialect]]


async def signalled(event: threading.Event) -> None:
    """Wait for something in another thread."""
    assert await asyncio.to_thread(event.wait, BOUND), "it did not happen"


# --- every tool in one turn

ASKED = "Find the champion, compute the number, have it worked on and report."
OTHER = {"steps": "outputs", "outputs": "steps"}
TURN = [
    *("google_search_call", "code_execution_call", "google_search_result", "code_execution_result"),
    *("mcp_server_tool_call", "mcp_server_tool_result"),
    *("mcp_server_tool_call", "function_call", "mcp_server_tool_result"),
]
over_dialects = pytest.mark.parametrize("dialect", OTHER)


def plan_of_all() -> Plan:
    return Plan(
        [("google_search", {"queries": ["last Super Bowl"]}), ("code_execution", {"code": FIBONACCI})],
        [("saw", {"piece": "a plank"})],
        [("plane", {"piece": "the plank"}), ("send_report", {"words": "The plank is done."})],
        answer=f"The {CHAMPION} won the last Super Bowl. The plank is done.",
    )


def everything(workshop: Workshop) -> dict[str, Any]:
    return {"tools": [SEARCH, CODE, workshop.declared(), REPORT]}


def result_of(body: dict, dialect: str) -> dict:
    (call,) = [item for item in body[dialect] if item["type"] == "function_call"]
    return {"type": "function_result", "call_id": call["id"], "name": call["name"], "result": "It was sent."}


def behind(frames: list[Frame], event_id: str) -> list[Frame]:
    return [frame for frame in frames if int(frame.event_id) > int(event_id)]


async def cut_stream(client: Client, text: Any, after: str, **fields: Any) -> list[Frame]:
    """The frames of a stream, which is left behind the first one that says this."""
    stream = client.stream(text, **fields)
    frames = aiter(stream)
    async for frame in frames:
        if after in frame.data:
            break
    await frames.aclose()
    assert not stream.done
    return stream.frames


@over_dialects
async def test_turn_of_every_tool_that_breaks_off_is_resumed_and_replayed_byte_for_byte(dialect, open_home, workshop):
    with planned(plan_of_all()) as upstream:
        home = open_home(upstream)
        async with home.serve() as server, open_client_of(dialect, server.url) as client:
            seen = await cut_stream(client, ASKED, "google_search_result", **everything(workshop))
            id = seen[0].payload["interaction"]["id"]
            rest = await client.follow(id, seen[-1].event_id).whole()
            told = [*seen, *rest]
            assert await client.follow(id).whole() == told
            for frame in told:
                assert await client.follow(id, frame.event_id).whole() == behind(told, frame.event_id)
            async with open_client_of(OTHER[dialect], server.url) as other:
                as_other = await other.follow(id).whole()
                assert await other.follow(id, seen[-1].event_id).whole() == behind(as_other, seen[-1].event_id)
            await server.stop(signal.SIGKILL)
        async with home.serve() as server:
            async with open_client_of(dialect, server.url) as client:
                assert await client.follow(id).whole() == told
            async with open_client_of(OTHER[dialect], server.url) as other:
                assert await other.follow(id).whole() == as_other


@over_dialects
async def test_turn_of_every_tool_is_read_back_in_either_dialect(dialect, open_home, workshop):
    with planned(plan_of_all()) as upstream:
        async with (
            open_home(upstream).serve() as server,
            open_client_of(dialect, server.url) as client,
            open_client_of(OTHER[dialect], server.url) as other,
        ):
            made = (await client.create(ASKED, **everything(workshop))).body
            assert made["status"] == "requires_action"
            assert sorted(kinds(made, dialect)) == sorted(TURN)
            search, code, *_ = [item for item in made[dialect] if item["type"].endswith("_result")]
            assert CHAMPION in json.dumps(search["result"])
            assert code["result"].strip() == FIFTIETH

            read, as_other = [(await one.get(made["id"])).body for one in (client, other)]
            items, others = (
                [item for item in body[form] if item["type"] != "user_input"]
                for body, form in ((read, dialect), (as_other, OTHER[dialect]))
            )
            assert items == others == made[dialect]
            assert read["tools"] == as_other["tools"] == made["tools"] == everything(workshop)["tools"]
            assert read["usage"] == as_other["usage"] == made["usage"]


@over_dialects
async def test_turn_goes_on_with_the_functions_result_whoever_keeps_the_history(dialect, open_home, workshop):
    with planned(plan_of_all()) as upstream:
        async with open_home(upstream).serve() as server, open_client_of(dialect, server.url) as client:
            tools = everything(workshop)
            first = (await client.create(ASKED, **tools)).body
            result = result_of(first, dialect)
            second = (await client.create([result], previous_interaction_id=first["id"], **tools)).body
            assert second["status"] == "completed"
            said = second[dialect][-1] if dialect == "outputs" else second[dialect][-1]["content"][0]
            assert said["text"] == plan_of_all().answer
            kept = await client.create("And then?", previous_interaction_id=second["id"])
            by_server = upstream.asked[-1]["messages"]

            history = history_of(dialect, first[dialect], result, second[dialect])
            sent = await client.create(history, store=False)
            assert (kept.status, sent.status) == (200, 200)
            assert upstream.asked[-1]["messages"] == by_server
            assert [message["role"] for message in by_server] == [
                *("user", "assistant", "tool", "tool", "assistant", "tool", "assistant", "tool", "tool"),
                *("assistant", "user"),
            ]
            assert CHAMPION in by_server[2]["content"]


def history_of(dialect: str, first: list[dict], result: dict, second: list[dict]) -> list[dict]:
    """The whole conversation as a client keeps it that sends back what it got."""
    if dialect == "steps":
        asked, goes_on = ([{"type": "text", "text": text}] for text in (ASKED, "And then?"))
        user = {"type": "user_input"}
        return [{**user, "content": asked}, *first, result, *second, {**user, "content": goes_on}]
    return [
        {"role": "user", "content": ASKED},
        {"role": "model", "content": first},
        {"role": "user", "content": [result]},
        {"role": "model", "content": second},
        {"role": "user", "content": "And then?"},
    ]


# --- many tools, many rounds

ROUNDS = 50
NAMES = [f"machine_{number}" for number in range(1, 9)]


@pytest.fixture
def two_workshops() -> Iterator[list[Workshop]]:
    with open_workshop(*NAMES[:4]) as one, open_workshop(*NAMES[4:], NAMES[0]) as other:
        yield [one, other]


async def test_twenty_tools_and_fifty_rounds(open_home, two_workshops, record_property):
    functions = [{**REPORT, "name": f"send_{number}"} for number in range(1, 9)]
    tools = [SEARCH, *(each.declared(f"shop_{n}") for n, each in enumerate(two_workshops)), *functions]
    plan = Plan(*([(NAMES[number % 8], {"piece": f"piece {number}"})] for number in range(ROUNDS)))
    with planned(plan) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            await client.create("Warm up.", tools=tools)
            upstream.asked.clear(), plan.asked_at.clear(), plan.answered_at.clear()
            before, began = cpu_seconds(server.pid), time.perf_counter()
            made = (await client.create("Work.", tools=tools)).body
            seconds, cpu = time.perf_counter() - began, cpu_seconds(server.pid) - before
    assert len(upstream.asked[0]["tools"]) >= 20
    assert made["status"] == "completed"
    *steps, message = made["steps"]
    assert [step["type"] for step in steps] == ["mcp_server_tool_call", "mcp_server_tool_result"] * ROUNDS
    for number, (call, result) in enumerate(zip(steps[::2], steps[1::2], strict=True)):
        assert (call["name"], call["arguments"]) == (NAMES[number % 8], {"piece": f"piece {number}"})
        assert result["call_id"] == call["id"]
        assert f"{NAMES[number % 8]} has worked on piece {number}." in json.dumps(result["result"])
    assert message["content"][0]["text"] == "Done."
    assert len(upstream.asked) == ROUNDS + 1
    first, *later = [upstream.answer(body).usage() for body in list(upstream.asked)]
    assert made["usage"]["total_input_tokens"] == first["prompt_tokens"]
    assert made["usage"]["total_tool_use_tokens"] == sum(each["prompt_tokens"] for each in later)
    assert made["usage"]["total_output_tokens"] == sum(each["completion_tokens"] for each in (first, *later))
    assert made["usage"]["total_tokens"] == sum(each["total_tokens"] for each in (first, *later))
    pauses = [asked - answered for answered, asked in zip(plan.answered_at, plan.asked_at[1:], strict=False)][:ROUNDS]
    figures = f"{ROUNDS} rounds in {seconds:.2f} s; {1000 * sum(pauses) / ROUNDS:.1f} ms from an answer to the next "
    figures += f"question, and {1000 * cpu / ROUNDS:.1f} ms of CPU"
    record_property("figures", figures)
    print(figures)  # noqa: T201
    assert seconds < 30


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def test_turns_side_by_side_leave_nothing_behind(open_home, workshop):
    search, code = ("google_search", {"queries": ["last Super Bowl"]}), ("code_execution", {"code": "print(6 * 7)"})
    with planned(Plan([search, code, ("saw", {"piece": "a plank"})])) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            tools, opened = [SEARCH, CODE, workshop.declared()], []
            for _ in range(3):
                turns = await asyncio.gather(*(client.create(f"Turn {n}.", tools=tools) for n in range(32)))
                results = [step for turn in turns for step in turn.body["steps"] if step["type"].endswith("_result")]
                assert len(results) == 32 * 3
                assert not [result for result in results if result.get("is_error")]
                opened.append(open_files(server.pid))
            assert opened[2] < opened[0] + 64, opened
            assert len(workshop.called) == 32 * 3

            async def nothing_is_left() -> bool:
                return not descendants(server.pid)

            await until(nothing_is_left)


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


# --- limits


async def test_rounds_are_limited_and_a_model_that_obeys_completes(open_home, workshop):
    plan = Plan(*([("saw", {"piece": str(number)})] for number in range(2)))
    with planned(plan) as upstream:
        async with open_home(upstream, "[tools]\nrounds = 1\n").serve() as server, open_client(server.url) as client:
            made = (await client.create("Saw.", tools=[workshop.declared()])).body
    assert made["status"] == "completed"
    first, refused = [step for step in made["steps"] if step["type"] == "mcp_server_tool_result"]
    assert "is_error" not in first
    assert refused["is_error"]
    assert "1 round" in json.dumps(refused["result"])
    assert workshop.called == [("saw", "0")]


@pytest.mark.parametrize(
    ("limit", "says"), [("tokens = 1", "1 token"), ("seconds = 0.001", "0.001 seconds")], ids=["tokens", "seconds"]
)
async def test_turn_that_has_cost_what_it_may_calls_nothing_more(open_home, workshop, limit, says):
    with planned(Plan([("saw", {"piece": "a plank"})])) as upstream:
        async with open_home(upstream, f"[tools]\n{limit}\n").serve() as server, open_client(server.url) as client:
            made = (await client.create("Saw.", tools=[workshop.declared()])).body
    _, refused, message = made["steps"]
    assert refused["is_error"]
    assert says in json.dumps(refused["result"])
    assert workshop.called == []
    assert (made["status"], message["content"][0]["text"]) == ("completed", "Done.")


async def test_model_that_never_stops_is_stopped_and_its_turn_is_incomplete(open_home, workshop):
    plan = Plan(*([("saw", {"piece": str(number)})] for number in range(20)))
    with planned(plan) as upstream:
        async with open_home(upstream, "[tools]\nrounds = 3\n").serve() as server, open_client(server.url) as client:
            made = (await client.create("Saw.", tools=[workshop.declared()])).body
            assert made["status"] == "incomplete"
            assert workshop.called == [("saw", str(number)) for number in range(3)]
            calls, results = (
                [step for step in made["steps"] if step["type"] == f"mcp_server_tool_{kind}"]
                for kind in ("call", "result")
            )
            assert [call["id"] for call in calls] == [result["call_id"] for result in results]
            assert len(upstream.asked) == 5
            goes_on = await client.create("And now?", previous_interaction_id=made["id"])
            assert goes_on.status == 200, goes_on


async def test_tool_that_hangs_is_cancelled_with_its_turn(open_home, workshop):
    with planned(Plan([("hang", {"piece": "a rope"})])) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            made = (await client.create("Hang.", tools=[workshop.declared()], background=True)).body
            await signalled(workshop.hanging)
            cancelled = await client._call("POST", f"/{made['id']}/cancel")
            assert cancelled.body["status"] == "cancelled"
            await signalled(workshop.ended)
            read = (await client.get(made["id"])).body
            assert (read["status"], kinds(read)) == ("cancelled", ["user_input", "mcp_server_tool_call"])
            assert len(upstream.asked) == 1


async def test_work_of_a_tool_ends_when_a_client_leaves_that_wanted_nothing_stored(open_home, workshop):
    with planned(Plan([("hang", {"piece": "a rope"}), ("code_execution", {"code": "while True: pass"})])) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            busy: set[int] = set()

            async def something_computes() -> bool:
                busy.update(pid for pid in descendants(server.pid) if is_busy(pid))
                return bool(busy)

            async def nothing_is_left() -> bool:
                return not any(is_busy(pid) for pid in busy)

            stream = client.stream("Hang.", tools=[workshop.declared(), CODE], store=False)
            frames = aiter(stream)
            async for frame in frames:
                if "while True" in frame.data:
                    break
            await signalled(workshop.hanging)
            await until(something_computes)
            assert not workshop.ended.is_set()
            await frames.aclose()
            await signalled(workshop.ended)
            await until(nothing_is_left)
            assert len(upstream.asked) == 1


def is_busy(pid: int) -> bool:
    """Whether a process computes at this moment."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:
        return False


async def test_turn_that_was_killed_in_a_tool_calls_it_again_and_nothing_that_was_answered(open_home, workshop):
    plan = Plan([("google_search", {"queries": ["last Super Bowl"]})], [("hang", {"piece": "a rope"})])
    with planned(plan) as upstream:
        home = open_home(upstream)
        async with home.serve() as server, open_client(server.url) as client:
            seen = await cut_stream(client, "Find it.", '"hang"', tools=[SEARCH, workshop.declared()])
            id = seen[0].payload["interaction"]["id"]
            await signalled(workshop.hanging)
            await server.stop(signal.SIGKILL)
        workshop.hanging.clear()
        async with home.serve() as server, open_client(server.url) as client:
            await signalled(workshop.hanging)
            read = (await client.get(id)).body
            assert read["status"] == "in_progress"
            assert kinds(read) == [
                *("user_input", "google_search_call", "google_search_result", "mcp_server_tool_call")
            ]
            assert CHAMPION in json.dumps(read["steps"][2]["result"])
            assert (await client.cancel(id)).body["status"] == "cancelled"
            told = await client.follow(id).whole()
            assert told[: len(seen)] == seen
            assert told[-1].payload["interaction"]["status"] == "cancelled"


# --- choices


@pytest.mark.parametrize(
    ("choice", "offered", "demand"),
    [
        ("none", [], None),
        ("any", ["google_search", "code_execution", "saw", "plane", "hang", "send_report"], "required"),
        ({"allowed_tools": {"mode": "any", "tools": ["code_execution"]}}, ["code_execution"], "required"),
        ({"allowed_tools": {"tools": ["workshop", "send_report"]}}, ["saw", "plane", "hang", "send_report"], None),
    ],
    ids=["none", "any", "one must", "some may"],
)
async def test_choice_of_tools_holds_for_those_of_the_server(open_home, workshop, choice, offered, demand):
    plan = Plan([("code_execution", {"code": FIBONACCI})] if "code_execution" in offered else [], answer="Here it is.")
    plan.rounds = tuple(calls for calls in plan.rounds if calls)
    with planned(plan) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            reply = await client.create("Go.", generation_config={"tool_choice": choice}, **everything(workshop))
            assert reply.text == "Here it is."
    first, *later = upstream.asked
    assert sorted(tool["function"]["name"] for tool in first.get("tools", ())) == sorted(offered)
    assert (first.get("tool_choice") if first.get("tool_choice") != "auto" else None) == demand
    assert all(body.get("tool_choice", "auto") == "auto" for body in later), "it has called, and may answer now"


async def test_uses_that_ground_an_answer_are_counted(open_home, workshop):
    search = ("google_search", {"queries": ["last Super Bowl", "last euro"]})
    with planned(Plan([search, search], [("saw", {"piece": "a plank"})], [search])) as upstream:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            made = (await client.create("Find it.", tools=[SEARCH, workshop.declared()])).body
    assert made["usage"]["grounding_tool_count"] == [{"type": "google_search", "count": 3}]


async def test_mcp_server_of_the_old_transport_is_refused_by_name(open_home):
    with planned(Plan()) as upstream, hosted(MCPServer("old", log_level="ERROR").sse_app()) as port:
        async with open_home(upstream).serve() as server, open_client(server.url) as client:
            declared = {"type": "mcp_server", "name": "old", "url": f"http://127.0.0.1:{port}/sse"}
            refused = await client.create("Go.", tools=[declared])
    assert (refused.status, refused.body["error"]["code"]) == (400, "failed_precondition")
    assert "tools[0]" in refused.body["error"]["message"]
    assert "'old'" in refused.body["error"]["message"]


# --- secrets


async def test_headers_of_an_mcp_server_are_neither_kept_nor_told(open_home, workshop, tmp_path):
    plan = Plan([("saw", {"piece": "a plank"})], [("hang", {"piece": "a rope"})])
    with planned(plan) as upstream:
        home = open_home(upstream)
        async with home.serve() as server, open_client(server.url) as client:
            declared = workshop.declared(headers={"Authorization": SECRET, "X-Tenant": SECRET[::-1]})
            seen = await cut_stream(client, "Saw.", '"hang"', tools=[declared])
            await signalled(workshop.hanging)
            id = seen[0].payload["interaction"]["id"]
            told = [json.dumps((await client._call("POST", f"/{id}/cancel")).body)]
            told += [json.dumps((await client.get(id, include_input="true")).body)]
            told += [frame.data for frame in (*seen, *await client.follow(id).whole())]
            wrong = {**declared, "url": "http://127.0.0.1:9/mcp"}
            refused = await client.create("Saw.", tools=[wrong])
            assert refused.status == 400
            told += [json.dumps(refused.body), json.dumps(upstream.asked)]
            await server.stop()
            told.append(server.output)
    assert {SECRET} == {headers["authorization"] for headers in workshop.headers}
    kept = [path.read_bytes() for path in home.data.rglob("*") if path.is_file()]
    assert kept
    for secret in (SECRET, SECRET[::-1], SECRET.split()[1]):
        assert not [text for text in told if secret in text]
        assert not [data for data in kept if secret.encode() in data]
