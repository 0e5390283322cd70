"""Rows: how an interaction, a notice, a resource, a key, a file and an upload lie in the columns of a table.

The columns are the same in every SQL store, and so is this file. What is looked up has a column of its own;
the rest is JSON as text (see `codec.py`), which a person can read and query with the database's own shell.
Times are RFC 3339 in UTC with microseconds, so that they sort as text.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.file_search import Chunking, Metadata, NewDocument
from turnwise.domain.files import File, FileState, NewFile, Upload
from turnwise.domain.interaction import Interaction, Status, Turn
from turnwise.store.codec import (
    decode_failure,
    decode_settings,
    decode_steps,
    decode_usage,
    encode_events,
    encode_part,
    encode_settings,
    encode_steps,
)
from turnwise.store.store import Batch, Key, Link, Notice, Resource

Row: TypeAlias = tuple[Any, ...]

INTERACTION = (
    "id, owner, previous_id, status, model, agent, dialect, created, updated, input, steps, settings, usage, failure"
)
"""The columns of `interactions`, in the order in which `interaction_row` and `read_interaction` have them."""

LINK = "id, previous_id, status, input, steps"
"""Those of them that `read_link` has."""

NOTICE = "id, owner, body, created, due, attempts"
"""The columns of `notices`, likewise."""

RESOURCE = "kind, owner, id, created, updated, body"
"""The columns of `resources`, likewise."""

KEY = "id, owner, name, hash, prefix, created, revoked"
"""The columns of `keys`, likewise."""

FILE = (
    "owner, id, blob, mime_type, size_bytes, created, updated, expires, sha256, state, display_name, source, failure, "
    "details"
)
"""The columns of `files`, likewise."""

UPLOAD = (
    "hash, owner, blob, name, display_name, mime_type, size_bytes, source, created, expires, reserved, file_id, "
    "document"
)
"""The columns of `uploads`, likewise."""


def interaction_row(interaction: Interaction) -> Row:
    """A whole interaction, for INSERT."""
    turn = interaction.turn
    return (
        interaction.id,
        interaction.owner,
        turn.previous_interaction_id,
        interaction.status.value,
        turn.model,
        turn.agent,
        interaction.dialect,
        write_time(interaction.created),
        write_time(interaction.updated),
        encode_steps(turn.input).decode(),
        encode_steps(interaction.steps).decode(),
        encode_settings(turn).decode(),
        _text(encode_part(interaction.usage)),
        _text(encode_part(interaction.failure)),
    )


def outcome_row(interaction: Interaction) -> Row:
    """What an end adds to an interaction, for UPDATE: status, updated, steps, usage, failure; then its id."""
    return (
        interaction.status.value,
        write_time(interaction.updated),
        encode_steps(interaction.steps).decode(),
        _text(encode_part(interaction.usage)),
        _text(encode_part(interaction.failure)),
        interaction.id,
    )


def read_interaction(row: Sequence[Any]) -> Interaction:
    """What `interaction_row` wrote."""
    id, owner, previous_id, status, model, agent, dialect, created, updated, *documents = row
    asked, steps, settings, usage, failure = documents
    turn = Turn(
        input=decode_steps(asked),
        model=model,
        agent=agent,
        previous_interaction_id=previous_id,
        **decode_settings(settings),
    )
    return Interaction(
        id,
        owner,
        turn,
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        Status(status),
        decode_steps(steps),
        decode_usage(usage),
        decode_failure(failure),
        dialect,
    )


def read_link(row: Sequence[Any]) -> Link:
    """The part of what `interaction_row` wrote that travels along a chain."""
    id, previous_id, status, asked, steps = row
    return Link(id, previous_id, Status(status), decode_steps(asked), decode_steps(steps))


def event_rows(batches: Sequence[Batch]) -> list[Row]:
    """Batches as rows of `events`: id, position of the first, how many, packed. An empty batch is no row."""
    return [
        (batch.id, batch.first, len(batch.events), encode_events(batch.events)) for batch in batches if batch.events
    ]


def fenced_event_rows(batches: Sequence[Batch]) -> list[Row]:
    """The same, and at the end of each row the attempt at the run that it is of."""
    return [
        (batch.id, batch.first, len(batch.events), encode_events(batch.events), batch.attempt)
        for batch in batches
        if batch.events
    ]


def notice_row(notice: Notice) -> Row:
    """A notice, for INSERT."""
    times = (write_time(notice.created), write_time(notice.due))
    return (notice.id, notice.owner, encode_json(notice.body), *times, notice.attempts)


def read_notice(row: Sequence[Any]) -> Notice:
    """What `notice_row` wrote."""
    id, owner, body, created, due, attempts = row
    return Notice(id, owner, orjson.loads(body), datetime.fromisoformat(created), datetime.fromisoformat(due), attempts)


def resource_row(resource: Resource) -> Row:
    """A resource, for INSERT."""
    times = (write_time(resource.created), write_time(resource.updated))
    return (resource.kind, resource.owner, resource.id, *times, encode_json(resource.body))


def changed_row(resource: Resource, was: datetime) -> Row:
    """What has become of a resource, for UPDATE: updated, body; then which, and when it was last updated."""
    now = (write_time(resource.updated), encode_json(resource.body))
    return (*now, resource.kind, resource.owner, resource.id, write_time(was))


def read_resource(row: Sequence[Any]) -> Resource:
    """What `resource_row` wrote."""
    kind, owner, id, created, updated, body = row
    times = (datetime.fromisoformat(created), datetime.fromisoformat(updated))
    return Resource(kind, id, owner, *times, orjson.loads(body))


def encode_json(body: Mapping[str, JSON]) -> str:
    """What means nothing to the store, as a column holds it."""
    return orjson.dumps(dict(body)).decode()


def key_row(key: Key) -> Row:
    """A key, for INSERT."""
    revoked = None if key.revoked is None else write_time(key.revoked)
    return (key.id, key.owner, key.name, key.hash, key.prefix, write_time(key.created), revoked)


def read_key(row: Row) -> Key:
    """What `key_row` wrote."""
    id, owner, name, hash, prefix, created, revoked = row
    ended = None if revoked is None else datetime.fromisoformat(revoked)
    return Key(id, owner, name, bytes(hash), prefix, datetime.fromisoformat(created), ended)


def file_row(file: File) -> Row:
    """A file, for INSERT."""
    return (
        file.owner,
        file.id,
        file.blob,
        file.mime_type,
        file.size_bytes,
        write_time(file.created),
        write_time(file.updated),
        write_time(file.expires),
        file.sha256,
        file.state.value,
        file.display_name,
        file.source,
        _text(encode_part(file.failure)),
        encode_json(file.details),
    )


def settled_row(file: File) -> Row:
    """What a file turned out to be, for UPDATE: mime type, updated, state, failure, details; then which file."""
    return (
        file.mime_type,
        write_time(file.updated),
        file.state.value,
        _text(encode_part(file.failure)),
        encode_json(file.details),
        file.owner,
        file.id,
        file.blob,
    )


def read_file(row: Sequence[Any]) -> File:
    """What `file_row` wrote."""
    owner, id, blob, mime_type, size, *times, sha256, state, display_name, source, failure, details = row
    created, updated, expires = map(datetime.fromisoformat, times)
    return File(
        id=id,
        owner=owner,
        blob=blob,
        mime_type=mime_type,
        size_bytes=size,
        created=created,
        updated=updated,
        expires=expires,
        sha256=bytes(sha256),
        state=FileState(state),
        display_name=display_name,
        source=source,
        failure=decode_failure(failure),
        details=orjson.loads(details),
    )


def upload_row(upload: Upload) -> Row:
    """An upload, for INSERT."""
    wanted = upload.wanted
    return (
        upload.hash,
        upload.owner,
        upload.blob,
        wanted.name,
        wanted.display_name,
        wanted.mime_type,
        wanted.size_bytes,
        wanted.source,
        write_time(upload.created),
        write_time(upload.expires),
        upload.reserved,
        upload.file_id,
        encode_new_document(wanted.document),
    )


def read_upload(row: Sequence[Any]) -> Upload:
    """What `upload_row` wrote."""
    hash, owner, blob, name, display_name, mime_type, size, source, *times, reserved, file_id, document = row
    created, expires = map(datetime.fromisoformat, times)
    return Upload(
        hash=bytes(hash),
        owner=owner,
        blob=blob,
        wanted=NewFile(name, display_name, mime_type, size, source, decode_new_document(document)),
        created=created,
        expires=expires,
        reserved=reserved,
        file_id=file_id,
    )


def encode_metadata(metadata: Metadata) -> str:
    """Metadata as a column holds it."""
    return orjson.dumps(dict(metadata)).decode()


def decode_metadata(text: str) -> Metadata:
    """What `encode_metadata` wrote."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in orjson.loads(text).items()}


def encode_new_document(document: NewDocument | None) -> str | None:
    """What an upload is to be, as a column holds it."""
    if document is None:
        return None
    chunking = document.chunking
    return orjson.dumps([document.store_id, dict(document.metadata), chunking.words, chunking.overlap]).decode()


def decode_new_document(text: str | None) -> NewDocument | None:
    """What `encode_new_document` wrote."""
    if text is None:
        return None
    store_id, metadata, words, overlap = orjson.loads(text)
    return NewDocument(store_id, decode_metadata(orjson.dumps(metadata).decode()), Chunking(words, overlap))


def write_time(at: datetime) -> str:
    """A time as a column holds it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
