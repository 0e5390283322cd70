"""A round: many clients at work, one injury in the middle, and a judgement when all of them are done."""

import asyncio
import math
import random
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.faults.answers import Question
from bench.faults.client import Client
from bench.faults.cluster import Cluster
from bench.faults.injuries import Hurt, Injury, breaks, hurt
from bench.faults.judging import Verdict, judge
from bench.faults.stories import KINDS, Plan, Story

PATIENCE = 60.0
"""Seconds beyond the time of an answer after which what has no end has none."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do."""

    streams: int = 500
    rate: float = 5.0
    """Words a second of each."""
    seconds: float = 20.0
    """How long an answer takes."""
    ramp: float = 3.0
    """Seconds over which clients come."""


@dataclass(frozen=True, slots=True)
class Round:
    """What became of a round."""

    what: str
    verdict: Verdict
    moved: int
    """Runs that another process, or the same one started again, has gone on with."""
    cut: int
    """Readers whose stream broke off."""
    pauses_moved: list[float]
    """The longest pause of each reader whose run moved, in seconds."""
    pauses_cut: list[float]
    """Likewise, of each other reader whose stream broke off."""
    pauses: list[float]
    """Likewise, of all readers."""


async def play(injury: Injury, cluster: Cluster, client: Client, load: Load, chance: random.Random) -> Round:
    """One round."""
    number = chance.randrange(16**6)
    stories = [_story(client, cluster, load, chance, f"{number:06x}-{index}") for index in range(load.streams)]
    living = [asyncio.create_task(_live(story, chance.uniform(0, load.ramp))) for story in stories]
    attempts: dict[str, int] = {}
    watching = asyncio.create_task(_watch(cluster, attempts))
    try:
        await asyncio.sleep(load.ramp + load.seconds * 0.3)
        noted = await hurt(injury, cluster, stories, chance)
        await asyncio.wait(living, timeout=load.seconds + PATIENCE)
    finally:
        for task in (*living, watching):
            task.cancel()
        ends = await asyncio.gather(*living, watching, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
    verdict = await judge(client, cluster.urls, stories)
    return _summed_up(injury, stories, verdict, noted, attempts)


def _story(client: Client, cluster: Cluster, load: Load, chance: random.Random, name: str) -> Story:
    words = max(4, int(load.rate * load.seconds))
    kind = chance.choice(KINDS)
    plan = Plan(
        Question(name, words // 4 if kind == "plain" else words, load.rate),
        kind,
        switches_after=chance.randrange(1, words) if chance.random() < 1 / 3 else None,
        polls_every=chance.uniform(0.5, 3.0) if chance.random() < 1 / 4 else None,
        cancels_after=chance.randrange(1, words) if chance.random() < 1 / 20 else None,
    )
    return Story(client, cluster.urls, plan, random.Random(chance.random()))


async def _live(story: Story, delay: float) -> None:
    await asyncio.sleep(delay)
    await story.live()


async def _watch(cluster: Cluster, attempts: dict[str, int]) -> None:
    """See which attempt each run has come to."""
    while True:
        with suppress(RuntimeError, sqlite3.Error):  # the database is away
            for id, (attempt, _) in (await cluster.runs()).items():
                attempts[id] = max(attempt, attempts.get(id, 0))
        await asyncio.sleep(0.5)


def _summed_up(
    injury: Injury, stories: Sequence[Story], verdict: Verdict, noted: Hurt, attempts: dict[str, int]
) -> Round:
    cancelled = {story.id for story in stories if story.seen.cancelled is not None}  # by a node that took them first
    moved = {id for id, (attempt, _) in noted.before.items() if attempts.get(id, 0) > attempt} - cancelled
    broken = {story.id for story in stories if breaks(story) > noted.breaks[story.plan.question.name]}
    pauses = {story.id: _longest_pause(story, noted.at) for story in stories}

    def of(ids: Iterable[str | None]) -> list[float]:
        return sorted(pauses[id] for id in ids if id in pauses)

    return Round(injury.what, verdict, len(moved), len(broken), of(moved), of(broken - moved - cancelled), of(pauses))


def _longest_pause(story: Story, since: float) -> float:
    """The longest that a client waited for a frame that came after a moment."""
    return max((wait for at, wait in story.seen.waits if at > since), default=0.0)


def part(values: Sequence[float], share: float) -> float:
    """The value that this share of sorted values does not exceed."""
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)] if values else math.nan
