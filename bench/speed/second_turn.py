"""How much sooner the second turn of a long chat speaks than the same chat that was not read before.

The chat's first turn is a text of so many tokens. Its second turn is asked for at once, or after six others have asked
for something short in between, which is more than the engine has slots for. A chat that was not read before is given
whole, with both turns, about another ship. What is taken is the time to the first word; both are asked for in turn.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp
from bench.speed.calls import run, session
from bench.speed.embedded import embedded
from bench.speed.results import Table, parser
from bench.speed.servers import Server

TABLE = Table(
    "second_turn",
    "The second turn of a long chat, on the embedded engine",
    ("tokens", "second turn"),
    {"cold s": 2, "second turn s": 2, "times sooner": 1, "tokens read again": 0, "tokens in all": 0},
)

SENTENCE = "The ship {name} went north along the coast, and the crew wrote down what they saw on day {day}. "
TOKENS = 32
"""How many tokens a sentence has, about."""
OTHERS = 6


class Answer(NamedTuple):
    """What came of a turn."""

    text: str
    first: float
    """Seconds to its first word."""
    interaction: dict[str, Any]


def main() -> None:
    options = parser(__doc__, rounds=3)
    options.add_argument("--tokens", type=int, nargs="+", default=[500, 2000, 4000])
    given = options.parse_args()
    with embedded() as server:
        run(measure(server, given))
    TABLE.finish(given)


async def measure(server: Server, given: argparse.Namespace) -> None:
    """Every length, without others and with them, again and again."""
    async with session() as client:
        for number in range(given.rounds):
            for tokens in given.tokens:
                for others in (0, OTHERS):
                    name = f"{number}-{tokens}-{others}"
                    first = await ask(client, server, story(f"A{name}", tokens))
                    cold = await ask(client, server, told(story(f"B{name}", tokens), first.text))
                    async with asyncio.TaskGroup() as asked:
                        for other in range(others):
                            asked.create_task(ask(client, server, f"The ship {name} has a crew of {other + 2}."))
                    second = await ask(client, server, "And then?", previous_interaction_id=first.interaction["id"])
                    usage = second.interaction["usage"]
                    TABLE.add_all(
                        (tokens, f"after {others} others" if others else "at once"),
                        {
                            "cold s": cold.first,
                            "second turn s": second.first,
                            "times sooner": cold.first / second.first,
                            "tokens read again": usage["total_input_tokens"] - usage["total_cached_tokens"],
                            "tokens in all": usage["total_input_tokens"],
                        },
                    )


def story(name: str, tokens: int) -> str:
    return "".join(SENTENCE.format(name=name, day=day) for day in range(tokens // TOKENS))


def told(text: str, answer: str) -> Sequence[dict[str, str]]:
    """A chat as a client gives it that keeps it itself."""
    return [
        {"role": "user", "content": text},
        {"role": "model", "content": answer},
        {"role": "user", "content": "And then?"},
    ]


async def ask(client: aiohttp.ClientSession, server: Server, words: Any, **fields: Any) -> Answer:
    """A turn of a few words, streamed."""
    body = {"model": "m", "input": words, "stream": True, "generation_config": {"max_output_tokens": 8}, **fields}
    text, first, ended = "", 0.0, {}
    begun = time.perf_counter()
    async with client.post(server.url + server.path, json=body) as reply:
        assert reply.status == 200, await reply.text()
        async for line in reply.content:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event["event_type"] == "step.delta":
                first = first or time.perf_counter() - begun
                text += event["delta"]["text"]
            elif event["event_type"] == "interaction.completed":
                ended = event["interaction"]
    return Answer(text, first, ended)
