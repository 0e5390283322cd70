"""File search stores as the API has them: what a client says of stores, documents and imports, and what it reads.

As in `files.py`, what comes may be in either spelling; but the spellings may be mixed here, as one of the SDKs writes
`customMetadata` with fields in the other spelling inside.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, TypeVar

import orjson
from pydantic import AliasChoices, Field, ValidationError
from typing_extensions import TypedDict

from turnwise.domain.content import DEPTH, JSON, is_too_deep
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.file_search import (
    STORE_PREFIX,
    Chunking,
    Document,
    DocumentState,
    Metadata,
    MetadataValue,
    NewDocument,
    SearchStore,
)
from turnwise.domain.files import NewFile
from turnwise.wire.common import render_time
from turnwise.wire.files import RPC_CODES, FileStatus, camel, parse_mime_type
from turnwise.wire.invalid import explain, shown
from turnwise.wire.request import Body

B = TypeVar("B", bound=Body)

METADATA = 20
"""How many keys of metadata a document may have."""

LONGEST_KEY = 256
LONGEST_VALUE = 4096
"""In characters."""

MOST_WORDS = 512
"""How many words a chunk may have at the most, as the original service has it."""

TYPES = "type.googleapis.com/google.ai.generativelanguage.v1beta."
"""What the types of an operation's response are called there."""

STORE_WRITTEN_BY_US = (
    *("name", "createTime", "updateTime", "sizeBytes", "activeDocumentsCount", "pendingDocumentsCount"),
    *("failedDocumentsCount", "create_time", "update_time", "size_bytes", "active_documents_count"),
    *("pending_documents_count", "failed_documents_count"),
)
"""Fields of a file search store that a client reads and never writes."""


# -- what comes


def _either(name: str) -> Any:
    """A field that may come under its name, or under the same name with underscores."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return Field(default=None, alias=name, validation_alias=AliasChoices(name, snake))


class NewStoreBody(Body):
    """A file search store that is to be made. Each field may also be spelled with underscores: `display_name`."""

    display_name: Annotated[str, Field(max_length=512)] | None = _either("displayName")
    """What people call it."""
    embedding_model: str | None = _either("embeddingModel")
    """The embedding model. Whatever name is given here, the one that the server is set up with is used; where it is set
    up with none, words alone are searched for."""


class StringListBody(Body):
    """Several texts."""

    values: list[Annotated[str, Field(max_length=LONGEST_VALUE)]] | None = None
    """The texts."""


class MetadataBody(Body):
    """Something that is said of a document, which filters can ask for: a key, and exactly one value."""

    key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    """What it is called."""
    string_value: Annotated[str, Field(max_length=LONGEST_VALUE)] | None = _either("stringValue")
    """A text."""
    numeric_value: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = _either("numericValue")
    """A number."""
    string_list_value: StringListBody | None = _either("stringListValue")
    """Several texts."""


class WhiteSpaceBody(Body):
    """Chunks that end between words."""

    max_tokens_per_chunk: Annotated[int, Field(strict=True, ge=1, le=MOST_WORDS)] | None = _either("maxTokensPerChunk")
    """How many words a chunk has at the most; by default 200."""
    max_overlap_tokens: Annotated[int, Field(strict=True, ge=0)] | None = _either("maxOverlapTokens")
    """How many of them are the last ones of the chunk before: fewer than a chunk has; by default 20, or a tenth of
    shorter chunks."""


class ChunkingBody(Body):
    """How a document is cut."""

    white_space_config: WhiteSpaceBody | None = _either("whiteSpaceConfig")
    """Between words, which is the only way."""


class UploadToStoreBody(Body):
    """The body that begins an upload to a file search store."""

    display_name: Annotated[str, Field(max_length=512)] | None = _either("displayName")
    """What people call the document, and what citations call it."""
    mime_type: str | None = _either("mimeType")
    """What it is. If its bytes say otherwise, the document fails."""
    custom_metadata: Annotated[list[MetadataBody], Field(max_length=METADATA)] | None = _either("customMetadata")
    """What filters can ask for. No key may be there twice."""
    chunking_config: ChunkingBody | None = _either("chunkingConfig")
    """How it is cut."""


class ImportFileBody(Body):
    """A file of the Files API that is to become a document."""

    file_name: str | None = _either("fileName")
    """`files/` and the file's id."""
    custom_metadata: Annotated[list[MetadataBody], Field(max_length=METADATA)] | None = _either("customMetadata")
    """What filters can ask for. No key may be there twice."""
    chunking_config: ChunkingBody | None = _either("chunkingConfig")
    """How it is cut."""


def parse_new_store(raw: bytes) -> tuple[str, str]:
    """The display name and the embedding model of a store that is to be made. Nothing said is an empty body.

    Raises:
        InvalidRequest: it is not JSON, or a field is wrong.
        UnknownParameter: the API has no such field.
    """
    body = _load(raw)
    for name in STORE_WRITTEN_BY_US:
        if name in body:
            raise InvalidRequest("this field is written by the server; leave it out", field=name)
    said = _validate(NewStoreBody, body)
    return said.display_name or "", said.embedding_model or ""


def parse_store_upload(raw: bytes, store_id: str) -> NewFile:
    """What a client says of a document before its bytes come. Nothing said is an empty body.

    Raises:
        InvalidRequest: it is not JSON, or a field is wrong.
        UnknownParameter: the API has no such field.
    """
    said = _validate(UploadToStoreBody, _load(raw))
    return NewFile(
        display_name=said.display_name or "",
        mime_type=parse_mime_type(said.mime_type or "", field="mimeType"),
        document=_new_document(said, store_id),
    )


def parse_import(raw: bytes, store_id: str) -> tuple[str, NewDocument]:
    """The name of a file that is to become a document, and what is said of that.

    Raises:
        InvalidRequest: it is not JSON, or a field is wrong.
        UnknownParameter: the API has no such field.
    """
    said = _validate(ImportFileBody, _load(raw))
    if not said.file_name:
        raise InvalidRequest("this field is required", field="fileName")
    return said.file_name, _new_document(said, store_id)


def _load(raw: bytes) -> dict[str, JSON]:
    if not raw.strip():
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {shown(body)}")
    if is_too_deep(body):
        raise InvalidRequest(f"the body is nested deeper than {DEPTH} levels")
    _check_twice(body, "")
    return body


def _check_twice(body: JSON, path: str) -> None:
    """Refuse fields that come in both spellings, which pydantic would call unknown."""
    match body:
        case dict():
            for name, value in body.items():
                at = f"{path}.{name}" if path else name
                if camel(name) != name and camel(name) in body:
                    raise InvalidRequest(f"this field comes twice, as '{camel(name)}' too; leave one out", field=at)
                _check_twice(value, at)
        case list():
            for index, value in enumerate(body):
                _check_twice(value, f"{path}[{index}]")


def _validate(model: type[B], body: dict[str, JSON]) -> B:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise explain(error, model) from None


def _new_document(said: UploadToStoreBody | ImportFileBody, store_id: str) -> NewDocument:
    return NewDocument(store_id, _metadata(said.custom_metadata or ()), _chunking(said.chunking_config))


def _metadata(given: Sequence[MetadataBody]) -> Metadata:
    metadata: dict[str, MetadataValue] = {}
    for index, one in enumerate(given):
        path = f"customMetadata[{index}]"
        if one.key in metadata:
            raise InvalidRequest(f"the key '{one.key}' comes twice", field=f"{path}.key")
        listed = None if one.string_list_value is None else tuple(one.string_list_value.values or ())
        values: list[MetadataValue] = [
            value for value in (one.string_value, _number(one.numeric_value), listed) if value is not None
        ]
        if len(values) != 1:
            raise InvalidRequest(
                f"a key has one value, of stringValue, numericValue and stringListValue; this has {len(values)}",
                field=path,
            )
        metadata[one.key] = values[0]
    return metadata


def _number(value: float | None) -> float | int | None:
    """A number, without a point if it needs none. One so large that it is whole anyway keeps its point."""
    return int(value) if value is not None and value.is_integer() and abs(value) <= 2**53 else value


def _chunking(given: ChunkingBody | None) -> Chunking:
    said = None if given is None else given.white_space_config
    default = Chunking()
    words = default.words if said is None or said.max_tokens_per_chunk is None else said.max_tokens_per_chunk
    if said is None or said.max_overlap_tokens is None:
        return Chunking(words, min(default.overlap, words // 10))
    if said.max_overlap_tokens >= words:
        raise InvalidRequest(
            f"{said.max_overlap_tokens} words are not fewer than the {words} that a chunk has at the most",
            field="chunkingConfig.whiteSpaceConfig.maxOverlapTokens",
        )
    return Chunking(words, said.max_overlap_tokens)


# -- what is read


class SearchStoreResource(TypedDict):
    """A file search store."""

    name: str
    """`fileSearchStores/` and its id."""
    displayName: NotRequired[str]
    """What people call it."""
    embeddingModel: NotRequired[str]
    """The embedding model that was asked for, if one was."""
    createTime: str
    updateTime: str
    activeDocumentsCount: str
    """How many documents can be searched, as a text. The same for the next three."""
    pendingDocumentsCount: str
    """How many are being read."""
    failedDocumentsCount: str
    """How many could not be read."""
    sizeBytes: str
    """How many bytes its documents came as, but for those that failed."""


class SearchStoreList(TypedDict):
    """A page of file search stores, oldest first. Without any, `fileSearchStores` is left out."""

    fileSearchStores: NotRequired[list[SearchStoreResource]]
    nextPageToken: NotRequired[str]
    """For the next page; left out on the last."""


class StringListResource(TypedDict):
    """Several texts."""

    values: NotRequired[list[str]]


class MetadataResource(TypedDict):
    """Something that was said of a document: a key, and one value."""

    key: str
    stringValue: NotRequired[str]
    numericValue: NotRequired[float]
    stringListValue: NotRequired[StringListResource]


class DocumentResource(TypedDict):
    """A document of a file search store."""

    name: str
    """The store's name, `/documents/` and its id."""
    displayName: NotRequired[str]
    """What people call it, and what citations call it."""
    mimeType: NotRequired[str]
    """What it is; once it has been read, as its bytes say."""
    sizeBytes: str
    """How many bytes it came as, as a text."""
    createTime: str
    updateTime: str
    state: Literal["STATE_PENDING", "STATE_ACTIVE", "STATE_FAILED"]
    """Only an active document is searched."""
    customMetadata: NotRequired[list[MetadataResource]]
    """What filters can ask for."""
    error: NotRequired[FileStatus]
    """Why it failed, if it did."""


class DocumentList(TypedDict):
    """A page of documents, oldest first. Without any, `documents` is left out."""

    documents: NotRequired[list[DocumentResource]]
    nextPageToken: NotRequired[str]
    """For the next page; left out on the last."""


OperationResponse = TypedDict("OperationResponse", {"@type": str, "parent": str, "documentName": str})
"""What an operation that succeeded has made: the names of the store and of the document."""


class OperationResource(TypedDict):
    """How the reading of a document stands."""

    name: str
    """The store's name, `/operations/` or `/upload/operations/`, and the document's id."""
    done: NotRequired[bool]
    """Whether it is over. Left out while it is not."""
    response: NotRequired[OperationResponse]
    """What came of it, if it succeeded."""
    error: NotRequired[FileStatus]
    """Why it failed, if it did."""


def render_store(store: SearchStore) -> dict[str, JSON]:
    """A file search store as a client reads it."""
    body: dict[str, JSON] = {"name": f"{STORE_PREFIX}{store.id}"}
    if store.display_name:
        body["displayName"] = store.display_name
    if store.embedding_model:
        body["embeddingModel"] = store.embedding_model
    body |= {"createTime": render_time(store.created), "updateTime": render_time(store.updated)}
    counts = {
        "activeDocumentsCount": store.active,
        "pendingDocumentsCount": store.pending,
        "failedDocumentsCount": store.failed,
        "sizeBytes": store.size_bytes,
    }
    return body | {name: str(count) for name, count in counts.items()}


def render_document(document: Document) -> dict[str, JSON]:
    """A document as a client reads it."""
    body: dict[str, JSON] = {"name": _name(document)}
    if document.display_name:
        body["displayName"] = document.display_name
    if document.mime_type:
        body["mimeType"] = document.mime_type
    body |= {
        "sizeBytes": str(document.size_bytes),
        "createTime": render_time(document.created),
        "updateTime": render_time(document.updated),
        "state": document.state.value,
    }
    if document.metadata:
        body["customMetadata"] = [_render_metadata(key, value) for key, value in document.metadata.items()]
    return body | _render_error(document)


def _render_metadata(key: str, value: MetadataValue) -> dict[str, JSON]:
    match value:
        case str():
            return {"key": key, "stringValue": value}
        case tuple():
            return {"key": key, "stringListValue": {"values": list(value)}}
        case _:
            return {"key": key, "numericValue": value}


def render_operation(document: Document, kind: Literal["operations", "upload/operations"]) -> dict[str, JSON]:
    """A document as the operation that reads it."""
    parent = f"{STORE_PREFIX}{document.store_id}"
    body: dict[str, JSON] = {"name": f"{parent}/{kind}/{document.id}"}
    match document.state:
        case DocumentState.PENDING:
            return body
        case DocumentState.FAILED:
            return {**body, "done": True, **_render_error(document)}
        case DocumentState.ACTIVE:
            made = "ImportFileResponse" if kind == "operations" else "UploadToFileSearchStoreResponse"
            response = {"@type": f"{TYPES}{made}", "parent": parent, "documentName": _name(document)}
            return {**body, "done": True, "response": response}


def _render_error(document: Document) -> dict[str, JSON]:
    failure = document.failure
    if failure is None:
        return {}
    return {"error": {"code": RPC_CODES.get(failure.code, 13), "message": failure.message}}


def _name(document: Document) -> str:
    return f"{STORE_PREFIX}{document.store_id}/documents/{document.id}"
