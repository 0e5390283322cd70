"""The tools of this server, by the type that a request declares them with."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from turnwise.domain.errors import Unimplemented
from turnwise.domain.tools import FunctionTool
from turnwise.domain.tools import Tool as Declared
from turnwise.tools.tool import Occasion, OpenTool, Tool


class Toolbox:
    """A `Toolbox`. See `tool.py`."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        """`tools`: by their types."""
        self._tools = tools

    @asynccontextmanager
    async def open(self, declared: Mapping[str, Declared], occasion: Occasion) -> AsyncIterator[Sequence[OpenTool]]:
        """Make ready what a turn declares, in that order. Functions need nothing."""
        async with AsyncExitStack() as stack:
            opened: list[OpenTool] = []
            for path, one in declared.items():
                if isinstance(one, FunctionTool):
                    continue
                tool = self._tools.get(one.type)
                if tool is None:
                    raise Unimplemented(f"{path}.type: turnwise does not have the tool '{one.type}' yet; leave it out")
                opened.append(await stack.enter_async_context(tool.open(one, replace(occasion, path=path))))
            yield opened


class Late:
    """A `Tool` that is made when a turn first declares it. Most servers use few of the tools that there are, and need
    not load the others to be ready."""

    def __init__(self, make: Callable[[], Tool]) -> None:
        self._make = make

    @cached_property
    def _tool(self) -> Tool:
        return self._make()

    def open(self, declared: Any, occasion: Occasion) -> AbstractAsyncContextManager[OpenTool]:
        """Make it ready for one turn. See `Tool.open`."""
        return self._tool.open(declared, occasion)
