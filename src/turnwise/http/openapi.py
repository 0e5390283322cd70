"""The description of the server, as an OpenAPI 3.1 document: what `GET /openapi.json` answers and `/docs` shows.

`CALLS` says of each route what it is for, what it takes and what it answers; the shapes of bodies and events come from
`wire/components.py`, so from the very types that read requests. The document is made once, when someone first asks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import getdoc
from typing import Literal, TypeAlias

from turnwise import __version__
from turnwise.domain import errors as e
from turnwise.domain.content import JSON
from turnwise.wire.components import build_components, ref
from turnwise.wire.errors import STATUS

Schema: TypeAlias = dict[str, JSON]

VERSIONS = ("v1", "v1beta", "v1alpha")

ABOUT = """\
turnwise speaks the Interactions API on your own machine. An **interaction** is one whole turn of a conversation: what
was asked, and everything that came of it.

**Two dialects, one truth.** Replies come in the form that the client speaks: `steps`, the current one, or `outputs`,
the one of December 2025. An interaction that was made in one can be continued and read in the other. Which one a
request speaks is told, in this order, by the header `Api-Revision`; the SDK's version in `x-goog-api-client` or
`User-Agent`; the path `/v1` (steps); the interaction that the request names; the body; and for curl without any of
these, outputs. A client that could not be told apart for certain is given both `steps` and `outputs`.

**Nothing is dropped in silence.** Every field is honoured, or refused with an error that names it.

The versions `v1`, `v1beta` and `v1alpha` are the same server. A base URL that ends in a version may double it."""

KEY_ABOUT = "Any value will do until the server has keys of its own, which `turnwise keys create` makes."


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query, or a header."""

    name: str
    about: str
    schema: Mapping[str, JSON]
    example: str | None = None
    """What commands that show the call have."""


@dataclass(frozen=True, slots=True)
class Call:
    """One route and method, as people and generators of clients need to know it."""

    method: Literal["get", "post", "patch", "delete"]
    path: str
    """With `{version}` and `{id}` where the route has them."""
    id: str
    tag: str
    title: str
    about: str
    reply: str
    """What status 200 means."""
    body: Mapping[str, JSON] | None = None
    """The schema of the JSON that it answers. None: it answers with text."""
    reads: str | None = None
    """The component that it reads as its body."""
    examples: Mapping[str, JSON] | None = None
    """Bodies to try it with, by what they show."""
    streams: bool = False
    """Whether it may answer with server-sent events."""
    query: Sequence[Parameter] = ()
    headers: Sequence[Parameter] = ()
    errors: Sequence[type[e.TurnwiseError]] = ()
    status: int = 200
    content_type: str = "application/json"
    example_id: str = "int_01k0000000000000000000000"
    id_about: str = ""
    """What `{id}` is, if it is not what it is in other calls of the tag."""


FLAG = {"type": "boolean", "default": False}
TEXT = {"type": "string"}
BYTES = {"type": "integer", "minimum": 0}
A_FILE = "my-file"
A_STORE = "my-store-0123456789ab"
AN_AGENT = "my-agent"
A_WEBHOOK = "wh-01k0000000000000000000000"
A_DOCUMENT = "my-document-0123456789ab"
STORE_ABOUT = "The store's `name`, without `fileSearchStores/`."
DOCUMENT_ABOUT = "The last part of the document's `name`."
OPERATION_ABOUT = "The last part of the operation's `name`, which is the document's too."
INTERACTION = {"anyOf": [ref("StepsInteraction"), ref("OutputsInteraction")]}
EVENT = {"anyOf": [ref("StepsEvent"), ref("OutputsEvent")]}

ANY = (e.InvalidRequest, e.UnknownParameter, e.Unauthenticated, e.Internal)
"""What every call of the API may answer with."""

UPLOAD_QUERY = (
    Parameter("upload_id", "Which upload goes on, as its address has it.", TEXT),
    Parameter("upload_protocol", "As the header `X-Goog-Upload-Protocol`.", TEXT),
    Parameter(
        "uploadType",
        "Another word for the protocol: `media` is `raw`.",
        {"type": "string", "enum": ["media", "multipart"]},
    ),
)

UPLOAD_HEADERS = (
    Parameter(
        "X-Goog-Upload-Protocol",
        "How the file comes.",
        {"type": "string", "enum": ["resumable", "multipart", "raw"]},
        "resumable",
    ),
    Parameter(
        "X-Goog-Upload-Command",
        "What to do: `start`; then `upload` for each chunk, and `upload, finalize` for the last; `query` asks "
        "how far it has come, `cancel` gives it up.",
        {
            "type": "string",
            "enum": ["start", "upload", "upload, finalize", "finalize", "query", "cancel"],
        },
        "start",
    ),
    Parameter("X-Goog-Upload-Offset", "With `upload`: where the chunk begins.", BYTES),
    Parameter("X-Goog-Upload-Header-Content-Length", "With `start`: how many bytes will come.", BYTES),
    Parameter("X-Goog-Upload-Header-Content-Type", "With `start`: the mime type of the file.", TEXT),
    Parameter("X-Goog-Upload-File-Name", "What the file is called: its display name, if none is given.", TEXT),
)

PAGES = (
    Parameter("pageSize", "How many to show.", {"type": "integer", "minimum": 0, "maximum": 100, "default": 10}),
    Parameter("pageToken", "The `nextPageToken` of the page before.", TEXT),
)

CALLS = (
    Call(
        "post",
        "/{version}/interactions",
        "createInteraction",
        "Interactions",
        "Create an interaction",
        "Asks a model, or an agent, and answers with the finished interaction; with `stream`, event by event while it "
        "is made; with `background`, at once, to be read back later. It is kept, and can be continued by naming it in "
        "`previous_interaction_id`, unless `store` is false.",
        "The interaction; or, with `stream`, its events.",
        body=INTERACTION,
        reads="CreateBody",
        examples={
            "Ask": {"model": "default", "input": "What is the capital of France?"},
            "Go on": {
                "model": "default",
                "previous_interaction_id": "int_01k0000000000000000000000",
                "input": "And of Spain?",
            },
            "Stream": {"model": "default", "input": "Tell me a story.", "stream": True},
            "Research": {
                "agent": "deep-research-preview-04-2026",
                "input": "Research the history of Google TPUs.",
                "background": True,
            },
        },
        streams=True,
        errors=(
            *ANY,
            e.FailedPrecondition,
            e.ContentBlocked,
            e.NotFound,
            e.ModelNotFound,
            e.PayloadTooLarge,
            e.UnsupportedMediaType,
            e.RateLimited,
            e.Unimplemented,
            e.ModelFailed,
            e.ModelUnavailable,
            e.ModelTimeout,
        ),
    ),
    Call(
        "get",
        "/{version}/interactions/{id}",
        "getInteraction",
        "Interactions",
        "Read an interaction",
        "Shows an interaction as it stands; with `stream`, everything that happened in it and, until it ends, what "
        "happens next. A stream that was cut off goes on behind the last event that came, in either dialect.",
        "The interaction; or, with `stream`, its events.",
        body=INTERACTION,
        streams=True,
        query=(
            Parameter("include_input", "Whether to show what was asked, as `input`.", FLAG),
            Parameter("stream", "Whether to answer with events.", FLAG),
            Parameter(
                "last_event_id",
                "With `stream`: the `event_id` of the last event that came. Events behind it follow.",
                {"type": "string", "pattern": "^[0-9]{1,15}$"},
            ),
        ),
        errors=(*ANY, e.NotFound, e.OutOfRange),
    ),
    Call(
        "post",
        "/{version}/interactions/{id}/cancel",
        "cancelInteraction",
        "Interactions",
        "Cancel an interaction",
        "Stops an interaction that is in progress. One that has ended stays as it is.",
        "The interaction as it ended.",
        body=INTERACTION,
        errors=(*ANY, e.NotFound),
    ),
    Call(
        "delete",
        "/{version}/interactions/{id}",
        "deleteInteraction",
        "Interactions",
        "Delete an interaction",
        "Removes an interaction for good. One that is in progress is stopped first.",
        "It is gone.",
        body=ref("Nothing"),
        errors=(*ANY, e.NotFound),
    ),
    Call(
        "post",
        "/{version}/agents",
        "createAgent",
        "Agents",
        "Save an agent",
        "Saves an agent of the server together with an instruction, tools and settings, under a name that requests can "
        "give as their `agent`. What a request says itself counts in place of these.",
        "The agent.",
        body=ref("Agent"),
        reads="AgentBody",
        examples={
            "Research in brief": {
                "id": AN_AGENT,
                "base_agent": "deep-research-preview-04-2026",
                "system_instruction": "Write a page at the most.",
            }
        },
        errors=(
            *ANY,
            e.FailedPrecondition,
            e.AlreadyExists,
            e.PayloadTooLarge,
            e.UnsupportedMediaType,
            e.Unimplemented,
        ),
    ),
    Call(
        "get",
        "/{version}/agents",
        "listAgents",
        "Agents",
        "List the agents that you have saved",
        "Shows the agents that were saved with this key, the oldest first.",
        "A page of agents.",
        body=ref("AgentPage"),
        query=(
            Parameter("page_size", "How many to show.", {"type": "integer", "minimum": 0, "default": 50}),
            Parameter("page_token", "The `next_page_token` of the page before.", TEXT),
        ),
        errors=ANY,
    ),
    Call(
        "get",
        "/{version}/agents/{id}",
        "getAgent",
        "Agents",
        "Read an agent",
        "Shows an agent as it was saved, without the headers of its MCP servers.",
        "The agent.",
        body=ref("Agent"),
        errors=(*ANY, e.NotFound),
        example_id=AN_AGENT,
    ),
    Call(
        "delete",
        "/{version}/agents/{id}",
        "deleteAgent",
        "Agents",
        "Delete an agent",
        "Removes a saved agent for good. What it works on goes on.",
        "It is gone.",
        body=ref("Nothing"),
        errors=(*ANY, e.NotFound),
        example_id=AN_AGENT,
    ),
    Call(
        "get",
        "/{version}/models",
        "listModels",
        "Models",
        "List the models",
        "Shows the names that requests may use. A name that is not listed may be answered too, by the last of them.",
        "A page of models.",
        body=ref("ModelList"),
        query=(
            Parameter("pageSize", "How many to show.", {"type": "integer", "minimum": 0, "default": 50}),
            Parameter("pageToken", "The `nextPageToken` of the page before.", {"type": "string"}),
        ),
        errors=ANY,
    ),
    Call(
        "get",
        "/{version}/models/{id}",
        "getModel",
        "Models",
        "Read a model",
        "Shows what a model can do.",
        "The model.",
        body=ref("Model"),
        errors=(*ANY, e.ModelNotFound),
        example_id="default",
    ),
    Call(
        "post",
        "/upload/{version}/files",
        "uploadFile",
        "Files",
        "Upload a file",
        "Begins an upload; and, at the address that `X-Goog-Upload-URL` of its reply has, goes on with it: chunks of "
        "any size, each with its `X-Goog-Upload-Offset`. That address needs no key: it is itself the right to use it, "
        "for a day. A chunk that is sent again changes nothing. `X-Goog-Upload-Status` of each reply says `active`, "
        "`final` or `cancelled`, and `X-Goog-Upload-Size-Received` how many bytes have come.\n\n"
        "A file may also come in one request: with the protocol `raw`, which is what is meant where none is said, the "
        "body is the file; with `multipart` it is `multipart/related`, with what is said of the file as JSON and then "
        "the file.",
        "With `start`: nothing, and the address as a header. With `finalize`, and in one request: the file, which is "
        "looked at now and can be used once it is `ACTIVE`.",
        body={"anyOf": [ref("FileReply"), ref("Nothing")]},
        reads="UploadBody",
        examples={"Begin": {"file": {"display_name": "Notes", "mime_type": "text/plain", "size_bytes": 5}}},
        query=UPLOAD_QUERY,
        headers=UPLOAD_HEADERS,
        errors=(*ANY, e.AlreadyExists, e.NotFound, e.PayloadTooLarge, e.RateLimited, e.Unimplemented),
    ),
    Call(
        "get",
        "/{version}/files",
        "listFiles",
        "Files",
        "List your files",
        "Shows the files of the key's owner, newest first.",
        "A page of files.",
        body=ref("FileList"),
        query=PAGES,
        errors=ANY,
    ),
    Call(
        "get",
        "/{version}/files/{id}",
        "getFile",
        "Files",
        "Read what a file is",
        "Shows a file as it stands. One that is `PROCESSING` will be `ACTIVE`, or `FAILED` with the reason.",
        "The file.",
        body=ref("FileResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_FILE,
    ),
    Call(
        "get",
        "/{version}/files/{id}:download",
        "downloadFile",
        "Files",
        "Download a file",
        "The bytes of a file, or with the header `Range` a part of them, which then come with status 206.",
        "The bytes.",
        content_type="application/octet-stream",
        query=(Parameter("alt", "May be said, and changes nothing.", {"type": "string", "enum": ["media"]}),),
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.OutOfRange),
        example_id=A_FILE,
    ),
    Call(
        "delete",
        "/{version}/files/{id}",
        "deleteFile",
        "Files",
        "Delete a file",
        "Removes a file and its bytes for good.",
        "It is gone.",
        body=ref("Nothing"),
        errors=(*ANY, e.NotFound),
        example_id=A_FILE,
    ),
    Call(
        "post",
        "/{version}/files:register",
        "registerFiles",
        "Files",
        "Register files of a cloud storage",
        "The API has this, and turnwise does not: it reaches no cloud storage. Upload the files.",
        "It is not done.",
        body=ref("RpcErrorBody"),
        status=501,
        errors=ANY,
    ),
    Call(
        "post",
        "/{version}/fileSearchStores",
        "createFileSearchStore",
        "File search",
        "Make a file search store",
        "Makes a store of documents, which the tool `file_search` can search.",
        "The store.",
        body=ref("SearchStoreResource"),
        reads="NewStoreBody",
        examples={"Make": {"displayName": "My store"}},
        errors=(*ANY, e.FailedPrecondition, e.PayloadTooLarge, e.Unimplemented),
    ),
    Call(
        "get",
        "/{version}/fileSearchStores",
        "listFileSearchStores",
        "File search",
        "List your file search stores",
        "Shows the stores of the key's owner, oldest first.",
        "A page of stores.",
        body=ref("SearchStoreList"),
        query=PAGES,
        errors=ANY,
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{id}",
        "getFileSearchStore",
        "File search",
        "Read what a store has",
        "Shows a store, and how many documents it has in which state.",
        "The store.",
        body=ref("SearchStoreResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_STORE,
    ),
    Call(
        "delete",
        "/{version}/fileSearchStores/{id}",
        "deleteFileSearchStore",
        "File search",
        "Delete a store",
        "Removes a store for good. One that has documents is removed, with them, only by force.",
        "It is gone.",
        body=ref("Nothing"),
        query=(Parameter("force", "Whether to remove its documents too.", FLAG, "true"),),
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge),
        example_id=A_STORE,
    ),
    Call(
        "post",
        "/upload/{version}/fileSearchStores/{id}:uploadToFileSearchStore",
        "uploadToFileSearchStore",
        "File search",
        "Upload a document",
        "Begins the upload of a document, and goes on with it, as `POST /upload/{version}/files` does with a file. The "
        "document is read and cut into chunks in the background; its bytes are then let go of.",
        "With `start`: nothing, and the address as a header. With `finalize`, and in one request: the operation that "
        "reads the document. Ask for it until it is `done`.",
        body={"anyOf": [ref("OperationResource"), ref("Nothing")]},
        reads="UploadToStoreBody",
        examples={
            "Begin": {
                "displayName": "Metamorphosis",
                "mimeType": "text/plain",
                "customMetadata": [{"key": "author", "stringValue": "Kafka"}, {"key": "year", "numericValue": 1915}],
                "chunkingConfig": {"whiteSpaceConfig": {"maxTokensPerChunk": 200, "maxOverlapTokens": 20}},
            }
        },
        query=UPLOAD_QUERY,
        headers=UPLOAD_HEADERS,
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge, e.RateLimited, e.Unimplemented),
        example_id=A_STORE,
    ),
    Call(
        "post",
        "/{version}/fileSearchStores/{id}:importFile",
        "importFile",
        "File search",
        "Make a document of a file",
        "Copies a file of the Files API into a store, where it is read as an uploaded document is. The file may go.",
        "The operation that reads the document. Ask for it until it is `done`.",
        body=ref("OperationResource"),
        reads="ImportFileBody",
        examples={"Import": {"fileName": f"files/{A_FILE}"}},
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge, e.RateLimited),
        example_id=A_STORE,
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{store}/upload/operations/{id}",
        "getUploadOperation",
        "File search",
        "Ask how an upload stands",
        "Shows whether an uploaded document has been read. It can be asked for as long as the document is there.",
        "The operation.",
        body=ref("OperationResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_DOCUMENT,
        id_about=OPERATION_ABOUT,
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{store}/operations/{id}",
        "getImportOperation",
        "File search",
        "Ask how an import stands",
        "Shows whether an imported document has been read. It can be asked for as long as the document is there.",
        "The operation.",
        body=ref("OperationResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_DOCUMENT,
        id_about=OPERATION_ABOUT,
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{store}/documents",
        "listDocuments",
        "File search",
        "List the documents of a store",
        "Shows the documents of a store, oldest first.",
        "A page of documents.",
        body=ref("DocumentList"),
        query=PAGES,
        errors=(*ANY, e.NotFound),
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{store}/documents/{id}",
        "getDocument",
        "File search",
        "Read what a document is",
        "Shows a document as it stands. One that is `STATE_PENDING` will be `STATE_ACTIVE`, or `STATE_FAILED` with the "
        "reason.",
        "The document.",
        body=ref("DocumentResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_DOCUMENT,
        id_about=DOCUMENT_ABOUT,
    ),
    Call(
        "delete",
        "/{version}/fileSearchStores/{store}/documents/{id}",
        "deleteDocument",
        "File search",
        "Delete a document",
        "Removes a document for good. One that is active, and so has chunks, is removed only by force.",
        "It is gone.",
        body=ref("Nothing"),
        query=(Parameter("force", "Whether to remove its chunks too.", FLAG, "true"),),
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge),
        example_id=A_DOCUMENT,
        id_about=DOCUMENT_ABOUT,
    ),
    Call(
        "get",
        "/{version}/fileSearchStores/{store}/media/{id}",
        "downloadMedia",
        "File search",
        "Download a picture of a document",
        "The API has this, and turnwise does not: documents are searched by their words, and no citation names a "
        "picture.",
        "It is not done.",
        body=ref("RpcErrorBody"),
        status=501,
        query=(Parameter("alt", "May be said, and changes nothing.", {"type": "string", "enum": ["media"]}),),
        errors=ANY,
        example_id="a-picture",
        id_about="The last part of a `media_id`.",
    ),
    Call(
        "post",
        "/{version}/webhooks",
        "createWebhook",
        "Webhooks",
        "Register a webhook",
        "Registers an address that is told how the owner's background interactions end. The reply shows the secret by "
        "which what it is told is signed, as Standard Webhooks has it; it is never shown again.",
        "The webhook, with its secret.",
        body=ref("WebhookResource"),
        reads="NewWebhookBody",
        examples={
            "Register": {
                "name": "My webhook",
                "uri": "https://my-api.example/hear",
                "subscribed_events": ["interaction.completed", "interaction.failed"],
            }
        },
        errors=(*ANY, e.FailedPrecondition, e.PayloadTooLarge, e.UnsupportedMediaType),
    ),
    Call(
        "get",
        "/{version}/webhooks",
        "listWebhooks",
        "Webhooks",
        "List your webhooks",
        "Shows the webhooks of the key's owner, oldest first.",
        "A page of webhooks.",
        body=ref("WebhookList"),
        query=(
            Parameter("page_size", "How many to show, 1000 at the most.", {**BYTES, "default": 50}),
            Parameter("page_token", "The `next_page_token` of the page before.", TEXT),
        ),
        errors=ANY,
    ),
    Call(
        "get",
        "/{version}/webhooks/{id}",
        "getWebhook",
        "Webhooks",
        "Read a webhook",
        "Shows a webhook as it stands.",
        "The webhook.",
        body=ref("WebhookResource"),
        errors=(*ANY, e.NotFound),
        example_id=A_WEBHOOK,
    ),
    Call(
        "patch",
        "/{version}/webhooks/{id}",
        "updateWebhook",
        "Webhooks",
        "Change a webhook",
        "Changes what the body has, or what `update_mask` names of it.",
        "The webhook.",
        body=ref("WebhookResource"),
        reads="WebhookUpdateBody",
        examples={"Enable": {"state": "enabled"}},
        query=(Parameter("update_mask", "The fields that count, with commas between them.", TEXT),),
        errors=(*ANY, e.NotFound, e.PayloadTooLarge, e.UnsupportedMediaType),
        example_id=A_WEBHOOK,
    ),
    Call(
        "delete",
        "/{version}/webhooks/{id}",
        "deleteWebhook",
        "Webhooks",
        "Delete a webhook",
        "Removes a webhook for good. It is told nothing any more.",
        "It is gone.",
        body=ref("Nothing"),
        errors=(*ANY, e.NotFound),
        example_id=A_WEBHOOK,
    ),
    Call(
        "post",
        "/{version}/webhooks/{id}:ping",
        "pingWebhook",
        "Webhooks",
        "Try a webhook",
        "Sends a `ping` to the address, once and now. The reply waits for its answer.",
        "It was heard.",
        body=ref("Nothing"),
        reads="PingBody",
        examples={"Try": {}},
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge),
        example_id=A_WEBHOOK,
    ),
    Call(
        "post",
        "/{version}/webhooks/{id}:rotateSigningSecret",
        "rotateSigningSecret",
        "Webhooks",
        "Give a webhook a new secret",
        "Makes a new secret, which is shown once: by this reply. The ones before it sign along for a day, or nothing "
        "more.",
        "The secret.",
        body=ref("RotatedSecret"),
        reads="RotateSecretBody",
        examples={"At once": {"revocation_behavior": "revoke_previous_secrets_immediately"}},
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge),
        example_id=A_WEBHOOK,
    ),
    Call(
        "post",
        "/{version}/webhooks/{id}/rotate_secret",
        "rotateSecret",
        "Webhooks",
        "Give a webhook a new secret, by another address",
        "The same as `:rotateSigningSecret`.",
        "The secret.",
        body=ref("RotatedSecret"),
        reads="RotateSecretBody",
        examples={"At once": {"revocation_behavior": "revoke_previous_secrets_immediately"}},
        errors=(*ANY, e.FailedPrecondition, e.NotFound, e.PayloadTooLarge),
        example_id=A_WEBHOOK,
    ),
    Call(
        "get",
        "/.well-known/jwks.json",
        "getKeys",
        "Webhooks",
        "Read the keys of signatures",
        "The public keys by which what is told to the addresses of a request (`webhook_config`) can be checked. This "
        "call asks for no key.",
        "A set of JSON Web Keys.",
        body=ref("PublicKeys"),
    ),
    Call(
        "get",
        "/healthz",
        "isAlive",
        "Server",
        "Is it alive?",
        "For a supervisor: a process that answers lives.",
        "Yes.",
    ),
    Call(
        "get",
        "/readyz",
        "isReady",
        "Server",
        "Is it ready?",
        "For a load balancer: it can answer requests. 503 says that it cannot just now, since its database is away.",
        "Yes.",
    ),
    Call(
        "get",
        "/openapi.json",
        "getOpenapi",
        "Server",
        "Read this description",
        "This description, for programs: OpenAPI 3.1.",
        "The description.",
        body={"type": "object"},
    ),
    Call(
        "get",
        "/docs",
        "getDocs",
        "Server",
        "Read this page",
        "This description, for people.",
        "A page.",
        content_type="text/html",
    ),
    Call("get", "/", "getRoot", "Server", "Start here", "Leads to `/docs`.", "To `/docs`.", status=307),
)


@cache
def build_openapi(not_yet: tuple[str, ...] = ()) -> dict[str, JSON]:
    """The document. It has no server's address: paths count from where it was found.

    `not_yet` are resources that the API has and this server answers with 501.
    """
    paths: dict[str, JSON] = defaultdict(dict)
    for call in CALLS:
        paths[call.path][call.method] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turnwise",
            "version": __version__,
            "summary": "The Interactions API, on your own machine.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "Interactions", "description": "One whole turn of a conversation, from the question to its end."},
            {"name": "Files", "description": "What interactions name by its address, uploaded or made by a model."},
            {"name": "File search", "description": "Stores of documents, which the tool `file_search` searches."},
            {"name": "Agents", "description": "Who works for longer, as you have defined it for yourself."},
            {"name": "Webhooks", "description": "Addresses that are told how interactions end."},
            {"name": "Models", "description": "Who answers."},
            {"name": "Server", "description": "About the server itself. These calls ask for no key."},
        ],
        "paths": dict(paths),
        "x-not-yet": list(not_yet),
        "components": {"schemas": build_components(), "securitySchemes": _security_schemes()},
    }


def _security_schemes() -> dict[str, JSON]:
    return {
        "header": {"type": "apiKey", "in": "header", "name": "x-goog-api-key", "description": KEY_ABOUT},
        "query": {"type": "apiKey", "in": "query", "name": "key", "description": KEY_ABOUT},
        "bearer": {"type": "http", "scheme": "bearer", "description": KEY_ABOUT},
    }


def _operation(call: Call) -> dict[str, JSON]:
    is_api = "{version}" in call.path
    operation: dict[str, JSON] = {
        "operationId": call.id,
        "tags": [call.tag],
        "summary": call.title,
        "description": call.about,
        "security": [{"header": []}, {"query": []}, {"bearer": []}, {}] if is_api else [{}],
        "responses": {str(call.status): _reply(call), **_errors(call)},
    }
    own = {parameter.name for parameter in call.query}
    parameters = [
        *_path_parameters(call),
        *(_described_parameter(parameter, "query") for parameter in call.query),
        *(_described_parameter(parameter, "header") for parameter in call.headers),
        *(shared for shared in (_shared_parameters() if is_api else ()) if shared["name"] not in own),
    ]
    if parameters:
        operation["parameters"] = parameters
    if call.reads is not None:
        named = {name: {"value": value} for name, value in (call.examples or {}).items()}
        content = {"application/json": {"schema": ref(call.reads), "examples": named}}
        operation["requestBody"] = {"required": not call.headers, "content": content}
    return operation


# -- parameters

ID_ABOUT = {
    "Interactions": "The interaction's `id`.",
    "Files": "The file's `name`, without `files/`.",
    "File search": STORE_ABOUT,
    "Webhooks": "The webhook's `id`.",
    "Agents": "The agent's `id`.",
    "Models": "The model's name.",
}


def _path_parameters(call: Call) -> list[JSON]:
    parameters: list[JSON] = []
    if "{version}" in call.path:
        parameters.append(_in_path("version", "The API's version.", {"type": "string", "enum": list(VERSIONS)}, "v1"))
    if "{store}" in call.path:
        parameters.append(_in_path("store", STORE_ABOUT, TEXT, A_STORE))
    if "{id}" in call.path:
        parameters.append(_in_path("id", call.id_about or ID_ABOUT[call.tag], {"type": "string"}, call.example_id))
    return parameters


def _in_path(name: str, about: str, schema: Schema, example: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema, "example": example}


def _described_parameter(parameter: Parameter, place: Literal["query", "header"]) -> Schema:
    described: Schema = {
        "name": parameter.name,
        "in": place,
        "description": parameter.about,
        "schema": dict(parameter.schema),
    }
    return described if parameter.example is None else {**described, "example": parameter.example}


def _shared_parameters() -> list[Schema]:
    """What every call of the API takes."""
    return [
        {
            "name": "alt",
            "in": "query",
            "description": "The answer's form. It changes nothing: `stream` does.",
            "schema": {"type": "string", "enum": ["sse", "json"]},
        },
        {
            "name": "Api-Revision",
            "in": "header",
            "description": "The dialect: `steps` from 2026-05-20 on, `outputs` before.",
            "schema": {"type": "string", "format": "date"},
        },
    ]


# -- replies


def _reply(call: Call) -> dict[str, JSON]:
    if call.status == 307:
        location = {"description": "Where to.", "schema": {"type": "string"}}
        return {"description": call.reply, "headers": {"location": location}}
    if call.body is None:
        kind = "text/plain" if call.content_type == "application/json" else call.content_type
        return {"description": call.reply, "content": {kind: {"schema": {"type": "string"}}}}
    content: dict[str, JSON] = {"application/json": {"schema": dict(call.body)}}
    if call.streams:
        content["text/event-stream"] = {"schema": EVENT}
    return {"description": call.reply, "content": content}


def _errors(call: Call) -> dict[str, JSON]:
    """The errors of a call, by HTTP status: each with its word for programs and its meaning."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for error in call.errors:
        meaning = (getdoc(error) or "").partition(". ")[0].rstrip(".")
        by_status[_status(error)].append(f"`{error.code}`: {meaning}.")
    body = {
        "application/json": {"schema": ref("RpcErrorBody" if call.tag in ("Files", "File search") else "ErrorBody")}
    }
    return {
        str(status): {"description": "\n".join(said), "content": body} for status, said in sorted(by_status.items())
    }


def _status(error: type[e.TurnwiseError]) -> int:
    return next(STATUS[cls][0] for cls in error.__mro__ if cls in STATUS)
