"""Where sources come from: search, pages, files, and whatever other functions there are.

Everything that is asked of the world is a step of the desk, whose name says what it is. Pages to read are chosen by
rule, from what was found and from what the request names: no page can send the agent anywhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial

from turnwise.agents.agent import Desk
from turnwise.agents.deep_research.asking import Asker, side_by_side
from turnwise.agents.deep_research.effort import Effort
from turnwise.agents.deep_research.planning import Plan
from turnwise.agents.deep_research.sources import Finding, findings, remembered
from turnwise.agents.deep_research.words import addresses, meaning
from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema

WEB = "google_search"
FILES = "file_search"
PAGES = "url_context"
CODE = "code_execution"

ON_THE_WEB = ("http://", "https://")

_CALLING = """You look after a piece of research. Besides search you have the functions below. Say which calls of them
give facts or figures for its questions. `arguments` is a JSON object, as text, that fits the function's parameters.
Name no call at all if none helps."""

_ASKED = re.compile(
    r"(?i)^(?:q|query|question|search|search_?(?:query|term|text)|text|topic|term|keywords?|prompt|input)$"
)
"""Parameters that take what one wants to know."""


class Searcher:
    """Finds and reads, within the bounds of an effort."""

    def __init__(self, desk: Desk, asker: Asker, effort: Effort, plan: Plan, asked: str) -> None:
        self.searched: list[str] = []
        """Every query, in its order."""
        self.failures: list[str] = []
        """Why searches and pages came to nothing, each reason once."""
        self._desk = desk
        self._asker = asker
        self._effort = effort
        self._plan = plan
        self._asked = asked
        self._visited: set[str] = set()
        self._called = 0

    @property
    def can_find(self) -> bool:
        """Whether there is anything to find something with."""
        further = [one for one in self._further() if one.name not in self._functions(CODE)]
        return bool(self._functions(WEB, FILES) or further or self.named_pages([]))

    def affordable(self, queries: Sequence[str]) -> list[str]:
        """Those that were not tried, in these words or in a like order of them; no more than there may be."""
        if not self._functions(WEB, FILES):
            return []
        tried = {meaning(query) for query in self.searched}
        fresh = {meaning(query): query for query in reversed(queries) if meaning(query) not in tried}
        return list(reversed(fresh.values()))[: max(0, self._effort.searches - len(self.searched))]

    async def search_web(self, queries: Sequence[str]) -> list[Finding]:
        """What the search engine finds for all of these."""
        self.searched += [query for query in queries if query not in self.searched]
        return await self._search(WEB, [(query, {"queries": [query]}) for query in queries])

    async def search_files(self, queries: Sequence[str]) -> list[Finding]:
        """What the file search stores have of all of these."""
        self.searched += [query for query in queries if query not in self.searched]
        return await self._search(FILES, [(query, {"query": query}) for query in queries])

    def named_pages(self, given: Sequence[str]) -> list[str]:
        """The pages that the request names, or that came along."""
        named = [url for url in addresses(self._asked) if url.startswith(ON_THE_WEB)]
        return list(dict.fromkeys([*given, *named])) if self._functions(PAGES) else []

    def pages_worth_reading(self, found: Sequence[Finding]) -> list[str]:
        """The addresses that have most to do with the plan, of those that were not read. Of equals, what came first."""
        if not self._functions(PAGES):
            return []
        wanted = meaning(self._plan.words)
        shares = {
            one.place: len(wanted & meaning(f"{one.title} {one.text}"))
            for one in found
            if one.place.startswith(ON_THE_WEB) and one.place not in self._visited
        }
        most = max(1, self._effort.pages // self._effort.rounds)
        return sorted((place for place in shares if shares[place]), key=lambda place: -shares[place])[:most]

    def affordable_pages(self, pages: Sequence[str]) -> list[str]:
        """Each once, and no more than there may be."""
        return list(dict.fromkeys(pages))[: max(0, self._effort.pages - len(self._visited))]

    async def read(self, pages: Sequence[str]) -> list[Finding]:
        """What stands on these pages."""
        self._visited.update(pages)
        reader = self._functions(PAGES)[0]
        return _all(
            await side_by_side([partial(self._use, f"page: {url}", reader, {"urls": [url]}, url) for url in pages])
        )

    async def call(self, number: int, questions: Sequence[int]) -> list[Finding]:
        """What functions give that are no search: those of MCP servers, and what code computes. `number` tells this
        time from others, `questions` are the places of those that need it."""
        functions = {function.name: function for function in self._further()}
        if not functions or not questions:
            return []
        calls = [call for call in await self._calls(number, functions, questions) if call[0] in functions]
        calls = calls[: self._effort.calls - self._called]
        self._called += len(calls)
        works = [
            partial(self._use, f"call {number}.{place}: {name}", name, arguments, _written(name, arguments))
            for place, (name, arguments) in enumerate(calls, 1)
        ]
        return _all(await side_by_side(works))

    def _functions(self, *types: str) -> list[str]:
        return [name for name, type in self._desk.functions.items() if type in types]

    def _further(self) -> list[FunctionTool]:
        """The functions that are neither search nor pages."""
        own = self._functions(WEB, FILES, PAGES)
        return [function for function in self._desk.offered if function.name not in own]

    async def _search(self, type: str, asked: Sequence[tuple[str, Mapping[str, JSON]]]) -> list[Finding]:
        works = [
            partial(self._use, f"search: {name}: {query}", name, arguments, f"{name}: {query}")
            for name in self._functions(type)
            for query, arguments in asked
        ]
        return _all(await side_by_side(works))

    async def _use(self, step: str, function: str, arguments: Mapping[str, JSON], call: str) -> list[Finding]:
        """What came of a function, once and for all."""
        is_search = function in self._functions(WEB, FILES, PAGES)

        async def use() -> JSON:
            used = await self._desk.use(function, arguments)
            failure = str(used.told).strip()[:500] if used.is_error else ""
            return [[finding.kept() for finding in findings(used, call, is_search=is_search)], failure]

        found, failure = await self._desk.step(step, use)
        if failure and failure not in self.failures:
            self.failures.append(failure)
        return list(map(remembered, found))

    async def _calls(
        self, number: int, functions: Mapping[str, FunctionTool], questions: Sequence[int]
    ) -> list[tuple[str, dict[str, JSON]]]:
        """Which calls to make. Whoever decides it has seen the questions, and nothing that was read."""
        described = "\n".join(
            json.dumps({"name": one.name, "description": one.description, "parameters": one.parameters})
            for one in functions.values()
        )
        asked = f"The request: {self._asked}\n\nThe questions:\n{self._plan.listed(questions)}"
        schema = _calls_schema(list(functions), self._effort.calls)
        answer = await self._asker.ask(f"calls {number}", _CALLING, f"{asked}\n\nThe functions:\n{described}", schema)
        if answer is None:
            return self._calls_by_rule(functions, questions) if number == 1 else []
        return [
            (call["function"], arguments)
            for call in answer["calls"]
            if isinstance(arguments := _object(call["arguments"]), dict)
        ]

    def _calls_by_rule(
        self, functions: Mapping[str, FunctionTool], questions: Sequence[int]
    ) -> list[tuple[str, dict[str, JSON]]]:
        """Of the functions that take one question, each for every question."""
        code = self._functions(CODE)
        asking = {name: parameter for name, one in functions.items() if (parameter := _asked_for(one))}
        return [
            (name, {parameter: self._plan.questions[place].queries[0]})
            for name, parameter in asking.items()
            for place in questions
            if name not in code
        ]


def _all(came: Sequence[Sequence[Finding]]) -> list[Finding]:
    return [finding for found in came for finding in found]


def _written(function: str, arguments: Mapping[str, JSON]) -> str:
    """A call as people write it."""
    return f"{function}({json.dumps(arguments, ensure_ascii=False)[:200]})"


def _calls_schema(names: Sequence[str], most: int) -> Schema:
    call = {
        "type": "object",
        "properties": {"function": {"type": "string", "enum": list(names)}, "arguments": {"type": "string"}},
        "required": ["function", "arguments"],
        "additionalProperties": False,
    }
    calls = {"type": "array", "items": call, "maxItems": most}
    return {"type": "object", "properties": {"calls": calls}, "required": ["calls"], "additionalProperties": False}


def _object(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _asked_for(function: FunctionTool) -> str:
    """The one parameter of a function that takes what one wants to know. None: nothing can be said without thinking."""
    required = function.parameters.get("required") or list(function.parameters.get("properties", {}))[:1]
    return str(required[0]) if len(required) == 1 and _ASKED.match(str(required[0])) else ""
