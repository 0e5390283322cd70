"""What the outside asks of interactions: create, begin, follow, get, read."""

import asyncio
from contextlib import aclosing

import pytest

from support import HeldStore, open_engine, read_all, texts, turn, until, within, words
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest, ModelNotFound, ModelUnavailable, NotFound
from turnwise.domain.events import Created, End, fold, replay
from turnwise.domain.interaction import GenerationConfig, Status, Turn
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.models.model import Taken, TextFragment
from turnwise.models.scripted import say
from turnwise.store.store import Lease, Store


async def test_a_plain_call_is_written_once_at_its_end():
    store = HeldStore()
    async with open_engine(say("Hello"), store=store) as engine:
        made = await engine.interactions.create(turn(), "ann", "steps")
        assert (made.status, made.steps) == (Status.COMPLETED, (ModelOutput((Text("Hello"),)),))
        assert store.calls == {"create": 1}
        assert await engine.interactions.get(made.id, "ann") == made


async def test_a_plain_call_can_be_streamed_afterwards_always_the_same(any_store: Store):
    async with open_engine(say("Hello"), store=any_store) as engine:
        made = await engine.interactions.create(turn(), "ann", "steps")
        first, second = [await read_all(await engine.interactions.read(made, 0)) for _ in range(2)]
        assert first == second == list(enumerate(replay(made), 1))
        for position, _ in first:
            assert await read_all(await engine.interactions.read(made, position)) == first[position:]


async def test_a_plain_call_that_fails_keeps_nothing():
    store = HeldStore()
    async with open_engine([Taken(), TextFragment("Hal"), ModelUnavailable("gone")], store=store) as engine:
        with pytest.raises(ModelUnavailable):
            await engine.interactions.create(turn(), "ann", "steps")
        assert store.calls == {}


@pytest.mark.parametrize("schema", [{"type": "array"}, {"type": ["object", "null"]}, {"type": "string"}])
async def test_a_function_whose_arguments_are_no_object_is_refused_before_the_model_runs(schema: dict[str, object]):
    async with open_engine() as engine:
        asked = turn(tools=(FunctionTool("look"), FunctionTool("listen", parameters=schema)))
        with pytest.raises(InvalidRequest, match=r"tools\[1\]\.parameters: a function's arguments are an object"):
            await engine.interactions.create(asked, "ann", "steps")


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_not_to_be_stored_never_meets_the_store(stream: bool):
    store = HeldStore()
    async with open_engine(say("Hello"), store=store) as engine:
        if stream:
            recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
            assert texts([event for _, event in await read_all(engine.interactions.follow(recording))]) == "Hello"
        else:
            made = await engine.interactions.create(turn(store=False), "ann", "steps")
            assert made.status is Status.COMPLETED
        assert store.calls == {}
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")


async def test_what_is_not_to_be_stored_ends_with_its_reader():
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()]) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        async with aclosing(engine.interactions.follow(recording)) as groups:
            await within(anext(groups))
        await within(engine.interactions.leave(recording))
        await until(lambda: engine.model.left_early == 1)
        assert recording.ended


async def test_what_is_not_stored_cannot_be_found_by_its_id_while_it_goes_on():
    async with open_engine([Taken(), asyncio.Event()]) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        for call in (engine.interactions.get, engine.interactions.cancel, engine.interactions.delete):
            with pytest.raises(NotFound):
                await call("int_1", "ann")
        assert not recording.ended
        await within(engine.interactions.leave(recording))


async def test_what_is_stored_goes_on_without_its_reader():
    gate = asyncio.Event()
    async with open_engine([Taken(), TextFragment("Half"), gate, *say(" whole")[1:]]) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        async with aclosing(engine.interactions.follow(recording)) as groups:
            await within(anext(groups))
        await engine.interactions.leave(recording)
        gate.set()
        await until(lambda: recording.ended)
        assert (await engine.interactions.get("int_1", "ann")).steps == (ModelOutput((Text("Half whole"),)),)


async def test_a_background_call_returns_at_once_and_is_read_while_it_goes_on(any_store: Store):
    took, gate = asyncio.Event(), asyncio.Event()
    script = [took, Taken(), TextFragment("Half"), gate, *say(" whole")[1:]]
    async with open_engine(script, store=any_store) as engine:
        made = await within(engine.interactions.create(turn(background=True), "ann", "steps"))
        assert made.status is Status.IN_PROGRESS
        assert await engine.interactions.get(made.id, "ann") == made
        reader = asyncio.create_task(read_all(await engine.interactions.read(made, 0)))
        took.set()
        gate.set()
        seen = [event for _, event in await within(reader)]
        assert seen[0] == Created()
        assert fold(seen).steps == (ModelOutput((Text("Half whole"),)),)
        ended = await engine.interactions.get(made.id, "ann")
        assert (ended.status, ended.steps) == (Status.COMPLETED, fold(seen).steps)


async def test_a_running_interaction_shows_what_it_has_so_far():
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()]) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        await until(lambda: texts(recording.events) == "Half")
        so_far = await engine.interactions.get("int_1", "ann")
        assert (so_far.status, so_far.steps) == (Status.IN_PROGRESS, (ModelOutput((Text("Half"),)),))


@pytest.mark.parametrize("fields", [{"stream": True}, {"background": True}, {}])
async def test_a_strangers_run_is_as_unknown_as_none_while_it_goes_on_and_after(fields: dict[str, bool]):
    gate = asyncio.Event()
    async with open_engine([Taken(), gate, *say("mine")[1:]]) as engine:
        making = asyncio.create_task(engine.interactions.create(turn(**fields), "ann", "steps"))
        await until(lambda: len(engine.model.prompts) == 1)
        for _ in range(2):
            for call in (engine.interactions.get, engine.interactions.cancel, engine.interactions.delete):
                with pytest.raises(NotFound):
                    await call("int_1", "eve")
            gate.set()
            made = await within(making)
        await read_all(await engine.interactions.read(made, 0))
        assert (await engine.interactions.get("int_1", "ann")).status is Status.COMPLETED


async def test_a_turn_goes_on_from_the_one_before_it():
    async with open_engine(say("one"), say("two")) as engine:
        first = await engine.interactions.create(turn("1", system_instruction="Be brief"), "ann", "steps")
        await engine.interactions.create(turn("2", previous_interaction_id=first.id), "ann", "steps")
        prompt = engine.model.prompts[1]
        assert tuple(prompt.steps) == (UserInput((Text("1"),)), ModelOutput((Text("one"),)), UserInput((Text("2"),)))
        assert prompt.system_instruction is None


async def test_a_generation_config_holds_for_the_turn_that_gives_it():
    async with open_engine(say("one"), say("two")) as engine:
        warm = GenerationConfig(temperature=1.5, max_output_tokens=5)
        first = await engine.interactions.create(turn("1", generation=warm), "ann", "steps")
        await engine.interactions.create(turn("2", previous_interaction_id=first.id), "ann", "steps")
        assert [prompt.generation for prompt in engine.model.prompts] == [warm, GenerationConfig()]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (turn(previous_interaction_id="int_99"), NotFound),
        (Turn((), model="unknown"), ModelNotFound),
        (Turn((), agent="someone", background=True), ModelNotFound),
    ],
)
async def test_what_cannot_be_run_is_refused_before_the_model_is_asked(asked: Turn, error: type[Exception]):
    async with open_engine() as engine:
        for call in (engine.interactions.create, engine.interactions.begin):
            with pytest.raises(error):
                await call(asked, "ann", "steps")
        assert engine.model.prompts == []


@pytest.mark.parametrize("moment", range(0, 40, 2))
async def test_reading_at_the_moment_of_the_end_reads_all(any_store: Store, moment: int):
    async with open_engine(say(*words(3)), store=any_store) as engine:
        made = await engine.interactions.create(turn(background=True), "ann", "steps")
        for _ in range(moment):
            await asyncio.sleep(0)
        seen = await read_all(await engine.interactions.read(await engine.interactions.get(made.id, "ann"), 0))
        assert [position for position, _ in seen] == list(range(1, len(seen) + 1))
        assert isinstance(seen[-1][1], End)
        assert texts([event for _, event in seen]) == "".join(words(3))


@pytest.mark.parametrize("moment", range(0, 40, 4))
async def test_deleting_at_any_moment_deletes_for_good(any_store: Store, moment: int):
    async with open_engine(say(*words(3)), store=any_store) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        for _ in range(moment):
            await asyncio.sleep(0)
        await within(engine.interactions.delete("int_1", "ann"))
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")
        assert isinstance((await within(reader))[-1][1], End)
    assert await any_store.load("int_1", "ann") is None
    assert list(await any_store.events("int_1", 0)) == []
    assert list(await any_store.claim(Lease("another", 60), 10)) == []
