"""Server-sent events, byte by byte: what every SDK generation can read."""

import orjson
import pytest

from domain.samples import full, live, numbered
from turnwise.domain.interaction import DialectName
from turnwise.wire import DIALECTS
from turnwise.wire.sse import DONE, KEEP_ALIVE, render_frame


def test_a_frame_is_its_name_and_its_json_on_one_line_each():
    assert render_frame("step.stop", {"index": 0}) == b'event: step.stop\ndata: {"index":0}\n\n'


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\r\rb", "\n\n", "\u2028", "Zürich", "\u0000", "data: x"])
def test_no_text_can_break_out_of_its_line(text: str):
    frame = render_frame("step.delta", {"text": text})
    assert frame.count(b"\n") == 3
    assert b"\r" not in frame
    assert orjson.loads(frame.split(b"data: ", 1)[1]) == {"text": text}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_frame_of_a_run_is_one_block_without_an_id_line(dialect: DialectName):
    for position, event in numbered(live()):
        frame = DIALECTS[dialect].render_event(event, position, full())
        if frame is not None:
            lines = render_frame(*frame).split(b"\n")
            assert [line.split(b":")[0] for line in lines] == [b"event", b"data", b"", b""]


def test_a_stream_ends_with_the_word_that_every_sdk_looks_for():
    assert DONE == b"event: done\ndata: [DONE]\n\n"


def test_a_sign_of_life_is_a_comment_and_nothing_else():
    assert KEEP_ALIVE.startswith(b":")
    assert KEEP_ALIVE.endswith(b"\n\n")
    assert b"data" not in KEEP_ALIVE
