"""A model that speaks, with the real voice of espeak-ng and with speakers that do as a test says."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from models.prompts import BOUND
from models.speech.hearing import after_speech, asked, decoded, hear, parts, pitch
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest, ModelFailed, TurnwiseError
from turnwise.domain.formats import AudioFormat, Voice
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.models.model import MediaFragment, Prompt, Taken
from turnwise.models.speech.speaker import Line, Sound, silence
from turnwise.models.speech.speech import SpeechModel

FOUNDING = "Say the following: WOOHOO This is so much fun!."
KORE = Voice("kore", "en-us")


class Hum:
    """A speaker that hums a second for each line, piece by piece."""

    def __init__(self, *, pieces: int = 10, fails: TurnwiseError | None = None, fails_at: int = 0) -> None:
        self.lines: list[Line] = []
        self.made = 0
        self.closed = 0
        self._pieces, self._fails, self._fails_at = pieces, fails, fails_at

    async def check(self, line: Line) -> None:
        if line.voice == "nobody":
            raise InvalidRequest("there is no voice 'nobody'")

    async def speak(self, line: Line) -> AsyncGenerator[Sound, None]:
        self.lines.append(line)
        try:
            for _ in range(self._pieces):
                if self._fails and self.made == self._fails_at:
                    raise self._fails
                self.made += 1
                yield silence(24_000, 0.1)
        finally:
            self.closed += 1

    async def start(self) -> None: ...

    async def close(self) -> None: ...


async def test_the_founding_documents_request_is_spoken(espeak: SpeechModel) -> None:
    answer = await hear(espeak, asked(FOUNDING, voices=(KORE,), streaming=False))
    assert isinstance(answer.fragments[0], Taken)
    (sound,) = answer.pieces
    assert (sound.type, sound.mime_type, sound.options) == (
        "audio",
        "audio/l16",
        {"sample_rate": 24_000, "channels": 1},
    )
    assert 1.2 < answer.seconds < 2.2
    assert answer.reason == "stop"


async def test_the_instruction_is_not_heard(espeak: SpeechModel) -> None:
    with_instruction = await hear(espeak, asked(FOUNDING, voices=(KORE,)))
    without = await hear(espeak, asked("WOOHOO This is so much fun!.", voices=(KORE,)))
    assert with_instruction.seconds == pytest.approx(without.seconds, rel=0.02)


async def test_two_speakers_are_heard_in_their_lines(espeak: SpeechModel) -> None:
    text = (
        "TTS the following conversation between Alice and Bob:\n"
        "Alice: Hi Bob, how are you doing today?\n"
        "Bob: I'm doing great, thanks for asking!\n"
        "Alice: Fantastic! I just learned about the Gemini API."
    )
    voices = (Voice("Zephyr", "en-US", "Alice"), Voice("Puck", "en-US", "Bob"))
    answer = await hear(espeak, asked(text, voices=voices))
    alice, bob, again = parts(answer.samples)
    assert pitch(alice) == pytest.approx(pitch(again), rel=0.15)
    assert pitch(bob) < 0.65 * pitch(alice)


async def test_names_are_not_heard(espeak: SpeechModel) -> None:
    named = await hear(
        espeak, asked("Alice: Hi.\nBob: Hello.", voices=(Voice("Kore", speaker="Alice"), Voice("Puck", speaker="Bob")))
    )
    alone = await hear(espeak, asked("Hi.", voices=(Voice("Kore"),)))
    assert len(parts(named.samples)[0]) == pytest.approx(len(parts(alone.samples)[0]), rel=0.1)


@pytest.mark.parametrize("mime_type", ["audio/wav", "audio/mp3", "audio/ogg_opus"])
async def test_a_streamed_file_is_the_file(espeak: SpeechModel, mime_type: str) -> None:
    bare = await hear(espeak, asked(FOUNDING, voices=(KORE,)))
    answer = await hear(espeak, asked(FOUNDING, voices=(KORE,), audio=AudioFormat(mime_type=mime_type)))
    assert decoded(answer.data).seconds == pytest.approx(bare.seconds, rel=0.05)
    assert len(answer.pieces) == (1 if mime_type == "audio/wav" else 4)


async def test_the_first_sound_is_sent_before_the_rest_is_made() -> None:
    speaker = Hum(pieces=1000)
    async with asyncio.timeout(BOUND), aclosing(SpeechModel("hum", speaker).stream(asked("Hello"))) as fragments:
        while not isinstance(await anext(fragments), MediaFragment):
            pass
        assert speaker.made == 1
    assert speaker.closed == 1


async def test_a_stream_that_is_left_ends_the_work(espeak: SpeechModel) -> None:
    async with asyncio.timeout(BOUND):
        async with aclosing(espeak.stream(asked("One two three. " * 2000))) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, MediaFragment):
                    break
        answer = await hear(espeak, asked("Hello."))
    assert answer.reason == "stop"


async def test_turns_do_not_wait_for_a_long_one(espeak: SpeechModel) -> None:
    long = asyncio.create_task(hear(espeak, asked("One two three four five. " * 400)))
    short = [await hear(espeak, asked("Hello.")) for _ in range(3)]
    assert not long.done()
    assert [answer.reason for answer in short] == ["stop"] * 3
    assert (await long).reason == "stop"


async def test_say_it_again_is_heard_again_and_slower(espeak: SpeechModel) -> None:
    first = await hear(espeak, asked("Say: Good night, my friend."))
    steps = after_speech("Say: Good night, my friend.", "say it again, slower")
    again = await hear(espeak, Prompt(steps, modalities=("audio",)))
    assert again.seconds > 1.25 * first.seconds


# -- what is told beside the sound


async def test_the_cost_is_counted_as_the_api_counts() -> None:
    text = "Say: 你好"
    answer = await hear(SpeechModel("hum", Hum()), asked(text))
    assert answer.usage == Usage(input={"text": 3}, output={"audio": 25})  # eleven bytes; one second


async def test_pieces_are_small_at_first_and_then_larger() -> None:
    answer = await hear(SpeechModel("hum", Hum(pieces=60)), asked("Hello"))
    lengths = [len(piece.data) / 48_000 for piece in answer.pieces]
    assert lengths[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert lengths[4:-1] == pytest.approx([1.0] * 4)
    assert sum(lengths) == pytest.approx(6.0)


async def test_a_limit_of_tokens_cuts_the_sound() -> None:
    answer = await hear(SpeechModel("hum", Hum(pieces=60)), asked("Hello", max_output_tokens=50))
    assert (answer.seconds, answer.reason, answer.usage.output) == (2.0, "length", {"audio": 50})


async def test_the_longest_sound_ends_the_work() -> None:
    speaker = Hum(pieces=10_000)
    answer = await hear(SpeechModel("hum", speaker, longest=3.0), asked("Hello"))
    assert (answer.seconds, answer.reason) == (3.0, "length")
    assert speaker.made < 40
    assert speaker.closed == 1


async def test_lines_have_a_silence_between_them() -> None:
    voices = (Voice("Kore", speaker="A"), Voice("Puck", speaker="B"))
    answer = await hear(SpeechModel("hum", Hum()), asked("A: one\nB: two", voices=voices))
    assert answer.seconds == pytest.approx(2.35)


async def test_directions_reach_the_speaker_in_the_users_words() -> None:
    speaker = Hum()
    await hear(
        SpeechModel("hum", speaker, understands=True), asked("Say like a pirate: Ahoy", system="You are a captain.")
    )
    assert [line.directions for line in speaker.lines] == ["You are a captain.\nSay like a pirate"]


# -- what goes wrong


async def test_a_voice_that_there_is_not_is_refused_before_anything_is_spoken() -> None:
    speaker = Hum()
    voices = (Voice("Kore", speaker="A"), Voice("nobody", speaker="B"))
    with pytest.raises(InvalidRequest, match="no voice 'nobody'"):
        await hear(SpeechModel("hum", speaker), asked("A: one\nB: two", voices=voices))
    assert speaker.lines == []


async def test_a_speaker_that_fails_at_once_has_taken_nothing() -> None:
    model = SpeechModel("hum", Hum(fails=ModelFailed("broken")))
    fragments = model.stream(asked("Hello"))
    with pytest.raises(ModelFailed, match="broken"):
        await anext(fragments)


async def test_a_speaker_that_fails_in_the_middle_is_told() -> None:
    model = SpeechModel("hum", Hum(fails=ModelFailed("broken"), fails_at=5))
    async with asyncio.timeout(BOUND), aclosing(model.stream(asked("Hello"))) as fragments:
        assert isinstance(await anext(fragments), Taken)
        with pytest.raises(ModelFailed, match="broken"):
            _ = [fragment async for fragment in fragments]


async def test_a_text_that_makes_no_sound_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nothing in it that can be heard"):
        await hear(SpeechModel("hum", Hum(pieces=0)), asked("Hello"))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"generation": GenerationConfig(temperature=0.5)}, "generation_config.temperature"),
        ({"generation": GenerationConfig(seed=0)}, "generation_config.seed"),
        ({"generation": GenerationConfig(stop_sequences=("x",))}, "generation_config.stop_sequences"),
        ({"tools": (FunctionTool("f"),)}, "tools"),
        ({"schema": {}}, "response_format"),
        ({"modalities": ("text",)}, "response_modalities"),
        ({"system_instruction": "You are a helpful assistant."}, "system_instruction"),
        ({"audio": AudioFormat(sample_rate=11_025)}, "response_format.sample_rate"),
    ],
)
async def test_what_a_voice_cannot_do_is_refused_by_name(changed: dict[str, Any], field: str) -> None:
    prompt = Prompt(**{"steps": [UserInput((Text("Hi"),))], "modalities": ("audio",), **changed})
    with pytest.raises(InvalidRequest) as refused:
        await hear(SpeechModel("hum", Hum()), prompt)
    assert refused.value.field == field


async def test_a_wish_of_the_engines_is_left_out() -> None:
    prompt = asked("Hello", temperature=0.5)
    wished = Prompt(
        prompt.steps, modalities=("audio",), generation=prompt.generation, wishes=frozenset({"temperature"})
    )
    assert (await hear(SpeechModel("hum", Hum()), wished)).reason == "stop"


def test_what_is_not_installed_is_named_with_its_command() -> None:
    # PyAV is looked for when somebody wants to hear something, so that a server without it starts.
    code = (
        "import asyncio, sys; sys.modules['av'] = None\n"
        "from turnwise.domain.content import Text\n"
        "from turnwise.domain.steps import UserInput\n"
        "from turnwise.models.model import Prompt\n"
        "from turnwise.models.speech.espeak import EspeakSpeaker\n"
        "from turnwise.models.speech.speech import SpeechModel\n"
        "async def main():\n"
        "    prompt = Prompt([UserInput((Text('Hi'),))], modalities=('audio',))\n"
        "    await anext(SpeechModel('x', EspeakSpeaker()).stream(prompt))\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=BOUND, check=False)
    assert "Unimplemented: speech needs PyAV, which is not installed: pip install 'turnwise[speech]'" in ended.stderr
