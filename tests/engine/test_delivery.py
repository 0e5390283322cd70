"""How made media reach the client."""

from collections.abc import AsyncIterator

import pytest

from turnwise.domain.errors import RateLimited
from turnwise.domain.formats import AudioFormat, ImageFormat
from turnwise.engine.delivery import Delivering, delivered
from turnwise.models.model import Finished, Fragment, MediaFragment, Prompt, Taken, TextFragment

PICTURE = MediaFragment(0, "image", "image/png", b"12345678")
SOUND = [MediaFragment(0, "audio", "audio/l16", piece, options={"sample_rate": 24000}) for piece in (b"12", b"34")]


async def made(*fragments: Fragment) -> AsyncIterator[Fragment]:
    for fragment in fragments:
        yield fragment


class Kept:
    """Remembers what was kept."""

    def __init__(self) -> None:
        self.files: list[tuple[bytes, str]] = []

    async def __call__(self, data: bytes, mime_type: str) -> str:
        self.files.append((data, mime_type))
        return f"files/{len(self.files)}"


async def deliver(*fragments: Fragment, kept: Kept | None = None, inline: int = 100, **form: object) -> list[Fragment]:
    prompt = Prompt((), **form)  # type: ignore[arg-type]
    return [f async for f in delivered(made(*fragments), prompt, Delivering(kept or Kept(), inline))]


async def test_a_small_picture_comes_as_its_bytes():
    assert await deliver(Taken(), PICTURE, Finished("stop")) == [Taken(), PICTURE, Finished("stop")]


async def test_a_large_picture_comes_as_a_file():
    kept = Kept()
    (shown, _) = await deliver(PICTURE, Finished("stop"), kept=kept, inline=7)
    assert shown == MediaFragment(0, "image", "image/png", uri="files/1")
    assert kept.files == [(b"12345678", "image/png")]


async def test_a_picture_whose_bytes_were_asked_for_comes_as_its_bytes_however_large():
    form = ImageFormat(delivery="inline")
    assert await deliver(PICTURE, Finished("stop"), inline=7, image=form) == [PICTURE, Finished("stop")]


async def test_a_picture_whose_address_was_asked_for_comes_as_a_file_however_small():
    (shown, _) = await deliver(PICTURE, Finished("stop"), image=ImageFormat(delivery="uri"))
    assert shown == MediaFragment(0, "image", "image/png", uri="files/1")


async def test_sound_that_someone_listens_to_is_passed_on_as_it_is_made():
    assert await deliver(*SOUND, Finished("stop"), inline=1) == [*SOUND, Finished("stop")]


async def test_sound_that_nobody_listens_to_comes_in_one_piece():
    shown = await deliver(*SOUND, Finished("stop"), streaming=False)
    whole = MediaFragment(0, "audio", "audio/l16", b"1234", options={"sample_rate": 24000})
    assert shown == [whole, Finished("stop")]


async def no_room(data: bytes, mime_type: str) -> str:
    raise RateLimited("over the quota")


async def test_what_there_is_no_room_for_comes_as_its_bytes_unless_its_address_was_asked_for():
    to = Delivering(no_room, inline_bytes=1)
    assert await anext(delivered(made(PICTURE, Finished("stop")), Prompt(()), to)) == PICTURE
    asked = Prompt((), image=ImageFormat(delivery="uri"))
    with pytest.raises(RateLimited):
        await anext(delivered(made(PICTURE, Finished("stop")), asked, to))


@pytest.mark.parametrize("streaming", [True, False])
async def test_sound_whose_address_was_asked_for_comes_as_one_file(streaming: bool):
    kept = Kept()
    await deliver(*SOUND, Finished("stop"), kept=kept, streaming=streaming, audio=AudioFormat(delivery="uri"))
    assert kept.files == [(b"1234", "audio/l16")]


async def test_pieces_keep_their_places_among_words():
    second = MediaFragment(1, "image", "image/png", b"9")
    shown = await deliver(TextFragment("One"), PICTURE, second, TextFragment("Two"), Finished("stop"))
    assert shown == [TextFragment("One"), PICTURE, second, TextFragment("Two"), Finished("stop")]
