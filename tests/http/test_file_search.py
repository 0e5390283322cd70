"""File search stores over HTTP: made, filled by each protocol, read, searched, deleted; and what is refused."""

from typing import Any

import pytest

from support import NOON, PATIENCE, App, Reply, open_app
from turnwise.engine import file_search as engine
from turnwise.http.auth import hash_key
from turnwise.models.model import CallFragment, Finished, ModelCard, Taken
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

STORES = "/v1beta/fileSearchStores"
KAFKA = b"One morning, Gregor Samsa woke from troubled dreams to find himself changed into a beetle."


@pytest.fixture(autouse=True)
def _waits_for_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of an upload waits until the document has been read, however busy the machine is."""
    monkeypatch.setattr(engine, "PATIENCE", PATIENCE)


async def make(app: App, **said: Any) -> str:
    """The name of a new store."""
    reply = await app.ask("POST", STORES, json=said or None)
    assert reply.status == 200, reply.body
    return reply.json["name"]


def rpc(reply: Reply) -> tuple[int, str, str]:
    """An error, which must be whole and in the form of the Files API."""
    error = reply.json["error"]
    assert set(error) == {"code", "message", "status"}
    assert error["code"] == reply.status
    return error["code"], error["status"], error["message"]


# -- stores


async def test_a_store_is_made_and_read():
    async with open_app() as app:
        made = (await app.ask("POST", STORES, json={"display_name": "Die Bücher: 1915 & later"})).json
        read = await app.ask("GET", f"/v1/{made['name']}")
    assert made == read.json
    assert made["name"].startswith("fileSearchStores/die-bucher-1915-later-")
    assert len(made["name"].partition("/")[2]) <= 40
    assert made["displayName"] == "Die Bücher: 1915 & later"
    counts = ("activeDocumentsCount", "pendingDocumentsCount", "failedDocumentsCount", "sizeBytes")
    assert {name: made[name] for name in counts} == dict.fromkeys(counts, "0")
    assert made["createTime"] == made["updateTime"]


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_store_needs_no_name(body: bytes):
    async with open_app() as app:
        reply = await app.ask("POST", STORES, body=body, headers={"content-type": "application/json"})
    assert "displayName" not in reply.json
    assert len(reply.json["name"]) == len("fileSearchStores/") + 12


async def test_stores_are_listed_oldest_first_page_by_page():
    async with open_app() as app:
        names = [await make(app, displayName=f"Store {n}") for n in range(3)]
        first = (await app.ask("GET", f"{STORES}?pageSize=2")).json
        rest = (await app.ask("GET", f"{STORES}?pageSize=2&pageToken={first['nextPageToken']}")).json
    assert [store["name"] for store in first["fileSearchStores"]] == names[:2]
    assert [store["name"] for store in rest["fileSearchStores"]] == names[2:]
    assert "nextPageToken" not in rest


async def test_a_list_without_stores_is_empty():
    async with open_app() as app:
        assert (await app.ask("GET", STORES)).json == {}


async def test_a_store_with_documents_is_deleted_by_force():
    async with open_app() as app:
        store = await make(app)
        document = await app.upload_document(store, KAFKA)
        refused = await app.ask("DELETE", f"/v1beta/{store}")
        assert rpc(refused)[:2] == (400, "FAILED_PRECONDITION")
        assert "force=true" in rpc(refused)[2]
        assert (await app.ask("DELETE", f"/v1beta/{store}?force=True", body=b"{}")).json == {}
        for gone in (store, document["name"]):
            assert rpc(await app.ask("GET", f"/v1beta/{gone}"))[:2] == (404, "NOT_FOUND")
        assert rpc(await app.ask("DELETE", f"/v1beta/{store}?force=true"))[0] == 404


async def test_an_embedding_model_of_any_name_is_taken_and_given_back():
    async with open_app() as app:
        reply = await app.ask("POST", STORES, json={"embeddingModel": "models/some-embedding"})
    assert reply.status == 200
    assert reply.json["embeddingModel"] == "models/some-embedding"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"colour": "red"}, "colour: the API has no such field"),
        ({"name": "fileSearchStores/mine"}, "name: this field is written by the server"),
        ({"displayName": "x" * 513}, "displayName"),
        ({"displayName": "a", "display_name": "b"}, "display_name: this field comes twice"),
        ([], "must be a JSON object"),
    ],
)
async def test_what_is_no_store_is_refused_by_its_field(body: Any, said: str):
    async with open_app() as app:
        reply = await app.ask("POST", STORES, json=body)
    assert rpc(reply)[:2] == (400, "INVALID_ARGUMENT")
    assert said in rpc(reply)[2]


@pytest.mark.parametrize("query", ["pageSize=0x", "pageSize=101", "pageToken=nonsense", "colour=red"])
async def test_a_query_that_is_none_is_refused(query: str):
    async with open_app() as app:
        store = await make(app)
        for path in (STORES, f"/v1beta/{store}/documents"):
            assert rpc(await app.ask("GET", f"{path}?{query}"))[:2] == (400, "INVALID_ARGUMENT")


# -- documents


async def test_a_document_comes_in_chunks_and_is_read():
    async with open_app() as app:
        store = await make(app)
        said = {
            "displayName": "Die Verwandlung",
            "customMetadata": [
                {"key": "author", "string_value": "Kafka"},
                {"key": "year", "numericValue": 1915},
                {"key": "tags", "stringListValue": {"values": ["novella", "prague"]}},
            ],
        }
        started = await app.ask(
            "POST",
            f"/upload/v1/{store}:uploadToFileSearchStore",
            json=said,
            headers={
                "x-goog-upload-protocol": "resumable",
                "x-goog-upload-command": "start",
                "x-goog-upload-header-content-type": "text/plain",
                "x-goog-upload-header-content-length": str(len(KAFKA)),
                "x-goog-upload-file-name": "kafka.txt",
            },
        )
        address = started.headers["x-goog-upload-url"].removeprefix("http://test")
        assert address.startswith(f"/upload/v1/{store}:uploadToFileSearchStore?upload_id=")
        half = len(KAFKA) // 2
        first = {"x-goog-upload-command": "upload", "x-goog-upload-offset": "0"}
        assert (await app.ask("POST", address, body=KAFKA[:half], headers=first)).status == 200
        asked = await app.ask("POST", address, headers={"x-goog-upload-command": "query"})
        assert asked.headers["x-goog-upload-size-received"] == str(half)
        last = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": str(half)}
        ended = await app.ask("POST", address, body=KAFKA[half:], headers=last)
        assert ended.headers["x-goog-upload-status"] == "final"
        again = await app.ask("POST", address, headers={"x-goog-upload-command": "query"})
        operation = ended.json
        document = (await app.ask("GET", f"/v1/{operation['response']['documentName']}")).json
        listed = (await app.ask("GET", f"/v1/{store}/documents")).json
    assert again.json == operation
    assert operation["done"] is True
    assert operation["name"].startswith(f"{store}/upload/operations/die-verwandlung-")
    assert operation["response"]["parent"] == store
    assert operation["response"]["@type"].endswith(".UploadToFileSearchStoreResponse")
    assert (document["state"], document["mimeType"]) == ("STATE_ACTIVE", "text/plain")
    assert (document["displayName"], document["sizeBytes"]) == ("Die Verwandlung", str(len(KAFKA)))
    assert document["customMetadata"] == [
        {"key": "author", "stringValue": "Kafka"},
        {"key": "year", "numericValue": 1915},
        {"key": "tags", "stringListValue": {"values": ["novella", "prague"]}},
    ]
    assert listed == {"documents": [document]}


async def test_a_document_comes_in_one_request():
    async with open_app() as app:
        store = await make(app)
        at = f"/upload/v1beta/{store}:uploadToFileSearchStore"
        raw = await app.ask("POST", at, body=KAFKA, headers={"content-type": "text/plain"})
        parts = (
            b'--b\r\nContent-Type: application/json\r\n\r\n{"displayName": "Parts"}\r\n'
            b"--b\r\nContent-Type: text/plain\r\n\r\n" + KAFKA + b"\r\n--b--\r\n"
        )
        headers = {"x-goog-upload-protocol": "multipart", "content-type": "multipart/related; boundary=b"}
        related = await app.ask("POST", at, body=parts, headers=headers)
        documents = (await app.ask("GET", f"/v1beta/{store}/documents")).json["documents"]
    assert raw.json["done"]
    assert related.json["done"]
    assert [one.get("displayName") for one in documents] == [None, "Parts"]
    assert {one["state"] for one in documents} == {"STATE_ACTIVE"}


async def test_a_file_is_imported_and_may_then_go():
    async with open_app() as app:
        store = await make(app)
        file = await app.upload(KAFKA, name="kafka", display_name="Kafka")
        for name in ("files/kafka", file["uri"]):
            reply = await app.ask("POST", f"/v1beta/{store}:importFile", json={"file_name": name})
            assert reply.json["done"], reply.body
        assert reply.json["name"].startswith(f"{store}/operations/kafka-")
        assert reply.json["response"]["@type"].endswith(".ImportFileResponse")
        assert (await app.ask("GET", f"/v1beta/{reply.json['name']}")).json == reply.json
        await app.ask("DELETE", "/v1beta/files/kafka")
        document = (await app.ask("GET", f"/v1beta/{reply.json['response']['documentName']}")).json
    assert (document["displayName"], document["state"]) == ("Kafka", "STATE_ACTIVE")


async def test_a_file_that_is_not_there_or_not_ones_own_is_not_imported():
    async with open_app(store=await two_owners()) as app:
        store = (await app.ask("POST", STORES, headers=ANN)).json["name"]
        await app.upload(KAFKA, name="bobs", headers=BOB)
        told = set()
        for name in ("files/never", "files/bobs"):
            reply = await app.ask("POST", f"/v1/{store}:importFile", json={"fileName": name}, headers=ANN)
            assert rpc(reply)[:2] == (404, "NOT_FOUND")
            told.add(rpc(reply)[2].replace(name, "files/x"))
        assert len(told) == 1
        assert (await app.ask("GET", f"/v1/{store}/documents", headers=ANN)).json == {}


@pytest.mark.parametrize("body", [{}, {"fileName": ""}, {"fileName": "kafka.txt"}, {"fileName": "files/"}])
async def test_what_names_no_file_is_not_imported(body: Any):
    async with open_app() as app:
        reply = await app.ask("POST", f"/v1/{await make(app)}:importFile", json=body)
    assert rpc(reply)[:2] == (400, "INVALID_ARGUMENT")
    assert rpc(reply)[2].startswith("fileName: ")


@pytest.mark.parametrize(
    ("data", "mime_type", "said"),
    [
        (b"no picture", "image/png", "image/png"),
        (b"", "text/plain", "empty"),
        (b" \n ", "text/plain", "no words"),
        (b"PK\x03\x04\x14\0\0\0\0\0" + bytes(20) + b"PK\x05\x06" + bytes(18), "application/zip", ""),
    ],
)
async def test_a_document_that_cannot_be_read_fails_with_the_reason(data: bytes, mime_type: str, said: str):
    async with open_app() as app:
        store = await make(app)
        document = await app.upload_document(store, data, mimeType=mime_type)
        at = document["name"].replace("/documents/", "/upload/operations/")
        operation = (await app.ask("GET", f"/v1beta/{at}")).json
        counted = (await app.ask("GET", f"/v1beta/{store}")).json
        assert (await app.ask("DELETE", f"/v1beta/{document['name']}")).json == {}
    assert document["state"] == "STATE_FAILED"
    assert said in document["error"]["message"]
    assert operation == {"name": at, "done": True, "error": document["error"]}
    assert (counted["failedDocumentsCount"], counted["activeDocumentsCount"]) == ("1", "0")


async def test_an_active_document_is_deleted_by_force():
    async with open_app() as app:
        store = await make(app)
        document = await app.upload_document(store, KAFKA)
        refused = await app.ask("DELETE", f"/v1beta/{document['name']}")
        assert rpc(refused)[:2] == (400, "FAILED_PRECONDITION")
        assert (await app.ask("DELETE", f"/v1beta/{document['name']}?force=true")).json == {}
        assert rpc(await app.ask("GET", f"/v1beta/{document['name']}"))[0] == 404
        at = document["name"].replace("/documents/", "/operations/")
        assert rpc(await app.ask("GET", f"/v1beta/{at}"))[0] == 404
        assert (await app.ask("DELETE", f"/v1beta/{store}")).json == {}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"customMetadata": [{"key": "a"}]}, "customMetadata[0]"),
        ({"customMetadata": [{"key": "a", "stringValue": "b", "numericValue": 1}]}, "customMetadata[0]"),
        ({"customMetadata": [{"key": "a", "stringValue": "b"}] * 2}, "customMetadata[1].key"),
        ({"customMetadata": [{"key": f"{n}", "stringValue": "b"} for n in range(21)]}, "customMetadata"),
        ({"customMetadata": [{"stringValue": "b"}]}, "customMetadata[0].key"),
        ({"chunkingConfig": {"whiteSpaceConfig": {"maxTokensPerChunk": 513}}}, "maxTokensPerChunk"),
        ({"chunkingConfig": {"whiteSpaceConfig": {"maxOverlapTokens": 200}}}, "maxOverlapTokens"),
        ({"chunking_config": {"sentences": {}}}, "chunking_config.sentences"),
        ({"chunkingConfig": {"whiteSpaceConfig": {"maxTokensPerChunk": 9, "max_tokens_per_chunk": 9}}}, "comes twice"),
    ],
)
async def test_what_is_said_wrongly_of_a_document_is_refused_by_its_field(said: Any, field: str):
    async with open_app() as app:
        store = await make(app)
        headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        at = f"/upload/v1beta/{store}:uploadToFileSearchStore"
        reply = await app.ask("POST", at, json=said, headers=headers)
    assert rpc(reply)[:2] == (400, "INVALID_ARGUMENT")
    assert field in rpc(reply)[2]


async def test_an_upload_goes_on_only_where_it_began():
    async with open_app() as app:
        store, other = await make(app), await make(app)
        headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        started = await app.ask("POST", f"/upload/v1/{store}:uploadToFileSearchStore", json={}, headers=headers)
        secret = started.headers["x-goog-upload-url"].partition("upload_id=")[2]
        for at in ("/upload/v1/files", f"/upload/v1/{other}:uploadToFileSearchStore"):
            query = {"x-goog-upload-command": "query"}
            assert rpc(await app.ask("POST", f"{at}?upload_id={secret}", headers=query))[0] == 404
        at = f"/upload/v1/{store}:uploadToFileSearchStore?upload_id={secret}"
        ended = await app.ask("POST", at, headers={"x-goog-upload-command": "cancel"})
        assert ended.headers["x-goog-upload-status"] == "cancelled"


async def test_an_upload_to_a_store_that_was_deleted_meanwhile_is_over():
    async with open_app() as app:
        store = await make(app)
        headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        started = await app.ask("POST", f"/upload/v1/{store}:uploadToFileSearchStore", json={}, headers=headers)
        await app.ask("DELETE", f"/v1/{store}")
        address = started.headers["x-goog-upload-url"].removeprefix("http://test")
        headers = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        ended = await app.ask("POST", address, body=KAFKA, headers=headers)
    assert rpc(ended)[0] == 404
    assert ended.headers["x-goog-upload-status"] == "cancelled"


async def test_what_an_owner_keeps_is_bounded_documents_included():
    async with open_app(quota_bytes=200, max_bytes=1000) as app:
        store = await make(app)
        await app.upload_document(store, b"x" * 150)
        headers = {"content-type": "text/plain"}
        reply = await app.ask(
            "POST", f"/upload/v1beta/{store}:uploadToFileSearchStore", body=b"x" * 51, headers=headers
        )
        assert rpc(reply)[:2] == (429, "RESOURCE_EXHAUSTED")
        assert rpc(await app.ask("POST", "/upload/v1/files", body=b"x" * 51, headers=headers))[0] == 429
        await app.ask("DELETE", f"/v1/{store}?force=true")
        assert (await app.ask("POST", "/upload/v1/files", body=b"x" * 51, headers=headers)).status == 200


async def test_pictures_of_documents_are_not_there_yet():
    async with open_app() as app:
        reply = await app.ask("GET", f"/v1/{await make(app)}/media/some?alt=media")
    assert rpc(reply)[:2] == (501, "UNIMPLEMENTED")


# -- owners

ANN = {"x-goog-api-key": "ann's"}
BOB = {"x-goog-api-key": "bob's"}


async def two_owners() -> MemoryStore:
    store = MemoryStore()
    for owner in ("ann", "bob"):
        await store.add_key(Key(owner, owner, owner, hash_key(f"{owner}'s"), owner, NOON))
    return store


async def test_what_is_a_strangers_is_answered_byte_for_byte_like_what_is_unknown():
    async with open_app(store=await two_owners()) as app:
        store = (await app.ask("POST", STORES, headers=ANN)).json["name"]
        document = (await app.upload_document(store, KAFKA, headers=ANN))["name"]
        operation = document.replace("/documents/", "/operations/")
        assert (await app.ask("GET", STORES, headers=BOB)).json == {}
        start = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", **BOB}
        calls: list[tuple[str, str, dict[str, str]]] = [
            *(("GET", f"/v1/{path}", BOB) for path in (store, f"{store}/documents", document, operation)),
            *(("DELETE", f"/v1/{path}?force=true", BOB) for path in (store, document)),
            ("POST", f"/upload/v1/{store}:uploadToFileSearchStore", start),
        ]
        for method, path, headers in calls:
            strangers = await app.ask(method, path, headers=headers)
            unknown = await app.ask(method, path.replace(store, "fileSearchStores/x"), headers=headers)
            assert strangers.status == unknown.status == 404, path
            named = strangers.body.replace(store.encode(), b"fileSearchStores/x")
            assert named == unknown.body
        declared = [{"type": "file_search", "file_search_store_names": [store]}]
        turn = {"model": "m", "input": "Hi", "tools": declared}
        reply = await app.ask("POST", "/v1/interactions", json=turn, headers=BOB)
        assert reply.status == 404
        assert "tools[0].file_search_store_names[0]" in reply.json["error"]["message"]
        assert (await app.ask("GET", f"/v1/{document}", headers=ANN)).json["state"] == "STATE_ACTIVE"


# -- a turn


async def test_a_turn_searches_and_cites_what_it_found():
    query = '{"query": "Into what was Gregor changed?"}'
    asking = [Taken(), CallFragment(0, "c1", "file_search", query), Finished("calls")]
    answer = "Gregor Samsa woke to find himself changed into a beetle."
    model = ScriptedModel(asking, say(answer), card=ModelCard("calling", tools=True))
    async with open_app(model=model) as app:
        store = await make(app, displayName="Books")
        document = await app.upload_document(
            store, KAFKA, displayName="Kafka.txt", customMetadata=[{"key": "year", "numericValue": 1915}]
        )
        await app.upload_document(store, b"The stock market fell.", displayName="News")
        declared = {"type": "file_search", "file_search_store_names": [store], "metadata_filter": "year > 1900"}
        made = await app.create("What happened to Gregor?", tools=[declared])
        prompt = app.model.prompts[-1]
    call_step, result, output = made["steps"]
    assert call_step["type"] == "file_search_call"
    assert result["type"] == "file_search_result"
    assert result["call_id"] == call_step["id"]
    (found,) = result["result"]
    assert (found["title"], found["text"], found["file_search_store"]) == ("Kafka.txt", KAFKA.decode(), store)
    assert KAFKA.decode() in str(prompt)
    (text,) = output["content"]
    (citation,) = text["annotations"]
    assert citation == {
        "type": "file_citation",
        "document_uri": document["name"],
        "file_name": "Kafka.txt",
        "source": document["name"],
        "custom_metadata": {"year": 1915},
        "start_index": 0,
        "end_index": len(answer),
    }
