"""What a scene is made of."""

import pytest

from turnwise.models.drawing.composing.composer import compose
from turnwise.models.drawing.composing.figures import Frame
from turnwise.models.drawing.scene import MOST_THINGS, Scene, Thing
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.words.reading import read

FRAMES = {"square": Frame(1.0, 1.0), "wide": Frame(8.0, 1.0), "high": Frame(1.0, 8.0)}


def scene(prompt: str, frame: Frame = FRAMES["square"], seed: int = 1) -> Scene:
    return compose(read(prompt), frame, seed, prompt)


def asked(scene: Scene) -> list[Thing]:
    return [thing for thing in scene.things if not thing.extra]


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("a red circle", "plain"),
        ("a cat", "meadow"),
        ("an apple and a cup", "studio"),
        ("an apple on a table", "room"),
        ("a car and a bus", "street"),
        ("two fish", "underwater"),
        ("a sailboat", "sea"),
        ("a lighthouse by the sea", "beach"),
        ("a cactus", "desert"),
        ("a snowman", "winter"),
        ("a planet and a rocket", "space"),
        ("an astronaut on the moon", "lunar"),
        ("red balloons in the sky", "sky"),
        ("a castle, and birds in the sky", "meadow"),
        ("a house in a forest", "forest"),
        ("a cat on a white background", "plain"),
    ],
)
def test_things_have_their_surroundings(prompt: str, setting: str) -> None:
    assert scene(prompt).setting == setting


CROWDS = [
    "a castle on a hill with a knight and a dragon next to a tall tree",
    "24 cats",
    "three elephants, four giraffes, two horses and a huge dinosaur",
    "a huge house next to a giant tree behind a gigantic car",
    "a cat on a dog on a horse on an elephant",
    "a cat above a dog above a horse above a house",
]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("prompt", CROWDS)
def test_everything_that_is_asked_for_is_inside_of_the_picture(prompt: str, frame: Frame) -> None:
    made = scene(prompt, frame)
    assert len(asked(made)) == sum(mention.count or 1 for mention in read(prompt).mentions)
    for thing in asked(made):
        half = thing.size * SYMBOLS[thing.symbol].shape / 2 / frame.across
        assert -0.1 < thing.x - half < thing.x + half < 1.1, thing
        assert 0.0 < thing.y <= 1.05, thing
        assert thing.size > 0.01, thing


def test_what_is_nearer_is_drawn_later() -> None:
    heights = [thing.y for thing in asked(scene("ten cows")) if thing.symbol == "cow"]
    assert heights == sorted(heights)


def test_a_hat_is_drawn_over_who_wears_it() -> None:
    symbols = [thing.symbol for thing in scene("a cat with a hat").things]
    assert symbols.index("hat") > symbols.index("cat")


@pytest.mark.parametrize(
    "prompt", ["a cat above itself", "a cat above a dog above the cat", "above above above", "a cat in a cat in a cat"]
)
def test_relations_in_a_circle_end(prompt: str) -> None:
    assert asked(scene(prompt)) or prompt == "above above above"


def test_there_are_never_too_many_things() -> None:
    prompt = " and ".join(f"24 {noun}" for noun in ("cats", "dogs", "birds", "trees", "cars", "houses"))
    assert len(scene(prompt).things) == MOST_THINGS


def test_a_minimal_picture_has_only_what_was_asked_for() -> None:
    assert all(not thing.extra for thing in scene("a minimalist drawing of a house at night").things)
    assert any(thing.extra for thing in scene("a house at night").things)


def test_a_sign_of_a_company_shows_what_it_is_about_and_its_name() -> None:
    made = scene('a logo for a rocket company called "Zoom"')
    assert {thing.symbol for thing in asked(made)} == {"emblem", "rocket"}
    assert [thing.text for thing in asked(made) if thing.text] == ["Zoom"]
