"""What of a request is spoken, and what says how."""

import pytest

from turnwise.models.speech.directions import asks_again, take_apart


@pytest.mark.parametrize(
    ("said", "directions", "text"),
    [
        (
            "Say the following: WOOHOO This is so much fun!.",
            "Say the following",
            "WOOHOO This is so much fun!.",
        ),
        ("Say cheerfully: Have a wonderful day!", "Say cheerfully", "Have a wonderful day!"),
        ("Cheerfully say: yes!", "Cheerfully say", "yes!"),
        ("Read this aloud in a slow whisper: It is late.", "Read this aloud in a slow whisper", "It is late."),
        ("In a calm, deep voice, read: the sea", "In a calm, deep voice, read", "the sea"),
        ("Read the following. Use a calm voice: hi", "Read the following. Use a calm voice", "hi"),
        ("Convert this text to speech: hi", "Convert this text to speech", "hi"),
        ("Speak slowly and very sadly: bye", "Speak slowly and very sadly", "bye"),
        ("Say: it is 12:30", "Say", "it is 12:30"),
        ('Please say "hello"', "Please say", "hello"),
        ("please say “hello there” in a whisper.", "please say in a whisper", "hello there"),
        ('Say in a spooky whisper:\n"By the\npricking"', "Say in a spooky whisper", "By the\npricking"),
        ("Please read this story:\n\nOne.\n\nTwo.", "Please read this story", "One.\n\nTwo."),
        (
            "Can you read the following text out loud, slowly?\n\nIt was dark.\n\nThe end.",
            "Can you read the following text out loud, slowly?",
            "It was dark.\n\nThe end.",
        ),
        (
            "TTS the following conversation between Joe and Jane:\nJoe: Hi!\nJane: Hello!",
            "TTS the following conversation between Joe and Jane",
            "Joe: Hi!\nJane: Hello!",
        ),
        (
            "# AUDIO PROFILE: Jaz\n## Style: fast\n#### TRANSCRIPT\nYes, massive!",
            "# AUDIO PROFILE: Jaz\n## Style: fast",
            "Yes, massive!",
        ),
        ("請說:你好", "請說", "你好"),
        ("请用悲伤的语气说：再见了", "请用悲伤的语气说", "再见了"),
        ("請大聲朗讀以下內容：今天天氣很好", "請大聲朗讀以下內容", "今天天氣很好"),
        ("請說「你好」", "請說", "你好"),
    ],
)  # fmt: skip
def test_an_instruction_is_not_spoken(said: str, directions: str, text: str) -> None:
    request = take_apart(said)
    assert (request.directions, request.text) == (directions, text)


@pytest.mark.parametrize(
    "text",
    [
        "It was a dark night. The end.",
        "The time is 10:30 now.",
        "He said: go away.",
        "Read my lips: no new taxes",
        "Note: bring water",
        "Say what you will: he is right.",
        'Say "yes" to life. It is good.',
        "Whisper to the wind: be still.",
        "Read in the newspaper today: the war is over.",
        "Have you heard what he says: it is over.",
        "Make sure he says: I do.",
        "Dear Sir: I write to you today.",
        "他说：我来了。",
        "这个人说：我来了。",
        '"To be, or not to be"',
        "Say:",
        "Read this:\n\n",
    ],
)
def test_a_text_without_an_instruction_is_spoken_as_it_is(text: str) -> None:
    request = take_apart(text)
    assert (request.directions, request.text) == ("", text.strip())


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("say it again, slower", "slower"),
        ("Please repeat that.", ""),
        ("again, louder please", "louder please"),
        ("Could you read this once more in a whisper?", "in a whisper"),
        ("再說一次", ""),
        ("请慢慢地再说一遍", "慢慢地"),
    ],
)
def test_a_request_to_say_it_again_is_told(said: str, how: str) -> None:
    assert asks_again(said) == how


@pytest.mark.parametrize(
    "said",
    [
        "say that again to my boss",
        "Again and again he came.",
        "Again and again",
        "once more with feeling",
        "say hello",
        "再來一碗",
    ],
)
def test_other_words_do_not_ask_to_say_it_again(said: str) -> None:
    assert asks_again(said) is None


def test_a_long_text_is_taken_apart_in_no_time() -> None:
    text = "Say " + "very, " * 100_000 + "slowly: hello"
    assert take_apart(text).text == text
