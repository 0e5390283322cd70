"""Links that are kept in memory: given out as long as they stand as they stood, and bounded."""

import gc
import tracemalloc
from dataclasses import replace

import orjson
import pytest

from turnwise.domain.content import Media, Text
from turnwise.domain.interaction import Status
from turnwise.domain.steps import FunctionResult, Step, UserInput
from turnwise.store.codec import encode_steps
from turnwise.store.links import SEPARATOR, Links, in_line, members_of
from turnwise.store.rows import Row
from turnwise.store.store import Link

SHORT = 1500
"""No link of a few words takes more bytes than this, and none takes less than two thirds of it."""


def link(id: str, previous: str | None = None, text: str = "Hi") -> Link:
    return Link(id, previous, Status.COMPLETED, (UserInput((Text(text),)),), ())


def row(link: Link, standing: str = "completed today") -> Row:
    steps = (encode_steps(link.input).decode(), encode_steps(link.steps).decode())
    return (standing, link.id, link.previous_interaction_id, link.status.value, *steps)


def kept_of(links: Links, *ids: str) -> list[str]:
    """Those of these ids that are kept."""
    return [id for id, _ in links.find([(id, "completed today") for id in ids])]


def test_what_was_read_is_found_as_the_same_object() -> None:
    links = Links()
    read = links.read([row(link("one")), row(link("two", "one"))], "ann")
    members = [("one", "completed today"), ("two", "completed today")]
    assert read == dict(zip(members, [link("one"), link("two", "one")], strict=True))
    found = links.find(members)
    assert [found[member] is read[member] for member in members] == [True, True]


def test_what_stands_otherwise_now_is_not_found_until_it_is_read_again() -> None:
    links = Links()
    links.read([row(link("one", text="before"), "in_progress at noon")], "ann")
    assert (
        links.find([("one", "completed at noon"), ("one", "in_progress later"), ("two", "in_progress at noon")]) == {}
    )
    links.read([row(link("one", text="after"), "completed at noon")], "ann")
    assert links.find([("one", "in_progress at noon")]) == {}
    assert links.find([("one", "completed at noon")]) == {("one", "completed at noon"): link("one", text="after")}


def line_of(links: Links, id: str, owner: str = "ann", checked: int = 1) -> list[str] | None:
    line = links.line(id, owner, checked)
    return None if line is None else [link.id for link in line]


def test_a_line_is_known_as_long_as_nothing_was_deleted() -> None:
    links = Links()
    links.read([row(link("one")), row(link("two", "one"))], "ann", 1)
    assert line_of(links, "two") == ["one", "two"]
    assert line_of(links, "two", checked=2) is None
    links.read([row(link("three", "two"))], "ann", 2)
    assert line_of(links, "three", checked=2) is None
    links.find([("one", "completed today"), ("two", "completed today")], 2)
    assert line_of(links, "three", checked=2) == ["one", "two", "three"]


def test_a_line_is_not_known_if_some_of_it_is_not_or_is_somebody_elses() -> None:
    links = Links()
    links.read([row(link("two", "one")), row(link("three", "two"))], "ann", 1)
    assert line_of(links, "three") is None
    links.read([row(link("one"))], "bob", 1)
    assert line_of(links, "three") is None
    links.read([row(link("one"))], "ann", 1)
    assert line_of(links, "three") == ["one", "two", "three"]
    assert line_of(links, "three", owner="bob") is None


def test_what_is_in_progress_is_given_and_not_kept() -> None:
    links = Links()
    running = replace(link("one"), status=Status.IN_PROGRESS)
    assert links.read([row(running)], "ann", 1) == {("one", "completed today"): running}
    assert line_of(links, "one") is None
    assert kept_of(links, "one") == []


def test_what_is_forgotten_is_not_found_and_makes_room() -> None:
    links = Links(most=2 * SHORT)
    for _ in range(10):
        links.read([row(link("one"))], "ann")
        links.forget("one")
        links.forget("one")
        assert kept_of(links, "one") == []
    links.read([row(link("two")), row(link("three"))], "ann")
    assert kept_of(links, "two", "three") == ["two", "three"]


def test_when_there_are_too_many_those_go_that_were_asked_for_longest_ago() -> None:
    links = Links(most=2 * SHORT)
    links.read([row(link("one")), row(link("two"))], "ann")
    assert kept_of(links, "one") == ["one"]
    links.read([row(link("three"))], "ann")
    assert kept_of(links, "one", "two", "three") == ["one", "three"]


def test_reading_the_same_again_takes_no_more_room() -> None:
    links = Links(most=2 * SHORT)
    for _ in range(10):
        links.read([row(link("one")), row(link("two"))], "ann")
    assert kept_of(links, "one", "two") == ["one", "two"]


@pytest.mark.parametrize("text", ["x" * 2 * SHORT, "," * 100])
def test_what_is_larger_than_all_the_room_is_given_and_not_kept(text: str) -> None:
    links = Links(most=2 * SHORT)
    links.read([row(link("one"))], "ann")
    assert links.read([row(link("two", text=text))], "ann") == {("two", "completed today"): link("two", text=text)}
    assert kept_of(links, "one", "two") == ["one"]


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(UserInput((Text("So it was, and so it is. " * 100),)), id="words"),
        pytest.param(UserInput((Text("你好" * 1000 + "\U0001f600"),)), id="words in other letters"),
        pytest.param(UserInput((Media("image", "image/png", "QUJD" * 5000, None, {}),)), id="media"),
        *[
            pytest.param(FunctionResult("call", result), id=id)
            for id, result in {
                "objects": [{"id": number, "name": f"n{number}", "price": 1.5, "tags": ["a"]} for number in range(100)],
                "small objects": [{"a": 1}] * 500,
                "objects in objects": [{"a": {"b": {"c": {"d": 1}}}}] * 500,
                "lists in lists": [[[[[]]]]] * 500,
                "many names": {f"name {number}": number for number in range(500)},
            }.items()
        ],
    ],
)
def test_all_that_is_kept_takes_at_most_twice_the_room_that_it_is_to_have(step: Step) -> None:
    most = 500_000
    rows = [orjson.dumps(row(replace(link(f"{number}"), input=(step,)))) for number in range(500)]
    links = Links(most)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for packed in rows:
        links.read([orjson.loads(packed)], "ann")
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most // 4 < after - before < 2 * most


def test_a_walk_gives_its_members_and_none_if_there_is_no_such_chain() -> None:
    assert members_of(SEPARATOR.join("ab"), SEPARATOR.join(["x y", "z"])) == [("a", "x y"), ("b", "z")]
    assert members_of(None, None) == []


def test_links_come_oldest_first_in_whatever_order_they_were_met() -> None:
    line = [link("a", "gone"), link("b", "a"), link("c", "b")]
    assert in_line("c", [line[1], line[2], line[0]]) == line
    assert in_line("nobody", []) == []
