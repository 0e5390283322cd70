"""Goes on from an earlier picture: "make it blue", "add a tree", "remove the car", "at night", "a bigger sun".

Only what is asked for changes; everything else stays where it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from turnwise.models.drawing.composing.composer import compose
from turnwise.models.drawing.composing.figures import HORIZONS, Frame
from turnwise.models.drawing.scene import LONGEST_TEXT, MOST_THINGS, Scene, Thing
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.words.reading import read
from turnwise.models.drawing.words.request import Mention, Request

_VERBS = (
    r"add|remove|delete|erase|drop|take away|get rid of|make|turn|change|replace|swap|put|place|move|paint|colou?r|"
    r"recolou?r|give|set|write|use|show|let"
)
_CLAUSES = re.compile(
    rf"(?:[.;\n]|,|\band\b|\bthen\b|\bbut\b)+\s*(?:then\s+|also\s+|please\s+)?(?=(?:{_VERBS})\b)", re.IGNORECASE
)
_NEW = re.compile(
    r"^\W*(?:please\s+|now\s+|can you\s+|could you\s+)*(?:"
    r"(?:draw|generate|create|paint|sketch|design|render|imagine|show|illustrate|produce)\b"
    r"(?!\s+(?:it|this|that|them|the)\b)|"
    r"make\s+(?:me\s+)?an?\s+(?:\w+\s+){0,3}?(?:image|picture|drawing|photo|illustration|logo|portrait|poster)\b|"
    r"an?\s+(?:image|picture|photo|drawing|new)\b)",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"^\W*(?:an?(?! (?:bit|little)? ?(?:\w+er|more|less)\b)|one|two|three|four|five|six|seven|eight|nine|ten|some|many|"
    r"\d+)\s",
    re.IGNORECASE,
)
"""A prompt that only names things is one for another picture: `a dog in the rain`."""

_REFERS = re.compile(
    r"\b(?:to it|on it|in it|of it|the same|this (?:image|picture|photo|one)|it again|that (?:image|picture|one))\b",
    re.IGNORECASE,
)
_REMOVE = re.compile(
    r"\b(?:remove|delete|erase|drop|take away|take out|get rid of|without|no more|no)\b", re.IGNORECASE
)
_ADD = re.compile(r"\b(?:add|another|more|put|place|also|with an?|insert|include)\b", re.IGNORECASE)
_BECOMES = re.compile(
    r"\b(?:(?:replace|swap|exchange|substitute)\s+(?P<old>.+?)\s+(?:with|by|for)|(?:turn|change)\s+(?P<changed>.+?)\s+(?:in)?to|"
    r"make\s+(?P<it>it|this|that)(?:\s+into)?(?=\s+an?\s))\s+(?P<new>.+)",
    re.IGNORECASE,
)
_IT = re.compile(r"^(?:it|this|that|them|everything|all)$", re.IGNORECASE)
_LIGHTER = re.compile(r"\b(?:daylight|daytime|brighter)\b", re.IGNORECASE)

GROUND_FROM = {"beach": 0.8, "lake": 0.8, "sea": 0.8}
"""Where there is ground to stand on, if not right from the horizon."""


@dataclass(slots=True)
class Change:
    """A scene after what was asked for, and what came of that."""

    scene: Scene
    done: bool = False
    """Whether anything that was asked for could be done."""
    missing: list[str] = field(default_factory=list)
    """What was to be changed or removed, but is not in the picture."""
    removes: bool = False
    """Whether something was to be removed, replaced or moved that was there."""


def is_new(text: str) -> bool:
    """Whether a prompt asks for another picture, rather than for a change of the last one."""
    if _REFERS.search(text):
        return False
    return bool(_NEW.search(text) or (_NAMES.search(text) and not _ADD.search(text)))


def change(scene: Scene, text: str, frame: Frame, seed: int) -> Change:
    """The scene as the text wants it."""
    change = Change(replace(scene, prompt=f"{scene.prompt}\n{text}"[-2000:]))
    for clause in _CLAUSES.split(text):
        if clause.strip():
            _Clause(change, clause.strip(), frame, seed).apply()
    return change


class _Clause:
    """One thing that is asked for."""

    def __init__(self, change: Change, text: str, frame: Frame, seed: int) -> None:
        self._change = change
        self._text = text
        self._frame = frame
        self._seed = seed

    @property
    def _things(self) -> tuple[Thing, ...]:
        return self._change.scene.things

    def apply(self) -> None:
        becomes = _BECOMES.search(self._text)
        if becomes and self._replace(becomes):
            return
        request = read(self._text)
        if _REMOVE.search(self._text):
            self._remove(request)
            return
        self._surround(request)
        for mention in request.mentions:
            if mention.symbol is not None or _ADD.search(self._text):
                self._mention(mention, request)
        if not request.mentions:
            self._change_main(request)

    def _set(self, **values: object) -> None:
        self._change.scene = replace(self._change.scene, **values)  # type: ignore[arg-type]
        self._change.done = True

    # Replacing and removing

    def _replace(self, found: re.Match[str]) -> bool:
        old = found["old"] or found["changed"] or found["it"]
        new = read(found["new"])
        if not new.mentions or new.mentions[0].symbol is None:
            return False
        old_mentions = read(old).mentions
        targets = self._main() if _IT.match(old.strip()) else [t for m in old_mentions for t in self._matching(m)]
        self._change.removes = True
        if not targets:
            self._change.missing.extend(mention.word for mention in old_mentions)
            return True
        self._set(
            things=tuple(self._instead(thing, new.mentions[0]) if thing in targets else thing for thing in self._things)
        )
        return True

    def _instead(self, thing: Thing, mention: Mention) -> Thing:
        assert mention.symbol is not None
        old, new = SYMBOLS[thing.symbol], SYMBOLS[mention.symbol]
        usual = (new.size / old.size) ** 0.5
        colour, *others = (*mention.colours, None)
        size = min(0.8, thing.size * usual * mention.scale)
        return self._inside(replace(thing, symbol=new.name, word=mention.word, size=size, colour=colour,
                       other=others[0] if others else None, label=None))  # fmt: skip

    def _remove(self, request: Request) -> None:
        self._change.removes = True
        wanted = request.mentions
        symbols = {mention.symbol for mention in wanted} | set(request.absent)
        weathers = {"rain": "rain", "snow": "snow", "fog": "fog", "storm": "storm"}
        if request.weather in weathers or (request.setting == "winter" and "snow" in self._text):
            self._set(weather="clear")
        words = {mention.word for mention in wanted}
        kept = tuple(t for t in self._things if t.symbol not in symbols and t.word not in words)
        if "background" in self._text.lower():
            self._set(
                setting="plain",
                background=request.background or "#ffffff",
                things=tuple(t for t in kept if not t.extra),
            )
        elif len(kept) < len(self._things):
            self._set(things=kept)
        elif not self._change.done:
            self._change.missing.extend([mention.word for mention in wanted] or list(request.absent))

    # Surroundings

    def _surround(self, request: Request) -> None:
        scene = self._change.scene
        if request.time and request.time != scene.time:
            self._set(time=request.time, things=self._in_time(request.time))
        elif _LIGHTER.search(self._text):
            self._set(time="day", things=self._in_time("day"))
        if request.weather:
            self._set(weather=request.weather)
        if request.season:
            self._set(season=request.season)
            if request.season == "winter":
                self._set(
                    weather="snow", things=tuple(t for t in self._things if not (t.extra and t.symbol == "flower"))
                )
        if request.styles:
            self._set(styles=tuple(dict.fromkeys((*scene.styles, *request.styles))))
        if request.future:
            self._set(future=True)
        if request.sky:
            self._set(sky=request.sky)
        if request.ground:
            self._set(ground=request.ground)
        if request.background:
            self._paint_background(request.background)
        if request.setting and request.setting != scene.setting and not (request.sky or request.ground):
            self._move_to(request.setting)

    def _in_time(self, time: str) -> tuple[Thing, ...]:
        """The sky at another time: a sun that nobody asked for goes down, a moon comes up."""
        kept = [t for t in self._things if not (t.extra and t.symbol in ("sun", "moon", "crescent"))]
        night = time == "night"
        kept = [replace(t, symbol="moon", word="moon", colour=None) if night and t.symbol == "sun" else t for t in kept]
        low = time in ("sunset", "dawn") and not any(t.symbol in ("sun", "moon", "crescent") for t in kept)
        if low and self._change.scene.is_outdoors:
            colour = "#ffb648" if time == "sunset" else "#ffe08a"
            kept.insert(0, Thing("sun", 0.62, self._change.scene.horizon + 0.02, 0.2, colour, word="sun", extra=True))
        if night and self._change.scene.is_outdoors and not any(t.symbol in ("moon", "crescent") for t in kept):
            kept.insert(0, Thing("crescent", 0.16, 0.24, 0.12, word="moon", extra=True))
        return tuple(kept)

    def _paint_background(self, colour: str) -> None:
        if self._change.scene.is_outdoors:
            self._set(sky=colour, background=colour)
        else:
            self._set(background=colour)

    def _move_to(self, setting: str) -> None:
        """The same things in other surroundings: the ground is elsewhere, and what belonged to the old ones is gone."""
        scene = self._change.scene
        fresh = compose(Request(setting=setting, time=scene.time), self._frame, self._seed)
        old, new = scene.horizon, GROUND_FROM.get(setting, HORIZONS.get(setting, scene.horizon))
        asked = [thing for thing in scene.things if not thing.extra]
        shifts = {id(thing): (0.0, self._moved(thing, old, new) - thing.y) for thing in asked}
        asked = self._carried(asked, {key: shift for key, shift in shifts.items() if shift[1]})
        surroundings = [
            t
            for t in fresh.things
            if t.extra and (not asked or t.symbol not in ("sofa", "rocket", "planet", "sailboat"))
        ]
        self._set(
            setting=setting,
            horizon=fresh.horizon,
            things=tuple([*surroundings, *asked][:MOST_THINGS]),
            background=None,
            sky=None,
            ground=None,
        )

    def _moved(self, thing: Thing, old: float, new: float) -> float:
        if SYMBOLS[thing.symbol].place not in ("stand", "object", "water") or thing.y < old or old >= 1 or new >= 1:
            return thing.y
        return new + (thing.y - old) / (1 - old) * (1 - new)

    def _carried(self, things: Sequence[Thing], shifts: dict[int, tuple[float, float]]) -> list[Thing]:
        """Things after some of them were moved, each by so much of the width and the height: what stands on one, or is
        worn by it, goes with it."""
        moved = []
        for thing in things:
            bearer = (
                thing
                if id(thing) in shifts
                else next((t for t in things if id(t) in shifts and self._bears(t, thing)), None)
            )
            across, down = shifts[id(bearer)] if bearer is not None else (0.0, 0.0)
            moved.append(replace(thing, x=thing.x + across, y=thing.y + down))
        return moved

    def _bears(self, bearer: Thing, thing: Thing) -> bool:
        half = bearer.size * SYMBOLS[bearer.symbol].shape / 2 / self._frame.across
        tall = bearer.size / self._frame.down
        above = bearer.y - 1.1 * tall < thing.y < bearer.y - 0.3 * tall
        return thing is not bearer and abs(thing.x - bearer.x) < half and above and thing.size < bearer.size

    # Things

    def _mention(self, mention: Mention, request: Request) -> None:
        there = self._matching(mention)
        adds = bool(_ADD.search(self._text)) and not re.search(
            rf"\bthe {re.escape(mention.word)}\b", self._text, re.IGNORECASE
        )
        if there and not adds:
            self._alter(there, mention)
        elif not (there and self._is_anchor(mention, request)):
            self._add(mention, request)

    def _is_anchor(self, mention: Mention, request: Request) -> bool:
        index = request.mentions.index(mention)
        return any(other.relation is not None and other.relation[1] == index for other in request.mentions)

    def _alter(self, there: Sequence[Thing], mention: Mention) -> None:
        changed = [self._altered(thing, mention, index) for index, thing in enumerate(there)]
        if list(changed) != list(there):
            by_old = {id(old): new for old, new in zip(there, changed, strict=True)}
            self._set(things=tuple(by_old.get(id(thing), thing) for thing in self._things))
        if mention.place:
            self._move(mention, mention.place)

    def _move(self, mention: Mention, place: str) -> None:
        """Move what a word means; if it means one of many, the first of these."""
        self._change.removes = True
        there = self._matching(mention)
        shifts = {}
        for thing in there if mention.plural else there[:1]:
            placed = self._placed(thing, place)
            shifts[id(thing)] = (placed.x - thing.x, placed.y - thing.y)
        self._set(things=tuple(self._carried(self._things, shifts)))

    def _altered(self, thing: Thing, mention: Mention, index: int) -> Thing:
        if mention.colours:
            thing = replace(thing, colour=mention.colours[index % len(mention.colours)])
        if mention.second:
            thing = replace(thing, other=mention.second)
        if mention.scale != 1.0:
            thing = self._grown(thing, mention.scale)
        if mention.text:
            thing = replace(thing, text=mention.text[:LONGEST_TEXT])
        return thing

    def _grown(self, thing: Thing, scale: float) -> Thing:
        """Larger around its foot; what is in the air around its middle."""
        size = min(1.2, max(0.02, thing.size * scale))
        grows_down = SYMBOLS[thing.symbol].place in ("sky", "air", "space", "shape")
        y = thing.y + (size - thing.size) / 2 / self._frame.down if grows_down else thing.y
        return self._inside(replace(thing, size=size, y=y))

    def _inside(self, thing: Thing) -> Thing:
        """A thing that is not cut off at the sides or above."""
        half = min(0.49, thing.size * SYMBOLS[thing.symbol].shape / 2 / self._frame.across)
        tall = thing.size / self._frame.down
        return replace(thing, x=min(max(thing.x, half + 0.01), 0.99 - half), y=max(thing.y, min(tall + 0.02, 0.98)))

    def _placed(self, thing: Thing, place: str) -> Thing:
        tall = thing.size / self._frame.down
        x = 0.2 if "left" in place else 0.8 if "right" in place else 0.5 if place == "middle" else thing.x
        y = tall + 0.05 if "top" in place else 0.95 if "bottom" in place or place == "front" else thing.y
        return replace(thing, x=x, y=y)

    def _add(self, mention: Mention, request: Request) -> None:
        scene = self._change.scene
        alone = replace(mention, relation=None)
        made = compose(Request([alone], setting=scene.setting, time=scene.time), self._frame, self._seed)
        new = [thing for thing in made.things if not thing.extra]
        asked = [thing for thing in scene.things if not thing.extra]
        if asked and SYMBOLS[new[0].symbol].place not in ("sky", "far") if new else False:
            new = [replace(thing, size=thing.size * 0.6) for thing in new]
        anchor = self._anchor(mention, request)
        if anchor is not None and mention.relation is not None:
            new = [self._beside(thing, anchor, mention.relation[0], index) for index, thing in enumerate(new)]
        elif mention.place is None and len(new) == 1:
            new = [self._in_free_room(new[0], asked)]
        behind = bool(new) and SYMBOLS[new[0].symbol].place in ("sky", "far")
        things = (*new, *scene.things) if behind else (*scene.things, *new)
        self._set(things=things[:MOST_THINGS])

    def _anchor(self, mention: Mention, request: Request) -> Thing | None:
        """The thing in the picture that a new one is to stand to. `On it` is the main one."""
        if mention.relation is None:
            return None
        there = self._matching(request.mentions[mention.relation[1]])
        return there[0] if there else None

    def _beside(self, thing: Thing, anchor: Thing, relation: str, index: int) -> Thing:
        wide = (
            (thing.size * SYMBOLS[thing.symbol].shape + anchor.size * SYMBOLS[anchor.symbol].shape)
            / 2
            / self._frame.across
        )
        tall = anchor.size / self._frame.down
        if relation in ("above", "on", "worn", "riding"):
            size = min(thing.size, anchor.size * (0.25 if relation == "worn" else 0.7))
            return replace(thing, x=anchor.x, y=anchor.y - tall * (1.06 if relation == "above" else 0.93), size=size)
        if relation in ("below", "front"):
            return replace(thing, x=anchor.x, y=min(0.98, anchor.y + 0.05), size=min(thing.size, anchor.size * 0.6))
        side = -1 if relation == "left" or (relation != "right" and anchor.x > 0.5) else 1
        return replace(thing, x=min(0.96, max(0.04, anchor.x + side * (wide + 0.03) * (1 + index))), y=anchor.y)

    def _in_free_room(self, thing: Thing, others: Sequence[Thing]) -> Thing:
        """Where it is farthest from everything else."""
        if not others:
            return thing
        spots = [0.12 + 0.076 * step for step in range(11)]
        Random(self._seed).shuffle(spots)
        x = max(
            spots,
            key=lambda spot: min(
                abs(spot - other.x) - other.size * SYMBOLS[other.symbol].shape / 2 / self._frame.across
                for other in others
            ),
        )
        return self._inside(replace(thing, x=x))

    # What "it" is

    def _change_main(self, request: Request) -> None:
        main = self._main()
        if request.text is not None and not main:
            self._add(Mention("sign", "sign", 1, text=request.text), request)
        elif main and (request.colours or request.scale != 1.0 or request.text is not None):
            self._alter(main, Mention("it", None, colours=request.colours, scale=request.scale, text=request.text))
        elif request.colours:
            self._paint_background(request.colours[-1])

    def _main(self) -> list[Thing]:
        """What the picture is of: the things of the largest one's name."""
        asked = [thing for thing in self._things if not thing.extra]
        if not asked:
            return []
        first = [thing for thing in asked if thing.main]
        if first:
            return first
        largest = max(asked, key=lambda thing: thing.size * thing.size * SYMBOLS[thing.symbol].shape)
        return [thing for thing in asked if thing.word == largest.word]

    def _matching(self, mention: Mention) -> list[Thing]:
        """The things in the picture that a word means."""
        by_word = [thing for thing in self._things if thing.word == mention.word]
        alike = {"moon": {"moon", "crescent"}, "star": {"star", "five_star"}, "skyscraper": {"skyscraper", "spire"},
                 "person": {"person", "man", "woman", "child"}}.get(mention.symbol or "", {mention.symbol})  # fmt: skip
        return by_word or [thing for thing in self._things if thing.symbol in alike]
