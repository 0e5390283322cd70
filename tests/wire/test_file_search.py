"""File search on the wire: what clients say of stores and documents, in either spelling, and what they read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ConfigDict, TypeAdapter

from turnwise.domain.errors import InvalidRequest, UnknownParameter
from turnwise.domain.file_search import Chunking, Document, DocumentState, NewDocument, SearchStore
from turnwise.domain.files import NewFile
from turnwise.domain.interaction import Failure
from turnwise.wire.file_search import (
    STORE_WRITTEN_BY_US,
    DocumentResource,
    OperationResource,
    SearchStoreResource,
    parse_import,
    parse_new_store,
    parse_store_upload,
    render_document,
    render_operation,
    render_store,
)

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(milliseconds=1)

BARE = Document("d-1", "s-1", "ann", "", "", 5, NOON, LATER)
RICH = replace(
    BARE,
    display_name="Kafka",
    mime_type="text/plain",
    state=DocumentState.ACTIVE,
    metadata={"author": "Kafka", "year": 1915, "weight": 0.5, "tags": ("a", "b"), "none": ()},
)
FAILED = replace(BARE, state=DocumentState.FAILED, failure=Failure("invalid_request", "It has no words."))


def is_described(resource: Any, body: dict[str, Any]) -> bool:
    """Whether the description has every field of a reply, and the reply every field that it must."""
    TypeAdapter(list[resource], config=ConfigDict(extra="forbid", strict=True)).validate_python([body])
    return True


def said(**fields: Any) -> bytes:
    return orjson.dumps(fields)


# -- what comes


@pytest.mark.parametrize(
    ("body", "understood"),
    [
        (b"", ("", "")),
        (b"{}", ("", "")),
        (said(displayName=None, embeddingModel=None), ("", "")),
        (said(displayName="Ü", embeddingModel="models/x"), ("Ü", "models/x")),
        (said(display_name="Ü", embedding_model="models/x"), ("Ü", "models/x")),
    ],
)
def test_a_store_may_be_said_in_either_spelling(body: bytes, understood: tuple[str, str]):
    assert parse_new_store(body) == understood


@pytest.mark.parametrize("name", STORE_WRITTEN_BY_US)
def test_what_the_server_writes_is_refused_by_name(name: str):
    with pytest.raises(InvalidRequest, match=f"^{name}: this field is written by the server"):
        parse_new_store(said(**{name: "x"}))


def test_a_document_may_be_said_in_spellings_that_are_mixed():
    body = said(
        displayName="Kafka",
        mime_type="text/plain",
        customMetadata=[
            {"key": "author", "string_value": "Kafka"},
            {"key": "year", "numericValue": 1915.0},
            {"key": "weight", "numeric_value": 0.5},
            {"key": "tags", "stringListValue": {"values": ["a", "b"]}},
            {"key": "none", "string_list_value": {}},
        ],
        chunkingConfig={"white_space_config": {"max_tokens_per_chunk": 512, "maxOverlapTokens": 511}},
    )
    assert parse_store_upload(body, "s-1") == NewFile(
        None, "Kafka", "text/plain", document=NewDocument("s-1", RICH.metadata, Chunking(512, 511))
    )


@pytest.mark.parametrize(
    ("number", "kept"), [(1e300, 1e300), (2.0**64, 2.0**64), (-(2**60), -(2.0**60)), (2**53, 2**53)]
)
def test_a_number_of_any_size_is_given_back(number: float, kept: float):
    document = parse_store_upload(said(customMetadata=[{"key": "a", "numericValue": number}]), "s-1").document
    shown = orjson.loads(orjson.dumps(render_document(replace(BARE, metadata=document.metadata))))
    assert shown["customMetadata"] == [{"key": "a", "numericValue": kept}]


@pytest.mark.parametrize(
    ("config", "chunking"),
    [
        (None, Chunking(200, 20)),
        ({}, Chunking(200, 20)),
        ({"whiteSpaceConfig": {}}, Chunking(200, 20)),
        ({"whiteSpaceConfig": {"maxTokensPerChunk": 500}}, Chunking(500, 20)),
        ({"whiteSpaceConfig": {"maxTokensPerChunk": 50}}, Chunking(50, 5)),
        ({"whiteSpaceConfig": {"maxTokensPerChunk": 1}}, Chunking(1, 0)),
        ({"whiteSpaceConfig": {"maxOverlapTokens": 0}}, Chunking(200, 0)),
    ],
)
def test_what_is_not_said_of_chunks_has_a_sensible_value(config: Any, chunking: Chunking):
    name, document = parse_import(said(fileName="files/abc", chunkingConfig=config), "s-1")
    assert (name, document.chunking) == ("files/abc", chunking)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (said(fileName="files/a", customMetadata=[{"key": "a"}]), r"customMetadata\[0\]"),
        (said(fileName="files/a", customMetadata=[{"key": "a", "stringValue": 1}]), r"customMetadata\[0\].stringValue"),
        (said(fileName="files/a", customMetadata=[{"key": "a", "numericValue": "1"}]), r"customMetadata\[0\]"),
        (said(fileName="files/a", customMetadata=[{"key": "", "stringValue": "1"}]), r"customMetadata\[0\].key"),
        (said(fileName="files/a", customMetadata=[{"key": "a", "stringValue": "x" * 4097}]), r"customMetadata\[0\]"),
        (said(fileName="files/a", chunkingConfig={"whiteSpaceConfig": {"maxTokensPerChunk": 0}}), "chunkingConfig"),
        (said(fileName="files/a", chunkingConfig={"whiteSpaceConfig": {"maxTokensPerChunk": "9"}}), "chunkingConfig"),
        (said(fileName="files/a", chunkingConfig={"whiteSpaceConfig": {"maxOverlapTokens": -1}}), "chunkingConfig"),
        (said(fileName="files/a", file_name="files/b"), "file_name: this field comes twice"),
        (said(), "fileName: this field is required"),
        (said(fileName=3), "fileName"),
        (b"{", "the body is not valid JSON"),
        (b"[]", "the body must be a JSON object"),
        (b'{"fileName":' + b"[" * 900 + b"]" * 900 + b"}", "the body is nested deeper"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, field: str):
    with pytest.raises(InvalidRequest, match=f"^{field}"):
        parse_import(body, "s-1")


@pytest.mark.parametrize("body", [said(fileName="files/a", colour="red"), said(fileName="files/a", displayName="x")])
def test_what_nobody_knows_is_refused(body: bytes):
    with pytest.raises(UnknownParameter):
        parse_import(body, "s-1")


# -- what is read


def test_a_store_is_read_with_its_counts_as_texts():
    store = SearchStore("s-1", "ann", NOON, LATER, "Books", "models/x", 1, 2, 3, 3 << 32)
    body = render_store(store)
    assert is_described(SearchStoreResource, body)
    assert body == {
        "name": "fileSearchStores/s-1",
        "displayName": "Books",
        "embeddingModel": "models/x",
        "createTime": "2026-01-02T12:00:00.000Z",
        "updateTime": "2026-01-02T12:00:00.001Z",
        "activeDocumentsCount": "1",
        "pendingDocumentsCount": "2",
        "failedDocumentsCount": "3",
        "sizeBytes": "12884901888",
    }
    assert is_described(SearchStoreResource, render_store(SearchStore("s-1", "ann", NOON, NOON)))


def test_a_document_is_read_with_what_was_said_of_it():
    body = render_document(RICH)
    assert is_described(DocumentResource, body)
    assert (body["name"], body["state"], body["sizeBytes"]) == (
        "fileSearchStores/s-1/documents/d-1",
        "STATE_ACTIVE",
        "5",
    )
    assert body["customMetadata"] == [
        {"key": "author", "stringValue": "Kafka"},
        {"key": "year", "numericValue": 1915},
        {"key": "weight", "numericValue": 0.5},
        {"key": "tags", "stringListValue": {"values": ["a", "b"]}},
        {"key": "none", "stringListValue": {"values": []}},
    ]


def test_what_is_not_known_of_a_document_is_left_out():
    body = render_document(BARE)
    assert is_described(DocumentResource, body)
    assert set(body) == {"name", "sizeBytes", "createTime", "updateTime", "state"}


def test_a_document_that_failed_says_why():
    body = render_document(FAILED)
    assert is_described(DocumentResource, body)
    assert body["error"] == {"code": 3, "message": "It has no words."}


def test_an_operation_is_not_done_while_its_document_is_pending():
    body = render_operation(BARE, "operations")
    assert is_described(OperationResource, body)
    assert body == {"name": "fileSearchStores/s-1/operations/d-1"}


def test_an_operation_ends_with_its_document():
    body = render_operation(RICH, "upload/operations")
    assert is_described(OperationResource, body)
    assert body == {
        "name": "fileSearchStores/s-1/upload/operations/d-1",
        "done": True,
        "response": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.UploadToFileSearchStoreResponse",
            "parent": "fileSearchStores/s-1",
            "documentName": "fileSearchStores/s-1/documents/d-1",
        },
    }


def test_an_operation_ends_with_the_reason():
    body = render_operation(FAILED, "operations")
    assert is_described(OperationResource, body)
    assert body == {
        "name": "fileSearchStores/s-1/operations/d-1",
        "done": True,
        "error": {"code": 3, "message": "It has no words."},
    }
