"""The embedded engine: the real one, with the default model, in a real child process that gets killed a lot."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from models.prompts import BOUND, finish, prompt, read, text, usage
from turnwise.domain.errors import InvalidRequest, ModelTimeout, ModelUnavailable
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions, cores
from turnwise.models.model import Fragment, Prompt, Taken, TextFragment
from turnwise.models.openai import Limits
from turnwise.models.smollm2 import SMOLLM2

pytestmark = pytest.mark.model

STORY = "Tell me a very long story about the sea."


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what sends no event: the state of a process that is not our child, and the like."""
    async with asyncio.timeout(BOUND):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


async def _to_the_end(fragments: AsyncIterator[Fragment]) -> None:
    async for _ in fragments:
        pass


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the engines of a test have their folders, none of which may be left. Its path is short, as a socket's
    must be; pytest's own grow long."""
    tmp_path_factory.getbasetemp()  # made before, so that it is not in there
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert folders(Path(folder)) == []


def folders(where: Path) -> list[int]:
    """Who may enter the engines' folders that are there."""
    return [path.stat().st_mode & 0o777 for path in where.glob("turnwise-*")]


async def pid_of(engine: EmbeddedModel) -> int:
    async with asyncio.timeout(BOUND):
        await engine.loaded()
    assert engine.pid is not None
    return engine.pid


async def test_a_turn_that_comes_before_the_model_is_loaded_waits(engine: EmbeddedModel) -> None:
    assert engine.pid is None
    fragments = await read(engine, prompt("What is the capital of France?"))
    assert fragments[0] == Taken()
    assert "Paris" in text(fragments)
    assert engine.card.context_tokens == 4096


async def test_streamed_or_not_it_says_the_same(engine: EmbeddedModel) -> None:
    streamed, whole = [
        await read(engine, prompt("What is the capital of France?", streaming=streaming)) for streaming in (True, False)
    ]
    assert text(streamed) == text(whole)
    assert len(streamed) > len(whole) == 4


async def test_it_counts_and_stops_at_the_limit(engine: EmbeddedModel) -> None:
    fragments = await read(engine, prompt(STORY, max_output_tokens=5))
    assert finish(fragments) == "length"
    assert usage(fragments).output == {"text": 5}
    assert usage(fragments).input_tokens > 5


async def test_it_stops_at_a_stop_sequence(engine: EmbeddedModel) -> None:
    whole = text(await read(engine, prompt("What is the capital of France?")))
    stopped = await read(engine, prompt("What is the capital of France?", stop_sequences=(" Paris",)))
    assert finish(stopped) == "stop"
    assert text(stopped) == whole.partition(" Paris")[0]


async def test_a_seed_makes_it_repeat_itself(engine: EmbeddedModel) -> None:
    def asked(seed: int) -> Prompt:
        return prompt(STORY, temperature=1.0, seed=seed, max_output_tokens=24, streaming=False)

    first, again, other = [text(await read(engine, asked(seed))) for seed in (1, 1, 2)]
    assert first == again != other


async def test_the_second_turn_of_a_long_chat_is_mostly_not_read_again(engine: EmbeddedModel) -> None:
    opening = "The sea is wide, and the ships on it are many. " * 40
    first = await read(engine, prompt(opening, max_output_tokens=16))
    second = await read(engine, prompt(opening, text(first), "And then?", max_output_tokens=4))
    counted = usage(second)
    assert counted.input_tokens > 400
    assert counted.cached_tokens > 0.9 * usage(first).input_tokens


async def test_conversations_that_begin_alike_are_not_read_again_because_of_one_another(engine: EmbeddedModel) -> None:
    instruction = "The crew of the ship writes down what it sees. " * 16
    openings = [
        f"On day {day} the wind was {wind}. " * 8 for day, wind in enumerate(("cold", "warm", "wet", "dry", "mild"))
    ]
    answers = [await read(engine, prompt(opening, system=instruction, max_output_tokens=4)) for opening in openings]
    for opening, answer in zip(openings, answers, strict=True):
        counted = usage(
            await read(engine, prompt(opening, text(answer), "And then?", system=instruction, max_output_tokens=4))
        )
        assert counted.cached_tokens >= usage(answer).input_tokens - 1


async def test_turns_over_its_slots_wait_for_them_and_are_all_answered(engine: EmbeddedModel) -> None:
    asked = [prompt(f"Name {number} planets.", max_output_tokens=4) for number in range(2, 11)]
    answers = await asyncio.gather(*(read(engine, one) for one in asked))
    assert [finish(answer) for answer in answers] == ["length"] * 9


async def test_a_prompt_over_the_context_is_refused_with_both_numbers(engine: EmbeddedModel) -> None:
    for streaming in (True, False):
        fragments = engine.stream(prompt("word " * 5000, streaming=streaming))
        async with asyncio.timeout(BOUND):
            with pytest.raises(
                InvalidRequest, match=r"the prompt has 50\d\d tokens, but the model's context holds 4096"
            ):
                await anext(fragments)


async def test_two_turns_are_answered_side_by_side(engine: EmbeddedModel) -> None:
    async with asyncio.timeout(BOUND), aclosing(engine.stream(prompt(STORY))) as long:
        while not isinstance(await anext(long), TextFragment):
            pass
        short = await read(engine, prompt("What is the capital of France?", max_output_tokens=8))
        assert text(short)
        assert isinstance(await anext(long), TextFragment)


async def test_leaving_a_turn_frees_its_place(engine: EmbeddedModel) -> None:
    for _ in range(6):  # more than there are places
        async with asyncio.timeout(BOUND), aclosing(engine.stream(prompt(STORY))) as fragments:
            await anext(fragments)
    async with asyncio.timeout(10):
        await read(engine, prompt("Hi", max_output_tokens=2))


async def test_a_turn_whose_child_is_killed_says_so_and_the_next_one_works(engine: EmbeddedModel) -> None:
    pid = await pid_of(engine)
    fragments = engine.stream(prompt(STORY))
    async with asyncio.timeout(BOUND):
        while not isinstance(await anext(fragments), TextFragment):
            pass
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ModelUnavailable, match="died in the middle of this turn"):
            await _to_the_end(fragments)
    assert text(await read(engine, prompt("What is the capital of France?")))
    assert await pid_of(engine) != pid


async def test_a_turn_of_which_nothing_was_shown_is_asked_again_and_nobody_notices(engine: EmbeddedModel) -> None:
    pid = await pid_of(engine)
    os.kill(pid, signal.SIGSTOP)  # so that it takes the turn, and cannot have answered when it dies
    turn = asyncio.create_task(read(engine, prompt("What is the capital of France?")))
    await asyncio.wait([turn], timeout=0.2)
    os.kill(pid, signal.SIGKILL)
    fragments = await turn
    assert [type(fragment) for fragment in fragments].count(Taken) == 1
    assert "Paris" in text(fragments)


async def test_a_child_that_hangs_is_killed_and_the_next_turn_works(weights: Path) -> None:
    async def at_hand() -> Path:
        return weights

    options = EngineOptions(threads=2, context=512)
    engine = EmbeddedModel(at_hand, options, profile=SMOLLM2, limits=Limits(idle=4.0))
    pid = await pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ModelTimeout):
        await read(engine, prompt("Hi"))
    assert text(await read(engine, prompt("Hi", max_output_tokens=2)))
    assert await pid_of(engine) != pid
    await engine.close()


async def test_closing_ends_the_child_and_leaves_nothing(engine: EmbeddedModel, place: Path) -> None:
    pid = await pid_of(engine)
    assert folders(place) == [0o700]
    async with asyncio.timeout(BOUND):
        await engine.close()
    assert not _lives(pid)
    assert folders(place) == []
    with pytest.raises(ModelUnavailable, match="has been stopped"):
        await read(engine, prompt())


async def test_closing_while_it_loads_ends_the_child_too(weights: Path, place: Path) -> None:
    asked = asyncio.Event()

    async def at_hand() -> Path:
        asked.set()
        return weights

    engine = EmbeddedModel(at_hand, EngineOptions(threads=1, context=512))
    async with asyncio.timeout(BOUND):
        await engine.start()
        await asked.wait()
        await until(lambda: folders(place) == [0o700])
        await engine.close()
    assert folders(place) == []


async def test_a_parent_that_is_killed_leaves_no_orphan(weights: Path, place: Path) -> None:
    code = f"""
import asyncio, pathlib
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions

async def weights():
    return pathlib.Path({str(weights)!r})

async def main():
    engine = EmbeddedModel(weights, EngineOptions(threads=1, context=512))
    await engine.loaded()
    print(engine.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, env=os.environ | {"TMPDIR": str(place)}
    )
    assert parent.stdout is not None
    try:
        async with asyncio.timeout(BOUND):
            child = int(await parent.stdout.readline())
        assert folders(place) == [0o700]
    finally:
        parent.kill()
        await parent.wait()
    await until(lambda: not _lives(child))
    assert folders(place) == []


async def test_a_file_that_is_no_model_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"nonsense")

    async def at_hand() -> Path:
        return tmp_path / "a.gguf"

    engine = EmbeddedModel(at_hand, EngineOptions(threads=1, context=512))
    with pytest.raises(ModelUnavailable, match="the embedded engine cannot load the model"):
        await read(engine, prompt())
    await engine.close()


BROKEN = {
    "libgomp is missing": (
        "raise ImportError('libgomp.so.1: cannot open shared object file')",
        "apt-get install libgomp1",
    ),
    "the package is missing": ("raise ModuleNotFoundError('no xllamacpp')", "is the package xllamacpp installed"),
    "the processor is too old": ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "AVX2"),
    "it aborts": (
        "import os, sys; print('GGML_ASSERT failed', file=sys.stderr, flush=True); os.abort()",
        "died with code -6: GGML_ASSERT failed",
    ),
    "it prints and breaks": ("print('noise'); CommonParams = None", "cannot load the model"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_an_engine_that_is_broken_says_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    package, words = BROKEN[case]
    (tmp_path / "xllamacpp.py").write_text(package)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def at_hand() -> Path:
        return tmp_path / "a.gguf"

    engine = EmbeddedModel(at_hand, EngineOptions(threads=1, context=512), pauses=(0.0, 0.0))
    async with asyncio.timeout(BOUND):
        with pytest.raises(ModelUnavailable, match=words):
            await engine.loaded()
    await engine.close()


async def test_weights_that_cannot_be_had_are_said_at_once_and_tried_again(weights: Path) -> None:
    tries: list[int] = []

    async def at_first_not() -> Path:
        tries.append(1)
        if len(tries) == 1:
            raise ModelUnavailable("no network")
        return weights

    engine = EmbeddedModel(at_first_not, EngineOptions(threads=1, context=512), pauses=(0.0, 0.3))
    with pytest.raises(ModelUnavailable, match="no network"):
        await engine.loaded()
    await until(lambda: engine.pid is not None)
    await engine.close()


async def test_a_child_that_dies_again_and_again_is_said_and_still_tried(weights: Path) -> None:
    async def at_hand() -> Path:
        return weights

    engine = EmbeddedModel(at_hand, EngineOptions(threads=1, context=512), pauses=(0.0, 0.01, 0.01, 0.5))
    for _ in range(3):
        os.kill(await pid_of(engine), signal.SIGKILL)
        await until(lambda: engine.pid is None)
    with pytest.raises(ModelUnavailable, match="died with code -9"):
        await engine.loaded()
    await engine.close()


def test_half_the_cores_is_the_default() -> None:
    assert EngineOptions().threads == max(1, cores() // 2)
