"""What a model cannot do by itself, the engine does: which help stands around a model for a prompt, and in what order.

    Again          goes on with an answer that was begun, by giving it again
    CheckedCalls   sees to it that calls are valid; or RuledCalls, which finds them by rules
    Thinking       thinks first
    Formed         keeps the text to a schema

Each is a model of its own around the next one.
"""

from turnwise.domain.steps import FunctionCall, FunctionResult
from turnwise.engine.calls import CheckedCalls
from turnwise.engine.continuing import Again, Begun, begun, can_go_on
from turnwise.engine.forms import Formed
from turnwise.engine.thoughts import Thinking
from turnwise.models.model import Model, Prompt


def helped(model: Model, prompt: Prompt) -> Model:
    """The model, with the engine's help where this prompt asks for what it cannot do by itself."""
    card = model.card
    if "text" not in card.outputs:
        return model
    speaking = model if prompt.schema is None else Formed(model)
    if not card.thinks:
        speaking = Thinking(speaking)
    if not card.tools and _has_calls(prompt):
        from turnwise.engine.rules.ruled import RuledCalls  # a tenth of a second, which a start need not pay

        thoughts = begun(prompt.steps)
        return RuledCalls(Formed(model), Begun(speaking, thoughts) if thoughts else speaking)
    if card.tools and prompt.tools:
        speaking = CheckedCalls(speaking)
    return Again(speaking) if prompt.said and not can_go_on(card, prompt) else speaking


def _has_calls(prompt: Prompt) -> bool:
    """Whether functions may be called, or were."""
    return bool(prompt.tools) or any(isinstance(step, FunctionCall | FunctionResult) for step in prompt.steps)
