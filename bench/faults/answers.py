"""What the upstream says to a question, and how fast. Whoever asked knows every letter beforehand, and can check it."""

import re
from dataclasses import dataclass

_QUESTION = re.compile(r"Say (\d+) words of (\S+) at ([\d.]+) a second\.")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with an answer that no other question has."""

    name: str
    words: int
    rate: float
    """Words a second. 0: all at once."""

    @property
    def text(self) -> str:
        """The question as it is put."""
        return f"Say {self.words} words of {self.name} at {self.rate} a second."

    @property
    def answer(self) -> str:
        """All of the answer."""
        return "".join(self.pieces)

    @property
    def pieces(self) -> list[str]:
        """The answer word by word, each with its number."""
        return [f"{' ' if number else ''}{self.name}-{number}" for number in range(self.words)]


def parse_question(text: str) -> Question:
    """The question that a text is.

    Raises:
        ValueError: it is none.
    """
    found = _QUESTION.fullmatch(text)
    if found is None:
        raise ValueError(f"this is no question of ours: {text[:100]!r}")
    words, name, rate = found.groups()
    return Question(name, int(words), float(rate))


def rest_of(question: Question, said: str) -> list[str]:
    """The pieces of an answer behind what was said of it.

    Raises:
        ValueError: something else was said.
    """
    whole = question.answer
    if not whole.startswith(said):
        raise ValueError(f"the answer to {question.text!r} does not begin with {said[-100:]!r}")
    pieces, length = question.pieces, 0
    for number, piece in enumerate(pieces):
        if length + len(piece) > len(said):
            return [piece[len(said) - length :], *pieces[number + 1 :]]
        length += len(piece)
    return []
