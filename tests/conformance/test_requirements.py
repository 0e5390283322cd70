"""The list of requirements and the tests agree, both ways.

`requirements.toml` is the list. Tests are found by reading their files, not by importing them, so the list is checked
in a moment and without any of the tests' own needs. An entry names its tests as pytest does, `path::name`, without
parameters; a test outside this folder says which entry it shows with `@pytest.mark.requirement("id")`.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CONFORMANCE = "tests/conformance/"
SOURCES = ("founding document: ", "contract: §", "conformance harness")


@pytest.fixture(scope="module")
def requirements() -> list[dict]:
    with open(Path(__file__).with_name("requirements.toml"), "rb") as file:
        return tomllib.load(file)["requirement"]


@pytest.fixture(scope="module")
def known_tests() -> dict[str, set[str]]:
    """Every test of the repository by its node id, with the requirements that it is marked with."""
    found: dict[str, set[str]] = {}
    for file in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        found |= collect(file.read_text(encoding="utf-8"), file.relative_to(REPOSITORY).as_posix())
    return found


def collect(source: str, path: str) -> dict[str, set[str]]:
    return dict(_tests_in(ast.parse(source), path, set()))


def _tests_in(parent: ast.Module | ast.ClassDef, prefix: str, marks: set[str]) -> Iterator[tuple[str, set[str]]]:
    marks = marks | _marks_by_assignment(parent)
    for node in parent.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                yield f"{prefix}::{node.name}", marks | _marks_in(node.decorator_list)
            case ast.ClassDef() if node.name.startswith("Test"):
                yield from _tests_in(node, f"{prefix}::{node.name}", marks | _marks_in(node.decorator_list))


def _marks_by_assignment(parent: ast.Module | ast.ClassDef) -> set[str]:
    """What `pytestmark = ...` says for a whole module or class."""
    values = [
        node.value
        for node in parent.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
    ]
    return _marks_in(values)


def _marks_in(expressions: Iterable[ast.expr]) -> set[str]:
    calls = (node for expression in expressions for node in ast.walk(expression) if isinstance(node, ast.Call))
    return {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "requirement"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def named_tests(requirement: dict) -> list[str]:
    named = requirement.get("test", [])
    return [name for name in ([named] if isinstance(named, str) else named) if name]


def expect_none(problems: list[str], what: str) -> None:
    """Fail with the whole list of problems and nothing else."""
    if problems:
        pytest.fail("\n  ".join([f"{len(problems)} {what}:", *sorted(problems)]), pytrace=False)


def test_every_requirement_is_whole(requirements):
    problems = []
    for requirement in requirements:
        name = requirement.get("id", "?")
        if set(requirement) not in ({"id", "says", "source", "test"}, {"id", "says", "source", "open"}):
            problems.append(f"{name}: needs id, says, source and either test or open")
        elif not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name):
            problems.append(f"{name}: an id is words in lower case, with dots and dashes")
        elif not requirement["says"].endswith("."):
            problems.append(f"{name}: says is a sentence")
        elif not requirement["source"].startswith(SOURCES):
            problems.append(f"{name}: a source begins with one of {SOURCES}")
        elif requirement.get("open", True) is not True:
            problems.append(f"{name}: what is not open names its test")
    names = [requirement.get("id") for requirement in requirements]
    problems += [f"{name}: twice in the list" for name in set(names) if names.count(name) > 1]
    expect_none(problems, "faults in the list")


def test_every_requirement_has_a_test_or_is_open(requirements):
    bare = [each["id"] for each in requirements if "open" not in each and not named_tests(each)]
    expect_none(bare, "requirements that are neither open nor have a test")


def test_every_named_test_exists(requirements, known_tests):
    missing = [
        f"{each['id']} names {name}" for each in requirements for name in named_tests(each) if name not in known_tests
    ]
    expect_none(missing, "named tests that do not exist")


def test_every_conformance_test_is_named_by_a_requirement(requirements, known_tests):
    named = {name for each in requirements for name in named_tests(each)}
    unnamed = [name for name in known_tests if name.startswith(CONFORMANCE) and name not in named]
    expect_none(unnamed, "tests here that no requirement names")


def test_every_marked_test_is_named_by_its_requirement(requirements, known_tests):
    named = {each["id"]: named_tests(each) for each in requirements}
    problems = [
        f"{test} is marked with {mark}, which {'does not name it' if mark in named else 'is not in the list'}"
        for test, marks in known_tests.items()
        for mark in marks
        if test not in named.get(mark, [])
    ]
    expect_none(problems, "marks that the list does not bear out")


def test_node_ids_of_nested_and_asynchronous_tests_are_found():
    source = """
pytestmark = [pytest.mark.node, pytest.mark.requirement("whole.module")]

@pytest.mark.requirement("a.b")
@pytest.mark.parametrize("n", [1, 2])
async def test_one(n): ...

class TestGroup:
    @pytest.mark.requirement("c", "d")
    def test_two(self): ...

def helper(): ...
"""
    assert collect(source, "tests/test_x.py") == {
        "tests/test_x.py::test_one": {"whole.module", "a.b"},
        "tests/test_x.py::TestGroup::test_two": {"whole.module", "c", "d"},
    }
