"""Says what a picture shows, in a sentence."""

from collections import Counter

from turnwise.models.drawing.colours import NAMES
from turnwise.models.drawing.scene import Scene

WHERE = {
    "meadow": "on a meadow",
    "plain": "on a plain background",
    "studio": "on a table top",
    "sea": "at sea",
    "lake": "at a lake",
    "beach": "on a beach",
    "desert": "in a desert",
    "winter": "in the snow",
    "city": "in a city",
    "street": "on a street",
    "forest": "in a forest",
    "mountains": "before mountains",
    "space": "in space",
    "lunar": "on the surface of a moon",
    "underwater": "under water",
    "room": "in a room",
    "sky": "in the sky",
    "abstract": "as colours and forms",
}
WHEN = {"day": "", "dawn": ", at dawn", "sunset": ", at sunset", "night": ", at night"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NAME_OF = {colour: name for name, colour in reversed(NAMES.items())}


def describe(scene: Scene, *, upon_picture: bool = False) -> str:
    """What was drawn: the things that were asked for, and where they are."""
    asked = [thing for thing in scene.things if not thing.extra]
    counts = Counter(
        (_NAME_OF.get(thing.colour or "", ""), thing.word or thing.symbol.replace("_", " ")) for thing in asked
    )
    things = [_counted(count, colour, word) for (colour, word), count in counts.items()]
    said = [f"“{thing.text}”" for thing in asked if thing.text]
    what = _listed(things) or ("A composition" if scene.setting == "abstract" else "A scene")
    where = " on the picture" if upon_picture else f" {WHERE[scene.setting]}"
    text = f"{what[0].upper()}{what[1:]}{where}{WHEN[scene.time]}"
    if said:
        text += f", with the words {_listed(said)}"
    return text + "."


def _counted(count: int, colour: str, word: str) -> str:
    named = f"{colour} {word}".strip()
    if count == 1:
        return f"{'an' if named[:1] in 'aeiou' else 'a'} {named}"
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return (
        f"{number} {named}"
        if named.endswith("s") or word in ("fish", "sheep", "people", "deer")
        else f"{number} {_plural(named)}"
    )


def _plural(word: str) -> str:
    if word.endswith(("ch", "sh", "x", "s")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return {"man": "men", "woman": "women", "child": "children", "person": "people", "mouse": "mice"}.get(
        word, word + "s"
    )


def _listed(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
