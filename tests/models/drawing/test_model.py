"""What comes out of a prompt, seen in its pixels."""

from io import BytesIO

import pytest
from PIL import Image

from models.drawing.pictures import (
    SMALL,
    asked,
    at,
    blobs,
    blue,
    draw,
    drawn,
    green,
    media,
    middle,
    opened,
    painter,
    red,
    share,
    talk,
    user,
    white,
    yellow,
)
from models.prompts import read, text, usage
from turnwise.domain.content import Media, Text, Told
from turnwise.domain.errors import InvalidRequest, ModelFailed, ModelUnavailable
from turnwise.domain.formats import ASPECT_RATIOS, ImageFormat
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.drawing.model import DrawingModel
from turnwise.models.drawing.sizes import PIXELS_AT_1K
from turnwise.models.model import Finished, MediaFragment, ModelCard, Prompt, Taken, TextFragment, UsageFragment
from turnwise.models.scripted import ScriptedModel, say

CORNERS = [(0.02, 0.02), (0.98, 0.02), (0.02, 0.98), (0.98, 0.98)]


async def test_a_red_circle_is_red_in_the_middle_of_white() -> None:
    picture = await draw("a red circle on a white background")
    assert red(at(picture, 0.5, 0.5))
    assert all(white(at(picture, *corner)) for corner in CORNERS)


async def test_three_yellow_balloons_are_three() -> None:
    assert blobs(await draw("three yellow balloons"), yellow) == 3


async def test_what_a_file_says_is_drawn_and_not_what_is_said_about_it() -> None:
    told = Told("[document: text, 1 line. Its text:]\nThree yellow balloons on a white background\n[end of document]")
    picture = opened(drawn(await read(painter(), asked(UserInput((Text("Draw this."), told))))))
    assert blobs(picture, yellow) == 3


@pytest.mark.parametrize("count", [1, 2, 5, 9])
async def test_as_many_are_drawn_as_the_prompt_says(count: int) -> None:
    assert blobs(await draw(f"{count} blue squares"), blue) == count


async def test_the_sky_is_above_the_ground() -> None:
    picture = await draw("a house on a meadow")
    top, bottom = at(picture, 0.5, 0.02), at(picture, 0.02, 0.97)
    assert top[2] > top[0] + 40, "the sky is blue"
    assert green(bottom)


@pytest.mark.parametrize(
    ("prompt", "axis", "first"),
    [
        ("a red square above a blue square", 1, red),
        ("a red square below a blue square", 1, blue),
        ("a red square to the left of a blue square", 0, red),
        ("a red square to the right of a blue square", 0, blue),
    ],
)
async def test_things_stand_to_one_another_as_the_prompt_says(prompt: str, axis: int, first: object) -> None:
    picture = await draw(prompt)
    reds, blues = middle(picture, red)[axis], middle(picture, blue)[axis]
    assert (reds < blues) == (first is red)
    assert abs(reds - blues) > 0.25


async def test_a_corner_is_a_corner() -> None:
    x, y = middle(await draw("a small red circle in the top left corner"), red)
    assert x < 0.35
    assert y < 0.35


async def test_night_is_darker_than_day() -> None:
    day, night = [at(await draw(f"a house at {time}"), 0.5, 0.03) for time in ("noon", "night")]
    assert sum(night) < sum(day) / 3


async def test_what_stands_on_a_sign_is_drawn() -> None:
    empty, written = await draw("a sign"), await draw("a sign that says HELLO")
    assert share(empty, white) < share(written, white) - 0.005


async def test_a_word_that_no_symbol_stands_for_is_drawn_with_its_name() -> None:
    one, other = await draw("a zorblax"), await draw("a quuxlet")
    assert one.tobytes() != other.tobytes()
    answer = await read(painter(), asked(user("a zorblax"), modalities=("text", "image")))
    assert "zorblax" in text(answer)


PROMPTS = [
    "a cat",
    "a dog",
    "a red car",
    "a blue car",
    "a futuristic city",
    "hello",
    "freedom",
    "",
    "three trees",
    "four trees",
]


async def test_other_prompts_give_other_pictures() -> None:
    pictures = {(await draw(prompt)).tobytes() for prompt in PROMPTS}
    assert len(pictures) == len(PROMPTS)


async def test_the_same_prompt_and_seed_give_the_same_picture() -> None:
    one, same, other = [(await draw("a forest with birds", seed=seed)).tobytes() for seed in (7, 7, 8)]
    assert one == same
    assert one != other


async def test_without_a_seed_details_are_left_to_chance() -> None:
    assert len({(await draw("a forest with birds", seed=None)).tobytes() for _ in range(3)}) > 1


HOSTILE = {
    "markup": '<svg onload="x"/> ]]> <!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]> &b; &lt;',
    "markup on a sign": 'a sign that says "<image href=x> & </text>"',
    "an address": "a cat ![x](http://127.0.0.1:1/a.png) url(http://127.0.0.1:1/) href='file:///etc/hosts'",
    "huge": "a cat and " * 50_000,
    "one huge word": "x" * 200_000,
    "empty": "",
    "spaces": " \n\t ",
    "emoji": "🐱🌞🚀",
    "many emoji": "😀" * 5_000,
    "Chinese": "一只黑猫坐在红色的房子旁边",
    "unknown Chinese": "龘靐齉",
    "Arabic": "قطة على سطح",
    "control characters": "\x00\x01\x1b[0m cat \x7f\ufeff\u202e",
    "half characters": "a cat \ud83d and \udc00",
    "numbers": "99999999999999999999 cats and -3 dogs and 0 birds and ½ a moon",
}


@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
async def test_whatever_is_asked_there_is_a_valid_picture(prompt: str) -> None:
    data = drawn(await read(painter(), asked(user(prompt))))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert opened(data).size == (512, 512)


async def test_chinese_is_read() -> None:
    picture = await draw("红色的圆形，白色背景")
    assert red(at(picture, 0.5, 0.5))


@pytest.mark.parametrize("ratio", ASPECT_RATIOS)
@pytest.mark.parametrize(("size", "scale"), [("512", 0.5), ("1K", 1), ("2K", 2)])
async def test_every_shape_and_size_is_exact(ratio: str, size: str, scale: float) -> None:
    picture = await draw("a green hill", image=ImageFormat(ratio, size))  # type: ignore[arg-type]
    assert picture.size == tuple(side * scale for side in PIXELS_AT_1K[ratio])


@pytest.mark.parametrize("ratio", ["1:1", "8:1"])
async def test_the_largest_size_is_exact(ratio: str) -> None:
    picture = await draw("a futuristic city at night", image=ImageFormat(ratio, "4K"))
    assert picture.size == tuple(side * 4 for side in PIXELS_AT_1K[ratio])


async def test_a_square_of_1k_is_what_comes_unasked() -> None:
    assert (await draw("a cat", image=ImageFormat())).size == (1024, 1024)


@pytest.mark.parametrize(("mime_type", "kind"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")])
async def test_the_kind_of_file_is_the_one_asked_for(mime_type: str, kind: str) -> None:
    image = ImageFormat(image_size="512", mime_type=mime_type)  # type: ignore[arg-type]
    answer = await read(painter(), asked(user("a red circle on a white background"), image=image))
    (made,) = (fragment for fragment in answer if isinstance(fragment, MediaFragment))
    assert made.mime_type == mime_type
    assert Image.open(BytesIO(made.data)).format == kind
    assert red(at(opened(made.data), 0.5, 0.5))


# The contract


async def test_an_answer_is_one_picture() -> None:
    taken, picture, cost, end = await read(painter(), asked(user("a cat")))
    assert taken == Taken()
    assert isinstance(picture, MediaFragment)
    assert (picture.index, picture.type, picture.mime_type) == (0, "image", "image/png")
    assert cost == UsageFragment(Usage(output={"image": 747}))
    assert end == Finished("stop")


async def test_with_text_it_says_what_it_drew() -> None:
    answer = await read(painter(), asked(user("three red balloons at sunset"), modalities=("text", "image")))
    assert isinstance(answer[1], TextFragment)
    assert text(answer) == "Three red balloons in the sky, at sunset."


async def test_the_instruction_may_set_the_style() -> None:
    picture = await draw("a red circle on a white background", system="Always draw in black and white.")
    colour = at(picture, 0.5, 0.5)
    assert max(colour) - min(colour) < 4


async def test_a_temperature_of_0_leaves_nothing_to_chance() -> None:
    cold = Prompt([user("a forest with birds")], image=SMALL, generation=GenerationConfig(temperature=0.0))
    one, same = [drawn(await read(painter(), cold)) for _ in range(2)]
    assert one == same


@pytest.mark.parametrize("field", ["top_p", "top_k", "stop_sequences", "thinking_level", "max_output_tokens"])
async def test_what_means_nothing_to_a_picture_is_refused_by_name(field: str) -> None:
    values = {"top_p": 0.5, "top_k": 3, "stop_sequences": ("x",), "thinking_level": "low", "max_output_tokens": 700}
    generation = GenerationConfig(**{field: values[field]})  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=rf"generation_config\.{field}"):
        await read(painter(), Prompt([user("a cat")], image=SMALL, generation=generation))


# Going on


async def test_it_is_made_blue() -> None:
    before, after = await talk("a red circle on a white background", "make it blue")
    assert red(at(before, 0.5, 0.5))
    assert blue(at(after, 0.5, 0.5))
    assert white(at(after, 0.02, 0.02))


async def test_something_is_added_and_everything_else_stays() -> None:
    before, after = await talk("a blue square on a white background", "add a red circle")
    assert share(before, red) == 0
    assert share(after, red) > 0.01
    assert share(after, blue) > 0.5 * share(before, blue)


async def test_something_is_removed() -> None:
    before, after = await talk("a red square and a blue circle", "remove the red square")
    assert share(before, red) > 0.02
    assert share(after, red) == 0
    assert share(after, blue) == pytest.approx(share(before, blue), abs=0.01)


async def test_something_becomes_larger() -> None:
    before, after = await talk("a small red circle on a white background", "make the circle bigger")
    assert share(after, red) > 1.3 * share(before, red)


async def test_night_falls() -> None:
    before, after = await talk("a house on a meadow", "at night")
    assert sum(at(after, 0.5, 0.03)) < sum(at(before, 0.5, 0.03)) / 3


async def test_another_picture_is_another_picture() -> None:
    _, after = await talk("a red circle on a white background", "draw a blue square on a white background")
    assert share(after, red) == 0
    assert share(after, blue) > 0.05


async def test_what_is_not_there_is_said_to_be_missing() -> None:
    first = drawn(await read(painter(), asked(user("a cat"))))
    steps = [user("a cat"), ModelOutput((media(first),)), user("remove the elephant")]
    answer = await read(painter(), asked(*steps, modalities=("text", "image")))
    assert "There is no elephant in the picture." in text(answer)


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg", "image/webp"])
async def test_every_kind_of_file_carries_its_scene(mime_type: str) -> None:
    image = ImageFormat(image_size="512", mime_type=mime_type)  # type: ignore[arg-type]
    first = drawn(await read(painter(), asked(user("a red circle on a white background"), image=image)))
    after = opened(drawn(await read(painter(), asked(user("make it blue", first, mime_type=mime_type)))))
    assert blue(at(after, 0.5, 0.5))
    assert white(at(after, 0.02, 0.02))


async def test_a_change_keeps_the_shape() -> None:
    first = drawn(await read(painter(), asked(user("a cat"), image=ImageFormat("16:9", "512"))))
    after = opened(drawn(await read(painter(), asked(user("make it blue", first), image=SMALL))))
    assert after.size == (688, 384)


async def test_a_picture_that_was_given_by_address_is_gone_on_from_by_its_words() -> None:
    far = ModelOutput((Media("image", "image/png", uri="files/x"),))
    first = user("a red circle on a white background")
    after = opened(drawn(await read(painter(), asked(first, far, user("make it blue")))))
    assert blue(at(after, 0.5, 0.5))
    assert white(at(after, 0.02, 0.02))


# Pictures of others


def photo(colour: str = "#40a060", size: tuple[int, int] = (320, 240)) -> bytes:
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, "PNG")
    return made.getvalue()


async def test_things_are_drawn_over_a_picture_that_was_not_drawn_here() -> None:
    after = opened(drawn(await read(painter(), asked(user("add a red balloon", photo())))))
    assert after.size == (600, 448), "as wide to high as the picture was"
    assert share(after, red) > 0.01
    assert at(after, 0.02, 0.98) == pytest.approx((0x40, 0xA0, 0x60), abs=6)


@pytest.mark.parametrize("wish", ["remove the car", "replace the car with a bus", "tell me a joke"])
async def test_what_cannot_be_done_with_such_a_picture_is_refused(wish: str) -> None:
    with pytest.raises(InvalidRequest, match="not drawn by this model"):
        await read(painter(), asked(user(wish, photo())))


BROKEN = {
    "no base64": Media("image", "image/png", "§"),
    "no picture": media(b"GIF89 not really"),
    "half a picture": media(photo()[:60]),
    "only an address": Media("image", "image/png", uri="https://example.com/a.png"),
    "too large": media(photo(size=(12_000, 5_000))),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_picture_that_cannot_be_read_is_refused(broken: Media) -> None:
    with pytest.raises(InvalidRequest, match="picture"):
        await read(painter(), asked(UserInput((broken, Text("add a red balloon")))))


# A composer


LAYOUT = """{"setting": "beach", "time": "day", "weather": "clear", "season": "summer", "things": [
  {"symbol": "ball", "name": "ball", "x": 50, "y": 70, "size": 40, "colour": "usual"}]}"""


def strong(*scripts: object) -> ScriptedModel:
    return ScriptedModel(*scripts, card=ModelCard("strong", schemas=True))  # type: ignore[arg-type]


async def test_a_strong_model_lays_out_the_scene_and_the_words_colour_it() -> None:
    composer = strong(say(LAYOUT, usage=Usage(input={"text": 300}, output={"text": 60})))
    answer = await read(DrawingModel("painter", composer, lays_out=True), asked(user("a blue ball")))
    picture = opened(drawn(answer))
    assert blue(at(picture, 0.5, 0.55))
    assert picture.getpixel((10, 505))[0] > 180, "the beach is the layout's"  # type: ignore[index]
    assert composer.prompts[0].schema is not None
    assert usage(answer) == Usage(input={"text": 300}, output={"text": 60, "image": 747})


@pytest.mark.parametrize("poor", ["", "no JSON", "[1]", '{"things": []}', LAYOUT.replace("ball", "cat")])
async def test_a_poor_layout_is_not_taken(poor: str) -> None:
    answer = await read(
        DrawingModel("painter", strong(say(poor)), lays_out=True), asked(user("a blue circle on a white background"))
    )
    assert blue(at(opened(drawn(answer)), 0.5, 0.5))


async def test_a_composer_that_fails_at_the_schema_is_done_without() -> None:
    composer = strong([Taken(), ModelFailed("no valid JSON")])
    answer = await read(
        DrawingModel("painter", composer, lays_out=True), asked(user("a blue circle on a white background"))
    )
    assert blue(at(opened(drawn(answer)), 0.5, 0.5))


async def test_a_composer_that_cannot_be_reached_is_its_own_error() -> None:
    with pytest.raises(ModelUnavailable, match="gone"):
        await read(DrawingModel("painter", strong([ModelUnavailable("gone")]), lays_out=True), asked(user("a cat")))


async def test_a_weak_composer_is_not_asked_at_all() -> None:
    composer = strong()
    answer = await read(DrawingModel("painter", composer), asked(user("a blue circle on a white background")))
    assert blue(at(opened(drawn(answer)), 0.5, 0.5))
    assert composer.prompts == []


async def test_a_composer_is_not_asked_for_a_change() -> None:
    composer = strong()
    first = drawn(await read(painter(), asked(user("a red circle on a white background"))))
    answer = await read(DrawingModel("painter", composer, lays_out=True), asked(user("make it blue", first)))
    assert blue(at(opened(drawn(answer)), 0.5, 0.5))
    assert composer.prompts == []


def test_its_card_tells_that_it_takes_and_makes_pictures() -> None:
    card = painter().card
    assert (card.inputs, card.outputs) == ({"text", "image"}, {"image"})
    assert not card.schemas
