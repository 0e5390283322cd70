"""Fragments to events: every change of kind, and what is nothing."""

from turnwise.domain.content import Text
from turnwise.domain.events import (
    Event,
    PartDelta,
    PartStart,
    PartStop,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    fold,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import ModelOutput, Thought
from turnwise.engine.assemble import Assembler
from turnwise.models.model import Finished, Fragment, Taken, TextFragment, ThoughtFragment, UsageFragment


def assembled(*fragments: Fragment, assembler: Assembler | None = None) -> list[Event]:
    assembler = assembler or Assembler()
    return [*(event for fragment in fragments for event in assembler.add(fragment)), *assembler.close()]


def message(step: int, output: int, *texts: str) -> list[Event]:
    deltas = [PartDelta(step, output, TextDelta(text)) for text in texts]
    start = [StepStart(step, None, ModelOutput()), PartStart(step, output, Text(""))]
    return [*start, *deltas, PartStop(step, output), StepStop(step, None)]


def thought(step: int, output: int, *texts: str) -> list[Event]:
    deltas = [PartDelta(step, output, SummaryDelta(Text(text))) for text in texts]
    return [StepStart(step, output, Thought()), *deltas, StepStop(step, output)]


def test_text_is_one_message_with_one_part():
    assert assembled(TextFragment("a"), TextFragment("b")) == message(0, 0, "a", "b")


def test_thoughts_are_one_step_without_parts():
    assert assembled(ThoughtFragment("a"), ThoughtFragment("b")) == thought(0, 0, "a", "b")


def test_each_change_of_kind_closes_what_was_open():
    fragments = (ThoughtFragment("hm"), TextFragment("a"), ThoughtFragment("wait"), TextFragment("b"))
    events = assembled(*fragments)
    assert events == [*thought(0, 0, "hm"), *message(1, 1, "a"), *thought(2, 2, "wait"), *message(3, 3, "b")]


def test_empty_fragments_are_nothing():
    assert assembled(TextFragment(""), ThoughtFragment("")) == []
    assert assembled(TextFragment("a"), ThoughtFragment(""), TextFragment("b")) == message(0, 0, "a", "b")


def test_an_answer_without_fragments_has_no_steps():
    assembler = Assembler()
    assert assembled(Taken(), Finished("stop"), assembler=assembler) == []
    assert assembler.finished == "stop"


def test_usage_may_come_between_and_the_last_one_counts():
    assembler = Assembler()
    first, last = Usage({"text": 1}), Usage({"text": 1}, {"text": 2})
    events = assembled(TextFragment("a"), UsageFragment(first), TextFragment("b"), UsageFragment(last), assembler=assembler)
    assert events == message(0, 0, "a", "b")
    assert assembler.usage == last


def test_closing_twice_closes_once():
    assembler = Assembler()
    assert assembled(TextFragment("a"), assembler=assembler) == message(0, 0, "a")
    assert list(assembler.close()) == []


def test_a_second_call_of_the_model_goes_on_counting():
    assembler = Assembler(step=2, output=3)
    assert assembled(TextFragment("a"), ThoughtFragment("b"), assembler=assembler) == [
        *message(2, 3, "a"),
        *thought(3, 4, "b"),
    ]


def test_what_was_assembled_folds_to_what_was_said():
    outcome = fold(assembled(ThoughtFragment("h"), ThoughtFragment("m"), TextFragment("O"), TextFragment("k")))
    assert outcome.steps == (Thought(summary=(Text("h"), Text("m"))), ModelOutput((Text("Ok"),)))
