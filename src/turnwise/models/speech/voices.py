"""The thirty voices of the API, by name.

Who they are (woman's or man's voice, and the word that describes each) is what the API's maker publishes of them. How
each sounds here is ours: a variant of espeak-ng's, a pitch, a liveliness, a speed and a loudness, chosen so that the
words fit and that no two are alike. Their fundamental frequencies were measured on one English sentence: they lie
between 70 and 290 Hz, and neighbours are at least 3.7 % apart, more than half a semitone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from turnwise.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class NamedVoice:
    """One of the thirty."""

    name: str
    gender: Literal["female", "male"]
    character: str
    variant: str
    """Of espeak-ng's own variants, which change the timbre."""
    pitch: int
    """0 to 99."""
    range: int
    """How lively: 0 to 99."""
    rate: int
    """Words a minute."""
    volume: int
    """100 is as the variant has it; the variants themselves are not equally loud."""
    openai: str
    """The voice of OpenAI's that comes closest."""


DEFAULT_VOICE = "Kore"

VOICES: tuple[NamedVoice, ...] = (
    NamedVoice("Zephyr", "female", "bright", "Annie", 55, 65, 175, 101, "shimmer"),
    NamedVoice("Puck", "male", "upbeat", "Gene2", 66, 75, 190, 57, "echo"),
    NamedVoice("Charon", "male", "informative", "paul", 38, 45, 170, 54, "ash"),
    NamedVoice("Kore", "female", "firm", "f1", 46, 45, 175, 95, "sage"),
    NamedVoice("Fenrir", "male", "excitable", "Alex", 76, 90, 200, 112, "verse"),
    NamedVoice("Leda", "female", "youthful", "f3", 81, 70, 185, 90, "nova"),
    NamedVoice("Orus", "male", "firm", "Mike", 49, 40, 175, 130, "onyx"),
    NamedVoice("Aoede", "female", "breezy", "belinda", 54, 60, 185, 75, "nova"),
    NamedVoice("Callirrhoe", "female", "easy-going", "Alicia", 33, 55, 160, 97, "coral"),
    NamedVoice("Autonoe", "female", "bright", "linda", 58, 60, 175, 77, "shimmer"),
    NamedVoice("Enceladus", "male", "breathy", "m4", 64, 45, 155, 82, "fable"),
    NamedVoice("Iapetus", "male", "clear", "m3", 60, 50, 175, 103, "echo"),
    NamedVoice("Umbriel", "male", "easy-going", "m7", 54, 50, 160, 86, "verse"),
    NamedVoice("Algieba", "male", "smooth", "adam", 49, 50, 165, 107, "ballad"),
    NamedVoice("Despina", "female", "smooth", "shelby", 67, 50, 170, 95, "shimmer"),
    NamedVoice("Erinome", "female", "clear", "f3", 51, 50, 170, 104, "nova"),
    NamedVoice("Algenib", "male", "gravelly", "m8", 32, 40, 160, 130, "onyx"),
    NamedVoice("Rasalgethi", "male", "informative", "robert", 41, 50, 170, 127, "ash"),
    NamedVoice("Laomedeia", "female", "upbeat", "f5", 76, 75, 190, 96, "coral"),
    NamedVoice("Achernar", "female", "soft", "grandma", 51, 40, 155, 82, "shimmer"),
    NamedVoice("Alnilam", "male", "firm", "m1", 36, 35, 170, 130, "onyx"),
    NamedVoice("Schedar", "male", "even", "m6", 35, 30, 165, 120, "alloy"),
    NamedVoice("Gacrux", "female", "mature", "aunty", 45, 45, 160, 93, "sage"),
    NamedVoice("Pulcherrima", "female", "forward", "f5", 61, 60, 180, 105, "coral"),
    NamedVoice("Achird", "male", "friendly", "ed", 49, 60, 175, 50, "fable"),
    NamedVoice("Zubenelgenubi", "male", "casual", "Andy", 70, 60, 165, 68, "verse"),
    NamedVoice("Vindemiatrix", "female", "gentle", "f2", 47, 40, 150, 70, "shimmer"),
    NamedVoice("Sadachbia", "male", "lively", "m5", 71, 75, 185, 104, "echo"),
    NamedVoice("Sadaltager", "male", "knowledgeable", "m2", 44, 50, 165, 130, "ash"),
    NamedVoice("Sulafat", "female", "warm", "f4", 48, 55, 165, 89, "coral"),
)

NAMED: Mapping[str, NamedVoice] = {voice.name.casefold(): voice for voice in VOICES}
"""By the name in small letters."""


def named(name: str | None) -> NamedVoice | None:
    """The voice of this name, in any case of letters. None: it is none of the thirty."""
    return NAMED.get(name.strip().casefold()) if name else None


def standing_in(voice: NamedVoice, names: Iterable[str]) -> str:
    """Which of an engine's own voices stands for one of the thirty: always the same one."""
    own = list(names)
    return own[VOICES.index(voice) % len(own)]


def no_voice(name: str, path: str, more: str = "") -> InvalidRequest:
    """The error of a voice that there is not. `more`: which others the engine has."""
    names = ", ".join(voice.name for voice in VOICES)
    return InvalidRequest(f"there is no voice {name!r}; there are: {names}{more}", field=f"{path}.voice")
