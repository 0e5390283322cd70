"""The reading of server-sent events: the same events, however the bytes are cut."""

import pytest

from turnwise.models.sse import MAX_EVENT, EventReader, EventTooLarge


def test_an_event_may_have_several_lines_of_data_and_other_lines() -> None:
    assert EventReader().feed(b"event: x\ndata: one\ndata:two\nid: 3\n\n") == [b"one\ntwo"]


def test_comments_and_empty_events_are_nothing() -> None:
    assert EventReader().feed(b": ping\n\n\n\nevent: x\n\ndata:\n\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_events_are_the_same_wherever_the_bytes_are_cut(end: bytes) -> None:
    stream = end.join([b"data: one", b"", b": ping", b"", b"data: two", b"", b""])
    for cut in range(len(stream)):
        reader = EventReader()
        assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == [b"one", b"two"], cut


def test_what_did_not_end_is_kept() -> None:
    reader = EventReader()
    assert reader.feed(b"data: one\n\ndata: tw") == [b"one"]
    assert reader.rest == b"data: tw"


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        EventReader().feed(b"data: " + b"x" * MAX_EVENT)
