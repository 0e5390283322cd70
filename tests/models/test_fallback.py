"""Who is asked in whose place, when, and never after something was shown."""

import logging
from contextlib import aclosing
from pathlib import Path

import orjson
import pytest

from engine.functions import WEATHER
from models.prompts import prompt, read, read_until_it_breaks, text
from models.upstream import answer, body, delta, events, raw, refused, serve
from turnwise.domain.errors import (
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
)
from turnwise.domain.interaction import GenerationConfig
from turnwise.engine.helping import helped
from turnwise.models.catalogue import ANY, Catalogue
from turnwise.models.cooldown import SHORTEST, Cooldown
from turnwise.models.engines import ModelEntry
from turnwise.models.fallback import Fallback, Member
from turnwise.models.manner import InManner, Manner
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken, TextFragment, ThoughtFragment
from turnwise.models.scripted import ScriptedModel, say


class Line:
    """Models in a line as the turns of one server ask them: each turn has a fallback of its own, and all the same
    clock and rests."""

    def __init__(self, *models: ScriptedModel) -> None:
        self.now = 0.0
        self._models = models
        self._cooldowns = [Cooldown(lambda: self.now) for _ in models]

    def turn(self) -> Fallback:
        named = (InManner(f"m{number}", model, Manner()) for number, model in enumerate(self._models))
        return Fallback([Member(model, cooldown) for model, cooldown in zip(named, self._cooldowns, strict=True)])


def in_line(*models: ScriptedModel) -> Fallback:
    return Line(*models).turn()


CANNOT = [ModelUnavailable("gone"), ModelTimeout("late"), RateLimited("busy", retry_after=3)]
by_code = pytest.mark.parametrize("error", CANNOT, ids=lambda error: error.code)


@by_code
@pytest.mark.parametrize("before", [[], [Taken()]], ids=["before it is taken", "before anything is shown"])
async def test_the_next_one_is_asked_the_same(error: TurnwiseError, before: list[Fragment]) -> None:
    first, second = ScriptedModel([*before, error]), ScriptedModel(say("Hi"))
    fragments = await read(in_line(first, second), prompt("Hello", temperature=0.5))
    assert fragments == say("Hi")
    assert first.prompts == second.prompts == [prompt("Hello", temperature=0.5)]


@by_code
@pytest.mark.parametrize("shown", [TextFragment("He"), ThoughtFragment("Hm")], ids=["text", "thought"])
async def test_nobody_is_asked_after_something_was_shown(error: TurnwiseError, shown: Fragment) -> None:
    second = ScriptedModel(say("Hi"))
    seen, raised = await read_until_it_breaks(in_line(ScriptedModel([Taken(), shown, error]), second), prompt())
    assert (seen, raised) == ([Taken(), shown], error)
    assert second.prompts == []


@pytest.mark.parametrize(
    "error", [InvalidRequest("too long"), ModelFailed("what is this?")], ids=lambda error: error.code
)
async def test_what_is_wrong_with_the_prompt_or_the_answer_is_told_at_once(error: TurnwiseError) -> None:
    second = ScriptedModel(say("Hi"))
    _, raised = await read_until_it_breaks(in_line(ScriptedModel([error]), second), prompt())
    assert raised is error
    assert second.prompts == []


async def test_each_is_asked_in_its_turn_even_behind_one_that_cannot_take_the_prompt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = in_line(
        ScriptedModel([Taken(), RateLimited("m0 is busy")]),
        ScriptedModel([InvalidRequest("too long for m1")]),
        ScriptedModel([Taken(), ModelUnavailable("m2 is gone")]),
        ScriptedModel(say("Hi")),
    )
    with caplog.at_level(logging.WARNING):
        assert await read(line, prompt()) == say("Hi")
    assert [record.getMessage() for record in caplog.records] == [
        "the model 'm0' cannot answer: m0 is busy",
        "asking 'm1' in place of 'm0'",
        "the model 'm1' cannot answer: too long for m1",
        "asking 'm2' in place of 'm0'",
        "the model 'm2' cannot answer: m2 is gone",
        "asking 'm3' in place of 'm0'",
    ]


async def test_if_none_can_answer_the_first_one_says_why() -> None:
    busy = RateLimited("busy", retry_after=3)
    _, error = await read_until_it_breaks(in_line(ScriptedModel([busy]), ScriptedModel([ModelFailed("?")])), prompt())
    assert error is busy


async def test_leaving_early_stops_the_one_that_answers() -> None:
    second = ScriptedModel(say("He", "llo"))
    fragments = in_line(ScriptedModel([ModelUnavailable("gone")]), second).stream(prompt())
    await anext(fragments)
    await anext(fragments)
    await fragments.aclose()
    assert second.left_early == 1


async def test_each_speaks_in_its_own_manner_and_is_helped_as_it_needs() -> None:
    """The first calls functions by itself; the second knows no functions and is helped to call one."""
    first = ScriptedModel([ModelUnavailable("gone")], card=ModelCard("able", tools=True, schemas=True))
    arguments = orjson.dumps({"location": "Paris"}).decode()
    second = ScriptedModel(answer=lambda asked: say(arguments), card=ModelCard("plain", schemas=True))
    line = Fallback(
        [
            Member(InManner("able", first, Manner(GenerationConfig(temperature=0.1)), helped), Cooldown()),
            Member(InManner("plain", second, Manner(GenerationConfig(temperature=0.9)), helped), Cooldown()),
        ]
    )
    told = Prompt(prompt("What is the weather in Paris?").steps, tools=(WEATHER,))
    fragments = await read(helped(line, told), told)
    assert fragments[-1] == Finished("calls")
    assert (first.prompts[0].tools, first.prompts[0].generation.temperature) == ((WEATHER,), 0.1)
    assert all(asked.tools == () for asked in second.prompts)
    assert {asked.generation.temperature for asked in second.prompts} <= {0.0, 0.9}


# -- rests


def failing(error: TurnwiseError) -> ScriptedModel:
    return ScriptedModel(answer=lambda _: [error])


def speaking() -> ScriptedModel:
    return ScriptedModel(answer=lambda _: say("Hi"))


def asked(*models: ScriptedModel) -> list[int]:
    return [len(model.prompts) for model in models]


@by_code
async def test_one_that_could_not_answer_is_not_asked_until_its_rest_is_over(error: TurnwiseError) -> None:
    first, second = failing(error), speaking()
    line = Line(first, second)
    for _ in range(3):
        assert text(await read(line.turn(), prompt())) == "Hi"
    assert asked(first, second) == [1, 3]
    line.now = SHORTEST
    assert text(await read(line.turn(), prompt())) == "Hi"
    assert asked(first, second) == [2, 4]


async def test_one_that_is_back_is_asked_first_again() -> None:
    first, second = ScriptedModel([ModelUnavailable("gone")], answer=lambda _: say("Back")), speaking()
    line = Line(first, second)
    await read(line.turn(), prompt())
    line.now = SHORTEST
    assert [text(await read(line.turn(), prompt())) for _ in range(2)] == ["Back", "Back"]
    assert asked(first, second) == [3, 1]


async def test_while_one_turn_tries_whether_it_is_back_the_others_go_on_without_it() -> None:
    first, second = ScriptedModel([ModelUnavailable("gone")], answer=lambda _: say("Back")), speaking()
    line = Line(first, second)
    await read(line.turn(), prompt())
    line.now = SHORTEST
    async with aclosing(line.turn().stream(prompt())) as trying:
        await anext(trying)
        assert text(await read(line.turn(), prompt())) == "Hi"
        await anext(trying)  # its first word
        assert text(await read(line.turn(), prompt())) == "Back"


async def test_a_turn_that_leaves_before_it_knows_lets_the_next_one_try() -> None:
    first, second = ScriptedModel([ModelUnavailable("gone")], answer=lambda _: say("Back")), speaking()
    line = Line(first, second)
    await read(line.turn(), prompt())
    line.now = SHORTEST
    async with aclosing(line.turn().stream(prompt())) as trying:
        await anext(trying)
    assert text(await read(line.turn(), prompt())) == "Back"


async def test_if_all_rest_the_one_whose_rest_is_over_first_is_asked() -> None:
    first, second = failing(RateLimited("busy", retry_after=30)), failing(RateLimited("busy too", retry_after=20))
    line = Line(first, second)
    await read_until_it_breaks(line.turn(), prompt())
    for _ in range(2):
        _, error = await read_until_it_breaks(line.turn(), prompt())
        assert isinstance(error, RateLimited)
        assert error.message == "the model 'm0' could not answer a moment ago: busy"
        assert error.retry_after == 30
    assert asked(first, second) == [1, 3]


async def test_what_another_says_of_the_prompt_is_not_said_of_the_one_that_rests() -> None:
    line = Line(failing(ModelUnavailable("gone")), failing(InvalidRequest("too long for m1")))
    for _ in range(2):
        _, error = await read_until_it_breaks(line.turn(), prompt())
        assert isinstance(error, ModelUnavailable)
        assert "gone" in error.message


async def test_one_that_breaks_off_behind_its_first_words_need_not_rest() -> None:
    first = ScriptedModel(answer=lambda _: [Taken(), TextFragment("He"), ModelUnavailable("gone")])
    line = Line(first, speaking())
    for _ in range(2):
        seen, error = await read_until_it_breaks(line.turn(), prompt())
        assert (text(seen), type(error)) == ("He", ModelUnavailable)


# -- as the catalogue has it


def scripts(**models: ScriptedModel) -> dict[str, object]:
    return {"scripted": lambda name, entry, models_dir: models[name if name != ANY else "star"]}


async def test_a_fallback_has_its_own_fallbacks_and_nobody_is_asked_twice(tmp_path: Path) -> None:
    gone = {name: ScriptedModel([ModelUnavailable(name)]) for name in "abcd"}
    names = {
        "a": ModelEntry("scripted", fallback=["b", "d", ANY]),
        "b": ModelEntry("scripted", fallback=["c"]),
        "c": ModelEntry("scripted", fallback=["d"]),
        "d": ModelEntry("scripted"),
        ANY: ModelEntry("scripted"),
    }
    catalogue = Catalogue(names, tmp_path, engines=scripts(**gone, star=ScriptedModel(say("Hi"))))  # type: ignore[arg-type]
    assert text(await read(catalogue.find("a"), prompt())) == "Hi"
    assert [len(model.prompts) for model in gone.values()] == [1, 1, 1, 1]


async def test_the_star_may_have_one_too(tmp_path: Path) -> None:
    star, local = ScriptedModel([RateLimited("busy")]), ScriptedModel(say("Hi"))
    names = {"local": ModelEntry("scripted"), ANY: ModelEntry("scripted", fallback=["local"])}
    catalogue = Catalogue(names, tmp_path, engines=scripts(star=star, local=local))  # type: ignore[arg-type]
    assert text(await read(catalogue.find("any"), prompt())) == "Hi"
    assert catalogue.card("any").name == "scripted"


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_all_turns_of_an_entry_know_of_its_rest_under_whatever_name(tmp_path: Path) -> None:
    gone, local = failing(ModelUnavailable("gone")), speaking()
    names = {
        "gone": ModelEntry("scripted", fallback=["local"]),
        "other": ModelEntry("scripted", model="x", fallback=["gone", "local"]),
        "local": ModelEntry("scripted", model="y"),
    }
    other = failing(ModelUnavailable("gone too"))
    clock = Clock()
    engines = scripts(gone=gone, other=other, local=local)
    catalogue = Catalogue(names, tmp_path, engines=engines, clock=clock)  # type: ignore[arg-type]
    for name in ("gone", "other", "gone", "other"):
        assert text(await read(catalogue.find(name), prompt())) == "Hi"
    assert asked(gone, other, local) == [1, 1, 4]
    clock.now = SHORTEST
    await read(catalogue.find("other"), prompt())
    assert asked(gone, other, local) == [2, 2, 5]


@pytest.mark.parametrize(
    ("again", "times"),
    [
        (ModelEntry("scripted", fallback=["local"]), 1),
        (ModelEntry("scripted", context_tokens=9, fallback=["local"]), 2),
        (ModelEntry("scripted", fallback=["local"], manner=Manner(total=9.0)), 2),
        (ModelEntry("scripted", fallback=["local", ANY]), 2),
    ],
    ids=["the same", "another engine", "another manner", "another line"],
)
async def test_a_rest_outlives_a_reload_only_if_the_entry_stays_the_same(
    tmp_path: Path, again: ModelEntry, times: int
) -> None:
    gone, local = failing(ModelUnavailable("gone")), speaking()
    gone.start = gone.close = local.start = local.close = nothing  # type: ignore[attr-defined]
    others = {"local": ModelEntry("scripted", model="y"), ANY: ModelEntry("scripted", model="y")}
    names = {"gone": ModelEntry("scripted", fallback=["local"]), **others}
    engines = scripts(gone=gone, local=local, star=local)
    catalogue = Catalogue(names, tmp_path, engines=engines, clock=Clock())  # type: ignore[arg-type]
    await read(catalogue.find("gone"), prompt())
    await catalogue.change({"gone": again, **others})
    await read(catalogue.find("gone"), prompt())
    assert len(gone.prompts) == times
    await catalogue.close()


async def nothing() -> None:
    """An engine's beginning and end, where it has none."""


async def test_a_real_upstream_that_names_a_time_is_asked_again_when_that_has_come(tmp_path: Path) -> None:
    async with serve(body(b"{}", 429, Retry_After="30"), answer("Back")) as busy, serve(answer("Hi")) as other:
        names = {
            "a": ModelEntry("openai", base_url=busy.url, fallback=["b"]),
            "b": ModelEntry("openai", base_url=other.url),
        }
        clock = Clock()
        catalogue = Catalogue(names, tmp_path, clock=clock)
        told = []
        for clock.now in (0.0, 29.9, 30.0):
            told.append(text(await read(catalogue.find("a"), prompt())))
        assert told == ["Hi", "Hi", "Back"]
        assert (len(busy.requests), len(other.requests)) == (2, 2)
        await catalogue.close()


REFUSALS = {
    "429": refused(429),
    "500": refused(500),
    "503": refused(503),
    "a broken connection": raw(b""),
    "a broken stream": raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\n"),
    "an error in the stream": events(b'data: {"error": {"message": "no", "code": 503}}\n\n'),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_real_upstream_that_cannot_is_replaced(tmp_path: Path, refusal: object) -> None:
    async with serve(refusal) as broken, serve(answer("Hi")) as other:  # type: ignore[arg-type]
        names = {
            "a": ModelEntry("openai", base_url=broken.url, fallback=["b"]),
            "b": ModelEntry("openai", base_url=other.url),
        }
        catalogue = Catalogue(names, tmp_path)
        assert text(await read(catalogue.find("a"), prompt())) == "Hi"
        assert [request.body["model"] for request in other.requests] == ["b"]
        await catalogue.close()


async def test_an_upstream_that_is_not_there_is_replaced(tmp_path: Path) -> None:
    async with serve(answer("Hi")) as other:
        names = {
            "a": ModelEntry("openai", base_url="http://127.0.0.1:1/v1", fallback=["b"]),
            "b": ModelEntry("openai", base_url=other.url),
        }
        catalogue = Catalogue(names, tmp_path)
        assert text(await read(catalogue.find("a"), prompt())) == "Hi"
        await catalogue.close()


async def test_a_real_upstream_that_breaks_off_behind_its_first_words_is_not(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5000\r\n\r\n"
    async with serve(raw(head, delta(content="He"))) as broken, serve(answer("Hi")) as other:
        names = {
            "a": ModelEntry("openai", base_url=broken.url, fallback=["b"]),
            "b": ModelEntry("openai", base_url=other.url),
        }
        catalogue = Catalogue(names, tmp_path)
        seen, error = await read_until_it_breaks(catalogue.find("a"), prompt())
        assert text(seen) == "He"
        assert isinstance(error, ModelUnavailable)
        assert other.requests == []
        await catalogue.close()


async def test_one_that_takes_too_long_is_replaced(tmp_path: Path) -> None:
    from models.upstream import silent

    async with serve(silent()) as slow, serve(answer("Hi")) as other:
        names = {
            "a": ModelEntry("openai", base_url=slow.url, options={"total": 0.1}, fallback=["b"]),
            "b": ModelEntry("openai", base_url=other.url),
        }
        catalogue = Catalogue(names, tmp_path)
        assert text(await read(catalogue.find("a"), prompt())) == "Hi"
        await catalogue.close()
