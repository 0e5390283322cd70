"""What a client reads it can send back, in the form in which it came, and it means the same steps."""

from typing import Any

import pytest

from domain.samples import STEPS, full, interaction
from turnwise.domain.content import Text
from turnwise.domain.interaction import Interaction, Turn
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.wire import DIALECTS
from turnwise.wire.input import parse_input

every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)

CONVERSATIONS: dict[str, tuple[Step, ...]] = {
    "question and answer": (UserInput((Text("Hi"),)), ModelOutput((Text("Yes?"),))),
    "a thought before the answer": (UserInput((Text("Hi"),)), Thought("c2"), ModelOutput((Text("Yes?"),))),
    "two messages of the user's": (UserInput((Text("Hi"),)), UserInput((Text("you"),))),
    "two messages of the model's": (ModelOutput((Text("Well"),)), ModelOutput((Text("then"),))),
    "words, then a call": (ModelOutput((Text("Let me see."),)), FunctionCall("1", "look")),
    "a result, then words": (FunctionResult("1", "sunny"), UserInput((Text("So?"),))),
    "words, then a result": (UserInput((Text("Here:"),)), FunctionResult("1", "sunny")),
    "a whole round with a function": (
        UserInput((Text("Weather?"),)),
        Thought("c2"),
        FunctionCall("1", "look", {"at": "it"}),
        FunctionResult("1", "sunny"),
        ModelOutput((Text("Sunny."),)),
        UserInput((Text("Thanks"),)),
    ),
    "one of everything": tuple(STEPS.values()),
}

every_conversation = pytest.mark.parametrize("steps", CONVERSATIONS.values(), ids=CONVERSATIONS)


def asked(*steps: Step) -> Interaction:
    """An interaction whose input was these steps."""
    return Interaction("int_1", "ann", Turn(steps, model="m"), full().created, full().updated)


@every_step
def test_a_step_that_is_sent_back_is_the_same_step(step: Step):
    (shown,) = DIALECTS["steps"].render_interaction(interaction(step))["steps"]
    assert parse_input([shown]) == (step,)
    assert parse_input(shown) == (step,)


@every_step
def test_outputs_that_are_sent_back_in_a_turn_are_the_same_step(step: Step):
    outputs = DIALECTS["outputs"].render_interaction(interaction(step))["outputs"]
    role = "user" if isinstance(step, UserInput) else "model"
    assert parse_input([{"role": role, "content": outputs}]) == (step,)


@every_conversation
def test_a_timeline_that_is_sent_back_is_the_same_conversation(steps: tuple[Step, ...]):
    assert parse_input(DIALECTS["steps"].render_interaction(interaction(*steps))["steps"]) == steps


@every_conversation
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_input_that_is_read_and_sent_back_is_the_same_input(dialect: Any, steps: tuple[Step, ...]):
    assert parse_input(DIALECTS[dialect].render_interaction(asked(*steps), include_input=True)["input"]) == steps


def test_a_history_of_the_clients_own_joins_turns_and_outputs():
    outputs = DIALECTS["outputs"].render_interaction(
        interaction(Thought("c2"), ModelOutput((Text("Yes?"),)), FunctionCall("1", "look"))
    )["outputs"]
    sent = [
        {"role": "user", "content": "Hi"},
        {"role": "model", "content": outputs},
        {"role": "user", "content": [{"type": "function_result", "call_id": "1", "result": "sunny"}]},
    ]
    assert parse_input(sent) == (
        UserInput((Text("Hi"),)),
        Thought("c2"),
        ModelOutput((Text("Yes?"),)),
        FunctionCall("1", "look"),
        FunctionResult("1", "sunny"),
    )
