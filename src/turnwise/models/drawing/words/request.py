"""What a prompt asks to see, as far as its words say it."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Mention:
    """A thing that a prompt names, with what it says of it. Two mentions are two things, even if they say the same."""

    word: str
    """Its name, in the singular."""
    symbol: str | None
    """What stands for it. None: nothing does, so it is drawn as a thing of its own name."""
    count: int | None = None
    """How many. None: it does not say."""
    plural: bool = False
    colours: tuple[str, ...] = ()
    second: str | None = None
    """The colour of a part of it: of a roof, of eyes."""
    scale: float = 1.0
    """How much larger than usual."""
    place: str | None = None
    """A value of `vocabulary.PLACES`."""
    relation: tuple[str, int] | None = None
    """How it stands to another thing (`above`, `beside`, `worn`, ...), and which."""
    text: str | None = None
    """What is to be written on it."""


@dataclass(slots=True)
class Request:
    """Everything that was found in a prompt."""

    mentions: list[Mention] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    """Symbols that are not to be there."""
    setting: str | None = None
    time: str | None = None
    weather: str | None = None
    season: str | None = None
    styles: list[str] = field(default_factory=list)
    future: bool = False
    background: str | None = None
    """The colour of a plain background."""
    sky: str | None = None
    ground: str | None = None
    colours: tuple[str, ...] = ()
    """Colours that were said of nothing in particular."""
    scale: float = 1.0
    text: str | None = None
    """What is to be written, nobody said where."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found that tells what to draw."""
        return not (self.mentions or self.setting or self.text)
