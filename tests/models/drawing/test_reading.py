"""What is read out of a prompt."""

import pytest

from turnwise.models.drawing.colours import NAMES
from turnwise.models.drawing.words.reading import read, singular
from turnwise.models.drawing.words.request import Mention


def things(prompt: str) -> list[tuple[str, int | None]]:
    return [(mention.symbol or f"?{mention.word}", mention.count) for mention in read(prompt).mentions]


def only(prompt: str) -> Mention:
    (mention,) = read(prompt).mentions
    return mention


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a cat", [("cat", 1)]),
        ("Draw me three cats, please!", [("cat", 3)]),
        ("12 balloons", [("balloon", 12)]),
        ("a pair of birds and a flock of sheep", [("bird", 2), ("sheep", 6)]),
        ("mice and children", [("mouse", None), ("child", None)]),
        ("a hot air balloon over a palm tree", [("hot_air_balloon", 1), ("palm", 1)]),
        ("a cup of coffee and a glass of wine", [("cup", 1), ("wine_glass", 1)]),
        ("an apple tree", [("tree", 1)]),
        ("a couple at a bonfire", [("person", 2), ("campfire", 1)]),
        ("a zorblax and two blorps", [("?zorblax", 1), ("?blorp", 2)]),
        ("a beautiful, peaceful, wonderful house", [("house", 1)]),
        ("a big, red house, a small, old, blue car", [("house", 1), ("car", 1)]),
        ("1000000 cats", [("cat", 24)]),
        ("un chat noir et deux chiens", [("cat", 1), ("?chien", 2)]),
        ("ein Haus und ein Baum", [("house", 1), ("tree", 1)]),
        ("一只猫和三棵树", [("cat", 1), ("tree", 3)]),
        ("🐱🚀", [("cat", None), ("rocket", None)]),
        ("😀", [("smiley", None)]),
        ("", []),
        ("hello there", []),
    ],
)
def test_things_are_found_and_counted(prompt: str, found: list[tuple[str, int | None]]) -> None:
    assert things(prompt) == found


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        ("a red car", ["red"]),
        ("a car that is red", ["red"]),
        ("a red and blue car", ["red", "blue"]),
        ("an orange", []),
        ("an orange orange", ["orange"]),
        ("a rose", []),
        ("a pink rose", ["pink"]),
        ("a big shiny green car", ["green"]),
    ],
)
def test_colours_belong_to_their_things(prompt: str, colours: list[str]) -> None:
    assert list(only(prompt).colours) == [NAMES[name] for name in colours]


def test_each_thing_has_its_own_colour() -> None:
    house, car = read("a red house and a blue car").mentions
    assert (house.colours, car.colours) == ((NAMES["red"],), (NAMES["blue"],))


def test_a_shade_changes_a_colour() -> None:
    (dark,), (plain,) = only("a dark green car").colours, only("a green car").colours
    assert sum(bytes.fromhex(dark[1:])) < sum(bytes.fromhex(plain[1:]))


def test_the_colour_of_a_part_is_the_second_one() -> None:
    robot = only("a grey robot with glowing blue eyes")
    assert (robot.colours, robot.second) == ((NAMES["grey"],), NAMES["blue"])


@pytest.mark.parametrize(
    ("prompt", "relation"),
    [
        ("a cat above a dog", "above"),
        ("a cat under a table", "below"),
        ("a cat to the left of a dog", "left"),
        ("a cat on the right side of a dog", "right"),
        ("a cat next to a dog", "beside"),
        ("a cat behind a house", "behind"),
        ("a cat in front of a house", "front"),
        ("a cat sitting on a chair", "on"),
        ("a man riding a horse", "riding"),
    ],
)
def test_a_preposition_ties_two_things(prompt: str, relation: str) -> None:
    first, second = read(prompt).mentions
    assert (first.relation, second.relation) == ((relation, 1), None)


def test_a_preposition_may_stand_first() -> None:
    house, moon = read("above the house a moon").mentions
    assert (house.relation, moon.relation) == (None, ("above", 0))


def test_what_is_worn_belongs_to_who_wears_it() -> None:
    dragon, hat, bicycle = read("a dragon with a purple hat riding a bicycle").mentions
    assert hat.relation == ("worn", 0)
    assert dragon.relation == ("riding", 2)
    assert bicycle.relation is None


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("a cat on the left", "left"),
        ("on the right a cat", "right"),
        ("a cat in the top left corner", "top left"),
        ("a cat in the background", "back"),
        ("a cat in the middle", "middle"),
        ("a cat at the bottom", "bottom"),
    ],
)
def test_places_are_read(prompt: str, place: str) -> None:
    assert only(prompt).place == place


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a sign that says HELLO on a hill", "HELLO"),
        ('a sign that says "Keep out, please"', "Keep out, please"),
        ("a banner reading “Welcome home”", "Welcome home"),
        ("a sign saying welcome home, next to a house", "welcome home"),
        ('a cake with the text "<3 & more"', "<3 & more"),
    ],
)
def test_what_is_to_be_written_is_kept_as_it_is(prompt: str, text: str) -> None:
    assert read(prompt).mentions[0].text == text


def test_a_text_that_belongs_to_nothing_is_kept_too() -> None:
    assert read("the number 42").text == "42"


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("a house at night", "time", "night"),
        ("a house at sunset", "time", "sunset"),
        ("a house in the rain", "weather", "rain"),
        ("a house in autumn", "season", "autumn"),
        ("a house in a forest", "setting", "forest"),
        ("a futuristic city", "setting", "city"),
        ("a futuristic city", "future", True),
        ("a black and white photo of a cat", "styles", ["mono"]),
        ("pixel art of a cat", "styles", ["pixel"]),
        ("a blueprint of a rocket", "styles", ["blueprint"]),
        ("a cat on a yellow background", "background", NAMES["yellow"]),
        ("a house under a pink sky", "sky", NAMES["pink"]),
        ("make the sky pink", "sky", NAMES["pink"]),
        ("make it blue", "colours", (NAMES["blue"],)),
        ("a beach without people", "absent", ["person"]),
    ],
)
def test_surroundings_are_read(prompt: str, field: str, value: object) -> None:
    assert getattr(read(prompt), field) == value


def test_sizes_are_read() -> None:
    assert only("a tiny house").scale < 1 < only("a huge house").scale
    assert only("make the house bigger").scale > 1
    assert read("make it smaller").scale < 1


@pytest.mark.parametrize(
    ("word", "one"),
    [("cats", "cat"), ("berries", "berry"), ("wolves", "wolf"), ("boxes", "box"), ("bus", "bus"), ("grass", "grass")],
)
def test_plurals_have_a_singular(word: str, one: str) -> None:
    assert singular(word) == one
