"""Reporting: what is said of the results of the server's tools, each in the manner of its tool.

    searched for    the sentences of the results that answer; or that none does, and what comes closest
    read            a summary, or the sentences that answer what was asked about it; or why it could not be read
    computed        what the run printed, in the words of the request; or how it failed

All of it stands in the results. Nothing is added that they do not say.
"""

import re
from collections.abc import Mapping, Sequence

from turnwise.domain.content import JSON
from turnwise.domain.steps import FunctionCall, FunctionResult, ServerTool, Step, UserInput
from turnwise.engine.rules.calling import render_result, text_of
from turnwise.engine.rules.computing import said_of_failures, said_of_run, worked
from turnwise.engine.rules.findings import read_failures, read_findings, stopped
from turnwise.engine.rules.questions import query_of
from turnwise.engine.rules.searching import answer_from, closest
from turnwise.engine.rules.serving import request_before
from turnwise.engine.rules.speaking import shortened
from turnwise.engine.rules.summing_up import summary, wants_summary

LONG = 600
"""In characters: a result of any tool that is longer is not told whole."""


def results_of(steps: Sequence[Step]) -> list[tuple[FunctionCall | None, FunctionResult]]:
    """The results since the user spoke last, each with its call."""
    calls: dict[str, FunctionCall] = {}
    found: list[tuple[FunctionCall | None, FunctionResult]] = []
    for step in steps:
        match step:
            case UserInput():
                found = []
            case FunctionCall(id):
                calls[id] = step
            case FunctionResult(call_id):
                found.append((calls.get(call_id), step))
            case _:
                continue
    return found


def last_request(steps: Sequence[Step]) -> tuple[str, Sequence[Step]]:
    """What the user said last, and what was before it."""
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if isinstance(step, UserInput):
            return shortened(text_of(step)), steps[:index]
    return "", ()


def question_of(steps: Sequence[Step]) -> str:
    """The last question, said in full where it goes on from an earlier one."""
    said, history = last_request(steps)
    before = request_before(said, history)
    return query_of(said, before) if before else said


def report(steps: Sequence[Step], served: Mapping[str, ServerTool]) -> str:
    """What is to be said of all results since the user spoke last."""
    question, (request, _) = question_of(steps), last_request(steps)
    results = results_of(steps)
    runs = [(_code(call), result) for call, result in results if served.get(result.name or "") == "code_execution"]
    said: list[str] = []
    for call, result in results:
        kind = served.get(result.name or "")
        if kind == "code_execution":
            said += [said_of_run(request, result)] if worked(result) else []
        elif kind == "url_context":
            said.append(_say_read(request, question, result))
        elif kind in ("google_search", "file_search"):
            said.append(_say_found(question, call, result, kind))
        else:
            said.append(_say_other(question, result))
    if runs and not any(worked(result) for _, result in runs):
        said.append(said_of_failures(runs))
    return "\n\n".join(dict.fromkeys(part for part in said if part))


def _code(call: FunctionCall | None) -> str:
    return str(call.arguments.get("code", "")) if call else ""


def _say_found(question: str, call: FunctionCall | None, result: FunctionResult, kind: ServerTool) -> str:
    told = told_of(result)
    answer = "" if result.is_error else answer_from(question, told)
    if answer:
        return answer
    failures = " ".join(stopped(failure) for failure in read_failures(told))
    where = "The documents were searched" if kind == "file_search" else "I searched"
    query = _query(call)
    searched = f'{where} for "{query}"' if query else where
    if result.is_error:
        return f"I cannot answer this. {failures or stopped(told[:LONG])}"
    near = closest(question, told)
    if near:
        return f"{searched}, but nothing that was found answers this directly. What comes closest: {near}"
    return f"{searched}, and found nothing that answers this."


def _query(call: FunctionCall | None) -> str:
    match call.arguments if call else {}:
        case {"queries": [*queries]}:
            return '", "'.join(map(str, queries))
        case {"query": query}:
            return str(query)
        case _:
            return ""


def _say_read(request: str, question: str, result: FunctionResult) -> str:
    told = told_of(result)
    failures = " ".join(stopped(failure) for failure in _failures(told))
    if result.is_error and not read_findings(told):
        return f"I could not read it. {failures}".strip()
    pages = _pages(told)
    if wants_summary(request):
        titled = len(pages) > 1
        parts = [
            f"{title}: {text}" if titled and title else text
            for title, page in pages
            if (text := summary(request, page))
        ]
        said = "\n\n".join(parts)
    else:
        said = answer_from(question, told) or "\n\n".join(text for _, page in pages if (text := summary(request, page)))
    return "\n\n".join(part for part in (said, failures) if part) or "There is nothing to read at this address."


def _failures(told: str) -> list[str]:
    """Why pages were not read, with their addresses."""
    found: list[str] = []
    address = ""
    for line in told.splitlines():
        if re.match(r"https?://\S+$", line.strip()):
            address = line.strip()
        elif line.startswith("Nothing was read"):
            why = re.sub(r"^Nothing was read \(status \w+\): ", "", line)
            found.append(f"{address}: {why}" if address else line)
    return found or list(read_failures(told))


def _pages(told: str) -> list[tuple[str, str]]:
    """What was told of each page: its title, and its lines."""
    parts = re.split(r"(?m)^(?=\[\d+\] )", told)
    pages = [part for part in parts if re.match(r"\[\d+\] ", part)] or [told]
    return [(findings[0].title, page) for page in pages if (findings := read_findings(page))]


def _say_other(question: str, result: FunctionResult) -> str:
    """What a tool of another server gave, or a function: as it is; of a long text, what answers the question."""
    told = render_result(result)
    if len(told) <= LONG or result.is_error:
        return stopped(told[:1].upper() + told[1:])
    return answer_from(question, told) or summary(question, told) or told[:LONG]


def told_of(result: FunctionResult) -> str:
    """What a tool told, as text."""
    return result.result if isinstance(result.result, str) else _texts(result.result)


def _texts(value: JSON) -> str:
    match value:
        case str():
            return value
        case {"type": "text", "text": str(text)}:
            return text
        case list():
            return "\n".join(filter(None, map(_texts, value)))
        case dict():
            return "\n".join(filter(None, map(_texts, value.values())))
        case _:
            return ""
