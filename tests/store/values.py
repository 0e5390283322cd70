"""What the tests of stores keep: small things, made with the least that a test must say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from turnwise.domain.content import Media, Text
from turnwise.domain.events import Created, End, PartDelta, StatusUpdate, TextDelta
from turnwise.domain.file_search import Document, SearchStore
from turnwise.domain.files import File, NewFile, Upload
from turnwise.domain.formats import AudioFormat, ImageFormat, ResponseFormat, Voice
from turnwise.domain.interaction import (
    Failure,
    GenerationConfig,
    Interaction,
    Status,
    Turn,
    Usage,
    WebhookConfig,
)
from turnwise.domain.steps import FunctionCall, ModelOutput, Thought, UserInput
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
from turnwise.store.store import Batch, Key, Lease, NewRun, Notice, Resource

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)

HERE, THERE = Lease("here", 60.0), Lease("there", 60.0)
"""Two carriers that live as long as any test."""

LAPSED = Lease("dead", 0.0)
"""One that is dead as soon as it has a run."""

CARRIED = NewRun(lease=HERE)
"""A run that somebody carries from the start."""

FOLLOWED = NewRun(lease=HERE, followed=True)
"""A run that somebody reads from the start, too."""

WAITING = NewRun()
"""A run that waits for somebody."""


def ended(id: str = "one", *, owner: str = "ann", previous: str | None = None, text: str = "Hi") -> Interaction:
    """An interaction that is over, with an answer."""
    turn = Turn((UserInput((Text(f"Say: {text}"),)),), model="m", previous_interaction_id=previous)
    answer = ModelOutput((Text(text),))
    return Interaction(id, owner, turn, NOON, NOON, Status.COMPLETED, (answer,), Usage({"text": 3}, {"text": 1}))


def running(id: str = "one", *, owner: str = "ann", minutes: int = 0) -> Interaction:
    """An interaction in progress, made so many minutes after noon, without any steps yet."""
    created = NOON + timedelta(minutes=minutes)
    return Interaction(id, owner, Turn((UserInput((Text("Count"),)),), model="m"), created, created)


def rich() -> Interaction:
    """An interaction that has something in every field."""
    image = Media("image", "image/png", data="aGk=", options={"resolution": "low"})
    turn = Turn(
        input=(UserInput((Text("What is this?", ({"type": "url_citation", "start_index": 0},)), image)),),
        model="m",
        agent="researcher",
        previous_interaction_id="before",
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
        generation=GenerationConfig(0.5, 0.9, 40, 7, 100, ("stop", "\n\n"), "low", "auto"),
        store=False,
        stream=True,
        background=True,
        response_modalities=("text", "image"),
        image=ImageFormat("1:1", "4K"),
        audio=AudioFormat("audio/wav", 8000),
        voices=(Voice("Kore"), Voice("Puck", "de-DE", "Bob")),
        agent_config={"type": "deep-research", "visualization": "auto", "sources": ["web", {"deep": None}]},
        webhook=WebhookConfig(("https://example.com/a", "https://example.com/b"), {"job": "Zürich", "tries": [1]}),
        echo={"labels": {"team": "Zürich"}, "service_tier": "flex"},
    )
    return Interaction(
        id="rich",
        owner="ann",
        turn=turn,
        created=NOON + timedelta(microseconds=1),
        updated=NOON + timedelta(seconds=1.5),
        status=Status.FAILED,
        steps=(Thought("sealed", (Text("Hm."),)), FunctionCall("c1", "look", {"deep": [1, {"x": None}]}, "s")),
        usage=Usage({"text": 10, "image": 258}, {"text": 2}, {"text": 4}, {"text": 1}, 8, {"google_search": 2}),
        failure=Failure("api_error", "It broke \u0000 here \U0001f4a5."),
        dialect="outputs",
    )


def opening(id: str = "one") -> Batch:
    """The first two events of any interaction."""
    return Batch(id, 1, (Created(), StatusUpdate(Status.IN_PROGRESS)))


def words(id: str, first: int, *texts: str, attempt: int = 1) -> Batch:
    """Text deltas from a position on."""
    return Batch(id, first, tuple(PartDelta(0, 0, TextDelta(text)) for text in texts), attempt)


def ending(id: str, position: int) -> Batch:
    """The last event."""
    return Batch(id, position, (End(Status.COMPLETED, Usage({"text": 3}), NOON),))


def notice(id: str = "n1", *, owner: str = "ann", minutes: int = 0, **body: Any) -> Notice:
    """Something to tell, which is due so many minutes after noon."""
    return Notice(id, owner, body, NOON, NOON + timedelta(minutes=minutes))


def resource(id: str = "r1", *, kind: str = "webhook", owner: str = "ann", minutes: int = 0, **body: Any) -> Resource:
    """A resource, made so many minutes after noon."""
    created = NOON + timedelta(minutes=minutes)
    return Resource(kind, id, owner, created, created, body)


def key(id: str = "k1", *, minutes: int = 0) -> Key:
    """An API key, made so many minutes after noon."""
    return Key(id, "ann", f"key {id}", bytes(range(32)), "tw-abc", NOON + timedelta(minutes=minutes))


def stored_file(id: str = "f1", *, owner: str = "ann", minutes: int = 0, **fields: Any) -> File:
    """A file of ten bytes, made so many minutes after noon, that lives for two days."""
    created = NOON + timedelta(minutes=minutes)
    made: dict[str, Any] = {
        "id": id,
        "owner": owner,
        "blob": f"blob{owner}{id}",
        "mime_type": "text/plain",
        "size_bytes": 10,
        "created": created,
        "updated": created,
        "expires": created + timedelta(days=2),
        "sha256": bytes(range(32)),
    }
    return File(**made | fields)


def upload(hash: bytes = b"hash", *, owner: str = "ann", blob: str = "blob", **fields: Any) -> Upload:
    """An upload that has just begun, of a file that says nothing of itself."""
    made: dict[str, Any] = {"wanted": NewFile(), "created": NOON, "expires": NOON + timedelta(days=1)}
    return Upload(hash, owner, blob, **made | fields)


def search_store(id: str = "s1", *, owner: str = "ann", minutes: int = 0, **fields: Any) -> SearchStore:
    """A file search store, made so many minutes after noon."""
    created = NOON + timedelta(minutes=minutes)
    return SearchStore(id, owner, created, created, **fields)


def document(id: str = "d1", *, owner: str = "ann", store_id: str = "s1", minutes: int = 0, **fields: Any) -> Document:
    """A document of ten bytes, made so many minutes after noon, that has not been read."""
    created = NOON + timedelta(minutes=minutes)
    made: dict[str, Any] = {
        "id": id,
        "store_id": store_id,
        "owner": owner,
        "display_name": f"{id}.txt",
        "mime_type": "text/plain",
        "size_bytes": 10,
        "created": created,
        "updated": created,
        "blob": f"blob{store_id}{id}",
    }
    return Document(**made | fields)
