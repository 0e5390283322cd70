"""That a call does not become dearer unnoticed: how much it does, and how long that takes beside the floor.

What it does is counted, and is the same on any machine. The processor's time is not: it is compared with the floor's,
measured by turns, and of several rounds the best one counts. Whatever else the machine does falls on both, and what
falls on turnwise alone would have to do so in every round; so this one finds only what is far dearer.
"""

from contextlib import ExitStack

import pytest
from bench.speed.calls import asked, load, session
from bench.speed.count import count_functions
from bench.speed.servers import floor, turnwise, upstream

FUNCTIONS = {"create": 430, "stream": 1144}
"""How many functions a call runs through: `python -m bench.speed count` says how many they are now."""

GROWTH = 1.1
"""How many times as many they may become before somebody has to look."""

TIMES = {"create": 2.5, "stream": 2.1}
"""How many times the floor's CPU time a call takes: `python -m bench.speed create`, and `stream`, 16 callers."""

DEARER = 1.6
"""How many times as much it may become."""

ROUNDS = 5


async def test_a_call_runs_through_no_more_functions_than_it_did():
    counted = await count_functions()
    grown = {kind: (count, FUNCTIONS[kind]) for kind, count in counted.items() if count > GROWTH * FUNCTIONS[kind]}
    assert not grown, f"functions of a call, now and on record: {grown}. Is it worth it? Then change FUNCTIONS here."


@pytest.mark.parametrize(("kind", "calls", "word"), [("create", 200, b"Hello"), ("stream", 60, b"word99 ")])
async def test_a_call_takes_no_more_of_the_processor_beside_the_floor_than_it_did(kind: str, calls: int, word: bytes):
    body = asked(streamed=kind == "stream")
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        least, ours = stack.enter_context(floor(model)), stack.enter_context(turnwise(model))
        times = []
        async with session() as client:
            for _ in range(ROUNDS):
                costs = [
                    (await load(client, server, body, callers=16, calls=calls, word=word)).cost
                    for server in (least, ours)
                ]
                times.append(costs[1] / costs[0])
    assert min(times) < DEARER * TIMES[kind], f"times the floor's, in each round: {[round(one, 2) for one in times]}"
