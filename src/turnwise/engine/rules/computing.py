"""Computing: which requests are to be computed, how a model is brought to write the program, and what its run says.

The program is the model's: it is shown examples (`programs.py`) and writes the lines as a JSON list, or, where no
example is near, writes a program in its own way. What is seen to be wrong before it runs (`faults.py`) is written again
with other examples and another throw of the dice. What is answered is what the run printed, and nothing else.

    for draft in drafts(request, failed):     how to ask the model, the likeliest way first
        code = draft.code(text)               the program in what it made
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from turnwise.domain.content import Text
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput
from turnwise.domain.tools import Schema
from turnwise.engine.rules.faults import with_imports
from turnwise.engine.rules.programs import examples_for, is_familiar
from turnwise.engine.rules.speaking import ASKING, POLITE
from turnwise.models.model import Prompt

TRIES = 3
"""How often a program is run in a turn until one works."""

FEWER = 3
"""How often a program is written anew for a run after the first, at the most."""

TOKENS = 200
"""How long a program may be."""

LONGEST_ERROR = 300
"""In characters."""

LINES: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 16,
    "items": {"type": "string", "minLength": 1, "maxLength": 120},
}
"""A program as JSON: its lines."""

_SYSTEM = "You write short Python programs that compute what is asked and print it."
_OWN_WAYS = ("Write Python code to do this: {request} Print the result.",
             "Write a Python program. {request} Use a loop and print the result.")  # fmt: skip

_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
_RUN = re.compile(r"(?i)\b(?:run|execute|evaluate|what (?:does|will|is)|output|result|try|test)\b")

_DEED = re.compile(
    r"(?i)^(?:calculate|compute|evaluate|solve|work out|add(?: up)?|sum(?: up)?|multiply|divide|subtract|"
    r"factor(?:i[sz]e)?|"
    r"simulate|plot|graph|integrate|differentiate|(?:run|execute|use) (?:\w+ ){0,3}(?:code|python|program|script)|"
    r"(?:use|with|in) python)\b"
)
_WITH_NUMBERS = re.compile(
    r"(?i)\b(?:sort|count|convert|average|mean|median|sum|total|product|difference|percent(?:age)?|interest|area|"
    r"volume|"
    r"radius|perimeter|circumference|how (?:many|much|old|long)|number of|prime|fibonacci|factorial|digits?|sequence|"
    r"binary|"
    r"hexadecimal|power|root|squared?|cubed?|divisors?|multiples?|generate|list|roll|random|remainder|modulo|plus|"
    r"minus|"
    r"times|divided by|multiplied by|ratio|probability|deviation|variance|logarithm|sine?|cosine|tangent|leap|"
    r"triangular|"
    r"days?|weeks?|hours?|minutes?)\b|\d ?%"
)
"""Words of computations, in requests that have numbers."""
_WORLD = re.compile(r"(?i)\b(?:who|where|why|won|wrote|born|died|president|capital|population|invented|happened)\b")
_SUM = re.compile(r"(?<![\w.])\(?-?\d[\d.,]*\)? ?(?:[-+*/×÷^%]|\*\*|x(?= ?\d)) ?\(?-?\d")
_LETTERS = re.compile(
    r"(?i)\b(?:how (?:many|often)\b.*\b(?:letters?|characters?|words?|vowels?|consonants?|times|syllables?|[a-z]s|"
    r"[a-z]'s)\b|"
    r"reverse|count|sort|spell\b.*\bbackwards?|backwards|palindrome|anagram|alphabetical(?:ly)?)\b"
)
_DATES = re.compile(
    r"(?i)\b(?:how many (?:days|weeks|months|years|hours)|(?:what|which) (?:day|weekday)|day of the week|leap year)\b"
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred|thousand|million)\b"
)
_QUOTED = re.compile(r"['\"“‘][^'\"”’]+['\"”’]")
_SEQUENCE = re.compile(
    r"(?i)\b(?:fibonacci|prime|factorial|pascal|collatz|catalan|perfect number|triangular|pi|euler)\b"
)


def is_computation(request: str) -> bool:
    """Whether a request asks for something that is computed, and not for something that one knows."""
    bare = ASKING.sub("", POLITE.sub("", request.strip()))
    has_number = bool(_NUMBER.search(bare))
    if _DEED.match(bare) and (has_number or _SEQUENCE.search(bare) or _QUOTED.search(bare) or "python" in bare.lower()):
        return True
    if _SUM.search(re.sub(r"\b\d{4}-\d\d-\d\d\b|\b(?:\d+-){2,}\d+\b|\b\d{4}[-–]\d{2,4}\b", " ", bare)):
        return not _WORLD.search(bare)
    if re.search(
        r"(?i)\bhow many (?:times )?(?:the letter )?['\"]?[a-z]['\"]?(?:['’]?s)? (?:is|are|does|do|in)\b", bare
    ):
        return True
    if _LETTERS.search(bare) and (_QUOTED.search(bare) or ":" in bare):
        return True
    if _DATES.search(bare) and has_number:
        return not _WORLD.search(bare)
    if re.search(r"(?i)\b(?:plot|chart|graph|histogram)\b", bare) and re.match(
        r"(?i)(?:plot|draw|make|create|show|graph)\b", bare
    ):
        return True
    return has_number and bool(_WITH_NUMBERS.search(bare)) and not _WORLD.search(bare) and _is_about_numbers(bare)


def _is_about_numbers(bare: str) -> bool:
    """Whether the numbers of a request are what it is about: there are several, or it is named for how they are."""
    several = len(re.findall(r"\d+(?:\.\d+)?", bare)) > 1
    named = re.search(
        r"(?i)\b(?:sort|convert|average|mean (?=of\b)|median|sum|product|primes?|fibonacci|factorial|digits?|binary|"
        r"hexadecimal|power|root|"
        r"squared?|cubed?|divisors?|multiples?|radius|percent|interest|random|remainder|deviation|logarithm|"
        r"triangular)\b|\d ?%",
        bare,
    )
    return bool(named) or (several and bool(re.search(r"(?i)\b(?:how (?:much|many)|plus|minus|times|total)\b", bare)))


def given_code(request: str) -> str:
    """The code that a request brings along to be run. Empty: it brings none, or wants something else with it."""
    block = _BLOCK.search(request)
    around = _BLOCK.sub(" ", request)
    return block[1].strip("\n") if block and _RUN.search(around) else ""


# -- how the model is asked


@dataclass(frozen=True, slots=True)
class Draft:
    """A way to ask for a program."""

    prompt: Prompt
    read: Callable[[str], str]

    def code(self, text: str) -> str:
        """The program in what the model made, with the imports that it forgot."""
        return with_imports(self.read(text))


def drafts(request: str, failed: Sequence[tuple[str, str]] = ()) -> list[Draft]:
    """The ways to ask for a program, the likeliest first. `failed`: programs that were run, and what became of them."""
    warm = 0.4 if failed else 0.0
    near = [_lines(request, failed, most, warm) for most in (3, 1, 2)]
    own = [_own(request, failed, way, warm) for way in range(len(_OWN_WAYS))]
    asked = [*near, *own] if is_familiar(request) else [*own, *near]
    return asked[:FEWER] if failed else [*asked, _lines(request, failed, 4, 0.3)]


def _lines(request: str, failed: Sequence[tuple[str, str]], most: int, temperature: float) -> Draft:
    """By examples, as a list of lines."""
    steps: list[Step] = []
    for one in examples_for(request, most):
        steps += _exchange(one.request, json.dumps(one.code.split("\n")))
    for code, error in failed[-1:]:
        steps += _exchange(request, json.dumps(_without_imports(code)))
        request = f"That failed: {error}\nWrite the program again: {request}"
    return Draft(_prompt([*steps, UserInput((Text(request),))], temperature, len(failed), LINES), _read_lines)


def _own(request: str, failed: Sequence[tuple[str, str]], way: int, temperature: float) -> Draft:
    """In the model's own way."""
    asked = _OWN_WAYS[way].format(request=request.strip())
    steps: list[Step] = []
    for code, error in failed[-1:]:
        steps += _exchange(asked, f"```python\n{code}\n```")
        asked = f"Write Python code again. That failed: {error}"
    return Draft(_prompt([*steps, UserInput((Text(asked),))], temperature, len(failed), None), _read_block)


def _exchange(asked: str, answered: str) -> tuple[Step, Step]:
    return UserInput((Text(asked),)), ModelOutput((Text(answered),))


def _prompt(steps: Sequence[Step], temperature: float, seed: int, schema: Schema | None) -> Prompt:
    # A seed has a backend read the prompt anew, so that the same request leads to the same program.
    generation = GenerationConfig(temperature=temperature, max_output_tokens=TOKENS, seed=seed + 1)
    return Prompt(steps, _SYSTEM, schema=schema, generation=generation, streaming=False)


def _without_imports(code: str) -> list[str]:
    return [line for line in code.split("\n") if not re.match(r"(?:import|from) ", line)]


def _read_lines(text: str) -> str:
    try:
        lines = json.loads(text)
    except ValueError:
        return text
    return "\n".join(str(line) for line in lines) if isinstance(lines, list) else str(lines)


def _read_block(text: str) -> str:
    block = _BLOCK.search(text)
    return (block[1] if block else text).strip("\n")


# -- what came of it


def runs_of(name: str, steps: Sequence[Step]) -> list[tuple[str, FunctionResult]]:
    """The programs that were run since the user spoke last, with what came of each."""
    codes: dict[str, str] = {}
    runs: list[tuple[str, FunctionResult]] = []
    for step in steps:
        match step:
            case UserInput():
                codes, runs = {}, []
            case FunctionCall(id, called, arguments) if called == name:
                codes[id] = str(arguments.get("code", ""))
            case FunctionResult(call_id) if call_id in codes:
                runs.append((codes[call_id], step))
            case _:
                continue
    return runs


def printed(result: FunctionResult) -> str:
    """What a run printed, without what is said of it in brackets. Empty: nothing."""
    told = result.result if isinstance(result.result, str) else ""
    return re.sub(
        r"(?m)^\[(?:The code ran and printed nothing\.|This sandbox is a new one\b.*|File .*)\]\n?", "", told
    ).strip()


def worked(result: FunctionResult) -> bool:
    """Whether a run gave something: words, or a file."""
    files = isinstance(result.result, str) and "[File handed over: " in result.result
    return not result.is_error and bool(printed(result) or files)


def error_of(result: FunctionResult) -> str:
    """Why a run gave nothing, in one line: the last one of a traceback."""
    lines = [line for line in printed(result).splitlines() if line.strip()]
    if not lines:
        return "it printed nothing"
    return lines[-1].strip().strip("[]")[:LONGEST_ERROR]


def said_of_run(request: str, result: FunctionResult) -> str:
    """What a run gave, in words of the request: "The 7th power of 2 is 128." """
    output = printed(result)
    if not output:
        return "The code has run, and made a file."
    lines = output.splitlines()
    if len(lines) > 1 or len(output) > 500:
        return f"The code printed:\n\n{output}"
    if re.search(r"[A-Za-z]{2,} .*[A-Za-z]{2,}", output):
        return output if output.endswith((".", "!", "?")) else f"{output}."
    subject = _subject(request)
    return f"{subject} {output}." if subject else f"The result is {output}."


def said_of_failures(runs: Sequence[tuple[str, FunctionResult]]) -> str:
    """That no run gave anything, and why the last one did not."""
    tries = {1: "It failed", 2: "It failed twice"}.get(len(runs), f"It failed {len(runs)} times")
    last = error_of(runs[-1][1]).rstrip(".")
    return f"I could not compute this. I wrote code and ran it. {tries}; the last time: {last}."


_WANTED = re.compile(
    r"(?i)^(?:please )?(?:calculate|compute|evaluate|determine|work out|find|what(?:'s| is| are| was| were)|give me|"
    r"tell me|"
    r"list|show(?: me)?) (?!how\b|what\b|if\b|whether\b)(?P<what>[^?!\n:]+?)[.?!]*$"
)
_IS = re.compile(r"(?i)\b(?:is|are|was|were|do|does|using|with python|in python|and then)\b")


def _subject(request: str) -> str:
    """What a request asks for, as the beginning of a sentence: "The area of the field is". Empty: it does not say it
    in so many words."""
    bare = ASKING.sub("", POLITE.sub("", request.strip()))
    found = _WANTED.match(bare)
    what = found["what"].strip() if found else ""
    if not what or _IS.search(what) or len(what) > 120 or re.search(r"[.;] ", what):
        return ""
    many = re.match(
        r"(?i)(?:the |all )?(?:\w+ ){0,2}?(?:numbers|words|primes|divisors|factors|days|years|digits)\b", what
    )
    verb = "are" if many and not re.match(r"(?i)(?:the )?(?:sum|number|product|average|total)\b", what) else "is"
    return f"{what[:1].upper()}{what[1:]} {verb}"
