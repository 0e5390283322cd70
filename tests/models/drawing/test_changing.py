"""What a wish does to a scene."""

from collections import Counter

import pytest

from turnwise.models.drawing.changing import Change, change, is_new
from turnwise.models.drawing.colours import NAMES
from turnwise.models.drawing.composing.composer import compose
from turnwise.models.drawing.composing.figures import Frame
from turnwise.models.drawing.scene import Scene, Thing
from turnwise.models.drawing.words.reading import read

FRAME = Frame(1.0, 1.0)


def scene(prompt: str = "a red car and a house on a street") -> Scene:
    return compose(read(prompt), FRAME, 3, prompt)


def changed(wish: str, prompt: str = "a red car and a house on a street") -> Change:
    return change(scene(prompt), wish, FRAME, 4)


def asked(scene: Scene) -> Counter[str]:
    return Counter(thing.symbol for thing in scene.things if not thing.extra)


def one(scene: Scene, symbol: str) -> Thing:
    (thing,) = (thing for thing in scene.things if thing.symbol == symbol)
    return thing


@pytest.mark.parametrize(
    ("wish", "there"),
    [
        ("add a tree", {"car": 1, "house": 1, "tree": 1}),
        ("add two birds and a dog", {"car": 1, "house": 1, "bird": 2, "dog": 1}),
        ("add another car", {"car": 2, "house": 1}),
        ("remove the car", {"house": 1}),
        ("remove the car and add a bus", {"house": 1, "bus": 1}),
        ("replace the car with a bus", {"bus": 1, "house": 1}),
        ("turn the house into a castle", {"car": 1, "castle": 1}),
        ("make it a bus", {"bus": 1, "house": 1}),
        ("make it blue", {"car": 1, "house": 1}),
        ("at night", {"car": 1, "house": 1}),
    ],
)
def test_only_what_is_asked_for_comes_and_goes(wish: str, there: dict[str, int]) -> None:
    assert asked(changed(wish).scene) == there


def test_it_is_what_was_named_first() -> None:
    after = changed("make it blue").scene
    assert (one(after, "car").colour, one(after, "house").colour) == (NAMES["blue"], None)


def test_them_are_all_of_it() -> None:
    after = changed("make them green", "three apples on a table").scene
    assert {thing.colour for thing in after.things if thing.symbol == "apple"} == {NAMES["green"]}
    assert one(after, "table").colour is None


def test_a_thing_becomes_larger_where_it_stands() -> None:
    before, after = one(scene(), "car"), one(changed("make the car bigger").scene, "car")
    assert after.size > 1.2 * before.size
    assert after.y == before.y


def test_a_thing_is_moved_and_takes_along_what_it_bears() -> None:
    prompt = "a cat with a hat"
    before, after = scene(prompt), changed("move the cat to the left", prompt).scene
    moved = one(after, "cat").x - one(before, "cat").x
    assert moved < -0.1
    assert one(after, "hat").x - one(before, "hat").x == pytest.approx(moved)


@pytest.mark.parametrize(
    ("wish", "field", "value"),
    [
        ("at night", "time", "night"),
        ("make it a sunset", "time", "sunset"),
        ("let it rain", "weather", "rain"),
        ("in winter", "season", "winter"),
        ("make it black and white", "styles", ("mono",)),
        ("make the sky pink", "sky", NAMES["pink"]),
        ("put it on a beach", "setting", "beach"),
        ("make it look futuristic", "future", True),
    ],
)
def test_the_surroundings_change(wish: str, field: str, value: object) -> None:
    assert getattr(changed(wish).scene, field) == value


def test_the_moon_comes_up_at_night() -> None:
    assert not {"moon", "crescent"} & {thing.symbol for thing in scene().things}
    assert {"moon", "crescent"} & {thing.symbol for thing in changed("at night").scene.things}


def test_a_background_is_removed() -> None:
    after = changed("remove the background").scene
    assert after.setting == "plain"
    assert asked(after) == {"car": 1, "house": 1}


def test_a_text_is_written_on_what_is_there() -> None:
    after = changed('write "HI" on the sign', "a sign").scene
    assert one(after, "sign").text == "HI"


def test_what_is_not_there_is_told() -> None:
    after = changed("remove the elephant")
    assert after.missing == ["elephant"]
    assert not after.done
    assert after.scene.things == scene().things


@pytest.mark.parametrize("wish", ["", "thanks!", "hmm, not sure"])
def test_a_text_without_a_wish_changes_nothing(wish: str) -> None:
    after = changed(wish)
    assert not after.done
    assert after.scene.things == scene().things


@pytest.mark.parametrize(
    "wish", ["draw a cat", "Generate an image of a cat", "a cat in the rain", "two cats", "make me a picture of a cat"]
)
def test_another_picture_is_told_from_a_change(wish: str) -> None:
    assert is_new(wish)


@pytest.mark.parametrize(
    "wish",
    ["make it blue", "add a cat", "at night", "draw it in pixel art", "a bit bigger", "bigger sun", "add a cat to it"],
)
def test_a_change_is_told_from_another_picture(wish: str) -> None:
    assert not is_new(wish)
