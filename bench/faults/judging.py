"""What clients saw against what is kept, and against what the upstream says: every frame and every letter."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields
from typing import Any

from bench.faults.client import BROKEN, DONE, Client, Frame, Refused, soon, text_of
from bench.faults.stories import Story

TRIES = 100
"""How often a node is asked for an interaction at the most, 0.1 s apart: it may just have been started again."""


@dataclass(slots=True)
class Verdict:
    """What is wrong with so many interactions. Everything but the first three is to be 0."""

    accepted: int = 0
    """Interactions that were acknowledged to a client."""
    completed: int = 0
    cancelled: int = 0
    lost: int = 0
    """Not there (any more), or without an end when the time was up."""
    failed: int = 0
    """Ended in any other way than completed or cancelled."""
    gaps: int = 0
    """Frames that are kept and that the reader did not get."""
    doubles: int = 0
    """Frames that the reader got twice, or behind a later one."""
    rewritten: int = 0
    """Frames that the reader got and that are not kept like that."""
    wrong: int = 0
    """Texts that are not what the upstream said, each word once."""
    differing: int = 0
    """Interactions of which two nodes, or a poll and a later one, or a cancel and what came behind, say two things."""
    false_ends: int = 0
    """Streams that ended as if the interaction had."""
    errors: int = 0
    """Answers other than 200 and 503."""
    reasons: list[str] = field(default_factory=list)
    """Some of what is wrong, in words."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(getattr(self, name) for name in FAULTS)

    def note(self, story: Story, what: str) -> None:
        """Say in words what is wrong."""
        self.reasons.append(f"{story.plan.question.name} ({story.plan.kind}, {story.id}): {what}")


FAULTS = [one.name for one in fields(Verdict) if one.name not in {"accepted", "completed", "cancelled", "reasons"}]


async def judge(client: Client, nodes: Sequence[str], stories: Iterable[Story]) -> Verdict:
    """Read everything again, on every node, and compare."""
    verdict = Verdict()
    at_once = asyncio.Semaphore(32)

    async def look(story: Story) -> None:
        async with at_once:
            await _judge(client, nodes, story, verdict)

    await asyncio.gather(*(look(story) for story in stories))
    return verdict


async def _judge(client: Client, nodes: Sequence[str], story: Story, verdict: Verdict) -> None:
    seen = story.seen
    verdict.doubles += seen.twice
    verdict.differing += seen.went_back
    verdict.false_ends += seen.false_ends
    verdict.errors += len(seen.errors)
    for error in seen.errors:
        verdict.note(story, error)
    if seen.false_ends or seen.went_back or seen.twice:
        verdict.note(story, f"{seen.false_ends} false ends, {seen.went_back} polls went back, {seen.twice} doubles")
    if story.id is None:
        verdict.lost += 1
        verdict.note(story, "nobody acknowledged it")
        return
    verdict.accepted += 1
    try:
        kept = [await _patiently(client, node, story.id) for node in nodes]
        if kept[0]["status"] == "in_progress":
            raise Refused(200, f"it has no end; its reader is over: {story.is_over}")
        replays = [await _replay(client, node, story.id) for node in nodes]
    except (Refused, *BROKEN) as error:
        verdict.lost += 1
        verdict.note(story, f"lost: {error!r}")
        return
    if any(one != kept[0] for one in kept) or any(one != replays[0] for one in replays):
        verdict.differing += 1
        verdict.note(story, "the nodes differ")
    _compare_frames(story, replays[0], verdict)
    _compare_words(story, kept[0], replays[0], verdict)


def _compare_frames(story: Story, replay: list[Frame], verdict: Verdict) -> None:
    told = {frame.position: frame for frame in replay}
    got = {frame.position: frame for frame in story.seen.frames}
    missing = [place for place in told if place not in got]
    changed = [place for place, frame in got.items() if told.get(place) != frame]
    verdict.gaps += len(missing)
    verdict.rewritten += len(changed)
    if missing or changed:
        verdict.note(story, f"frames missing: {missing[:10]}, changed: {changed[:10]}")


def _compare_words(story: Story, kept: dict[str, Any], replay: list[Frame], verdict: Verdict) -> None:
    text, answer = text_of(kept), story.plan.question.answer
    match kept["status"]:
        case "completed":
            verdict.completed += 1
            is_right = text == answer
        case "cancelled" if story.plan.cancels_after is not None:
            verdict.cancelled += 1
            is_right = answer.startswith(text)
        case status:
            verdict.failed += 1
            is_right = answer.startswith(text)
            verdict.note(story, f"it ended as {status}: {kept.get('errors')}")
    if not is_right or "".join(frame.text for frame in replay) != text:
        verdict.wrong += 1
        verdict.note(story, f"{len(text)} letters of {len(answer)} end with {text[-60:]!r}")
    said = story.seen.cancelled
    if said is not None and (said["status"], text_of(said)) != (kept["status"], text):
        verdict.differing += 1
        verdict.note(story, f"its cancel said {said['status']} with {len(text_of(said))} letters")


async def _patiently(client: Client, node: str, id: str) -> dict[str, Any]:
    """The interaction, once the node is there, and the interaction has its end."""
    for _ in range(TRIES):
        try:
            found: dict[str, Any] = await client.get(node, id)
        except BROKEN:
            await soon()
            continue
        return found
    raise TimeoutError(f"{node} is not there")


async def _replay(client: Client, node: str, id: str) -> list[Frame]:
    async with aclosing(client.follow(node, id).frames()) as frames:
        return [frame async for frame in frames if frame is not DONE]
