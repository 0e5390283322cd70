"""Functions for the tests of choosing, filling and calling, as a client would declare them."""

from typing import Any

from turnwise.domain.tools import FunctionTool


def function(
    name: str, description: str, required: list[str] | None = None, **properties: dict[str, Any]
) -> FunctionTool:
    """A function. All of its parameters are required if it does not say which."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
    return FunctionTool(name, description, parameters)


TEXT: dict[str, Any] = {"type": "string"}

WEATHER = function(
    "get_weather",
    "Gets the weather for a given location.",
    location={"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
)
MEETING = function(
    "schedule_meeting",
    "Schedules a meeting with specified attendees at a given time and date.",
    attendees={"type": "array", "items": TEXT},
    date={"type": "string", "description": "Date of the meeting (e.g., 2024-07-29)"},
    time={"type": "string", "description": "Time of the meeting (e.g., 15:00)"},
    topic={"type": "string", "description": "The subject of the meeting."},
)
TIMER = function("set_timer", "Starts a countdown timer.", minutes={"type": "number", "description": "Minutes"})
CURRENCY = function(
    "convert_currency",
    "Converts an amount of money from one currency to another.",
    amount={"type": "number"},
    from_currency={"type": "string", "description": "ISO 4217 code, e.g. USD"},
    to_currency={"type": "string", "description": "ISO 4217 code, e.g. EUR"},
)
MESSAGE = function("send_message", "Sends a text message to a contact.", contact=TEXT, message=TEXT)
LIGHTS = function(
    "turn_on_lights",
    "Turns on the lights in a room.",
    ["room"],
    room=TEXT,
    brightness={"type": "integer", "description": "Percent", "minimum": 0, "maximum": 100},
)
SENTIMENT = function(
    "rate_review",
    "Rates the mood of a review.",
    review=TEXT,
    mood={"type": "string", "enum": ["positive", "negative"]},
)
HEADLINES = function("get_headlines", "Gets the latest headlines.", [], subject=TEXT)

ALL = (WEATHER, MEETING, TIMER, CURRENCY, MESSAGE, LIGHTS, HEADLINES)
