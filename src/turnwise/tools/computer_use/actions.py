"""What a model may do on a computer: the predefined actions, as functions.

A screen is 1000 by 1000 whatever its size: `x` and `y` go from 0 to 999, and the client scales them. All actions and
their arguments are those that Google documents for its models, for a browser in two generations: the founding ones
(`click_at`), which came with the API, and the current ones (`click`), which came with phones and desktops and tell an
`intent`. What their documentation calls optional is optional here, with the same defaults.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from turnwise.domain.content import JSON
from turnwise.domain.tools import ComputerEnvironment, FunctionTool

Generation: TypeAlias = Literal["founding", "current"]

Properties: TypeAlias = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done."""

    name: str
    description: str
    properties: Properties = field(default_factory=dict)
    """Its arguments. Those without a default are required."""
    matters: bool = True
    """Whether it can do something in the world. Else it only looks, waits or moves about."""
    intent: bool = False
    """Whether it tells what it is done for."""


def as_function(action: Action, safety: Mapping[str, JSON]) -> FunctionTool:
    """An action as a model is offered it. `safety`: the schema of its `safety_decision`."""
    properties: dict[str, JSON] = dict(action.properties)
    if action.intent:
        properties["intent"] = {"type": "string", "description": "What this step is for, in one short sentence."}
    properties["safety_decision"] = dict(safety)
    required = [name for name, schema in action.properties.items() if "default" not in schema]
    parameters: dict[str, JSON] = {"type": "object", "properties": properties}
    return FunctionTool(action.name, action.description, {**parameters, **({"required": required} if required else {})})


def _coordinate(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": 999, "description": description}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _choice(description: str, default: bool) -> dict[str, Any]:
    return {"type": "boolean", "default": default, "description": description}


def _seconds(default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "default": default, "description": "How many seconds."}


def _distance(default: int) -> dict[str, Any]:
    return {**_coordinate("How far: 999 is the whole screen."), "default": default}


_X = "From the left edge of the screen, 0, to its right edge, 999."
_Y = "From the top edge of the screen, 0, to its bottom edge, 999."
_POINT: Properties = {"x": _coordinate(_X), "y": _coordinate(_Y)}
_DIRECTION = {"type": "string", "enum": ["up", "down", "left", "right"], "description": "Where to scroll."}
_KEY = _text("One key, such as Enter, Escape, Tab, ArrowDown or a.")
_URL = {"url": _text("The address, such as https://example.org/page.")}

FOUNDING: tuple[Action, ...] = (
    Action("open_web_browser", "Open the web browser, and see its screen.", matters=False),
    Action("wait_5_seconds", "Wait for 5 seconds, until what is loading is there.", matters=False),
    Action("go_back", "Go back to the page before, in the browser's history.", matters=False),
    Action("go_forward", "Go on to the next page, in the browser's history.", matters=False),
    Action("search", "Open the browser's default search engine, to type a query there.", matters=False),
    Action("navigate", "Open a page by its address.", _URL),
    Action("click_at", "Click on what is at a point of the screen.", _POINT),
    Action("hover_at", "Move the mouse to a point of the screen, to see what shows up there.", _POINT, matters=False),
    Action(
        "type_text_at",
        "Click into the field at a point of the screen, and type text into it.",
        {
            **_POINT,
            "text": _text("What to type."),
            "press_enter": _choice("Whether to press Enter behind it.", True),
            "clear_before_typing": _choice("Whether to empty the field first.", True),
        },
    ),
    Action(
        "key_combination",
        "Press a key, or several at once.",
        {"keys": _text("The keys, with + between them: Enter, Control+A, Alt+ArrowLeft.")},
    ),
    Action("scroll_document", "Scroll the whole page by one screen.", {"direction": _DIRECTION}, matters=False),
    Action(
        "scroll_at",
        "Scroll what is at a point of the screen, such as a list within the page.",
        {**_POINT, "direction": _DIRECTION, "magnitude": _distance(800)},
        matters=False,
    ),
    Action(
        "drag_and_drop",
        "Drag what is at a point of the screen, and drop it at another.",
        {
            **_POINT,
            "destination_x": _coordinate(f"Where to drop it. {_X}"),
            "destination_y": _coordinate(f"Where to drop it. {_Y}"),
        },
    ),
)
"""Those of a browser, as they were when the API came."""


def _now(name: str, description: str, properties: Properties | None = None, matters: bool = True) -> Action:
    """An action of the current generation."""
    return Action(name, description, properties or {}, matters, intent=True)


_CLICK = _now("click", "Click on what is at a point of the screen.", _POINT)
_MOUSE = (
    _CLICK,
    _now("double_click", "Click twice on what is at a point of the screen.", _POINT),
    _now("triple_click", "Click three times at a point of the screen, which selects a whole line of text.", _POINT),
    _now("middle_click", "Click with the middle button at a point of the screen.", _POINT),
    _now("right_click", "Click with the right button at a point of the screen, which opens a menu.", _POINT),
    _now("mouse_down", "Press the mouse button at a point of the screen, and hold it.", _POINT),
    _now("mouse_up", "Release the mouse button at a point of the screen.", _POINT),
    _now("move", "Move the mouse to a point of the screen.", _POINT, matters=False),
)
_TYPE = _now(
    "type",
    "Type text into the field that has the focus. Click into it first.",
    {"text": _text("What to type."), "press_enter": _choice("Whether to press Enter behind it.", False)},
)
_DRAG = _now(
    "drag_and_drop",
    "Drag what is at a point of the screen, and drop it at another.",
    {
        "start_x": _coordinate(f"Where it is. {_X}"),
        "start_y": _coordinate(f"Where it is. {_Y}"),
        "end_x": _coordinate(f"Where to drop it. {_X}"),
        "end_y": _coordinate(f"Where to drop it. {_Y}"),
    },
)
_WAIT = _now("wait", "Wait, until what is loading is there.", {"seconds": _seconds(1)}, matters=False)
_PRESS = _now("press_key", "Press a key and release it.", {"key": _KEY})
_KEYS = (
    _PRESS,
    _now("key_down", "Press a key, and hold it.", {"key": _KEY}),
    _now("key_up", "Release a key that is held.", {"key": _KEY}),
    _now(
        "hotkey",
        "Press several keys at once.",
        {"keys": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "As in [Control, A]."}},
    ),
)
_SCREENSHOT = _now("take_screenshot", "See the screen as it is now.", matters=False)
_SCROLL = _now(
    "scroll",
    "Scroll what is at a point of the screen.",
    {**_POINT, "direction": _DIRECTION, "magnitude_in_pixels": _distance(300)},
    matters=False,
)
_BACK = _now("go_back", "Go back to what was there before.", matters=False)

CURRENT: Mapping[ComputerEnvironment, tuple[Action, ...]] = {
    "browser": (
        *(*_MOUSE, _TYPE, _DRAG, _WAIT, *_KEYS, _SCREENSHOT, _SCROLL, _BACK),
        _now("navigate", "Open a page by its address.", _URL),
        _now("go_forward", "Go on to the next page, in the browser's history.", matters=False),
    ),
    "mobile": (
        _now("open_app", "Open an app.", {"app_name": _text("Its name, or that of its package.")}, matters=False),
        _CLICK,
        _now("list_apps", "List the apps of the device, with their names and packages.", matters=False),
        *(_WAIT, _BACK, _TYPE, _DRAG),
        _now("long_press", "Press long on what is at a point of the screen.", {**_POINT, "seconds": _seconds(2)}),
        *(_PRESS, _SCREENSHOT),
    ),
    "desktop": (*_MOUSE, _TYPE, _DRAG, _WAIT, *_KEYS, _SCREENSHOT, _SCROLL),
}
"""Those of each kind of computer, as they are now."""

NAMES = frozenset(action.name for actions in (FOUNDING, *CURRENT.values()) for action in actions)
"""Those of all actions that there are."""
