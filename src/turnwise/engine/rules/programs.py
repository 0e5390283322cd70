"""Programs: examples of what a question and the program that answers it look like, by what questions are about.

They teach how such a program is written, for a model that must write the next one. What they import is left out, as it
is for the model: `faults.with_imports` adds it. None of them answers a question that turnwise is shown to answer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from turnwise.engine.fitting import is_common, stems


@dataclass(frozen=True, slots=True)
class Example:
    """A request, and a program for it."""

    request: str
    code: str


SUBJECTS: tuple[tuple[str, tuple[Example, ...]], ...] = (
    (
        r"\bprimes?\b",
        (
            Example(
                "List the prime numbers between 200 and 260.",
                "found = []\nfor n in range(200, 260):\n    if n > 1 and all(n % d != 0 for d in range(2, n)):\n"
                "        found.append(n)\nprint(found)",
            ),
            Example(
                "How many primes are smaller than 90?",
                "count = 0\nfor n in range(2, 90):\n    if all(n % d != 0 for d in range(2, n)):\n"
                "        count += 1\nprint(count)",
            ),
            Example(
                "Find the 4th prime number.",
                "found = []\nn = 2\nwhile len(found) < 4:\n    if all(n % d != 0 for d in range(2, n)):\n"
                "        found.append(n)\n    n += 1\nprint(found[-1])",
            ),
        ),
    ),
    (
        r"\bfactorial|\d!",
        (
            Example("What is 6 factorial?", "print(math.factorial(6))"),
            Example("Calculate 9! / 7!", "print(math.factorial(9) // math.factorial(7))"),
        ),
    ),
    (
        r"\b(?:power|squared|cubed|root|exponent)\b|\*\*|\^",
        (
            Example("What is 3 to the power of 5?", "print(3 ** 5)"),
            Example("What is the square root of 90?", "print(math.sqrt(90))"),
            Example("What is the cube root of 27?", "print(round(27 ** (1 / 3), 6))"),
        ),
    ),
    (
        r"\bdivisors?\b|\bmultiples?\b|\bgcd\b|\blcm\b|\bfactors?\b",
        (
            Example("What is the greatest common divisor of 18 and 60?", "print(math.gcd(18, 60))"),
            Example("What is the least common multiple of 6 and 9?", "print(math.lcm(6, 9))"),
            Example("What are the divisors of 28?", "print([d for d in range(1, 28 + 1) if 28 % d == 0])"),
        ),
    ),
    (
        r"\b(?:average|mean|median|deviation|variance)\b",
        (
            Example("What is the average of 4, 9 and 2?", "numbers = [4, 9, 2]\nprint(statistics.mean(numbers))"),
            Example("What is the median of 5, 1, 8?", "numbers = [5, 1, 8]\nprint(statistics.median(numbers))"),
            Example(
                "Calculate the standard deviation of 6, 2, 3, 1.",
                "numbers = [6, 2, 3, 1]\nprint(statistics.stdev(numbers))",
            ),
        ),
    ),
    (
        r"\b(?:sort|order|arrange|rank|ascending|descending|alphabetical\w*)\b",
        (
            Example(
                "Sort the numbers 8, 1, 90, 13 in ascending order.", "numbers = [8, 1, 90, 13]\nprint(sorted(numbers))"
            ),
            Example(
                "Sort the numbers 7, 30, 2 in descending order.",
                "numbers = [7, 30, 2]\nprint(sorted(numbers, reverse=True))",
            ),
            Example(
                "Put these words in alphabetical order: tree, house, apple",
                "words = ['tree', 'house', 'apple']\nprint(sorted(words))",
            ),
        ),
    ),
    (
        r"\b(?:letters?|characters?|vowels?|words?|string|backwards?|reverse|spelled)\b",
        (
            Example("How many times does the letter a appear in 'banana'?", "word = 'banana'\nprint(word.count('a'))"),
            Example(
                "How many words are in the sentence 'I like tea'?",
                "sentence = 'I like tea'\nprint(len(sentence.split()))",
            ),
            Example(
                "How many vowels are in 'holiday'?",
                "word = 'holiday'\nprint(sum(1 for letter in word.lower() if letter in 'aeiou'))",
            ),
            Example("How many letters are in the word 'window'?", "word = 'window'\nprint(len(word))"),
            Example("Reverse the word 'garden'.", "word = 'garden'\nprint(word[::-1])"),
        ),
    ),
    (
        r"\bdigits?\b",
        (
            Example("What is the sum of the digits of 805?", "print(sum(int(digit) for digit in str(805)))"),
            Example(
                "What is the product of the digits of 4729?",
                "product = 1\nfor digit in str(4729):\n    product *= int(digit)\nprint(product)",
            ),
        ),
    ),
    (
        r"\bdays?\b|\bweeks?\b|\bdate\b|\bleap\b|\d{4}-\d\d-\d\d",
        (
            Example(
                "How many days are there between 2023-01-09 and 2023-05-17?",
                "start = date(2023, 1, 9)\nend = date(2023, 5, 17)\nprint((end - start).days)",
            ),
            Example("What day of the week was May 3, 2021?", "day = date(2021, 5, 3)\nprint(day.strftime('%A'))"),
            Example(
                "What date is 45 days after 2022-06-10?",
                "start = date(2022, 6, 10)\nprint(start + timedelta(days=45))",
            ),
            Example(
                "Which years between 2010 and 2018 are leap years?",
                "print([year for year in range(2010, 2018 + 1) if calendar.isleap(year)])",
            ),
        ),
    ),
    (
        r"\b(?:interest|invest\w*|compound\w*|savings?|loan)\b",
        (
            Example(
                "How much are 900 dollars worth after 3 years at 2% interest each year?",
                "amount = 900\nfor year in range(3):\n    amount *= 1 + 2 / 100\nprint(round(amount, 2))",
            ),
            Example(
                "I put 500 euros in the bank at 1.5% compound interest. How much is it after 8 years?",
                "print(round(500 * (1 + 1.5 / 100) ** 8, 2))",
            ),
        ),
    ),
    (
        r"%|\bper ?cent\b",
        (
            Example("What is 12% of 75?", "print(75 * 12 / 100)"),
            Example("A book costs 30 dollars. What does it cost with 20% off?", "print(30 * (1 - 20 / 100))"),
        ),
    ),
    (
        r"\b(?:fahrenheit|celsius)\b",
        (
            Example("Convert 20 degrees Celsius to Fahrenheit.", "print(20 * 9 / 5 + 32)"),
            Example("Convert 50 degrees Fahrenheit to Celsius.", "print((50 - 32) * 5 / 9)"),
        ),
    ),
    (
        r"\bconvert\b|\b(?:miles?|kilomet\w+|inch\w*|pounds?|kilograms?|feet|meters?)\b",
        (
            Example("Convert 15 inches to centimeters.", "print(15 * 2.54)"),
            Example("Convert 4 miles to kilometers.", "print(4 * 1.60934)"),
            Example("How many kilograms are 9 pounds?", "print(9 * 0.45359237)"),
        ),
    ),
    (
        r"\b(?:binary|hexadecimal|hex|octal|decimal)\b",
        (
            Example("Convert 13 to binary.", "print(bin(13)[2:])"),
            Example("Write 90 in hexadecimal.", "print(hex(90)[2:])"),
            Example("What is the binary number 1010 in decimal?", "print(int('1010', 2))"),
        ),
    ),
    (
        r"\b(?:area|volume|circumference|radius|perimeter|triangle|circle|sphere|rectangle|hypotenuse)\b",
        (
            Example("What is the area of a circle with a radius of 2?", "radius = 2\nprint(math.pi * radius ** 2)"),
            Example(
                "What is the volume of a sphere with a radius of 3?",
                "radius = 3\nprint(4 / 3 * math.pi * radius ** 3)",
            ),
            Example("What is the perimeter of a rectangle of 4 by 9?", "print(2 * (4 + 9))"),
        ),
    ),
    (
        r"\b(?:sum|add|total|product|multiply)\b",
        (
            Example(
                "What is the sum of all odd numbers from 5 to 300?",
                "total = 0\nfor n in range(5, 300 + 1):\n    if n % 2 == 1:\n        total += n\nprint(total)",
            ),
            Example("What is the sum of the numbers from 20 to 45?", "print(sum(range(20, 45 + 1)))"),
            Example("What is the product of 3, 8 and 12?", "print(3 * 8 * 12)"),
            Example(
                "What is the sum of the square roots of the first 8 numbers?",
                "print(sum(n ** 0.5 for n in range(1, 8 + 1)))",
            ),
        ),
    ),
)
"""Patterns of requests, and examples for those that they are found in."""

PLAIN = (
    Example("How many minutes are there in 3 weeks?", "print(3 * 7 * 24 * 60)"),
    Example("What is 38 times 512 minus 7?", "print(38 * 512 - 7)"),
    Example(
        "How many numbers below 700 can be divided by 9?",
        "count = 0\nfor n in range(1, 700):\n    if n % 9 == 0:\n        count += 1\nprint(count)",
    ),
)
"""Examples for all requests."""

_ARITHMETIC = re.compile(r"\d\)? ?(?:[-+*/x×÷]|times|plus|minus|divided by|multiplied by) ?\(?\d")


def is_familiar(request: str) -> bool:
    """Whether there are examples for what a request is about."""
    return bool(_ARITHMETIC.search(request)) or any(re.search(about, request, re.IGNORECASE) for about, _ in SUBJECTS)


def examples_for(request: str, most: int) -> Sequence[Example]:
    """The examples that are nearest to a request, the nearest last: a model leans on what it read last."""
    near = [one for about, ones in SUBJECTS if re.search(about, request, re.IGNORECASE) for one in ones]
    return [*_nearest(near, request), *_nearest(PLAIN, request)][:most][::-1]


def _nearest(examples: Sequence[Example], request: str) -> list[Example]:
    """Examples by the words, and the pairs of words, that they share with a request. Rare ones count more."""
    asked = _terms(request)
    shared = [asked & _terms(one.request) for one in examples]
    having = Counter(term for terms in shared for term in terms)
    worth = [sum(1 / having[term] for term in terms) + 0.01 * len(terms) for terms in shared]
    return [examples[index] for index in sorted(range(len(examples)), key=lambda index: (-worth[index], index))]


def _terms(text: str) -> set[str]:
    words = stems(_worded(text))
    return {word for word in words if not is_common(word)} | {f"{one} {other}" for one, other in pairwise(words)}


def _worded(request: str) -> str:
    """A request without its numbers and quotations, in which no two need be alike."""
    return re.sub(r"'[^']*'|\d[\d.,-]*", " ", request)
