"""What travels along a chain, and which chains are no good."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from models.upstream import answer, serve
from support import HERE, NOON, HeldStore, open_engine, read_all, texts, turn
from turnwise.domain.content import Text
from turnwise.domain.errors import FailedPrecondition, NotFound
from turnwise.domain.interaction import GenerationConfig, Interaction, Status
from turnwise.domain.steps import FunctionCall, ModelOutput, Step, UserInput
from turnwise.engine.background import Carrying
from turnwise.engine.history import load_history
from turnwise.models import completions
from turnwise.models.messages import Message, render_messages
from turnwise.models.model import ModelCard
from turnwise.models.openai import OpenAIModel
from turnwise.store.store import NewRun, Store


def said(id: str, previous: str | None = None, status: Status = Status.COMPLETED, owner: str = "ann") -> Interaction:
    """An interaction in which the user says its id, and the model says it back."""
    asked = turn(
        f"user {id}",
        previous_interaction_id=previous,
        system_instruction=f"secret of {id}",
        generation=GenerationConfig(temperature=1.5),
    )
    return Interaction(id, owner, asked, NOON, NOON, status, (ModelOutput((Text(f"model {id}"),)),))


async def texts_of(store: Store, id: str, owner: str = "ann") -> list[str]:
    steps = await load_history(store, id, owner)
    assert all(isinstance(step, UserInput | ModelOutput) for step in steps)
    return [part.text for step in steps for part in step.content]


async def test_a_chain_is_read_oldest_first_inputs_and_outputs_alone(any_store: Store):
    for link in (said("a"), said("b", "a"), said("c", "b")):
        await any_store.create(link)
    assert await texts_of(any_store, "c") == ["user a", "model a", "user b", "model b", "user c", "model c"]


async def test_branches_do_not_see_one_another(any_store: Store):
    for link in (said("root"), said("left", "root"), said("right", "root"), said("leaf", "left")):
        await any_store.create(link)
    assert await texts_of(any_store, "leaf") == [
        f"{who} {link}" for link in ("root", "left", "leaf") for who in ("user", "model")
    ]
    assert await texts_of(any_store, "right") == ["user root", "model root", "user right", "model right"]


async def test_every_kind_of_step_travels(any_store: Store):
    call = FunctionCall("c1", "look", {"at": "sky"})
    await any_store.create(replace(said("a", status=Status.REQUIRES_ACTION), steps=(call,)))
    assert await load_history(any_store, "a", "ann") == (UserInput((Text("user a"),)), call)


@pytest.mark.parametrize(
    "status", [Status.COMPLETED, Status.INCOMPLETE, Status.REQUIRES_ACTION, Status.BUDGET_EXCEEDED]
)
async def test_what_came_to_an_end_can_be_continued(any_store: Store, status: Status):
    await any_store.create(said("a", status=status))
    assert await texts_of(any_store, "a") == ["user a", "model a"]


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.IN_PROGRESS])
@pytest.mark.parametrize("asked", ["a", "b"])
async def test_what_did_not_end_well_cannot_be_continued_at_any_depth(any_store: Store, status: Status, asked: str):
    await any_store.create(said("a", status=status), run=NewRun() if status is Status.IN_PROGRESS else None)
    await any_store.create(said("b", "a"))
    with pytest.raises(FailedPrecondition, match=r"previous_interaction_id: 'a' is") as caught:
        await load_history(any_store, asked, "ann")
    assert status.value.replace("_", " ") in caught.value.message.replace("_", " ")


async def test_a_chain_with_a_hole_is_refused_by_name(any_store: Store):
    for link in (said("a"), said("b", "a"), said("c", "b"), said("d", "c")):
        await any_store.create(link)
    await any_store.delete("b", "ann")
    with pytest.raises(FailedPrecondition, match="'c' continues 'b', which is deleted"):
        await load_history(any_store, "d", "ann")
    assert await texts_of(any_store, "a") == ["user a", "model a"]


async def test_a_strangers_interaction_is_as_unknown_as_one_that_never_was(any_store: Store):
    await any_store.create(said("hers", owner="eve"))
    messages = []
    for id in ("hers", "nobody"):
        with pytest.raises(NotFound) as caught:
            await load_history(any_store, id, "ann")
        messages.append(caught.value.message.replace(id, "ID"))
    assert messages[0] == messages[1]


async def test_a_chain_never_crosses_to_another_owner(any_store: Store):
    await any_store.create(said("hers", owner="eve"))
    await any_store.create(said("mine", "hers"))
    with pytest.raises(FailedPrecondition, match="'hers', which is deleted"):
        await load_history(any_store, "mine", "ann")


@pytest.mark.parametrize("pieces", [1, 50])
async def test_the_history_is_read_once_and_said_once_however_long_the_answer_is(
    monkeypatch: pytest.MonkeyPatch, pieces: int
):
    said_times = 0

    def counting(steps: Sequence[Step]) -> list[Message]:
        nonlocal said_times
        said_times += 1
        return render_messages(steps)

    monkeypatch.setattr(completions, "render_messages", counting)
    store = HeldStore()
    async with serve(answer(*("word " for _ in range(pieces)))) as upstream:
        model = OpenAIModel(ModelCard("m"), upstream.url, "m")
        async with open_engine(store=store, model=model, carrying=Carrying(HERE)) as engine:
            for link in (said("a"), said("b", "a"), said("c", "b")):
                await store.create(link)
            asked = turn("And now?", previous_interaction_id="c", stream=True)
            recording = await engine.interactions.begin(asked, "ann", "steps")
            told = await read_all(engine.interactions.follow(recording))
            assert texts([event for _, event in told]) == "word " * pieces
        await model.close()
    (request,) = upstream.requests
    assert [message["content"] for message in request.body["messages"]] == [
        "user a", "model a", "user b", "model b", "user c", "model c", "And now?"
    ]  # fmt: skip
    assert said_times == store.calls["chain"] == 1
