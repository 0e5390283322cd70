"""A conversation of a thousand turns: it answers as it did at first, and the model is shown all of it."""

import statistics
import sys
import time

from .client import Client, open_client
from .home import Home
from .upstream import Upstream, answer_to

TURNS = 1000


async def test_a_conversation_of_a_thousand_turns_goes_on(home: Home, upstream: Upstream, capsys):
    upstream.deltas = 1
    async with home.serve() as server, open_client(server.url) as client:
        last: str | None = None
        for turn in range(1, TURNS + 1):
            reply = await client.create(f"turn {turn}", **({"previous_interaction_id": last} if last else {}))
            assert reply.text == answer_to(f"turn {turn}", 1)
            last = reply.body["id"]

        assert last is not None
        first_turn = await added_seconds(client, upstream)
        late_turn = await added_seconds(client, upstream, previous_interaction_id=last)
        with capsys.disabled():
            ms = f"{first_turn * 1000:.1f} ms, turn {TURNS + 1} {late_turn * 1000:.1f} ms"
            sys.stdout.write(f"\nadded by the server to turn 1 {ms}\n")
        assert late_turn < 0.1

        told = upstream.requests[-1].messages
        assert len(told) == 2 * TURNS + 1
        assert [message["content"] for message in told[:4]] == ["turn 1", "turn 1#0 ", "turn 2", "turn 2#0 "]
        assert [message["role"] for message in told[-3:]] == ["user", "assistant", "user"]

        stream = await client.stream("and on", previous_interaction_id=last).whole()
        assert stream[-1].payload["interaction"]["status"] == "completed"
        assert len(upstream.requests[-1].messages) == 2 * TURNS + 1


async def added_seconds(client: Client, upstream: Upstream, **fields: str) -> float:
    """The time of a call that was not the upstream's: the median of a few calls."""
    added = []
    for _ in range(9):
        began = time.perf_counter()
        await client.create("how long?", **fields)
        added.append(time.perf_counter() - began - upstream.requests[-1].seconds)
    return statistics.median(added)
