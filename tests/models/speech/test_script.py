"""A prompt as lines, each with its voice and its style."""

import time
from contextlib import suppress

import pytest

from models.speech.hearing import after_speech, asked
from turnwise.domain.content import Content, Media, Text, Told
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.formats import Voice
from turnwise.domain.steps import FunctionCall, ModelOutput, UserInput
from turnwise.models.model import Prompt
from turnwise.models.speech.script import read_script
from turnwise.models.speech.sentences import sentences
from turnwise.models.speech.style import PLAIN, read_style

JOE, JANE = Voice("Puck", speaker="Joe"), Voice("Kore", "en-GB", speaker="Jane")


def spoken(prompt: Prompt) -> list[tuple[str | None, str]]:
    return [(line.voice, line.text) for line in read_script(prompt)]


def test_the_lines_of_a_conversation_are_their_speakers() -> None:
    text = (
        "TTS the following conversation between Joe and Jane:\n"
        "Joe: How's it going today Jane?\nJane: Not too bad, how about you?\njoe: Fine."
    )
    assert spoken(asked(text, voices=(JOE, JANE))) == [
        ("Puck", "How's it going today Jane?"),
        ("Kore", "Not too bad, how about you?"),
        ("Puck", "Fine."),
    ]


def test_a_conversation_may_come_without_an_instruction_or_on_one_line() -> None:
    assert spoken(asked("Joe: Hi! Jane: Hello!", voices=(JOE, JANE))) == [("Puck", "Hi!"), ("Kore", "Hello!")]
    assert spoken(asked("**Joe:** Hi!\n- Jane： “Hello!”", voices=(JOE, JANE))) == [("Puck", "Hi!"), ("Kore", "Hello!")]


def test_a_line_goes_on_until_the_next_name() -> None:
    assert spoken(asked("Joe: One.\n\nTwo.\nJane: Three.", voices=(JOE, JANE))) == [
        ("Puck", "One.\n\nTwo."),
        ("Kore", "Three."),
    ]


def test_chinese_names_are_found_too() -> None:
    voices = (Voice("Puck", speaker="小明"), Voice("Kore", speaker="小華"))
    assert spoken(asked("請朗讀下面的對話：\n小明：你好！\n小華：再見！", voices=voices)) == [
        ("Puck", "你好！"),
        ("Kore", "再見！"),
    ]


def test_directions_are_for_whom_they_name() -> None:
    text = "Make Joe sound tired and bored, and Jane sound excited:\nJoe: So...\nJane: You will never guess!"
    joe, jane = read_script(asked(text, voices=(JOE, JANE)))
    assert joe.style == read_style("tired and bored")
    assert jane.style == read_style("excited")


def test_directions_that_name_nobody_are_for_all() -> None:
    text = "Read this conversation between Joe and Jane slowly:\nJoe: Hi.\nJane (whispering): Hello."
    joe, jane = read_script(asked(text, voices=(JOE, JANE)))
    assert joe.style == read_style("slowly")
    assert jane.style == read_style("slowly").then(read_style("whispering"))


def test_what_stands_before_the_first_name_is_the_narrators() -> None:
    text = "It was late that night.\nJoe: Hi!"
    assert spoken(asked(text, voices=(JOE, JANE, Voice("Charon"))))[0] == ("Charon", "It was late that night.")
    assert spoken(asked(text, voices=(JOE, JANE)))[0] == (None, "It was late that night.")


def test_words_that_introduce_all_speakers_are_not_spoken_and_others_are() -> None:
    introduced = asked("Here are Joe and Jane:\nJoe: Hi!", voices=(JOE, JANE))
    assert spoken(introduced) == [("Puck", "Hi!")]
    told = asked("She looked at Joe and said:\nJane: Hi!", voices=(JOE, JANE))
    assert spoken(told) == [(None, "She looked at Joe and said:"), ("Kore", "Hi!")]


def test_a_line_of_somebody_without_a_voice_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="'Carol', and there are voices for Joe, Jane"):
        read_script(asked("Joe: Hi!\nCarol: Hello!", voices=(JOE, JANE)))


def test_a_voice_without_a_speaker_reads_for_those_who_have_none() -> None:
    voices = (JOE, Voice("Charon"))
    assert spoken(asked("Joe: Hi!\nCarol: Hello!", voices=voices)) == [("Puck", "Hi!"), ("Charon", "Hello!")]


def test_one_voice_reads_all_with_the_names() -> None:
    text = "Joe: Hi!\nJane: Hello!"
    assert spoken(asked(text, voices=(Voice("Kore"),))) == [("Kore", text)]
    assert spoken(asked(text)) == [(None, text)]


def test_a_text_that_names_nobody_is_the_only_speakers_or_the_default_voices() -> None:
    assert spoken(asked("Say: hello", voices=(JOE,))) == [("Puck", "hello")]
    assert spoken(asked("Say: hello", voices=(JOE, JANE))) == [(None, "hello")]


def test_the_place_of_a_voice_is_told() -> None:
    lines = read_script(asked("Joe: Hi! Jane: Hello!", voices=(JOE, JANE)))
    assert [line.path for line in lines] == [
        "generation_config.speech_config[0]",
        "generation_config.speech_config[1]",
    ]
    assert lines[1].language == "en-GB"


def test_tags_change_how_the_rest_is_said() -> None:
    quiet, loud = read_script(asked("[whispers] Quiet [1]! [loud] Now!"))
    assert (quiet.text, loud.text) == ("Quiet [1]!", "Now!")
    assert (quiet.style.whisper, loud.style) == (True, read_style("loud"))


def test_the_system_instruction_is_a_direction_for_all() -> None:
    (line,) = read_script(asked("Say sadly: bye", system="Speak slowly."))
    assert line.style == read_style("slowly").then(read_style("sadly"))
    assert line.directions == "Speak slowly.\nSay sadly"


def test_what_was_said_before_is_said_again() -> None:
    prompt = Prompt(after_speech("Say sadly: Good night.", "say it again, slower", "again, louder"))
    (line,) = read_script(prompt)
    assert line.text == "Good night."
    assert line.style == read_style("sadly").then(read_style("slower")).then(read_style("louder"))
    assert line.directions == "Say sadly\nslower\nlouder"


def test_nothing_to_say_again_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'say it again' asks for what was said before, but nothing was"):
        read_script(asked("say it again"))


def test_what_a_model_has_written_is_spoken_as_it_is() -> None:
    steps = [UserInput((Text("Write a line."),)), ModelOutput((Text("Say sadly: "), Text("no.")))]
    (line,) = read_script(Prompt(steps))
    assert (line.text, line.style) == ("Say sadly: no.", PLAIN)


def test_speakers_have_their_lines_in_what_a_model_has_written() -> None:
    steps = [UserInput((Text("Write."),)), ModelOutput((Text("Read this:\nJoe: Hi!\nJane: Hello!"),))]
    assert spoken(Prompt(steps, voices=(JOE, JANE))) == [(None, "Read this:"), ("Puck", "Hi!"), ("Kore", "Hello!")]


def test_only_the_last_input_is_spoken() -> None:
    assert spoken(Prompt(after_speech("Say: one", "Say: two"))) == [(None, "two")]


def test_an_input_in_several_parts_is_one_text() -> None:
    steps = [UserInput((Text("Say:"), Text("one"))), UserInput((Text("two"),))]
    assert spoken(Prompt(steps)) == [(None, "one\ntwo")]


@pytest.mark.parametrize("text", ["", "  \n", "...", "[whispers]"])
def test_nothing_to_speak_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no text to be spoken"):
        read_script(asked(text))


def test_what_is_no_input_of_the_users_cannot_be_spoken() -> None:
    with pytest.raises(InvalidRequest, match="no text to be spoken"):
        read_script(Prompt([UserInput((Text("Hi"),)), FunctionCall("1", "f")]))


def test_a_text_that_nobody_can_say_in_one_answer_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidRequest, match="the text has 100001 characters, and one answer can speak 100000"):
        read_script(asked("x" * 100_001))


@pytest.mark.parametrize(
    "text",
    [
        *(sign * 99_999 for sign in '.!*[(#:\n"“ a'),
        "Joe:" + " " * 99_000 + "x",
        "Joe" + " " * 99_000 + "x",
        "Hi." + " " * 99_000 + "x",
        "Say" + " " * 99_000 + "x",
        "Say" + ", " * 49_000 + "x",
        "Joe: a\n" * 14_000,
        "[slow] a " * 11_000,
        "Say " * 24_000,
        "# " * 49_000,
        "\n \n" * 33_000,
    ],
)
def test_no_text_takes_long_to_be_understood(text: str) -> None:
    started = time.process_time()
    with suppress(InvalidRequest):
        lines = read_script(asked(text, voices=(JOE, JANE, Voice("Charon"))))
        assert sum(len(sentence) for line in lines for sentence in sentences(line.text)) > 0
    assert time.process_time() - started < 2  # a tenth of a second, where what it takes grows with the text alone


@pytest.mark.parametrize("image", [Media("image", "image/png", "AAAA"), Told("[image: red]", kind="image")])
def test_media_are_refused_by_their_kind(image: Content) -> None:
    with pytest.raises(Unimplemented, match="a voice takes no image"):
        read_script(Prompt([UserInput((Text("Say: Hi"), image))]))


@pytest.mark.parametrize("image", [Media("image", "image/png", "AAAA"), Told("[image: red]", kind="image")])
def test_what_was_shown_to_somebody_before_is_not_spoken(image: Content) -> None:
    looked = [UserInput((Text("What is it?"), image)), ModelOutput((Text("Red."),))]
    assert spoken(Prompt([*looked, UserInput((Text("Say: Hi"),))])) == [(None, "Hi")]


def test_a_plain_text_has_no_style() -> None:
    (line,) = read_script(asked("Slowly, the loud and happy crowd went home."))
    assert (line.style, line.directions) == (PLAIN, "")
