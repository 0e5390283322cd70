"""The contract of a tool that a model uses: opened for one turn, shown as functions, called, closed.

A model knows functions and nothing else. So each tool says which functions it is to the model; what the model calls of
them appears to clients as the tool's own steps (`google_search_call`, `google_search_result`), and only then is it run.
What comes of a call is said twice: `result` is what clients see, in the shape that the API has for it, and `told` is
what the model reads, which may be more (the text of a page whose address is all that clients see).

A tool that fails is no error of the turn: it gives an Outcome that says so, which the model reads and may act on.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from turnwise.domain.content import JSON
from turnwise.domain.steps import ServerTool, Step
from turnwise.domain.tools import FunctionTool
from turnwise.domain.tools import Tool as Declared


@dataclass(frozen=True, slots=True)
class Source:
    """What an answer may rest on, and is then cited as."""

    text: str
    """The words that the model read."""
    citation: Mapping[str, JSON]
    """The annotation without its indices: `{"type": "url_citation", "url": ..., "title": ...}`."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a tool made. Clients get it behind the result: an image as an image, everything else as a file."""

    data: bytes
    mime_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call."""

    result: JSON
    """For clients, in the shape that the API has for this tool's results."""
    told: JSON
    """What the model reads: text, other JSON, or a list of content objects, among them images."""
    is_error: bool = False
    sources: Sequence[Source] = ()
    made: Sequence[Made] = ()
    counted: str | None = None
    """Under which name the use is counted in `usage.grounding_tool_count`, if it is."""


@dataclass(slots=True)
class Occasion:
    """The turn in which a tool is used."""

    owner: str
    steps: Sequence[Step]
    """The history and the input, as a model sees them: calls of tools are function calls in them."""
    path: str = "tools"
    """Where the request declares the tool, for messages: `tools[0]`."""
    happened: list[Step] = field(default_factory=list)
    """Each call of a tool in this turn so far, with what it told the model behind it, as in `steps`. The engine adds to
    it."""
    system_instruction: str | None = None
    """What the model is told of its part: the client's words, as the input is."""


class OpenTool(Protocol):
    """A tool that is ready, for the length of one turn."""

    @property
    def tool(self) -> ServerTool | None:
        """As what its calls and results appear to clients. None: its functions are the client's to run, and appear as
        function calls."""

    @property
    def functions(self) -> Sequence[FunctionTool]:
        """What the model may call. Two tools may have functions of one name: the engine tells them apart."""

    @property
    def is_demanded(self) -> bool:
        """Whether the request demands that the model call one of them."""

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """The `arguments` and the `details` of the call's step, as clients see them (see `domain.steps.ToolCall`)."""

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Run it. The arguments are valid against the function's schema. Several calls may run at once.

        A call whose process died before its result was kept is run again by another one, with the same `key`: who is
        asked to change something is told the key, so as to do it once. No other call has it.

        Whatever a caller can do something about is an Outcome with `is_error`. Cancelling ends all work and leaves
        nothing behind.
        """


class Tool(Protocol):
    """A tool of the server. What is `declared` is one of its own type of `domain/tools.py`."""

    def open(self, declared: Any, occasion: Occasion) -> AbstractAsyncContextManager[OpenTool]:
        """Make it ready for one turn.

        Raises:
            InvalidRequest: it is declared wrongly, in a way that only the tool can know.
            FailedPrecondition: what it needs of the outside (a server that the request names) cannot be had.
            Unimplemented: it, or something that is asked of it, is not on this machine or not set up; the message says
                how to have it.
        """


class Toolbox(Protocol):
    """The tools of this server. `tools/toolbox.py` is the real one."""

    def open(
        self, declared: Mapping[str, Declared], occasion: Occasion
    ) -> AbstractAsyncContextManager[Sequence[OpenTool]]:
        """Make ready what a turn declares, in that order: tools by their places in the request, as `tools[0]`. Raises
        as `Tool.open` does."""
