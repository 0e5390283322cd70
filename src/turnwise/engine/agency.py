"""An agent's work as events: what `engine/run.py` is for a model, for who works longer than a turn of a model lasts.

    task = Task(input, history, turn.system_instruction, turn.agent_config)
    async for event in work(turn, hired, task, around, catalogue, told=told): ...

The agent works in a task of its own, at a desk (`desk.py`); what it says and what its desk has finished come through
one queue, in one order. Here they are numbered into events. Work that outlives its process begins from the start, with
what was told until then: finished steps are not done again, and what was said is not told again (`retelling.py`).
"""

import asyncio
import logging
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from turnwise.agents.agent import Budget, Cites, Done, Hired, Said, Says, Shows, Task, Thinks
from turnwise.domain.content import JSON, Media, Text
from turnwise.domain.errors import ModelFailed, Unimplemented
from turnwise.domain.events import (
    Checkpoint,
    End,
    Event,
    PartDelta,
    SignatureDelta,
    StatusUpdate,
    StepStart,
    SummaryDelta,
    closing,
)
from turnwise.domain.formats import Modality
from turnwise.domain.interaction import Status, Turn, Usage
from turnwise.domain.steps import Thought
from turnwise.domain.tools import CodeExecution, GoogleSearch, ServedTool, UrlContext
from turnwise.engine.assemble import Assembler
from turnwise.engine.delivery import deliver_made
from turnwise.engine.desk import Kept, WorkDesk
from turnwise.engine.hearing import Hearing
from turnwise.engine.retelling import Differs, Retelling
from turnwise.engine.surroundings import Surroundings
from turnwise.engine.thoughts import Secret
from turnwise.engine.toolset import Toolset
from turnwise.models.model import Catalogue, Fragment, MediaFragment, TextFragment, ThoughtFragment
from turnwise.tools.tool import Made, Occasion

READY = 16
"""How many things an agent may have said that are not told yet. Then it waits."""

LEAVING = 5.0
"""For how many seconds an agent that is told to end is waited for. Then it is left to itself."""

log = logging.getLogger("turnwise.run")

PLAIN_TOOLS: dict[str, ServedTool] = {
    "google_search": GoogleSearch(),
    "url_context": UrlContext(),
    "code_execution": CodeExecution(),
}
"""The tools that an agent may have without a request that declares them: those that need no more than their type."""

WORDS: Sequence[Modality] = ("text",)


class _Over:
    """The budget is overdrawn."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is to be kept before the desk goes on, and what says that it is."""

    checkpoint: Checkpoint
    done: asyncio.Event


_Heard: TypeAlias = Said | _Kept | _Over | Exception
"""What comes through the queue; an exception is what broke the work, and the last."""


async def work(
    turn: Turn,
    hired: Hired,
    task: Task,
    around: Surroundings,
    catalogue: Catalogue,
    *,
    told: Sequence[Event] = (),
) -> AsyncGenerator[Event, None]:
    """The events of an interaction that an agent works on, behind Created: StatusUpdate, its steps, and End; with
    Checkpoints wherever a step of its desk was finished, within open steps too.

    `turn` is the request as it counts: with what a saved agent brings along filled in. `task.history` and `task.input`
    are as a model sees them, as for `run`: with their signatures opened, and calls of tools as function calls. The
    budget of time runs from `around.began`.

    `told` are all events of it that are kept, from the first one on, if the work was begun before. Then only what comes
    behind them is yielded: no StatusUpdate, if they have one, and a text that was cut in two goes on in its middle.

    Raises:
        TurnwiseError: the model or a tool cannot be had, the agent broke or says something else than it said before.
    """
    office = _Office(turn, hired, task, around, catalogue, Kept.of(told))
    telling = _Telling(turn, around, told)
    if not any(isinstance(event, StatusUpdate) for event in told):
        yield StatusUpdate(Status.IN_PROGRESS)
    status = Status.BUDGET_EXCEEDED
    async with aclosing(office.heard()) as all_heard:
        async for heard in all_heard:
            if isinstance(heard, Checkpoint):
                yield heard
            elif isinstance(heard, Done):
                status = Status(heard.status)
            else:
                for event in telling.add(heard, await telling.fragment(heard)):
                    yield event
        is_whole = office.is_done
    for event in telling.whole() if is_whole else telling.cut():
        yield event
    yield End(status, office.usage, around.clock())


class _Office:
    """Where the agent works, as long as it does."""

    def __init__(
        self,
        turn: Turn,
        hired: Hired,
        task: Task,
        around: Surroundings,
        catalogue: Catalogue,
        kept: Kept,
    ) -> None:
        self.is_done = False
        """Whether the agent has said that the work is over."""
        self._turn = turn
        self._hired = hired
        self._task = task
        self._around = around
        self._model = catalogue.find(hired.model, WORDS)
        self._began = around.began or around.clock()
        self._budget = _within(hired.budget, around.limits.budget)
        self._kept = kept
        self._desk: WorkDesk | None = None
        self._queue: asyncio.Queue[_Heard] = asyncio.Queue(READY)
        self._is_left = False
        """Whether nobody hears any more."""

    @property
    def usage(self) -> Usage | None:
        """What the work has cost. None: nothing at all."""
        usage = self._kept.usage if self._desk is None else self._desk.usage
        return None if usage == Usage() else usage

    async def heard(self) -> AsyncGenerator[Said | Checkpoint, None]:
        """What the agent says, and the steps that its desk has finished, up to Done; or until the budget is overdrawn.

        Raises:
            Exception: whatever broke the work, behind all that was said before.
        """
        left = self._budget.seconds - (self._around.clock() - self._began).total_seconds()
        time = asyncio.get_running_loop().time
        until = time() + left
        working = asyncio.create_task(self._work(), name=f"agent {self._hired.agent.card.name}")
        try:
            while not self.is_done and time() < until:
                try:
                    async with asyncio.timeout_at(until):
                        heard = await self._queue.get()
                except TimeoutError:
                    return
                if isinstance(heard, _Over):
                    return
                if isinstance(heard, Exception):
                    raise heard
                if isinstance(heard, _Kept):
                    yield heard.checkpoint
                    heard.done.set()
                    continue
                self.is_done = isinstance(heard, Done)
                yield heard
        finally:
            self._is_left = True
            working.cancel()
            await asyncio.wait([working], timeout=LEAVING)
            if not working.done():
                log.warning("the agent %r does not end though it was told to", self._hired.agent.card.name)

    async def _work(self) -> None:
        """Have the agent work. What breaks it is the last thing that is heard."""
        try:
            async with self._tools() as (tools, occasion):
                await self._sit_down(tools, occasion)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            await self._queue.put(self._broken("has cancelled itself"))
        except Exception as error:
            await self._queue.put(error)
        except GeneratorExit:
            raise
        except BaseException:  # SystemExit: it would end the server, and each one that goes on with this
            log.exception("the agent %r called for the end of its process", self._hired.agent.card.name)
            await self._queue.put(self._broken("has called for the end of its process"))

    async def _sit_down(self, tools: Toolset, occasion: Occasion) -> None:
        desk = self._desk = WorkDesk(
            self._model,
            tools,
            occasion,
            self._around,
            self._budget,
            began=self._began,
            kept=self._kept,
            tell=self._keep,
            over=self._overdraw,
        )
        if self._kept.offered is None:
            await self._keep(desk.beginning())
        hearing = Hearing()
        async with aclosing(self._hired.agent.work(await self._in_words(), desk)) as saying:
            async for said in saying:
                if wrong := hearing.hear(said):
                    raise self._broken(wrong)
                await self._queue.put(said)
                if isinstance(said, Done):
                    return
        raise self._broken("has stopped without saying that its work is over")

    @asynccontextmanager
    async def _tools(self) -> AsyncIterator[tuple[Toolset, Occasion]]:
        """The tools that the request declares; if it declares none, those that the agent uses and this server has."""
        occasion = Occasion(
            self._around.owner,
            (*self._task.history, *self._task.input),
            system_instruction=self._turn.system_instruction,
        )
        toolbox = self._around.toolbox
        async with AsyncExitStack() as closing:
            if self._turn.tools:
                declared = {f"tools[{index}]": tool for index, tool in enumerate(self._turn.tools)}
                opened = [*await closing.enter_async_context(toolbox.open(declared, occasion))]
                yield Toolset(opened, self._turn.tools), occasion
                return
            usual = [PLAIN_TOOLS[name] for name in self._hired.agent.card.tools if name in PLAIN_TOOLS]
            opened = []
            for tool in usual:
                with suppress(Unimplemented):
                    opened += await closing.enter_async_context(toolbox.open({tool.type: tool}, occasion))
            yield Toolset(opened, usual), occasion

    async def _in_words(self) -> Task:
        """The task, with all media of it told in words: an agent asks its model in words."""
        task, card = self._task, self._model.card
        steps = (*task.history, *task.input)
        told = tuple(await self._around.present(steps, replace(card, inputs=frozenset({"text"}))))
        return replace(task, history=told[: len(task.history)], input=told[len(task.history) :])

    async def _keep(self, checkpoint: Checkpoint) -> None:
        """Have it told, and wait until whoever hears asks for more: by then it is kept. When nobody hears any more, it
        is not."""
        if self._is_left:
            return
        kept = _Kept(checkpoint, asyncio.Event())
        await self._queue.put(kept)
        await kept.done.wait()

    async def _overdraw(self) -> None:
        """End the work. Nobody goes on from here."""
        await self._queue.put(_Over())
        await asyncio.Event().wait()

    def _broken(self, how: str) -> ModelFailed:
        return ModelFailed(f"the agent '{self._hired.agent.card.name}' {how}")


def _within(budget: Budget, tokens: int | None) -> Budget:
    """A budget that is also kept to what anything may cost that works in the background."""
    return budget if tokens is None else replace(budget, tokens=min(budget.tokens, tokens))


class _Telling:
    """What the agent says, as events that were not told before."""

    def __init__(self, turn: Turn, around: Surroundings, told: Sequence[Event]) -> None:
        self._around = around
        self._told = told
        self._retelling = Retelling(told)
        self._cited: Sequence[Mapping[str, JSON]] = ()
        self._shown = 0
        """How many pieces of media were shown."""
        self._shows_thoughts = turn.agent_config.get("thinking_summaries") == "auto"
        self._thought = (0, 0)
        """Where the last thought stands."""
        self._assembler = Assembler(
            seal=self._seal,
            new_call_id=around.new_call_id,
            summaries=False,
            cite=self._cite,
        )

    async def fragment(self, said: Said) -> Fragment | None:
        """What it adds, if it adds something."""
        match said:
            case Thinks(text) if text.strip():
                return ThoughtFragment(" ")  # which begins a thought, and shows nothing by itself
            case Says(text) if text:
                return TextFragment(text)
            case Shows(media):
                return await self._media(media)
            case _:
                return None

    def add(self, said: Said, fragment: Fragment | None) -> Iterator[Event]:
        """The events of something that the agent said."""
        if isinstance(said, Cites):
            self._cited = said.annotations
        elif fragment is not None:
            if isinstance(said, Says) and self._cited:
                yield from self._new(self._assembler.close())
            yield from self._new(self._assembler.add(fragment))
        if isinstance(said, Thinks) and fragment is not None and self._shows_thoughts:
            step, output = self._thought
            yield from self._new(iter([PartDelta(step, output, SummaryDelta(Text(said.text.strip())))]))

    def whole(self) -> Iterator[Event]:
        """The events that close what is open, behind all that was to be said."""
        yield from self._new(self._assembler.close())
        if not self._retelling.is_over:
            raise Differs(
                "this was interrupted, and whoever went on with it has said less than was said before; ask again"
            )

    def cut(self) -> Iterator[Event]:
        """The events that close what is open where nothing more will be said."""
        if self._retelling.is_over:
            yield from self._assembler.close()
            return
        ends = closing(self._told)
        opened = next((event for event in reversed(self._told) if isinstance(event, StepStart)), None)
        if ends and isinstance(opened, StepStart) and isinstance(opened.skeleton, Thought) and not self._is_signed():
            assert opened.output is not None
            yield PartDelta(opened.step, opened.output, SignatureDelta(self._seal(Secret())))
        yield from ends

    def _is_signed(self) -> bool:
        """Whether the last that was told is the signature of a thought."""
        shown = [event for event in self._told if not isinstance(event, Checkpoint)]
        return isinstance(shown[-1], PartDelta) and isinstance(shown[-1].delta, SignatureDelta)

    def _new(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, StepStart) and event.output is not None:
                self._thought = (event.step, event.output)
            yield from self._retelling.rest(event)

    def _cite(self, text: str) -> Sequence[Mapping[str, JSON]]:
        cited, self._cited = self._cited, ()
        return cited

    def _seal(self, secret: Secret) -> str:
        """A signature with nothing in it: what an agent tells of its work is for people, not for whoever goes on."""
        return self._around.seal(Secret())

    async def _media(self, media: Media) -> MediaFragment:
        """Media as they are delivered: where they were told already, as they were then."""
        index, self._shown = self._shown, self._shown + 1
        before = self._retelling.media()
        data = b64decode(media.data or "")
        shown = MediaFragment(index, media.type, media.mime_type or "", data, media.uri, media.options)
        if before is not None:
            return replace(shown, data=b"", uri=before.uri) if before.uri is not None else shown
        if media.uri is not None:
            return shown
        made = await deliver_made(
            Made(data, shown.mime_type, str(media.options.get("name", ""))), index, self._around.delivering
        )
        return replace(shown, data=made.data, uri=made.uri)
