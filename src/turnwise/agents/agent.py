"""The contract of an agent: who works on a task for longer than a turn of a model lasts.

The smallest agent there is:

    class Parrot:
        card = AgentCard("parrot")

        def check(self, config: Mapping[str, JSON]) -> None:
            pass

        async def work(self, task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
            yield Thinks("I have to say it again.")
            answer = await desk.step("say", lambda: desk.ask(task.instruction or "", task.text))
            yield Says(answer)
            yield Done("completed")

An agent outlives the process that it runs in. When that dies, `work` begins from the start in another one, with the
same task: each step of the desk that was finished gives what it gave then, without being done again, and what was said
is not shown again. So all that `work` says must follow from the task and from what its steps gave, in an order that
does not depend on time: whatever is asked of the world or of chance is asked in a step.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, TypeVar

from turnwise.domain.content import JSON, Media, Text
from turnwise.domain.steps import Step, UserInput
from turnwise.domain.tools import FunctionTool, Schema

T = TypeVar("T", bound=JSON)


@dataclass(frozen=True, slots=True)
class AgentCard:
    """What an agent is."""

    name: str
    """As the settings and saved agents call it."""
    description: str = ""
    tools: tuple[str, ...] = ()
    """The types of tools that it uses, of those that this server has, when the request declares none."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done."""

    input: tuple[Step, ...]
    """What was asked now."""
    history: tuple[Step, ...] = ()
    """What was asked and answered before, oldest first, by agents and by models."""
    instruction: str | None = None
    """The request's, or the saved agent's, `system_instruction`."""
    config: Mapping[str, JSON] = field(default_factory=dict)
    """`agent_config`, as `Agent.check` found it good."""

    @property
    def text(self) -> str:
        """All text of the input, a paragraph each."""
        return "\n\n".join(
            part.text
            for step in self.input
            if isinstance(step, UserInput)
            for part in step.content
            if isinstance(part, Text) and part.text.strip()
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What the work has cost so far, with what was done before its process died."""

    tokens: int
    seconds: float
    """Since the interaction was created."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What it may cost. The desk ends the work where it is overdrawn; an agent that looks ends it better."""

    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Used:
    """What came of a tool."""

    told: JSON
    """What a model would read: text, other JSON, or a list of content objects."""
    result: JSON
    """As clients would see it: of a search, its hits with their addresses."""
    is_error: bool = False
    sources: tuple[tuple[str, Mapping[str, JSON]], ...] = ()
    """What may be cited: the words that were read, and the annotation without its indices."""


class Desk(Protocol):
    """What an agent works with, for the length of one task."""

    @property
    def functions(self) -> Mapping[str, str]:
        """The functions of tools that it may use (`google_search`, `url_context`, `file_search`, those of MCP servers,
        ...), by their names, and of which type of tool they are."""

    @property
    def offered(self) -> Sequence[FunctionTool]:
        """The same functions as a model is shown them: what they are for, and what their arguments are."""

    @property
    def spent(self) -> Spent: ...

    @property
    def budget(self) -> Budget: ...

    async def step(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do this once: after a crash a finished step gives what it gave before. Steps may run side by side. A name is
        used for one step only. What the work raises is raised, and remembered by nobody."""

    async def ask(
        self, instruction: str, question: str, *, schema: Schema | None = None, max_tokens: int | None = None
    ) -> str:
        """What the agent's model answers; with a schema, JSON that is valid against it. Asked within a step.

        Raises:
            TurnwiseError: it cannot be asked, or has not answered.
        """

    async def use(self, function: str, arguments: Mapping[str, JSON]) -> Used:
        """What comes of a function of a tool. Done within a step. What goes wrong in a tool is no error of the
        agent: `is_error`."""


@dataclass(frozen=True, slots=True)
class Thinks:
    """What the agent is about, for people: a paragraph of a thought's summary."""

    text: str


@dataclass(frozen=True, slots=True)
class Says:
    """More of the answer's text. Pieces join, until something else is said."""

    text: str


@dataclass(frozen=True, slots=True)
class Cites:
    """What the text said so far rests on: annotations with `start_index` and `end_index`, in bytes of its UTF-8. It
    ends the text."""

    annotations: tuple[Mapping[str, JSON], ...]


@dataclass(frozen=True, slots=True)
class Shows:
    """An image or a file beside the text."""

    media: Media


@dataclass(frozen=True, slots=True)
class Done:
    """The work is over. Always the last."""

    status: Literal["completed", "incomplete", "budget_exceeded"] = "completed"


Said: TypeAlias = Thinks | Says | Cites | Shows | Done


class Agent(Protocol):
    """An agent. An implementation needs no base class."""

    @property
    def card(self) -> AgentCard:
        """What it is."""

    def check(self, config: Mapping[str, JSON]) -> None:
        """Look at an `agent_config`, before anything is kept.

        Raises:
            InvalidRequest: it has a field that the agent does not know, or a value that it cannot be; `field` says
                which, from `agent_config` on.
            Unimplemented: it asks for what the agent cannot do.
        """

    def work(self, task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        """Do it.

        Raises:
            TurnwiseError: it cannot be done; the interaction ends as failed, with this reason.
        """


class Agents(Protocol):
    """Names to agents. `agents/catalogue.py` is the real one."""

    def find(self, name: str) -> "Hired":
        """The agent that answers to a name.

        Raises:
            ModelNotFound: there is none.
        """

    def names(self) -> Sequence[str]:
        """Every name, in the order of the settings."""


@dataclass(frozen=True, slots=True)
class Hired:
    """An agent as this server has it."""

    agent: Agent
    model: str
    """The name of the model that it asks."""
    budget: Budget
