"""One of everything that the domain has: each kind of step in each of its forms, each status, interactions with all of
their fields. The tests of the domain and of the wire hold their promises against all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

from turnwise.domain.content import MEDIA_TYPES, Media, Text
from turnwise.domain.events import (
    AnnotationsDelta,
    ArgumentsDelta,
    Created,
    End,
    Event,
    MediaDelta,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StatusUpdate,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
    skeleton,
)
from turnwise.domain.formats import AudioFormat, ImageFormat, ResponseFormat, Voice
from turnwise.domain.interaction import Failure, GenerationConfig, Interaction, Status, Turn, Usage, WebhookConfig
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    ServerTool,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UnknownStep,
    UserInput,
)
from turnwise.domain.tools import (
    CodeExecution,
    ComputerUse,
    FileSearch,
    FunctionTool,
    GoogleSearch,
    McpServer,
    ToolChoice,
    UrlContext,
)

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1.5)

CITATION = {"type": "url_citation", "start_index": 0, "end_index": 5, "url": "https://example.org", "title": "Example"}
IMAGE = Media("image", "image/png", data="aGFsbG8h")

MESSAGES: dict[str, tuple[Text | Media, ...]] = {
    "a text": (Text("Hello"),),
    "a text with a citation": (Text("Hello", (CITATION,)),),
    "text and an image": (Text("Look:"), IMAGE),
    "an image and text": (IMAGE, Text("That was it.")),
    "an image by address": (Media("image", uri="https://example.org/a.png"),),
    "a sound with all options": (
        Media("audio", "audio/l16", data="AAAA", options={"channels": 1, "sample_rate": 24000}),
    ),
    "a sound with the older name of its rate": (
        Media("audio", "audio/l16", data="AAAA", options={"channels": 1, "rate": 24000}),
    ),
    "an image of a kind that nobody knows": (Media("image", "image/x-of-our-own", data="AAAA"),),
    "an image to look at closely": (Media("image", "image/png", data="AAAA", options={"resolution": "high"}),),
    **{f"a {kind}": (Media(kind, data="AAAA"),) for kind in MEDIA_TYPES},
}

STEPS: dict[str, Step] = {
    **{f"the user says {name}": UserInput(content) for name, content in MESSAGES.items()},
    **{f"the model says {name}": ModelOutput(content) for name, content in MESSAGES.items()},
    "a thought": Thought(),
    "a sealed thought": Thought("c2VhbGVk"),
    "a thought with a summary": Thought(summary=(Text("Hm."), IMAGE)),
    "a sealed thought with a summary": Thought("c2VhbGVk", (Text("Hm."),)),
    "a function call": FunctionCall("call_1", "look", {"deep": [1, {"x": None}]}),
    "a function call without arguments": FunctionCall("call_1", "look"),
    "a signed function call": FunctionCall("call_1", "look", {"at": "it"}, "c2ln"),
    "a function result in words": FunctionResult("call_1", "sunny"),
    "a function result in JSON": FunctionResult("call_1", {"content": [{"type": "text", "text": "sunny"}]}),
    "a function result in content": FunctionResult("call_1", [{"type": "text", "text": "sunny"}], "look"),
    "a function result of nothing": FunctionResult("call_1", None),
    "a function that failed": FunctionResult("call_1", "no such place", "look", True, "c2ln"),
    **{f"a {tool} call": ToolCall(tool, "call_2", {"queries": ["x"]}) for tool in get_args(ServerTool)},
    **{f"a {tool} result": ToolResult(tool, "call_2", [{"url": "x"}]) for tool in get_args(ServerTool)},
    "a call of an MCP server": ToolCall("mcp_server_tool", "c", {}, {"name": "find", "server_name": "books"}, "c2ln"),
    "a result of an MCP server": ToolResult(
        "mcp_server_tool", "c", "found", True, {"name": "find", "server_name": "books"}, "c2ln"
    ),
    "a search of a kind": ToolCall("google_search", "c", {"queries": ["x"]}, {"search_type": "web_search"}),
    "a retrieval of a kind": ToolCall("retrieval", "c", {"queries": ["x"]}, {"retrieval_type": "vertex_ai_search"}),
    "a result that says nothing": ToolResult("file_search", "c"),
}
"""Every kind of step that a client may read and send back."""

UNKNOWN = UnknownStep("dream", {"about": "sheep", "count": 3})
"""What a newer version wrote."""

EMPTY = {"the user says nothing": UserInput(()), "the model says nothing": ModelOutput()}

EVERY_STEP: dict[str, Step] = {**STEPS, **EMPTY, "a step of a newer version": UNKNOWN}

USAGE = Usage({"text": 10, "image": 258}, {"text": 2}, {"text": 4}, {"text": 1}, 8)


def interaction(*steps: Step, status: Status = Status.COMPLETED, failure: Failure | None = None) -> Interaction:
    """An interaction with the least that it must have, and these steps."""
    turn = Turn((UserInput((Text("Hi"),)),), model="m")
    return Interaction("int_1", "ann", turn, NOON, LATER, status, steps, USAGE, failure)


def full(*, status: Status = Status.COMPLETED) -> Interaction:
    """An interaction with something in every field that clients read."""
    turn = Turn(
        input=tuple(STEPS.values()),
        model="m",
        agent="researcher",
        previous_interaction_id="int_0",
        system_instruction="Be brief.",
        tools=(
            FunctionTool("look", "Looks.", {"type": "object", "properties": {}}),
            FunctionTool("wait"),
            GoogleSearch(("web_search", "image_search")),
            UrlContext(),
            CodeExecution(),
            McpServer("weather", "https://example.com/mcp", {}, (ToolChoice("any", ("forecast",)), ToolChoice("none"))),
            ComputerUse("mobile", ("drag_and_drop",), ("financial",), True),
            FileSearch(("fileSearchStores/one", "fileSearchStores/two"), 3, "year > 1910"),
        ),
        tool_choice=ToolChoice("any", ("look",)),
        response_format=ResponseFormat({"type": "object"}),
        generation=GenerationConfig(0.5, 0.9, 40, 7, 100, ("stop",), "low", "auto"),
        store=False,
        stream=True,
        background=True,
        response_modalities=("text", "image", "audio"),
        image=ImageFormat("16:9", "2K", "image/png", "uri"),
        audio=AudioFormat("audio/mp3", 24000, 64000, "inline"),
        voices=(Voice("Kore", "en-US", "Ann"), Voice("Puck")),
        agent_config={"type": "dynamic", "depth": 2},
        webhook=WebhookConfig(("https://example.com/hook",), {"job": 7}),
        echo={"labels": {"team": "Zürich"}, "service_tier": "flex"},
    )
    failure = Failure("api_error", "It broke.") if status is Status.FAILED else None
    return Interaction("int_1", "ann", turn, NOON, LATER, status, tuple(EVERY_STEP.values()), USAGE, failure)


def live() -> list[Event]:
    """A turn as it comes about while someone watches: thought, call in fragments, text in pieces, sound in pieces."""
    call = FunctionCall("call_1", "look", {"at": "it"})
    search = ToolCall("google_search", "call_2", {"queries": ["x"]})
    return [
        Created(),
        StatusUpdate(Status.IN_PROGRESS),
        StepStart(0, 0, Thought()),
        PartDelta(0, 0, SummaryDelta(Text("Hm."))),
        PartDelta(0, 0, SignatureDelta("c2VhbGVk")),
        StepStop(0, 0),
        StepStart(1, 1, skeleton(search)),
        PartDelta(1, 1, WholeDelta(search)),
        StepStop(1, 1),
        StepStart(2, None, ModelOutput()),
        PartStart(2, 2, Text("")),
        PartDelta(2, 2, TextDelta("Hel")),
        PartDelta(2, 2, TextDelta("lo")),
        PartDelta(2, 2, AnnotationsDelta((CITATION,))),
        PartStop(2, 2),
        PartStart(2, 3, Media("audio", "audio/l16")),
        PartDelta(2, 3, MediaDelta(Media("audio", "audio/l16", data="AAAA"))),
        PartDelta(2, 3, MediaDelta(Media("audio", "audio/l16", data="BBBB"))),
        PartStop(2, 3),
        StepStop(2, None),
        StepStart(3, 4, skeleton(call)),
        PartDelta(3, 4, ArgumentsDelta('{"at":')),
        PartDelta(3, 4, ArgumentsDelta('"it"}')),
        PartDelta(3, 4, WholeDelta(call, fragments=True)),
        StepStop(3, 4),
        End(Status.REQUIRES_ACTION, USAGE, LATER),
    ]


LIVE_STEPS = (
    Thought("c2VhbGVk", (Text("Hm."),)),
    ToolCall("google_search", "call_2", {"queries": ["x"]}),
    ModelOutput((Text("Hello", (CITATION,)), Media("audio", "audio/l16", data="AAAABBBB"))),
    FunctionCall("call_1", "look", {"at": "it"}),
)
"""What `live` amounts to."""


def numbered(events: list[Event]) -> Iterator[tuple[int, Event]]:
    """Events with their positions."""
    return enumerate(events, 1)
