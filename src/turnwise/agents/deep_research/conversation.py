"""What was said before a piece of research, as far as it matters to it: a plan to go by, a report to ask about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from turnwise.agents.agent import Task
from turnwise.agents.deep_research.planning import Plan, parse_plan
from turnwise.agents.deep_research.sources import Finding
from turnwise.domain.content import JSON, Media, Text, Told
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.steps import ModelOutput, Step, UserInput

CITATIONS = ("url_citation", "file_citation")


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was written before, and what was answered about it since."""

    texts: tuple[tuple[str, tuple[Mapping[str, JSON], ...]], ...]
    """Each with its annotations; the report itself comes first."""

    @property
    def text(self) -> str:
        """The report itself."""
        return self.texts[0][0]

    def findings(self) -> Iterator[Finding]:
        """What it says, each piece as that of the source which it is cited as."""
        for text, annotations in self.texts:
            data = text.encode()
            for annotation in annotations:
                start, end = annotation.get("start_index"), annotation.get("end_index")
                place = annotation.get("url") or annotation.get("document_uri")
                if annotation.get("type") in CITATIONS and place and isinstance(start, int) and isinstance(end, int):
                    said = data[start:end].decode(errors="ignore")
                    citation = {
                        name: annotation[name] for name in annotation if name not in ("start_index", "end_index")
                    }
                    title = str(annotation.get("title") or annotation.get("file_name") or place)
                    yield Finding(f"{said}.", title, str(place), citation)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is asked, and what was said before."""

    said: str
    """What was asked now."""
    asked: str
    """What the research is about: the same, or, if a plan was shown, what that was made for."""
    before: str
    """What was said before, a paragraph each."""
    plan: Plan | None
    """The plan that was shown last, if nothing else was answered since."""
    report: Report | None
    """The report that was written last, if nothing else was answered since."""
    documents: tuple[Finding, ...]
    """Files that came with what was asked, in words."""
    addresses: tuple[str, ...]
    """Files that came with it by their addresses."""


def read(task: Task) -> Conversation:
    """Understand what is asked.

    Raises:
        InvalidRequest: nothing is asked.
        Unimplemented: something came with it that nobody can read.
    """
    said = _words(task.input)
    if not said.strip():
        raise InvalidRequest("there is nothing to do research on: the input has no words", field="input")
    turns = [step for step in task.history if isinstance(step, UserInput | ModelOutput)]
    answers = [step for step in turns if isinstance(step, ModelOutput) and _words([step])]
    plan = parse_plan(_words(answers[-1:]))
    planned = _planned(turns) if plan is not None else []
    return Conversation(
        said,
        _words(planned[:1]) or said,
        "" if plan is not None else "\n\n".join(filter(None, (_words([step]) for step in turns))),
        plan,
        _report(answers) if plan is None else None,
        tuple(_documents([*planned, *task.input])),
        tuple(_addresses(task.input)),
    )


def _planned(turns: Sequence[Step]) -> list[UserInput]:
    """What was asked in the planning that goes on, oldest first: the last inputs between which there are only plans."""
    asked: list[UserInput] = []
    for step in reversed(turns):
        if isinstance(step, UserInput):
            asked.insert(0, step)
        elif _words([step]) and parse_plan(_words([step])) is None:
            break
    return asked


def _report(answers: Sequence[Step]) -> Report | None:
    """The last report among these answers, and what was answered about it from its sources. None: there is none."""
    report: Report | None = None
    for text in (part for step in answers if isinstance(step, ModelOutput) for part in step.content):
        if isinstance(text, Text) and text.annotations:
            if text.text.startswith("# "):
                report = Report(((text.text, text.annotations),))
            elif report is not None:
                report = Report((*report.texts, (text.text, text.annotations)))
    return report


def _words(steps: Sequence[Step]) -> str:
    return "\n\n".join(
        part.text
        for step in steps
        if isinstance(step, UserInput | ModelOutput)
        for part in step.content
        if isinstance(part, Text) and not isinstance(part, Told) and part.text.strip()
    )


def _documents(steps: Sequence[Step]) -> Iterator[Finding]:
    for place, (_, part) in enumerate(_pieces(steps), 1):
        if isinstance(part, Told) and part.text.strip():
            name = f"the {part.kind} that came with the request ({place})"
            yield Finding(part.text, name, name)


def _addresses(steps: Sequence[Step]) -> Iterator[str]:
    for field, part in _pieces(steps):
        if isinstance(part, Media):
            if part.uri is None or not part.uri.startswith(("http://", "https://")):
                raise Unimplemented(
                    f"{field}: deep research reads a {part.type} only where its words can be had; give its text, or "
                    "its address"
                )
            yield part.uri


def _pieces(steps: Sequence[Step]) -> Iterator[tuple[str, object]]:
    for index, step in enumerate(steps):
        if isinstance(step, UserInput):
            for place, part in enumerate(step.content):
                yield f"input[{index}].content[{place}]", part
