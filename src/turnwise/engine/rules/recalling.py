"""Recalling: what earlier results tell about a later question, which asks for no tool any more.

Results are long, and a small model reads little. So of those that were answered already, the conversation keeps the
answer alone (`calling.spoken`); but a question that goes on from there, as "And who came second?", is answered from
them if one of their sentences does.
"""

from collections.abc import Sequence

from turnwise.domain.steps import FunctionResult, Step, UserInput
from turnwise.engine.rules.calling import LONG_RESULT, render_result, text_of
from turnwise.engine.rules.reporting import question_of
from turnwise.engine.rules.searching import answer_from
from turnwise.engine.rules.serving import request_before
from turnwise.engine.rules.speaking import form_of


def recall(steps: Sequence[Step]) -> str:
    """What earlier long results say to the last question. Empty: nothing, or it does not go on from there."""
    last = steps[-1] if steps else None
    if not isinstance(last, UserInput):
        return ""
    said = text_of(last)
    told = [render_result(step) for step in steps if isinstance(step, FunctionResult) and not step.is_error]
    long = [text for text in told if len(text) > LONG_RESULT]
    if not long or form_of(said) not in ("question", "general") or not request_before(said, steps[:-1]):
        return ""
    return answer_from(question_of(steps), "\n".join(long))
