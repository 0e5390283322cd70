"""Tools: what a model may do in a turn, and how freely it may choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON

Schema: TypeAlias = Mapping[str, JSON]
"""A JSON Schema."""


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the client runs: the model asks for it, the turn ends, the result comes with the next one."""

    name: str
    description: str = ""
    parameters: Schema = field(default_factory=dict)
    """The JSON Schema of its arguments, an object. Empty: it takes none."""
    type: Literal["function"] = "function"


Tool: TypeAlias = FunctionTool


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """How freely the model may choose among the tools.

    `auto`: call or speak. `any`: it must call. `none`: it must not. `validated`: as auto, with valid arguments, which
    turnwise sees to in every mode.
    """

    mode: Literal["auto", "any", "none", "validated"] = "auto"
    allowed: tuple[str, ...] | None = None
    """The names that it may choose among. None: all."""
