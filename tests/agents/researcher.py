"""A model that is good at research, as a script that can be read: what any good model would answer to these prompts.

It knows nothing of the world. It plans by the words of the request, copies sentences that share words with a question,
writes them up with their numbers, and says of a statement that it is borne out if its source has all of its words.
What a test wants otherwise is put into `instead`: by the name of a property of the schema, a function from the prompt
to the answer.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Answer = dict[str, Any]

TRUE = {"a": True, "b": False, "c": True, "d": False, "e": True, "f": False, "g": True, "h": False}
"""Which statements of the reading test are so."""

_SOURCE = re.compile(r'<source number="(\d+)"[^>]*>\n(.*?)\n</source>', re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


class Researcher:
    """Answers requests for chat completions."""

    def __init__(self, instead: Mapping[str, Callable[[str], Answer]] | None = None) -> None:
        self.prompts: list[str] = []
        """What it was asked, oldest first."""
        self._instead = dict(instead or {})

    def answer(self, body: dict) -> str:
        """The text that answers a request."""
        properties = body["response_format"]["json_schema"]["schema"]["properties"]
        prompt = body["messages"][-1]["content"]
        self.prompts.append(prompt)
        kind = next(iter(properties))
        answers = {
            "a": lambda _: TRUE,
            "title": plan,
            "calls": lambda _: {"calls": []},
            "notes": take_notes,
            "open": lambda _: {"open": []},
            "text": write,
            "borne_out": verify,
            "answered": reply,
            "charts": lambda _: {"charts": []},
        }
        return json.dumps({**answers, **self._instead}[kind](prompt))

    def asked(self, kind: str) -> list[str]:
        """The prompts that have this in them."""
        return [prompt for prompt in self.prompts if kind in prompt]


def plan(prompt: str) -> Answer:
    """Two questions about the request; a third one for what somebody adds to a plan."""
    questions = [
        {"question": "How did the first Google TPU come about?", "queries": ["first Google TPU"]},
        {"question": "Which generations of Google TPUs followed?", "queries": ["Google TPU generations announced"]},
    ]
    if added := re.search(r"They now say:\n\nAdd (.*)\n", prompt):
        questions.append({"question": f"What about {added[1]}", "queries": [f"Google TPU {added[1]}"]})
    return {"title": "A history of Google TPUs", "questions": questions}


def take_notes(prompt: str) -> Answer:
    """Every sentence that has a word of a question, for the first such question."""
    questions = re.findall(r"^(\d+)\. (.+)$", prompt.partition("<source")[0], re.MULTILINE)
    notes = []
    for number, text in _SOURCE.findall(prompt):
        for sentence in _sentences(text):
            fitting = [int(place) for place, question in questions if len(_words(question) & _words(sentence)) >= 2]
            if fitting and sentence.endswith("."):
                notes.append({"question": fitting[0], "source": int(number), "quote": sentence})
    return {"notes": notes[:40]}


def write(prompt: str) -> Answer:
    """What the sources say, sentence by sentence, each with its number; of the report, its first sentences."""
    sources = _SOURCE.findall(prompt)
    if not sources:
        return {
            "text": " ".join(re.findall(r"^[^\n#]*?\[\d+\]", prompt.partition("sources:\n\n")[2], re.MULTILINE)[:2])
        }
    return {
        "text": "\n\n".join(
            " ".join(f"{sentence[:-1]} [{number}]." for sentence in _sentences(text)) for number, text in sources
        )
    }


def verify(prompt: str) -> Answer:
    """The statements whose source has all of their words."""
    statements = re.findall(r"^Statement (\d+): (.*)\n<source.*>\n((?:.*\n)*?)</source>", prompt, re.MULTILINE)
    return {"borne_out": [int(number) for number, said, source in statements if _words(said) <= _words(source)]}


def reply(prompt: str) -> Answer:
    """The sentences of the report that have two words of what is asked."""
    asked = _words(prompt.rpartition("They ask: ")[2])
    found = [
        f"{sentence.rstrip('.')} [{number}]."
        for number, text in _SOURCE.findall(prompt)
        for sentence in _sentences(text)
        if len(asked & _words(sentence)) >= 2
    ]
    return {"answered": bool(found), "text": " ".join(found)}


def _sentences(text: str) -> list[str]:
    return [one for line in text.splitlines() for one in _SENTENCE.split(line.strip()) if one.endswith(".")]


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 2} - {
        "the",
        "and",
        "did",
    }
