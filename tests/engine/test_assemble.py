"""Fragments to events: every change of kind, and what is nothing."""

import pytest

from turnwise.domain.content import Media, Text
from turnwise.domain.events import (
    ArgumentsDelta,
    Event,
    MediaDelta,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
    fold,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, ModelOutput, Thought
from turnwise.engine.assemble import Assembler
from turnwise.engine.thoughts import Secret
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    MediaFragment,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)


def assembling(*, summaries: bool = True) -> Assembler:
    return Assembler(seal=sealed, new_call_id=lambda: "call_new", summaries=summaries)


def sealed(secret: Secret) -> str:
    """A signature that shows what it hides."""
    return " ".join(["sealed", *filter(None, (secret.thought, secret.token, secret.call_id))])


def assembled(*fragments: Fragment, assembler: Assembler | None = None) -> list[Event]:
    assembler = assembler or assembling()
    return [*(event for fragment in fragments for event in assembler.add(fragment)), *assembler.close()]


def message(step: int, output: int, *texts: str) -> list[Event]:
    deltas = [PartDelta(step, output, TextDelta(text)) for text in texts]
    start = [StepStart(step, None, ModelOutput()), PartStart(step, output, Text(""))]
    return [*start, *deltas, PartStop(step, output), StepStop(step, None)]


def thought(step: int, output: int, raw: str, *shown: str) -> list[Event]:
    deltas = [PartDelta(step, output, SummaryDelta(Text(text))) for text in shown]
    signed = PartDelta(step, output, SignatureDelta(f"sealed {raw}"))
    return [StepStart(step, output, Thought()), *deltas, signed, StepStop(step, output)]


def call(step: int, output: int, whole: FunctionCall, *fragments: str) -> list[Event]:
    start = StepStart(step, output, FunctionCall(whole.id, whole.name, signature=whole.signature))
    deltas = [PartDelta(step, output, ArgumentsDelta(fragment)) for fragment in fragments]
    return [start, *deltas, PartDelta(step, output, WholeDelta(whole, bool(fragments))), StepStop(step, output)]


def test_text_is_one_message_with_one_part():
    assert assembled(TextFragment("a"), TextFragment("b")) == message(0, 0, "a", "b")


def test_a_thought_is_shown_a_paragraph_at_a_time_and_sealed_whole():
    fragments = [ThoughtFragment(text) for text in ("a", "b\n", "\nc", "\n\n\n\n d ")]
    assert assembled(*fragments) == thought(0, 0, "ab\n\nc\n\n\n\n d ", "ab", "c", "d")


def test_a_thought_that_is_not_to_be_shown_is_sealed_all_the_same():
    events = assembled(ThoughtFragment("a\n\nb"), assembler=assembling(summaries=False))
    assert events == thought(0, 0, "a\n\nb")


def test_a_signature_ends_a_thought_and_is_sealed_with_it():
    events = assembled(ThoughtFragment("a"), ThoughtFragment("b", "t1"), ThoughtFragment("c"))
    assert events == [*thought(0, 0, "ab t1", "ab"), *thought(1, 1, "c", "c")]


def test_a_signature_alone_is_a_thought_too():
    assert assembled(ThoughtFragment("", "t1"), ThoughtFragment("", "t2")) == [
        *thought(0, 0, "t1"),
        *thought(1, 1, "t2"),
    ]


def test_a_calls_signature_is_sealed_for_it_and_shown_from_its_start():
    fragments = (CallFragment(0, "c1", "look", "{}", "t1"), CallFragment(1, None, "look", "{}", "t2"))
    assert assembled(*fragments) == [
        *call(0, 0, FunctionCall("c1", "look", {}, "sealed t1 c1"), "{}"),
        *call(1, 1, FunctionCall("call_new", "look", {}, "sealed t2 call_new"), "{}"),
    ]


def test_a_call_comes_in_fragments_and_then_whole():
    first = CallFragment(0, "c1", "look", '{"at": ')
    assert assembled(first, CallFragment(0, arguments='"sky"}')) == call(
        0, 0, FunctionCall("c1", "look", {"at": "sky"}), '{"at": ', '"sky"}'
    )


def test_calls_stand_side_by_side_and_one_without_an_id_is_given_one():
    fragments = (CallFragment(0, None, "look"), CallFragment(1, "c2", "listen", "{}"))
    assert assembled(*fragments) == [
        *call(0, 0, FunctionCall("call_new", "look", {})),
        *call(1, 1, FunctionCall("c2", "listen", {}), "{}"),
    ]


def test_each_change_of_kind_closes_what_was_open():
    kinds = {
        "thought": (ThoughtFragment("hm"), lambda i: thought(i, i, "hm", "hm")),
        "text": (TextFragment("a"), lambda i: message(i, i, "a")),
        "call": (CallFragment(0, "c", "look", "{}"), lambda i: call(i, i, FunctionCall("c", "look", {}), "{}")),
    }
    order = [first for one in kinds for other in kinds if one != other for first in (one, other)]
    order = [kind for i, kind in enumerate(order) if i == 0 or kind != order[i - 1]]
    events = assembled(*(kinds[kind][0] for kind in order))
    assert events == [event for i, kind in enumerate(order) for event in kinds[kind][1](i)]


def test_empty_fragments_are_nothing():
    assert assembled(TextFragment(""), ThoughtFragment("")) == []
    assert assembled(TextFragment("a"), ThoughtFragment(""), TextFragment("b")) == message(0, 0, "a", "b")


def test_an_answer_without_fragments_has_no_steps():
    assembler = assembling()
    assert assembled(Taken(), Finished("stop"), assembler=assembler) == []
    assert assembler.finished == "stop"


def test_usage_may_come_between_and_the_last_one_counts():
    assembler = assembling()
    first, last = Usage({"text": 1}), Usage({"text": 1}, {"text": 2})
    fragments = (TextFragment("a"), UsageFragment(first), TextFragment("b"), UsageFragment(last))
    events = assembled(*fragments, assembler=assembler)
    assert events == message(0, 0, "a", "b")
    assert assembler.usage == last


def test_closing_twice_closes_once():
    assembler = assembling()
    assert assembled(TextFragment("a"), assembler=assembler) == message(0, 0, "a")
    assert list(assembler.close()) == []


@pytest.mark.parametrize("empty", [TextFragment(""), ThoughtFragment("")])
def test_an_empty_fragment_does_not_even_close_what_is_open(empty: Fragment):
    assert assembled(TextFragment("a"), empty, TextFragment("b")) == message(0, 0, "a", "b")


def test_what_was_assembled_folds_to_what_was_said():
    fragments = (ThoughtFragment("h"), ThoughtFragment("m"), TextFragment("O"), TextFragment("k"))
    outcome = fold(assembled(*fragments, CallFragment(0, "c", "look", '{"at": "sky"}')))
    assert outcome.steps == (
        Thought("sealed hm", (Text("hm"),)),
        ModelOutput((Text("Ok"),)),
        FunctionCall("c", "look", {"at": "sky"}),
    )


# -- media


def drawn(data: bytes, index: int = 0) -> MediaFragment:
    return MediaFragment(index, "image", "image/png", data)


def test_text_and_pictures_are_parts_of_one_message():
    events = assembled(TextFragment("Here:"), drawn(b"abc"), drawn(b"def", index=1), TextFragment("Done."))
    picture = Media("image", "image/png")
    assert events == [
        StepStart(0, None, ModelOutput()),
        PartStart(0, 0, Text("")),
        PartDelta(0, 0, TextDelta("Here:")),
        PartStop(0, 0),
        PartStart(0, 1, picture),
        PartDelta(0, 1, MediaDelta(Media("image", "image/png", "YWJj"))),
        PartStop(0, 1),
        PartStart(0, 2, picture),
        PartDelta(0, 2, MediaDelta(Media("image", "image/png", "ZGVm"))),
        PartStop(0, 2),
        PartStart(0, 3, Text("")),
        PartDelta(0, 3, TextDelta("Done.")),
        PartStop(0, 3),
        StepStop(0, None),
    ]


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1), (4,), (3, 1), (2, 2), (1, 3)])
def test_bytes_that_come_in_pieces_join(cuts: tuple[int, ...]):
    whole, pieces = b"\x00\xffab", []
    for size in cuts:
        pieces.append(MediaFragment(0, "audio", "audio/l16", whole[:size], options={"sample_rate": 24000}))
        whole = whole[size:]
    (step,) = fold(assembled(*pieces)).steps
    assert step == ModelOutput((Media("audio", "audio/l16", "AP9hYg==", options={"sample_rate": 24000}),))


def test_media_may_come_as_an_address():
    (step,) = fold(assembled(MediaFragment(0, "image", "image/png", uri="http://h/v1beta/files/a"))).steps
    assert step == ModelOutput((Media("image", "image/png", uri="http://h/v1beta/files/a"),))


def test_a_thought_after_a_picture_begins_a_step():
    steps = fold(assembled(drawn(b"abc"), ThoughtFragment("Hm."), TextFragment("So."))).steps
    assert [step.type for step in steps] == ["model_output", "thought", "model_output"]
