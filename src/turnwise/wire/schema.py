"""What clients read, as types: the parts that both dialects share. Each dialect's own are in its folder's `schema.py`.

Nothing here runs when a reply is made: rendering writes plain dicts, for speed. These types describe what it writes,
for `/openapi.json` and for people; `tests/wire/test_schema.py` renders everything there is and holds it against them,
with no field too many. A field that is `NotRequired` is left out when there is nothing to say; it is never null.

A client ignores fields that it does not know: later versions may write more.
"""

from typing import Annotated, Any, Literal, NotRequired, TypeAlias, get_args

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

ServerToolCall: TypeAlias = Literal[
    "code_execution_call",
    "url_context_call",
    "google_search_call",
    "google_maps_call",
    "mcp_server_tool_call",
    "file_search_call",
    "retrieval_call",
    "tool_search_call",
    "processing_call",
]

ServerToolResult: TypeAlias = Literal[
    "code_execution_result",
    "url_context_result",
    "google_search_result",
    "google_maps_result",
    "mcp_server_tool_result",
    "file_search_result",
    "retrieval_result",
    "tool_search_result",
    "processing_result",
]

MediaKind: TypeAlias = Literal["image", "audio", "video", "document"]

KNOWN_TYPES = frozenset(
    {
        *("text", "thought", "function_call", "function_result", "user_input", "model_output"),
        *get_args(MediaKind),
        *get_args(ServerToolCall),
        *get_args(ServerToolResult),
    }
)
"""Every `type` of content and steps that has a description of its own."""


def _not_known(type: str) -> str:
    if type in KNOWN_TYPES:
        raise ValueError(f"'{type}' has a description of its own")
    return type


# -- content


@with_config(ConfigDict(extra="allow"))
class Annotation(TypedDict):
    """A citation: where a stretch of the text comes from. It may have more fields, by its `type`."""

    type: NotRequired[str]
    """`url_citation`, `file_citation` or `place_citation`."""
    start_index: NotRequired[int]
    """Where the stretch begins, as a byte offset into the UTF-8 text."""
    end_index: NotRequired[int]
    """Where it ends, exclusive."""
    url: NotRequired[str]
    """The address of what is cited."""
    title: NotRequired[str]
    """Its title."""


class TextContent(TypedDict):
    """Text."""

    type: Literal["text"]
    text: str
    """The text. Empty where a stream begins it."""
    annotations: NotRequired[list[Annotation]]
    """Citations that point into the text."""


class MediaContent(TypedDict):
    """An image, a sound, a video or a document, by value (`data`) or by address (`uri`)."""

    type: MediaKind
    mime_type: NotRequired[str]
    """What kind of file it is, as in `image/png`."""
    data: NotRequired[str]
    """The bytes, in standard padded base64. Left out where a stream begins them."""
    uri: NotRequired[str]
    """Where the bytes are."""
    resolution: NotRequired[Literal["low", "medium", "high", "ultra_high"]]
    """How closely a model is to look."""
    channels: NotRequired[int]
    """Of a sound."""
    rate: NotRequired[int]
    """Of a sound, in samples a second; an older name of `sample_rate`."""
    sample_rate: NotRequired[int]
    """Of a sound, in samples a second."""
    name: NotRequired[str]
    """What a prompt may call it."""


Content: TypeAlias = Annotated[TextContent | MediaContent, Field(discriminator="type")]


# -- what is whole in itself: an output in one dialect, a step in the other


class Thought(TypedDict):
    """What the model thought before it spoke."""

    type: Literal["thought"]
    signature: NotRequired[str]
    """The thought itself, sealed. Send it back unchanged when you keep the history yourself."""
    summary: NotRequired[list[Content]]
    """What it thought, for people."""


class FunctionCall(TypedDict):
    """The model asks you to call a function of yours. Answer with a `function_result` in the next interaction."""

    type: Literal["function_call"]
    id: str
    """What the result names as its `call_id`."""
    name: str
    """The function."""
    arguments: dict[str, Any]
    """Its arguments. Empty where a stream begins the call."""
    signature: NotRequired[str]
    """Send it back unchanged."""


class FunctionResult(TypedDict):
    """What your function gave back."""

    type: Literal["function_result"]
    call_id: str
    """The `id` of the call."""
    result: Any
    """Text, any JSON, or a list of content. Null where a stream begins it."""
    name: NotRequired[str]
    """The function."""
    is_error: NotRequired[bool]
    """Whether the call failed."""
    signature: NotRequired[str]


class ToolCall(TypedDict):
    """A call of a tool that runs on the server."""

    type: ServerToolCall
    id: str
    """What the result names as its `call_id`."""
    arguments: dict[str, Any]
    """What was asked: `code` and `language`, `urls`, or `queries`, by the tool."""
    name: NotRequired[str]
    """Of a tool on an MCP server."""
    server_name: NotRequired[str]
    """Of an MCP server."""
    search_type: NotRequired[str]
    """What was searched: the web, or images."""
    retrieval_type: NotRequired[str]
    """From what was retrieved."""
    signature: NotRequired[str]
    """Send it back unchanged."""


class ToolResult(TypedDict):
    """What a tool on the server gave back."""

    type: ServerToolResult
    call_id: str
    """The `id` of the call."""
    result: Any
    """By the tool: text, or a list. Null where a stream begins it."""
    is_error: NotRequired[bool]
    """Whether the call failed."""
    name: NotRequired[str]
    """Of a tool on an MCP server."""
    server_name: NotRequired[str]
    """Of an MCP server."""
    signature: NotRequired[str]
    """Send it back unchanged."""


@with_config(ConfigDict(extra="allow"))
class Unknown(TypedDict):
    """What a newer version of the server wrote into the store, given as it was written."""

    type: Annotated[str, AfterValidator(_not_known)]
    """None of the others."""


# -- the interaction


class ModalityTokens(TypedDict):
    """Tokens of one modality."""

    modality: Literal["text", "image", "audio", "video", "document"]
    tokens: int


class ToolUses(TypedDict):
    """How often a tool was used."""

    type: str
    """The tool, as in `google_search`."""
    count: int


class Usage(TypedDict):
    """What a turn cost, in tokens."""

    total_tokens: int
    """Input, output, thoughts and tool use."""
    total_input_tokens: int
    total_output_tokens: int
    total_cached_tokens: int
    """The part of the input that the model did not have to read again."""
    total_tool_use_tokens: int
    """What was read again, and read of tools' results, after tools of the server were called."""
    total_thought_tokens: int
    total_reasoning_tokens: int
    """The same as `total_thought_tokens`, under the name that the first SDKs read."""
    input_tokens_by_modality: list[ModalityTokens]
    output_tokens_by_modality: list[ModalityTokens]
    cached_tokens_by_modality: list[ModalityTokens]
    tool_use_tokens_by_modality: list[ModalityTokens]
    grounding_tool_count: NotRequired[list[ToolUses]]
    """How often tools were used that ground an answer; only if there were such."""


class Failure(TypedDict):
    """What went wrong."""

    code: str
    """A word for programs, as in `invalid_request` or `model_not_found`."""
    message: str
    """A sentence for people: what was wrong, with which value, and what to do."""


class FunctionTool(TypedDict):
    """A function that the client runs."""

    type: Literal["function"]
    name: str
    description: NotRequired[str]
    """What it does, for the model."""
    parameters: NotRequired[dict[str, Any]]
    """The JSON Schema of its arguments."""


class GoogleSearchTool(TypedDict):
    """Search."""

    type: Literal["google_search"]
    search_types: NotRequired[list[Literal["web_search", "image_search"]]]
    """What is searched for; by default the web."""


class UrlContextTool(TypedDict):
    """Reading what stands at addresses of the conversation."""

    type: Literal["url_context"]


class CodeExecutionTool(TypedDict):
    """Running Python that the model writes."""

    type: Literal["code_execution"]


ToolMode: TypeAlias = Literal["auto", "any", "none", "validated"]


class AllowedTools(TypedDict):
    """The tools that the model may choose among."""

    mode: ToolMode
    """`auto`: call or speak. `any`: it must call. `none`: it must not. `validated`: as auto, with valid arguments."""
    tools: NotRequired[list[str]]
    """Their names. All, if this is left out."""


class McpServerTool(TypedDict):
    """The tools of an MCP server. Its headers are not given back."""

    type: Literal["mcp_server"]
    name: str
    url: str
    allowed_tools: NotRequired[list[AllowedTools]]
    """Which of its tools the model may call."""


class ComputerUseTool(TypedDict):
    """Actions on a computer that the client carries out."""

    type: Literal["computer_use"]
    environment: Literal["browser", "mobile", "desktop"]
    excluded_predefined_functions: NotRequired[list[str]]
    """Actions that the model is not offered."""
    disabled_safety_policies: NotRequired[list[str]]
    """Risks that the model need not ask about."""
    enable_prompt_injection_detection: NotRequired[bool]
    """Whether the model is to watch for instructions in what it is shown."""


class FileSearchTool(TypedDict):
    """Searching file search stores."""

    type: Literal["file_search"]
    file_search_store_names: list[str]
    top_k: NotRequired[int]
    """How many passages the model is given."""
    metadata_filter: NotRequired[str]
    """Which documents are searched."""


Tool: TypeAlias = Annotated[
    FunctionTool
    | GoogleSearchTool
    | UrlContextTool
    | CodeExecutionTool
    | McpServerTool
    | ComputerUseTool
    | FileSearchTool,
    Field(discriminator="type"),
]


class ToolChoice(TypedDict):
    """A choice that names tools."""

    allowed_tools: AllowedTools


class TextForm(TypedDict):
    """The form of the answer's text, in the current dialect's words, whichever words asked for it."""

    type: Literal["text"]
    mime_type: Literal["application/json"]
    schema: NotRequired[dict[str, Any]]
    """The JSON Schema that the answer is valid against."""


class ImageForm(TypedDict):
    """The form of images in the answer. What is not there is left to who makes them."""

    type: Literal["image"]
    aspect_ratio: NotRequired[str]
    """Width to height, as in `16:9`."""
    image_size: NotRequired[Literal["512", "1K", "2K", "4K"]]
    mime_type: NotRequired[Literal["image/png", "image/jpeg", "image/webp"]]
    delivery: NotRequired[Literal["inline", "uri"]]
    """As `data`, or as the `uri` of a file."""


class AudioForm(TypedDict):
    """The form of sound in the answer. What is not there is left to who makes it."""

    type: Literal["audio"]
    mime_type: NotRequired[
        Literal["audio/l16", "audio/wav", "audio/mp3", "audio/ogg_opus", "audio/alaw", "audio/mulaw"]
    ]
    sample_rate: NotRequired[int]
    """Samples a second."""
    bit_rate: NotRequired[int]
    """Bits a second, of the compressed forms."""
    delivery: NotRequired[Literal["inline", "uri"]]
    """As `data`, or as the `uri` of a file."""


AnswerForm: TypeAlias = TextForm | ImageForm | AudioForm


class ImageConfig(TypedDict, total=False):
    """The shape and the size of images, in the founding dialect's words."""

    aspect_ratio: str
    """Width to height, as in `16:9`."""
    image_size: Literal["512", "1K", "2K", "4K"]


class SpeechConfig(TypedDict, total=False):
    """Who speaks."""

    voice: str
    language: str
    """As in `en-US`."""
    speaker: str
    """The name that the text gives to what this voice says."""


class GenerationConfig(TypedDict, total=False):
    """How the model was asked to speak."""

    temperature: float
    top_p: float
    top_k: int
    seed: int
    max_output_tokens: int
    stop_sequences: list[str]
    thinking_level: Literal["minimal", "low", "medium", "high", "xhigh"]
    thinking_summaries: Literal["auto", "none"]
    tool_choice: ToolMode | ToolChoice
    image_config: ImageConfig
    speech_config: list[SpeechConfig]


class Head(TypedDict):
    """What every interaction shows of itself."""

    id: str
    """Its name, for `previous_interaction_id` and for reading it back."""
    object: Literal["interaction"]
    role: Literal["model"]
    created: str
    """When it was made: RFC 3339, UTC."""
    updated: str
    """When it last changed: RFC 3339, UTC."""
    model: NotRequired[str]
    """The model that was asked for."""
    agent: NotRequired[str]
    """The agent that was asked for."""
    previous_interaction_id: NotRequired[str]
    """The interaction that this one continues."""


class WebhookConfig(TypedDict):
    """Whom to tell how an interaction ended."""

    uris: NotRequired[list[str]]
    """Addresses that are told in place of the owner's webhooks."""
    user_metadata: NotRequired[dict[str, Any]]
    """What is sent along."""


class Settings(TypedDict):
    """What was asked for, given back."""

    system_instruction: NotRequired[str]
    tools: NotRequired[list[Tool]]
    response_format: NotRequired[AnswerForm | list[AnswerForm]]
    generation_config: NotRequired[GenerationConfig]
    response_modalities: NotRequired[list[str]]
    background: NotRequired[bool]
    agent_config: NotRequired[dict[str, Any]]
    labels: NotRequired[dict[str, str]]
    service_tier: NotRequired[Literal["flex", "standard", "priority", "deferred"]]
    webhook_config: NotRequired[WebhookConfig]


class Outcome(TypedDict):
    """How it went."""

    usage: NotRequired[Usage]
    """What it cost, once it has ended."""
    errors: NotRequired[list[Failure]]
    """Why it failed."""


# -- streams


class Frame(TypedDict):
    """The data of one server-sent event."""

    event_id: str
    """Where this frame stands. Send it as `last_event_id` to go on behind it, in either dialect."""


class LastFrame(TypedDict):
    """The data of a server-sent event that may be this reader's only."""

    event_id: NotRequired[str]
    """Where this frame stands. Left out when the stream broke for this reader, and the interaction may well go on."""


class ErrorEvent(LastFrame):
    """Something went wrong in the middle of a stream. The stream still ends as it should."""

    event_type: Literal["error"]
    error: Failure


class TextDelta(TypedDict):
    """More text."""

    type: Literal["text"]
    text: str


class ThoughtSummaryDelta(TypedDict):
    """One more piece of a thought's summary."""

    type: Literal["thought_summary"]
    content: Content


class ThoughtSignatureDelta(TypedDict):
    """A thought's signature. It comes last."""

    type: Literal["thought_signature"]
    signature: str


# -- everything else


class ErrorBody(TypedDict):
    """An error, as the Interactions API has it."""

    error: Failure


class RpcFailure(TypedDict):
    """What went wrong, in the form of google.rpc."""

    code: int
    """The HTTP status."""
    message: str
    status: str
    """A word in capitals, as in `NOT_FOUND`."""


class RpcErrorBody(TypedDict):
    """An error, as the Files API has it."""

    error: RpcFailure


class Model(TypedDict):
    """A model that requests may name. Limits that are not known are left out."""

    name: str
    """`models/` and the name that requests use."""
    displayName: str
    """The name that requests use."""
    description: str
    supportedGenerationMethods: list[str]
    functionCalling: Literal["native", "helped", "none"]
    """Whether it calls functions by itself, or with turnwise's help. Only who does not write calls none."""
    structuredOutput: Literal["native", "helped", "none"]
    """Whether its text is bound to a schema while it is made, or checked and asked for again."""
    thinking: bool
    """Whether it thinks by itself. If not, and if asked to, it thinks in a first pass."""
    inputModalities: list[str]
    """What it takes by itself: text, image, audio, video, document. The rest is told to it as text."""
    outputModalities: list[str]
    """What it answers in when a request does not say: text, image, audio."""
    inputTokenLimit: NotRequired[int]
    """How much it can read and write in one turn."""
    outputTokenLimit: NotRequired[int]
    """How much it writes at the most when the request sets no limit."""


class ModelList(TypedDict):
    """A page of models."""

    models: list[Model]
    nextPageToken: NotRequired[str]
    """Send it as `pageToken` for the next page. Left out on the last one."""


class Nothing(TypedDict):
    """An empty object: it is done."""
