"""The seam: what a model says joins what was said, wherever that was cut, and whatever happens at the cut."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from models.prompts import finish, prompt, read, read_until_it_breaks, text, usage
from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Usage
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.seam import WORD, joined, split, without_echo

WHOLE = "The capital of France is Paris.\n\nIt lies on the Seine,  as most of it does."


class Goer:
    """A model that is asked for what comes behind a text, as this function has it."""

    def __init__(self, says: Callable[[str], list[Fragment]]) -> None:
        self.card = ModelCard("goer", continues=True)
        self.given: list[str] = []
        self._says = says

    async def stream(self, asked: Prompt) -> AsyncGenerator[Fragment, None]:
        async for fragment in joined(asked, self._behind, "goer"):
            yield fragment

    async def _behind(self, given: str) -> AsyncGenerator[Fragment, None]:
        self.given.append(given)
        yield Taken()
        for fragment in self._says(given):
            yield fragment


def behind(said: str, **generation: Any) -> Prompt:
    asked = prompt("Tell me", **generation)
    return Prompt(asked.steps, generation=asked.generation, said=said)


def pieces(rest: str, size: int, reason: Any = "stop") -> list[Fragment]:
    return [*(TextFragment(rest[at : at + size]) for at in range(0, len(rest), size)), Finished(reason)]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("cut", range(1, len(WHOLE) + 1))
async def test_wherever_it_was_cut_the_whole_is_the_same(cut: int, size: int) -> None:
    model = Goer(lambda given: pieces(WHOLE.removeprefix(given), size))
    fragments = await read(model, behind(WHOLE[:cut]))
    assert WHOLE[:cut] + text(fragments) == WHOLE
    assert fragments[0] == Taken()
    assert finish(fragments) == "stop"
    assert len(model.given) == 1


@pytest.mark.parametrize("cut", range(1, len(WHOLE) + 1))
async def test_a_backend_that_takes_blanks_away_at_either_end_changes_nothing(cut: int) -> None:
    def says(given: str) -> list[Fragment]:
        return pieces(WHOLE.removeprefix(given).lstrip(), 4)

    assert WHOLE[:cut].split() + text(await read(Goer(says), behind(WHOLE[:cut]))).split() == [
        *WHOLE[:cut].split(),
        *WHOLE[cut:].split(),
    ]


async def test_a_model_is_never_given_a_word_that_may_be_half_nor_blanks_at_the_end() -> None:
    for cut in range(1, len(WHOLE) + 1):
        given, again = split(WHOLE[:cut])
        assert given + again == WHOLE[:cut]
        assert given == given.rstrip()
        assert WHOLE[len(given)].isspace() or not given


async def test_a_text_without_blanks_is_given_to_its_end() -> None:
    assert split("x" * (WORD + 1)) == ("x" * (WORD + 1), "")
    assert split("Well, " + "x" * (WORD + 1)) == ("Well, " + "x" * (WORD + 1), "")


@pytest.mark.parametrize("other", ["Rome is", "", "Pax, is", "P"])
async def test_a_model_that_says_another_word_is_asked_from_behind_the_last_letter(other: str) -> None:
    def says(given: str) -> list[Fragment]:
        return pieces("is." if given.endswith("Par") else f" {other}".rstrip(), 2)

    model = Goer(says)
    fragments = await read(model, behind("It is Par"))
    assert model.given == ["It is", "It is Par"]
    assert text(fragments) == "is."
    assert fragments.count(Taken()) == 1


async def test_a_call_that_comes_instead_of_the_word_is_not_made_before_the_word_was_said() -> None:
    call = CallFragment(0, "c", "f", "{}")
    model = Goer(lambda given: [call, Finished("calls")] if given == "I look" else [Finished("stop")])
    assert await read(model, behind("I look up")) == [Taken(), Finished("stop")]


async def test_calls_behind_the_text_are_passed_on() -> None:
    call = CallFragment(0, "c", "f", "{}")
    model = Goer(lambda given: [TextFragment(" up"), TextFragment(" it."), call, Finished("calls")])
    assert await read(model, behind("I look up")) == [Taken(), TextFragment(" it."), call, Finished("calls")]


async def test_a_text_that_was_complete_has_nothing_behind_it() -> None:
    model = Goer(lambda given: pieces("It is Paris.".removeprefix(given), 3))
    assert await read(model, behind("It is Paris.")) == [Taken(), Finished("stop")]


async def test_all_that_was_asked_is_counted() -> None:
    cost = UsageFragment(Usage(input={"text": 5}, output={"text": 2}))
    model = Goer(lambda given: [TextFragment(" y" if given == "Oh," else "!"), cost, Finished("stop")])
    fragments = await read(model, behind("Oh, yes"))
    assert text(fragments) == "!"
    assert usage(fragments) == Usage(input={"text": 10}, output={"text": 4})


async def test_the_limit_may_be_reached_before_the_word_was_said_again() -> None:
    model = Goer(lambda given: pieces(" Pa", 3, "length"))
    assert await read(model, behind("It is Paris")) == [Taken(), Finished("length")]
    assert len(model.given) == 1


async def test_thoughts_in_front_are_nobodys_business_any_more() -> None:
    model = Goer(lambda given: [ThoughtFragment("Hm"), *pieces(" Paris.", 3)])
    assert text(await read(model, behind("It is Par"))) == "is."
    assert not any(isinstance(one, ThoughtFragment) for one in await read(model, behind("It is Par")))


async def test_a_model_that_only_thinks_has_not_gone_on() -> None:
    model = Goer(lambda given: [ThoughtFragment("Hm"), Finished("stop")])
    _, error = await read_until_it_breaks(model, behind("It is Par"))
    assert isinstance(error, ModelFailed)
    assert "only thought" in error.message


# --- Stop sequences across the seam


@pytest.mark.parametrize("cut", range(1, len("One. THE END")))
@pytest.mark.parametrize("size", [1, 100])
async def test_a_stop_sequence_that_was_shown_in_part_stops_there(cut: int, size: int) -> None:
    """The backend looks for it in what it says, and does not show it; what was shown of it cannot be taken back."""
    shown = "One. THE END"[:cut]

    def says(given: str) -> list[Fragment]:
        rest = "One. THE END. Two.".removeprefix(given)
        return pieces(rest.partition("THE END")[0], size)

    fragments = await read(Goer(says), behind(shown, stop_sequences=("THE END", "nothing")))
    assert shown + text(fragments) == max(shown, "One. ", key=len)
    assert finish(fragments) == "stop"


async def test_what_only_looked_like_a_stop_sequence_is_shown() -> None:
    model = Goer(lambda given: pieces("One. THE ENTRY".removeprefix(given), 1))
    assert text(await read(model, behind("One. THE E", stop_sequences=("THE END",)))) == "NTRY"


async def test_the_rest_of_a_stop_sequence_that_could_come_yet_is_shown_at_the_end() -> None:
    model = Goer(lambda given: pieces("One. THE EN".removeprefix(given), 1))
    assert text(await read(model, behind("One. THE E", stop_sequences=("THE END",)))) == "N"


# --- Echoes


async def echoed(given: str, *said: str) -> str:
    async def answer() -> AsyncGenerator[Fragment, None]:
        yield Taken()
        for each in said:
            yield TextFragment(each)
        yield Finished("stop")

    fragments = [fragment async for fragment in without_echo(answer(), given)]
    assert fragments[0] == Taken()
    assert fragments[-1] == Finished("stop")
    return text(fragments)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (("It is Paris.",), " Paris."),
        (("It", " is", " Paris."), " Paris."),
        (("It is", " Paris."), " Paris."),
        ((" Paris", "."), " Paris."),
        (("It was",), "It was"),
        (("It",), "It"),
        ((), ""),
    ],
)
async def test_what_the_model_was_given_is_taken_off_if_it_comes_back(said: tuple[str, ...], shown: str) -> None:
    assert await echoed("It is", *said) == shown
