"""The tool `computer_use`. The server declares the actions, checks what is to be checked and relays; the client acts.

So there is nothing here to be called: an action is a function call that ends the turn with `requires_action`, and what
came of it is the input of the next one: a screenshot, and in a browser the page's `url`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.tools import ComputerUse, FunctionTool
from turnwise.tools.computer_use.actions import CURRENT, FOUNDING, NAMES, Action, Generation, as_function
from turnwise.tools.computer_use.safety import check_confirmed, check_policies, decision_schema
from turnwise.tools.tool import Occasion, Outcome


class ComputerUseTool:
    """A `Tool`."""

    def __init__(self, browser_actions: Generation = "founding") -> None:
        """`browser_actions`: which a browser has, where a request does not show which its client knows."""
        self._browser_actions = browser_actions

    @asynccontextmanager
    async def open(self, declared: ComputerUse, occasion: Occasion) -> AsyncIterator["OpenComputer"]:
        """The actions of a turn.

        Raises:
            InvalidRequest: an action or a policy that there is not, no action left, or a result of an action that the
                user was to agree to and did not.
        """
        excluded = set(declared.excluded_functions)
        actions = self._actions(declared, f"{occasion.path}.excluded_predefined_functions")
        switched_off = check_policies(declared.disabled_safety_policies, f"{occasion.path}.disabled_safety_policies")
        check_confirmed(occasion.steps, NAMES - excluded)
        watches = declared.enable_prompt_injection_detection
        yield OpenComputer(
            [
                as_function(action, decision_schema(switched_off, watches, action.matters))
                for action in actions
                if action.name not in excluded
            ]
        )

    def _actions(self, declared: ComputerUse, field: str) -> Sequence[Action]:
        """The actions of the generation that the request's client knows: the one that has all excluded ones."""
        generations: dict[Generation, Sequence[Action]] = {"current": CURRENT[declared.environment]}
        if declared.environment == "browser":
            generations = {"founding": FOUNDING, **generations}
        preferred = self._browser_actions if self._browser_actions in generations else "current"
        excluded = set(declared.excluded_functions)
        for actions in (generations[preferred], *generations.values()):
            names = {action.name for action in actions}
            if excluded == names:
                raise InvalidRequest("nothing is left to do; leave the tool out", field=field)
            if excluded < names:
                return actions
        raise InvalidRequest(_unknown(excluded, declared.environment, generations.values()), field=field)


def _unknown(excluded: set[str], environment: str, generations: Iterable[Sequence[Action]]) -> str:
    """What is wrong with names of which no generation has all."""
    names = [[action.name for action in actions] for actions in generations]
    unknown = ", ".join(f"'{name[:80]}'" for name in sorted(excluded.difference(*names)))
    what = f"there is no action {unknown}" if unknown else "these actions are not of one generation"
    known = "; or, of another generation: ".join(map(", ".join, names))
    return f"{what}. Those in the environment '{environment}' are: {known}"


@dataclass(frozen=True, slots=True)
class OpenComputer:
    """An `OpenTool` whose functions the client runs."""

    functions: Sequence[FunctionTool]
    tool: ClassVar[None] = None
    is_demanded: ClassVar[bool] = False

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """A function call, as the model made it."""
        return arguments, {}

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Never: the client acts."""
        raise AssertionError(f"the action '{function}' is the client's to carry out")
