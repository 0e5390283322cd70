"""What a turn goes on from: the chain behind `previous_interaction_id`, as steps.

Only inputs and outputs travel along a chain, oldest first; tools, system instruction and generation config are each
interaction's own. A chain is read in one go and is good only if all of it is there and all of it came to an end that
can be continued.
"""

from collections.abc import Sequence
from itertools import filterfalse

from turnwise.domain.errors import FailedPrecondition, NotFound
from turnwise.domain.interaction import CONTINUABLE, Status
from turnwise.domain.steps import Step, Thought
from turnwise.store.store import InteractionStore, Link

FIELD = "previous_interaction_id"


async def load_history(store: InteractionStore, previous_id: str, owner: str) -> tuple[Step, ...]:
    """The steps of the interaction `previous_id` and of all that it continues.

    Raises:
        NotFound: there is no such interaction for this owner.
        FailedPrecondition: one of them is deleted, failed, cancelled or still running.
    """
    chain = await store.chain(previous_id, owner)
    if not chain:
        raise NotFound(
            f"{FIELD}: there is no interaction '{previous_id}'. It may have been deleted, or made with `store: false`"
        )
    _check(chain)
    steps = [step for link in chain for step in (*link.input, *link.steps)]
    return tuple(filterfalse(_is_cut_off, steps))


def _is_cut_off(step: Step) -> bool:
    """Whether this is a thought that was being thought when its interaction had had its time: there is nothing in it
    but what people were shown."""
    return isinstance(step, Thought) and step.signature is None


def _check(chain: Sequence[Link]) -> None:
    oldest = chain[0]
    gone = oldest.previous_interaction_id
    if gone is not None:
        raise FailedPrecondition(
            f"its history is broken: '{oldest.id}' continues '{gone}', which is deleted. "
            "Start anew, or send the history as `input`",
            field=FIELD,
        )
    if not CONTINUABLE.issuperset([link.status for link in chain]):
        bad = next(link for link in chain if not link.status.can_be_continued)
        raise FailedPrecondition(_why_not(bad), field=FIELD)


def _why_not(link: Link) -> str:
    if link.status is Status.IN_PROGRESS:
        return f"'{link.id}' is still in progress; wait until it has ended, or cancel it"
    return f"'{link.id}' is {link.status.value} and cannot be continued; continue the one before it"
