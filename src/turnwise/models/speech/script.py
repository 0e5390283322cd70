"""A prompt as a script: the lines to be spoken, each with its voice, its language and its style.

What is spoken is this turn's input; or, where a model has just written something, what it wrote, as it is. Where the
voices are given to speakers, each speaker's lines begin with a name and a colon, and the name is not spoken. What comes
before the first name is an instruction, or is read by the narrator: the voice that was given to no speaker, or else the
default one.

    voices for Joe and Jane        "TTS this conversation:              -> Joe:  "How's it going?"
                                    Joe: How's it going?                   Jane: "Not too bad."
                                    Jane: Not too bad."

"Say it again, slower" is about what was said before: the last input that was more than that is spoken once more, with
the new directions behind the old ones.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile, zip_longest

from turnwise.domain.content import Text, Told
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.formats import Voice
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.models.model import Prompt
from turnwise.models.speech.directions import HEAD, Request, asks_again, is_instruction, take_apart, unquoted
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.style import PLAIN, Style, has_style, read_style

PATH = "generation_config.speech_config"

LONGEST_TEXT = 100_000
"""Characters of one input: more than anyone can say in half an hour."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt asks to be spoken, before voices are given to it."""

    said: str
    """The user's words, instruction and text."""
    again: tuple[str, ...] = ()
    """How to say it this time, where it was said before."""
    is_plain: bool = False
    """Whether it is a model's text, in which nothing is an instruction."""

    @property
    def request(self) -> Request:
        """What of it is to be spoken, and how."""
        return Request(self.said.strip()) if self.is_plain else take_apart(self.said)


def read_asked(prompt: Prompt) -> Asked:
    """What this turn asks to be spoken.

    Raises:
        InvalidRequest: nothing is said, or it asks for an earlier turn that is not there.
        Unimplemented: the input is not text.
    """
    last = prompt.steps[-1] if prompt.steps else None
    if isinstance(last, ModelOutput):
        return Asked("".join(_texts(last)), is_plain=True)
    _refuse_files(prompt.steps)
    turns = list(_inputs(prompt.steps))
    if not isinstance(last, UserInput) or not turns[-1].strip():
        raise InvalidRequest("there is no text to be spoken", field="input")
    again: list[str] = []
    for said in reversed(turns):
        how = asks_again(said)
        if how is None:
            return Asked(said, tuple(reversed(again)))
        again.append(how)
    raise InvalidRequest(
        f"{turns[-1].strip()[:80]!r} asks for what was said before, but nothing was: continue that interaction by its"
        " previous_interaction_id, or send the text again",
        field="input",
    )


def read_script(prompt: Prompt) -> list[Line]:
    """The lines to be spoken, in order.

    Raises:
        InvalidRequest: there is nothing to speak, or far too much, or a line has a name that no voice was given to.
        Unimplemented: the input is not text.
    """
    asked = read_asked(prompt)
    if len(asked.said) > LONGEST_TEXT:
        raise InvalidRequest(
            f"the text has {len(asked.said)} characters, and one answer can speak {LONGEST_TEXT}: send it in parts",
            field="input",
        )
    cast = Cast(prompt.voices)
    system = prompt.system_instruction or ""
    base = read_style(system)
    lines = list(cast.lines(asked) if cast.names else _one_voice(cast.narrator, asked.request))
    if not lines:
        raise InvalidRequest("there is no text to be spoken", field="input")
    for how in asked.again:
        lines = [replace(line, style=line.style.then(read_style(how))) for line in lines]
    more = [how for how in asked.again if how]
    return [
        replace(
            line,
            style=base.then(line.style),
            directions="\n".join(part for part in (system, line.directions, *more) if part),
        )
        for line in lines
    ]


def _inputs(steps: Sequence[Step]) -> Iterator[str]:
    """The text of each turn of the user's, oldest first."""
    gathered: list[str] = []
    for step in steps:
        if isinstance(step, UserInput):
            gathered.append("\n".join(_texts(step)))
        elif gathered:
            yield "\n".join(gathered)
            gathered = []
    if gathered:
        yield "\n".join(gathered)


def _texts(step: UserInput | ModelOutput) -> Iterator[str]:
    """What was said, without what is told of files."""
    return (part.text for part in step.content if isinstance(part, Text) and not isinstance(part, Told))


def _refuse_files(steps: Sequence[Step]) -> None:
    """Refuse files in this turn's input: what can be told of them is nothing that anybody wrote to be read aloud."""
    for step in takewhile(lambda one: isinstance(one, UserInput), reversed(steps)):
        for part in step.content if isinstance(step, UserInput) else ():
            kind = part.kind if isinstance(part, Told) else part.type
            if kind != "text":
                raise Unimplemented(f"input: a voice takes no {kind}, only text")


def _one_voice(line: Line, request: Request) -> list[Line]:
    spoken = replace(line, style=read_style(request.directions), directions=request.directions)
    return list(_tagged(spoken, request.text))


# -- several speakers

_ANY_NAME = re.compile(
    r"[^\S\n]*(?:[-*•][^\S\n]+)?\**(?P<name>[A-Z][\w'’.-]*(?: [A-Z0-9][\w'’.-]*){0,2}|[一-鿿]{1,6})\**"
    r"[^\S\n]*+(?:\([^()\n]{0,80}\))?[^\S\n]*(?::(?=\s|\**\s)|：)"
)
_SAYS_HOW = re.compile(r"[\s,]*(?:and |but )?(?:to |should |must |who |that |is |as |in |with |be |very |more )*")
_ENDS_HEAD = re.compile(r"[:：]\s*\Z")


class Cast:
    """Who speaks which lines."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        places = [f"{PATH}[{index}]" for index in range(len(voices))] if len(voices) > 1 else [PATH] * len(voices)
        speakers = [(voice.speaker or "").strip() for voice in voices]
        lines = [Line("", voice.voice, voice.language, path=place) for voice, place in zip(voices, places, strict=True)]
        self.names: Mapping[str, Line] = {
            speaker.casefold(): line for speaker, line in zip(speakers, lines, strict=True) if speaker
        }
        """Each speaker's voice, by the name in small letters."""
        unnamed = [line for speaker, line in zip(speakers, lines, strict=True) if not speaker]
        self._has_narrator = bool(unnamed)
        self.narrator = unnamed[0] if unnamed else Line("")
        """Who reads what is given to no speaker."""
        self._spelled = [speaker for speaker in speakers if speaker]
        self._label = _label(self._spelled)

    def lines(self, asked: Asked) -> Iterator[Line]:
        """The lines of a text in which speakers have names.

        Raises:
            InvalidRequest: a line has a name that no voice was given to, and there is no narrator.
        """
        has_label = self._label.match(asked.said.lstrip())
        request = Request(asked.said) if has_label else asked.request
        body, directions = request.text, request.directions
        first = self._label.search(body)
        if first is None:
            yield from self._alone(body, directions)
            return
        before = body[: first.start()].strip()
        if not asked.is_plain and self._is_introduction(before):
            directions = f"{directions}\n{before}".strip()
            before = ""
        styles = self._styles(directions)
        if before:
            yield from self._checked(replace(self.narrator, style=styles[""], directions=directions), before)
        for label, text in _between([*self._label.finditer(body, first.start())], body):
            name = label["name"].casefold()
            how = label["how"] or ""
            line = replace(
                self.names[name],
                style=styles[""].then(styles.get(name, PLAIN)).then(read_style(how)),
                directions=f"{directions}\n{how}".strip(),
            )
            yield from self._checked(line, unquoted(text.strip()))

    def _alone(self, text: str, directions: str) -> Iterator[Line]:
        """A text without any of the names. If there is but one speaker it is that one's, else it is the narrator's."""
        line = next(iter(self.names.values())) if len(self.names) == 1 and not self._has_narrator else self.narrator
        yield from self._checked(replace(line, style=read_style(directions), directions=directions), text)

    def _is_introduction(self, before: str) -> bool:
        """Whether what stands before the first name is no part of the text: an instruction, or words that introduce all
        of the speakers."""
        if not 0 < len(before) <= HEAD:
            return False
        names_all = len(self.names) > 1 and all(name in before.casefold() for name in self.names)
        return (
            is_instruction(before)
            or is_instruction(before.rstrip(":： "))
            or (names_all and bool(_ENDS_HEAD.search(before)))
        )

    def _checked(self, line: Line, text: str) -> Iterator[Line]:
        """A line, and behind it those of names that no voice was given to: they are the narrator's, if there is one."""
        kept: list[str] = []
        for row in text.split("\n"):
            stranger = _ANY_NAME.match(row)
            if stranger is None:
                kept.append(row)
                continue
            if not self._has_narrator:
                raise InvalidRequest(
                    f"a line is given to {stranger['name']!r}, and there are voices for {', '.join(self._spelled)}"
                    " only: add one for that speaker, or one without a `speaker` for all others",
                    field=PATH,
                )
            yield from _tagged(line, "\n".join(kept))
            line = replace(self.narrator, style=line.style, directions=line.directions)
            kept = [row[stranger.end() :]]
        yield from _tagged(line, "\n".join(kept))

    def _styles(self, directions: str) -> dict[str, Style]:
        """What the directions ask of each speaker, and under "" of all. What follows a name and says how is for it."""
        styles = {"": PLAIN}
        names = re.compile("|".join(re.escape(name) for name in sorted(self._spelled, key=len, reverse=True)), re.I)
        places = [*names.finditer(directions)]
        everyone = directions[: places[0].start()] if places else directions
        for place, words in _between(places, directions):
            if _is_about_name(words):
                name = place[0].casefold()
                styles[name] = styles.get(name, PLAIN).then(read_style(words))
            else:
                everyone += words
        styles[""] = read_style(everyone)
        return styles


def _between(places: Sequence[re.Match[str]], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each place, with what stands between it and the next one."""
    for place, following in zip_longest(places, places[1:]):
        yield place, text[place.end() : following.start() if following else len(text)]


def _is_about_name(words: str) -> bool:
    """Whether what stands behind a name says how that one speaks."""
    start = _SAYS_HOW.match(words)
    rest = words[start.end() :] if start else words
    return bool(start and start[0].strip(" ,")) or bool(re.match(r"(?:sound|speak|talk|say|read|whisper|shout)", rest))


def _label(names: Iterable[str]) -> re.Pattern[str]:
    """A speaker's name with its colon, at the beginning of a line or of a sentence; maybe with directions in brackets,
    maybe in bold letters."""
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
    return re.compile(
        rf"(?:^|(?<=[.!?…\"”])[^\S\n]++|(?<=[。！？」]))[^\S\n]*(?:[-*•][^\S\n]+)?\**\[?(?P<name>{known})\]?\**"
        r"[^\S\n]*+(?:[(（\[](?P<how>[^()（）\[\]\n]{0,80})[)）\]])?[^\S\n]*\**[:：]\**",
        re.I | re.M,
    )


# -- directions within the text

_TAG = re.compile(r"\[(?P<how>[^\[\]\n]{1,40})\][^\S\n]*")


def _tagged(line: Line, text: str) -> Iterator[Line]:
    """A text in the pieces that its tags make, as in "[whispers] Quiet! [loud] Now!". What stands in brackets and is no
    word of style is part of the text."""
    style, directions, start = line.style, line.directions, 0
    for tag in _TAG.finditer(text):
        if not has_style(tag["how"]):
            continue
        yield from _spoken(replace(line, style=style, directions=directions), text[start : tag.start()])
        style, start = line.style.then(read_style(tag["how"])), tag.end()
        directions = f"{line.directions}\n{tag['how']}".strip()
    yield from _spoken(replace(line, style=style, directions=directions), text[start:])


def _spoken(line: Line, text: str) -> Iterator[Line]:
    if any(character.isalnum() for character in text):
        yield replace(line, text=text.strip())
