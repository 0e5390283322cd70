"""Media before a model: as they are where it has eyes or ears, as words where it has not."""

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import pytest

from media.makers import pdf, picture, recording
from support import open_app, open_engine
from turnwise.domain.content import Content, Media, Text
from turnwise.domain.errors import InvalidRequest, NotFound
from turnwise.domain.interaction import Turn
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, UserInput
from turnwise.models.model import ModelCard, Prompt
from turnwise.models.scripted import ScriptedModel, say

BLIND = ModelCard("blind", context_tokens=4096, tools=True)
SEEING = ModelCard("seeing", tools=True, inputs=frozenset({"text", "image"}))
HEARING = ModelCard("hearing", inputs=frozenset({"text", "audio"}))
PAINTING = ModelCard("painting", inputs=frozenset({"text", "image"}), outputs=frozenset({"image"}))
READING = ModelCard("reading", inputs=frozenset({"text", "document"}))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def shown(card: ModelCard, *content: Content, **engine: Any) -> tuple[Content, ...]:
    """What a model with this card is shown of a message."""
    prompt = await asked(card, UserInput(content), **engine)
    step = prompt.steps[-1]
    assert isinstance(step, UserInput)
    return step.content


async def asked(card: ModelCard, *steps: Any, **engine: Any) -> Prompt:
    model = ScriptedModel(say("So."), card=card)
    async with open_engine(model=model, **engine) as opened:
        await opened.interactions.create(Turn(steps, model="m"), "ann", "steps")
    return model.prompts[0]


def told(content: Content) -> str:
    assert isinstance(content, Text)
    return content.text


# -- as they are


async def test_a_model_with_eyes_is_given_the_picture_itself():
    data = b64(picture())
    assert await shown(SEEING, Text("What is it?"), Media("image", data=data)) == (
        Text("What is it?"),
        Media("image", "image/png", data),
    )


async def test_options_stay_with_the_picture():
    media = Media("image", data=b64(picture()), options={"resolution": "low"})
    (seen,) = await shown(SEEING, media)
    assert isinstance(seen, Media)
    assert seen.options == {"resolution": "low"}


async def test_a_picture_of_a_form_that_models_do_not_know_is_turned_into_one_that_they_do():
    (seen,) = await shown(SEEING, Media("image", "image/bmp", b64(picture("BMP"))))
    assert isinstance(seen, Media)
    assert seen.mime_type in ("image/png", "image/jpeg")
    assert base64.b64decode(seen.data or "")[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")


async def test_a_model_with_ears_is_given_sound_that_it_knows(tmp_path: Path):
    flac = recording(tmp_path / "a.flac", "flac", "flac").read_bytes()
    (heard,) = await shown(HEARING, Media("audio", "audio/flac", b64(flac)))
    assert isinstance(heard, Media)
    assert (heard.type, heard.mime_type) == ("audio", "audio/wav")


async def test_a_model_that_takes_documents_is_given_the_document(tmp_path: Path):
    data = b64(pdf(tmp_path / "a.pdf", [["Hello"]]).read_bytes())
    assert await shown(READING, Media("document", "application/pdf", data)) == (
        Media("document", "application/pdf", data),
    )


async def test_text_documents_are_told_to_every_model():
    (read,) = await shown(READING, Media("document", "text/plain", b64(b"The code is 4711.")))
    assert "The code is 4711." in told(read)


# -- in words


async def test_a_document_is_told_page_by_page(tmp_path: Path):
    data = b64(pdf(tmp_path / "a.pdf", [["The first."], ["The second."]]).read_bytes())
    (read,) = await shown(BLIND, Media("document", "application/pdf", data, options={"name": "report.pdf"}))
    assert told(read).startswith('[document "report.pdf": PDF document, 2 pages')
    assert "[page 1]\nThe first." in told(read)
    assert told(read).endswith("[page 2]\nThe second.\n[end of document]")


async def test_of_a_long_document_the_page_that_was_asked_for_is_told(tmp_path: Path):
    pages = [[f"Nothing of note happened on day {n}.", "It rained."] for n in range(1, 301)]
    pages[216] = ["The code of the vault in Basel is 4711."]
    data = b64(pdf(tmp_path / "a.pdf", pages).read_bytes())
    content = await shown(BLIND, Media("document", "application/pdf", data), Text("What is the code of the vault?"))
    assert "[page 217]\nThe code of the vault in Basel is 4711." in told(content[0])
    assert "[left out, as it did not fit: page" in told(content[0])


async def test_a_model_without_eyes_is_told_that_it_has_none():
    (seen,) = await shown(BLIND, Media("image", data=b64(picture(size=(640, 480)))))
    assert told(seen).startswith("[image: PNG image, 640 x 480 pixels")
    assert "You cannot see it." in told(seen)


async def test_others_are_served_while_long_documents_are_told():
    longest, done = 0.0, asyncio.Event()

    async def others() -> None:
        nonlocal longest
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - before)

    days = "\n".join(f"It rained on day {n}." for n in range(40_000))
    documents = [Media("document", "text/plain", b64(f"Year {year}\n{days}".encode())) for year in range(6)]
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(others())
        await shown(BLIND, *documents, Text("On which day did it rain?"))
        done.set()
    assert longest < (time.perf_counter() - started) / 4


async def test_several_files_share_the_room_that_there_is():
    long, short = "rain " * 6000, "The code is 4711."
    files = [Media("document", "text/plain", b64(text.encode())) for text in (long, short)]
    first, second = await shown(BLIND, *files)
    assert "4711" in told(second)
    assert len(told(first)) < 4096 * 4


async def test_history_is_presented_too():
    seen = UserInput((Media("image", data=b64(picture())), Text("What is it?")))
    prompt = await asked(BLIND, seen, ModelOutput((Text("Red."),)), UserInput((Text("Sure?"),)))
    first = prompt.steps[0]
    assert isinstance(first, UserInput)
    assert told(first.content[0]).startswith("[image")


async def test_a_functions_result_with_a_picture_is_shown_to_eyes_and_told_to_others():
    result = [{"type": "text", "text": "Here"}, {"type": "image", "mime_type": "image/png", "data": b64(picture())}]
    steps = (UserInput((Text("Look"),)), FunctionCall("c1", "look"), FunctionResult("c1", result, "look"))
    (seeing,) = [step for step in (await asked(SEEING, *steps)).steps if isinstance(step, FunctionResult)]
    assert seeing.result == result
    (blind,) = [step for step in (await asked(BLIND, *steps)).steps if isinstance(step, FunctionResult)]
    assert [item["type"] for item in blind.result] == ["text", "text"]
    assert blind.result[1]["text"].startswith("[image")


@pytest.mark.parametrize("holder", ["content", "items"])
async def test_what_a_functions_result_says_beside_its_picture_is_shown_too(holder: str):
    screen = {"type": "image", "mime_type": "image/png", "data": b64(picture())}
    result = {"url": "http://shop", holder: [screen], "seconds": 2}
    steps = (UserInput((Text("Look"),)), FunctionCall("c1", "look"), FunctionResult("c1", result, "look"))
    said = {"type": "text", "text": '{"url":"http://shop","seconds":2}'}
    assert (await asked(SEEING, *steps)).steps[-1].result == [said, screen]
    blind = (await asked(BLIND, *steps)).steps[-1].result
    assert blind[0] == said
    assert blind[1]["text"].startswith("[image")


async def test_what_a_functions_result_says_beside_its_text_is_shown_too():
    result = {"status": "done", "content": [{"type": "text", "text": "Here"}]}
    steps = (UserInput((Text("Look"),)), FunctionCall("c1", "look"), FunctionResult("c1", result, "look"))
    shown = (await asked(SEEING, *steps)).steps[-1].result
    assert shown == [{"type": "text", "text": '{"status":"done"}'}, *result["content"]]


async def test_a_voice_is_told_nothing_of_the_sound_that_it_made():
    voice = ModelCard("voice", outputs=frozenset({"audio"}))
    made = ModelOutput((Media("audio", "audio/l16", "AAAA"),))
    prompt = await asked(voice, UserInput((Text("Say: Hi"),)), made, UserInput((Text("Again"),)))
    assert prompt.steps[1] == ModelOutput(())


async def test_what_was_made_and_cannot_be_read_does_not_end_the_conversation(tmp_path: Path):
    wav = recording(tmp_path / "a.wav", "wav", "pcm_s16le").read_bytes()
    made = ModelOutput((Media("audio", "audio/wav", b64(wav)),))
    prompt = await asked(BLIND, UserInput((Text("Say: Hi"),)), made, UserInput((Text("What did you say?"),)))
    (heard,) = prompt.steps[1].content  # type: ignore[union-attr]
    assert told(heard) == "[audio that was made as an answer; it is not known what is in it]"


async def test_what_was_made_and_is_gone_does_not_end_the_conversation():
    made = ModelOutput((Media("image", uri="files/gone"),))
    prompt = await asked(SEEING, UserInput((Text("Draw a cat"),)), made, UserInput((Text("Thank you!"),)))
    (gone,) = prompt.steps[1].content  # type: ignore[union-attr]
    assert told(gone) == "[image that was made as an answer; its file is not there any more]"


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (Media("document", "application/zip", b64(b"PK..."), options={"name": "all.zip"}), 'document "all.zip"'),
        (Media("image", data="AAAA"), "image"),
    ],
    ids=["no archive", "no picture"],
)
async def test_what_was_made_and_is_not_what_it_was_called_does_not_end_the_conversation(made: Media, named: str):
    prompt = await asked(SEEING, UserInput((Text("Make it"),)), ModelOutput((made,)), UserInput((Text("Thank you!"),)))
    (odd,) = prompt.steps[1].content  # type: ignore[union-attr]
    assert told(odd) == f"[{named} that was made as an answer; it cannot be read]"


async def test_what_is_gone_cannot_be_changed_by_who_made_it():
    made = ModelOutput((Media("image", uri="files/gone"),))
    with pytest.raises(NotFound, match=r"^input, image 1: there is no file 'files/gone'"):
        await asked(PAINTING, UserInput((Text("Draw a cat"),)), made, UserInput((Text("Make it blue"),)))


async def test_what_is_kept_is_what_was_sent():
    media = Media("image", data=b64(picture()))
    async with open_engine(model=ScriptedModel(say("Red."), card=BLIND)) as engine:
        made = await engine.interactions.create(Turn((UserInput((media,)),), model="m"), "ann", "steps")
        kept = await engine.interactions.get(made.id, "ann")
    assert kept.turn.input == (UserInput((media,)),)


# -- files and addresses


async def test_a_file_is_read_by_its_address_whatever_host_and_version_it_names():
    model = ScriptedModel(answer=lambda _: say("So."), card=BLIND)
    async with open_app(model=model) as app:
        file = await app.upload(b"The code is 4711.", display_name="notes.txt")
        for uri in (file["uri"], file["name"], f"https://elsewhere.example/v1/{file['name']}"):
            await app.create([{"type": "document", "uri": uri}])
    for prompt in model.prompts:
        (read,) = prompt.steps[0].content  # type: ignore[union-attr]
        assert told(read).startswith('[document "notes.txt": ')
        assert "The code is 4711." in told(read)


async def test_a_file_of_somebody_else_is_as_one_that_never_was():
    async with open_engine() as engine:
        file = await engine.files.keep("bob", picture(), "image/png")
        media = Media("image", uri=f"files/{file.id}")
        with pytest.raises(NotFound, match=f"^input, image 1: there is no file 'files/{file.id}'"):
            await engine.interactions.create(Turn((UserInput((media,)),), model="m"), "ann", "steps")


async def test_a_private_address_is_not_fetched():
    with pytest.raises(InvalidRequest, match=r"^input, image 1: .*127\.0\.0\.1"):
        await shown(BLIND, Media("image", uri="http://127.0.0.1:9/a.png"))


# -- what is wrong

WRONG: dict[str, tuple[Media, str]] = {
    "no base64": (Media("image", data="!!!"), "input, image 1: `data` is not base64"),
    "letters that base64 has not": (Media("image", data="aGk\u00e9"), "input, image 1: `data` is not base64"),
    "a data URL": (Media("image", data="data:image/png;base64,aGk="), "input, image 1: `data` is base64 alone"),
    "nothing": (Media("image", data=""), "input, image 1: "),
    "another kind of image": (Media("image", "image/png", b64(picture("JPEG"))), "input, image 1: .*image/jpeg"),
    "an image as a document": (Media("document", None, b64(picture())), "input, document 1: .*image"),
    "text as an image": (Media("image", None, b64(b"Hello")), "input, image 1: "),
    "a broken image": (Media("image", None, b64(picture()[:40])), "input, image 1: "),
}


@pytest.mark.parametrize(("media", "message"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_with_a_file_is_said_with_its_place(media: Media, message: str):
    with pytest.raises(InvalidRequest, match=f"^{message}"):
        await shown(BLIND, Text("What is it?"), media)


async def test_a_file_larger_than_a_model_is_given_is_refused():
    async with open_app(model=ScriptedModel(card=SEEING)) as app:
        file = await app.upload(picture() + bytes(1 << 20), mime_type="image/png")
        refused = await app.ask(
            "POST", "/v1/interactions", json={"model": "m", "input": {"type": "image", "uri": file["uri"]}}
        )
    assert refused.status == 400
    assert "input, image 1: " in refused.json["error"]["message"]
    assert "more than a model is given, 1048576 (the setting max_body_bytes)" in refused.json["error"]["message"]


async def test_the_second_of_two_is_named_as_such():
    good, bad = Media("image", data=b64(picture())), Media("image", data="!")
    with pytest.raises(InvalidRequest, match=r"^input, image 2: "):
        await shown(BLIND, good, bad)


async def test_what_is_wrong_in_the_history_is_said_to_be_there():
    async with open_engine(model=ScriptedModel(say("So."), answer=lambda _: say("So."), card=SEEING)) as engine:
        file = await engine.files.keep("ann", picture(), "image/png")
        media = Media("image", uri=f"files/{file.id}")
        first = await engine.interactions.create(Turn((UserInput((media,)),), model="m"), "ann", "steps")
        await engine.files.delete(file.id, "ann")
        going_on = Turn((UserInput((Text("Sure?"),)),), model="m", previous_interaction_id=first.id)
        with pytest.raises(NotFound, match=r"^history, image 1: "):
            await engine.interactions.create(going_on, "ann", "steps")
