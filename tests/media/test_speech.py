"""Speech, written down by the real engine with real weights files, of a model that always hears the same."""

import os
import socket
from pathlib import Path

import pytest

from media.speaker import SPOKEN, write_weights
from media.staged import silence, tone
from turnwise.domain.errors import Unimplemented
from turnwise.media import speech
from turnwise.media.media import Options, Passage
from turnwise.media.speech import Piece, Said, write_down

WORDS = ["Hello", "world,", "this", "is", "a", "test."]
TEXT = "Hello world, this is a test."


@pytest.fixture(params=[True, False], ids=["multilingual", "english"])
def weights(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_weights(tmp_path / "ggml-tiny.bin", WORDS, multilingual=request.param)


def options_for(weights: Path | None) -> Options:
    return Options(mime_type="audio/wav", speech_weights=weights)


def test_what_is_said_is_written_down(weights: Path) -> None:
    assert write_down([Piece(0.0, tone(4.5))], options_for(weights)) == [Said(0.0, SPOKEN, TEXT)]


def test_a_sound_that_is_shorter_than_a_second_is_heard_too(weights: Path) -> None:
    assert [said.text for said in write_down([Piece(0.0, tone(0.2))], options_for(weights))] == [TEXT]


def test_pieces_are_heard_where_they_stand(weights: Path) -> None:
    said = write_down([Piece(0.0, tone(4.5)), Piece(100.0, tone(4.5))], options_for(weights))
    assert [(one.start, one.end) for one in said] == [(0.0, SPOKEN), (100.0, 100.0 + SPOKEN)]
    assert [one.passage for one in said] == [Passage(TEXT, "00:00"), Passage(TEXT, "01:40")]


def test_nothing_is_heard_in_silence(weights: Path) -> None:
    assert write_down([Piece(0.0, silence(5))], options_for(weights)) == []


def test_sentences_that_follow_one_another_are_told_together(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [Piece(start, tone(4.5)) for start in (0.0, 10.0, 20.0)]
    (together,) = write_down(pieces, options_for(weights))
    assert together == Said(0.0, 20.0 + SPOKEN, " ".join([TEXT] * 3))
    monkeypatch.setattr(speech, "PASSAGE", 60)
    assert [said.start for said in write_down(pieces, options_for(weights))] == [0.0, 20.0]


def test_time_is_asked_for_before_each_piece_that_can_be_heard(weights: Path) -> None:
    asked: list[float] = []
    options = Options(mime_type="audio/wav", speech_weights=weights, more_time=asked.append)
    write_down([Piece(0.0, tone(2)), Piece(2.0, silence(2)), Piece(4.0, tone(4))], options)
    assert asked == [speech.STARTING + 2 * speech.SLOWEST, speech.STARTING + 4 * speech.SLOWEST]


def test_weights_that_are_not_there_are_named_with_the_command_that_fetches_them() -> None:
    with pytest.raises(Unimplemented) as caught:
        write_down([Piece(0.0, tone(1))], options_for(None))
    assert caught.value.message == (
        "audio cannot be heard: the speech weights 'whisper-base' are not on this machine;"
        " run: turnwise pull whisper-base"
    )


def test_weights_that_are_something_else_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ggml-base.bin"
    path.write_bytes(b"<html>" + bytes(100))
    with pytest.raises(Unimplemented, match=r"ggml-base\.bin is no ggml file"):
        write_down([Piece(0.0, tone(1))], options_for(path))


def test_weights_that_are_cut_off_are_named_and_not_used(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:300_000])
    with pytest.raises(Unimplemented, match=r"ggml-tiny\.bin are broken"):
        write_down([Piece(0.0, tone(1))], options_for(weights))


def test_weights_that_change_are_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "ggml-tiny.bin"
    for number, words in enumerate((["One"], ["Two"])):
        write_weights(path, words)
        os.utime(path, ns=(number, number))
        assert [said.text for said in write_down([Piece(0.0, tone(2))], options_for(path))] == words


def test_the_engine_never_reaches_for_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it looked for an address")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        write_down([Piece(0.0, tone(1))], options_for(Path("base")))
