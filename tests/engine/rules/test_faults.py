"""What is seen to be wrong with a program before it is run."""

import pytest

from turnwise.engine.rules.faults import faults, with_imports


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("What is the sum of the numbers from 1 to 500?", "print(sum(range(1, 500 + 1)))"),
        ("What is the sum of the numbers from 1 to 500?", "total = 0\nfor n in range(1, 501):\n    total += n\ntotal"),
        ("Which primes are below 40?", "print([n for n in range(2, 40) if all(n % d for d in range(2, n))])"),
        ("What is 4% of 2,000?", "print(2000 * 0.04)"),
        ("What day of the week was July 20, 1969?", "from datetime import date\nprint(f'{date(1969, 7, 20):%A}')"),
        ("How often does s occur in 'mississippi'?", "word = 'mississippi'\nprint(word.count('s'))"),
        ("Sort 3, 1 and 2 in descending order.", "print(sorted([3, 1, 2], reverse=True))"),
        ("What is the 12th power of two?", "def power(n):\n    return 2 ** n\n\nprint(power(12))"),
    ],
)
def test_a_good_program_has_no_faults(request_: str, code: str) -> None:
    assert faults(code, request_) == []


@pytest.mark.parametrize(
    ("request_", "code", "fault"),
    [
        ("What is 3 + 4?", "print(3 + 4", "it is no Python"),
        ("What is 3 + 4?", "print(3 + four)", "'four' is not defined"),
        ("What is 3 + 4?", "a = a + 3 + 4\nprint(a)", "'a' has no value yet"),
        ("What is 3 + 4?", "a = int(input()) + 3 + 4\nprint(a)", "it waits for input"),
        ("What is 3 + 4?", "a = 3 + 4", "it prints nothing"),
        ("What is 3 + 4?", "print(7)", "it computes nothing"),
        ("What is 30 + 44?", "print(30 + 45 + 55)", "nobody spoke of 55"),
        ("What is the sum of the numbers from 1 to 500?", "print(sum(range(1, 51)))", "it does not use 500"),
        ("What is the sum of the numbers from 1 to 500?", "print(sum(range(1, 500)))", "500 is left out"),
        ("How many numbers below 40 are even?", "print(len(range(2, 40 + 1, 2)))", "40 is not below 40"),
        ("Add all from 5 to 30.", "print(sum(range(30, 5)))", "range(30, 5) is empty"),
        ("Sort 3, 1 and 2 in ascending order.", "print(sorted([3, 1, 2], reverse=True))", "the order is the wrong one"),
        ("How often does s occur in 'kiss'?", "print('miss'.count('s'))", "it does not use 'kiss'"),
        ("Sort these words: fig, pear and plum", "print(sorted(['fig', 'plum']))", "it does not use 'pear'"),
        ("Which primes are below 40?", "print([n for n in range(2, 40) if n % 2 == 0])", "it tries no divisors"),
        ("Calculate 5!", "def f(n):\n    return n * f(n - 1)\nprint(f(5))", "it calls itself without end"),
    ],
)
def test_a_fault_is_seen(request_: str, code: str, fault: str) -> None:
    assert fault in faults(code, request_)


def test_forgotten_imports_are_added_and_nothing_else() -> None:
    code = "print(math.sqrt(2), date(2024, 1, 2))"
    assert with_imports(code) == f"from datetime import date\nimport math\n{code}"
    assert with_imports("import math\nprint(math.pi)") == "import math\nprint(math.pi)"
    assert with_imports("print(unknown)") == "print(unknown)"
    assert with_imports("no python (") == "no python ("


@pytest.mark.parametrize("code", ["", "\0", "(" * 5000, "x = " + "-" * 100_000 + "1", "[" * 200 + "]" * 200])
def test_whatever_a_model_writes_is_judged(code: str) -> None:
    assert faults(code, "What is 3 + 4?")
    assert with_imports(code) == code
