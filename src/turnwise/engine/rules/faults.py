"""Faults: what is seen to be wrong with a program before it is run.

A small model's programs are often none: they do not parse, they use what is not there, or they compute with other
numbers than the request's. All this can be seen without running them, and what has such faults is written again. What
a program gives is never looked at here, and no program is mended but for the modules that it forgot to import.
"""

import ast
import builtins
import re
from collections.abc import Iterator
from typing import TypeGuard

from turnwise.engine.rules.values import NUMBERS, read_values

MODULES = {
    "math": "import math",
    "statistics": "import statistics",
    "calendar": "import calendar",
    "random": "import random",
    "itertools": "import itertools",
    "collections": "import collections",
    "fractions": "import fractions",
    "string": "import string",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "Fraction": "from fractions import Fraction",
    "Decimal": "from decimal import Decimal",
    "Counter": "from collections import Counter",
    "sqrt": "from math import sqrt",
    "pi": "from math import pi",
    "factorial": "from math import factorial",
    "gcd": "from math import gcd",
    "lcm": "from math import lcm",
    "reduce": "from functools import reduce",
    "permutations": "from itertools import permutations",
    "combinations": "from itertools import combinations",
}
"""Names that programs use without saying where they come from, and the line that says it."""

USUAL = frozenset((*range(11), 12, 16, 24, 28, 30, 31, 32, 52, 60, 100, 180, 360, 365, 366))
"""Whole numbers that programs use whatever is asked: bases, hours, per cent."""

IDEAS = (
    (r"\bprimes?\b", r"% ?\(?[a-z]|isprime", "it tries no divisors"),
    (r"\bfactorial\b|\d!", r"factorial|\*|prod", "it multiplies nothing"),
    (r"\bgreatest common|\bgcd\b", r"gcd|%", "it finds no common divisor"),
    (r"\bleast common|\blowest common|\blcm\b", r"lcm|gcd|%", "it finds no common multiple"),
    (r"\b(?:square|cube) root\b", r"sqrt|cbrt|\*\* ?\(?(?:0?\.[35]|1(?:\.0)? ?/)", "it takes no root"),
    (r"\b(?:squares|cubes|squared|cubed|power of)\b", r"\*\*|pow|<<|\b(\w+) ?\* ?\1\b", "it has no power"),
    (r"\b(?:average|mean)\b", r"mean|average|/", "it divides nothing"),
    (r"\bmedian\b", r"median|sort", "it finds no middle"),
    (r"\bstandard deviation\b", r"stdev|std\(|sqrt|\*\* ?0?\.5", "it has no deviation"),
    (r"\b(?:to|in|into) binary\b", r"bin\(|% ?2\b|:0?\d*b\b|\"b\"|'b'", "it writes nothing in binary"),
    (r"\bhex(?:adecimal)?\b", r"hex|16|:\d*[xX]\b", "it has no base 16"),
    (r"\b(?:reverse|reversed|backwards?)\b", r"\[::-1\]|reverse", "it turns nothing round"),
    (r"\bdigits\b", r"str\(|% ?10\b|'\d+'|\"\d+\"", "it takes no number apart"),
    (r"\b(?:day of the week|weekday|(?:which|what) day)\b", r"%A|weekday|day_name", "it tells no day of the week"),
    (r"\bhow many (?:days|weeks)\b.*\d{4}", r"\.days|toordinal", "it counts no days"),
    (r"\b(?:to|in|into) (?:degrees )?celsius\b", r"- ?32\b", "it does not reach Celsius"),
    (r"\b(?:to|in|into) (?:degrees )?fahrenheit\b", r"\+ ?32\b", "it does not reach Fahrenheit"),
    (r"\bcirc(?:le|umference)|\bsphere\b", r"\bpi\b|3\.14", "it knows nothing of pi"),
    (r"\b(?:sort|alphabetical\w*|ascending|descending)\b", r"sort", "it sorts nothing"),
    (r"\bleap\b", r"isleap|% ?4\b", "it knows no leap years"),
    (r"\bvowels?\b", r"(?i)aeiou|'e'|\"e\"", "it knows no vowels"),
    (r"\bhow (?:many times|often)\b", r"count|\+= ?1|sum\(|len\(", "it counts nothing"),
    (r"\bhow (?:many|much|often)\b", r"^(?!.*print\([^()]*(?: in |==)[^()]*\)\s*$)", "it answers yes or no"),
    (r"\bhow many words\b", r"split", "it parts no words"),
    (r"\bproduct\b|\bmultipl(?:y|ied)\b", r"\*|prod\(", "it multiplies nothing"),
    (r"\b(?:sum|add)\b", r"\+|sum\(", "it adds nothing"),
    (r"\b(?:even|odd) numbers\b", r"% ?2\b|, ?2\)", "it tells even from odd nowhere"),
    (r"\b(?:interest|compounded)\b", r"\*\*|\*=|\bfor\b", "nothing grows in it"),
    (r"\d ?(?:%|per ?cent)", r"/ ?100|0?\.\d|1\.\d", "it takes no hundredth part"),
)
"""What a request speaks of, what a program that does it must have somewhere, and what is wrong if it has not."""

NO_PYTHON = "it is no Python"
UNREADABLE, BROKEN = 1000, 20
"""How bad it is to be no Python, and to break; to stray is 1."""

_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_QUOTED = re.compile(r"(?<!\w)'([^']+)'(?!\w)|\"([^\"]+)\"|“([^”]+)”|‘([^’]+)’")
_UP_TO = re.compile(r"(?i)\b(?:to|through|till|until|and including|up to)\b")
_BELOW = re.compile(r"(?i)\b(?:below|under|less than|smaller than)\b")


def with_imports(code: str) -> str:
    """A program with the imports that it forgot."""
    tree = _parsed(code)
    if tree is None:
        return code
    lines = dict.fromkeys(MODULES[name] for name in sorted(_unknown(tree)) if name in MODULES)
    return "\n".join([*lines, code])


def faults(code: str, request: str) -> list[str]:
    """What is wrong with a program that is to do what is requested, each in a few words. The worst come first."""
    tree = _parsed(code)
    if tree is None:
        return [NO_PYTHON]
    return [*_breaking(tree), *_straying(tree, code, request)]


def badness(code: str, request: str) -> int:
    """How bad a program is: 0, where nothing is seen to be wrong. What cannot run is worse than what goes astray."""
    tree = _parsed(code)
    return UNREADABLE if tree is None else BROKEN * len(_breaking(tree)) + len(_straying(tree, code, request))


def _breaking(tree: ast.Module) -> list[str]:
    """Why a program breaks, or gives nothing of its own."""
    found = [f"'{name}' is not defined" for name in _unknown(tree)]
    found += [f"'{name}' has no value yet" for name in _read_too_soon(tree)]
    found += ["it waits for input"] * any(_calls(tree, "input"))
    found += ["it calls itself without end"] * _is_endless(tree)
    found += [] if _shows(tree) else ["it prints nothing"]
    found += ["it prints what is no value"] * any(
        _is_no_value(call.args[0]) for call in _calls(tree, "print") if call.args
    )
    return found + ([] if _computes(tree) else ["it computes nothing"])


def _straying(tree: ast.Module, code: str, request: str) -> list[str]:
    """Where a program does something else than is requested."""
    asked, used = _asked_numbers(request), set(_literals(tree))
    found = [f"it does not use {number:g}" for number in asked if not _forms(number) & used]
    allowed = {form for number in asked for form in _forms(number)} | USUAL
    found += [f"nobody spoke of {number}" for number in used if isinstance(number, int) and number not in allowed]
    found += [f"it does not use '{text}'" for text in _quotations(request) if text.lower() not in code.lower()]
    found += [wrong for asked_for, has, wrong in IDEAS if _lacks(asked_for, has, request, code)]
    return [*found, *_empty_ranges(tree), *_wrong_ends(tree, request), *_wrong_order(code, request)]


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _unknown(tree: ast.Module) -> list[str]:
    """Names that are read and never given a meaning."""
    given = set(dir(builtins)) | {"__name__"}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                given.add(name)
            case ast.arg(arg=name):
                given.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                given |= {(alias.asname or alias.name).split(".")[0] for alias in names}
            case ast.ExceptHandler(name=str(name)):
                given.add(name)
            case _:
                continue
    read = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return list(dict.fromkeys(name for name in read if name not in given))


def _read_too_soon(tree: ast.Module) -> list[str]:
    """Names of the program itself that are read, outside of functions, before they get their first value."""
    given: set[str] = set()
    early: list[str] = []
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for line in tree.body:
        if isinstance(line, ast.Assign | ast.AugAssign | ast.AnnAssign) and line.value is not None:
            nodes = [line.value] if not isinstance(line, ast.AugAssign) else [line.value, line.target]
            names = {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}
            own = {each.id for node in nodes for each in ast.walk(node) if _is_own(each)}
            early += sorted((names & bound) - own - given - set(dir(builtins)))
        given |= {
            node.id for node in ast.walk(line) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        }
    return early


def _is_own(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether it is the variable of a comprehension."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _is_endless(tree: ast.Module) -> bool:
    """Whether a function calls itself on no condition, or so often that it takes too long: twice and more."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        within = ast.Module(function.body, [])
        calls = len(list(_calls(within, function.name)))
        conditions = any(isinstance(node, ast.If | ast.IfExp | ast.While) for node in ast.walk(within))
        if (calls and not conditions) or (calls > 1 and not function.decorator_list):
            return True
    return False


def _lacks(asked_for: str, has: str, request: str, code: str) -> bool:
    bare = _QUOTED.sub(" ", request)
    return bool(re.search(asked_for, bare, re.IGNORECASE)) and not re.search(has, code)


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _shows(tree: ast.Module) -> bool:
    """Whether something is printed, or the last line is a value."""
    return any(call.args for call in _calls(tree, "print")) or (bool(tree.body) and isinstance(tree.body[-1], ast.Expr))


def _is_no_value(node: ast.expr) -> bool:
    """Whether what is printed says nothing: an expression that was not gone through, a function that was not called."""
    return isinstance(node, ast.GeneratorExp | ast.Lambda)


def _computes(tree: ast.Module) -> bool:
    """Whether anything is worked out: a program that prints a number has only been told it."""
    working = (ast.BinOp, ast.Compare, ast.Subscript, ast.AugAssign, ast.For, ast.While, ast.comprehension)
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(isinstance(node, working) for node in ast.walk(tree)) or any(
        not (isinstance(call.func, ast.Name) and call.func.id in ("print", "str", "int", "float")) for call in called
    )


def _literals(tree: ast.Module) -> Iterator[int | float]:
    """The numbers that a program is written with, also those in its texts."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=bool()):
                continue
            case ast.Constant(value=int() | float() as number):
                yield number
            case ast.Constant(value=str(text)):
                yield from _numbers(text)
            case _:
                continue


def _numbers(text: str) -> list[int | float]:
    plain = (match.group().replace(",", "") for match in _NUMBER.finditer(text))
    return [float(number) if "." in number else int(number) for number in plain]


def _asked_numbers(request: str) -> list[int | float]:
    """The numbers of a request, in digits and, from two on, in words; of quotations none."""
    bare = _QUOTED.sub(" ", request)
    dates = [value for value in read_values(bare) if value.kind == "date" and re.match(r"\d", str(value.meaning))]
    for value in reversed(dates):
        bare = f"{bare[: value.start]} {str(value.meaning).replace('-', ' ')} {bare[value.end :]}"
    spoken = [NUMBERS[word] for word in re.findall(r"[a-z]+", bare.lower()) if word in NUMBERS and NUMBERS[word] > 1]
    digits = _numbers(_parted(bare))
    return list(dict.fromkeys([*digits, *spoken]))


def _parted(text: str) -> str:
    """A text whose numbers stand alone: of "50th" the 50, of "2024-03-01" three."""
    return re.sub(r"(?<=\d)(?=(?:st|nd|rd|th|x)\b)|(?<=\d)[-/](?=\d)", " ", re.sub(r"(?<![\d.,])0+(?=\d)", "", text))


def _forms(number: int | float) -> set[int | float]:
    """How a program may write a number of a request: as it is, as the end of a range, as a part of a hundred."""
    return {
        number,
        number + 1,
        number - 1,
        round(number / 100, 6),
        round(1 + number / 100, 6),
        round(1 - number / 100, 6),
    }


def _quotations(request: str) -> list[str]:
    """What a request gives word for word: in quotation marks, or as a list of words behind a colon."""
    behind = re.search(r":\s*(\w+(?:(?:,| and|, and) \w+)+)\W*$", request)
    listed = re.findall(r"(?!and\b)[^\W\d]+", behind[1]) if behind else []
    return listed + [next(group for group in match.groups() if group) for match in _QUOTED.finditer(request)]


def _whole(node: ast.expr) -> int | None:
    """What an expression of whole numbers gives: `40 + 1`."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            one, other = _whole(left), _whole(right)
            if one is None or other is None:
                return None
            return one + other if isinstance(sign, ast.Add) else one - other
        case _:
            return None


def _ranges(tree: ast.Module) -> Iterator[tuple[int, int, int]]:
    """The beginning, the end and the step of ranges that are written in numbers."""
    for call in _calls(tree, "range"):
        values = [_whole(argument) for argument in call.args]
        whole = [value for value in values if value is not None]
        if len(whole) == len(values) and 1 <= len(whole) <= 3:
            start, end = (0, whole[0]) if len(whole) == 1 else (whole[0], whole[1])
            yield start, end, whole[2] if len(whole) == 3 else 1


def _empty_ranges(tree: ast.Module) -> list[str]:
    return [f"range({start}, {end}) is empty" for start, end, step in _ranges(tree) if not range(start, end, step or 1)]


def _wrong_ends(tree: ast.Module, request: str) -> list[str]:
    """Ranges that end one too soon or too late: in Python the end is not in it."""
    numbers = [number for number in _asked_numbers(request) if isinstance(number, int) and number > 1]
    ends = {end for start, end, _ in _ranges(tree) if start > 0}
    if _BELOW.search(request):
        return [f"{number} is not below {number}" for number in numbers if number + 1 in ends]
    if _UP_TO.search(request) or re.search(r"(?i)\bfirst \d", request):
        return [f"{number} is left out" for number in numbers if number in ends and number + 1 not in ends]
    return []


def _wrong_order(code: str, request: str) -> list[str]:
    """A sorting the other way round."""
    backwards = bool(re.search(r"reverse ?= ?True|\[::-1\]", code))
    falling = re.search(r"(?i)\b(?:descending|(?:largest|biggest|highest) (?:to|first)|z to a)\b", request)
    rising = re.search(r"(?i)\b(?:ascending|(?:smallest|lowest) (?:to|first)|alphabetical\w*|a to z)\b", request)
    return ["the order is the wrong one"] * (
        bool(rising and not falling and backwards) or bool(falling and not backwards)
    )
