"""What an SVG may hold, whatever was asked for."""

import re
from xml.etree import ElementTree

import pytest

from turnwise.models.drawing.composing.composer import compose
from turnwise.models.drawing.composing.figures import Frame
from turnwise.models.drawing.painting import Photo, paint
from turnwise.models.drawing.scene import SEASONS, SETTINGS, STYLES, TIMES, WEATHERS, Scene
from turnwise.models.drawing.sizes import Size
from turnwise.models.drawing.words.reading import read

MARKUP = [
    "a sign that says \"</text><image href='file:///etc/passwd'/>\"",
    'a cat called "<script>alert(1)</script>"',
    "a &lt;zorb&gt; next to url(http://127.0.0.1/x)",
    'a sign that says "]]>&amp;&#x0;"',
]


def svg(scene: Scene, size: Size = Size(100, 100)) -> str:  # noqa: B008 (a frozen value)
    return paint(scene, size)


@pytest.mark.parametrize("prompt", MARKUP)
def test_what_a_prompt_says_is_text_and_nothing_else(prompt: str) -> None:
    painted = svg(compose(read(prompt), Frame(1.0, 1.0), 1, prompt))
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(painted).iter()}
    assert not tags & {"image", "script", "use", "style", "foreignObject", "a"}
    assert set(re.findall(r"url\(([^)]?)", re.sub(r"<text.*?</text>", "", painted))) <= {"#"}


def test_only_bytes_that_were_given_are_shown() -> None:
    painted = paint(Scene(), Size(100, 100), Photo(b"\xff\xd8", "image/jpeg"))
    assert re.findall(r'href="([^,]*)', painted) == ["data:image/jpeg;base64"]


@pytest.mark.parametrize("setting", sorted(SETTINGS))
@pytest.mark.parametrize("time", sorted(TIMES))
def test_every_setting_can_be_painted_at_every_time(setting: str, time: str) -> None:
    painted = {svg(Scene(setting, time, weather, seed=2)) for weather in sorted(WEATHERS)}
    for one in painted:
        ElementTree.fromstring(one)


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("season", sorted(SEASONS))
def test_every_style_can_be_painted_in_every_season(style: str, season: str) -> None:
    scene = compose(read(f"a house and a tree in {season}"), Frame(1.0, 1.0), 1)
    painted = svg(Scene("meadow", styles=(style,), season=season, things=scene.things))
    ElementTree.fromstring(painted)
    if style not in ("minimal", "pixel"):
        assert painted != svg(Scene("meadow", season=season, things=scene.things))
