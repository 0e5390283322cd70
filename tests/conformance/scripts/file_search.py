"""File search: stores and documents, made, listed, imported and deleted; a turn that searches; and what is refused."""

import base64
import io
import json
import time

from google import genai

# Two pages: where Kafka was born, and what became of Gregor Samsa.
PDF = (
    "JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0Nv"
    "dW50IDIvS2lkc1s0IDAgUiA2IDAgUl0+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9Gb250L1N1YnR5cGUvVHlwZTEvQmFzZUZvbnQv"
    "SGVsdmV0aWNhPj5lbmRvYmoKNCAwIG9iajw8L1R5cGUvUGFnZS9QYXJlbnQgMiAwIFIvTWVkaWFCb3hbMCAwIDYxMiA3OTJdL1Jl"
    "c291cmNlczw8L0ZvbnQ8PC9GIDMgMCBSPj4+Pi9Db250ZW50cyA1IDAgUj4+ZW5kb2JqCjUgMCBvYmo8PC9MZW5ndGggNjk+PnN0"
    "cmVhbQpCVCAvRiAxMiBUZiA1MCA3MDAgVGQgKEZyYW56IEthZmthIHdhcyBib3JuIGluIFByYWd1ZSBpbiAxODgzLikgVGogRVQK"
    "ZW5kc3RyZWFtZW5kb2JqCjYgMCBvYmo8PC9UeXBlL1BhZ2UvUGFyZW50IDIgMCBSL01lZGlhQm94WzAgMCA2MTIgNzkyXS9SZXNv"
    "dXJjZXM8PC9Gb250PDwvRiAzIDAgUj4+Pj4vQ29udGVudHMgNyAwIFI+PmVuZG9iago3IDAgb2JqPDwvTGVuZ3RoIDkxPj5zdHJl"
    "YW0KQlQgL0YgMTIgVGYgNTAgNzAwIFRkIChHcmVnb3IgU2Ftc2Egd29rZSB0byBmaW5kIGhpbXNlbGYgY2hhbmdlZCBpbnRvIGEg"
    "aHVnZSBiZWV0bGUuKSBUaiBFVAplbmRzdHJlYW1lbmRvYmoKeHJlZgowIDgKMDAwMDAwMDAwMCA2NTUzNSBmIAowMDAwMDAwMDA5"
    "IDAwMDAwIG4gCjAwMDAwMDAwNTIgMDAwMDAgbiAKMDAwMDAwMDEwNyAwMDAwMCBuIAowMDAwMDAwMTY4IDAwMDAwIG4gCjAwMDAw"
    "MDAyNzcgMDAwMDAgbiAKMDAwMDAwMDM5MSAwMDAwMCBuIAowMDAwMDAwNTAwIDAwMDAwIG4gCnRyYWlsZXI8PC9TaXplIDgvUm9v"
    "dCAxIDAgUj4+CnN0YXJ0eHJlZgo2MzYKJSVFT0Y="
)

client = genai.Client()
stores, documents = client.file_search_stores, client.file_search_stores.documents


def finished(operation):
    deadline = time.monotonic() + 60
    while not operation.done:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        operation = client.operations.get(operation)
    return client.operations.get(operation)


def refusal(call):
    try:
        call()
    except Exception as error:
        seen = {name: getattr(error, name, None) for name in ("code", "status", "message")}
        return {"error": type(error).__name__, **seen}
    return None


def upload(file, **config):
    operation = stores.upload_to_file_search_store(file_search_store_name=store.name, file=file, config=config)
    return finished(operation)


def shown_store(found):
    return {
        "name": found.name,
        "display_name": found.display_name,
        "active": found.active_documents_count,
        "pending": found.pending_documents_count,
        "failed": found.failed_documents_count,
        "size": found.size_bytes,
    }


def shown_document(found):
    def value(one):
        listed = one.string_list_value.values if one.string_list_value else None
        return next(given for given in (one.string_value, one.numeric_value, listed) if given is not None)

    return {
        "name": found.name,
        "display_name": found.display_name,
        "mime_type": found.mime_type,
        "size": found.size_bytes,
        "state": str(getattr(found.state, "value", found.state)),
        "metadata": {one.key: value(one) for one in found.custom_metadata or ()},
    }


def shown_operation(operation):
    return {
        "name": operation.name,
        "done": operation.done,
        "error": operation.error,
        "document": operation.response and operation.response.document_name,
        "parent": operation.response and operation.response.parent,
    }


store = stores.create(config={"display_name": "Kafka's books"})
second = stores.create()
with open("kafka.pdf", "wb") as pdf:
    pdf.write(base64.b64decode(PDF))
uploaded = upload(
    "kafka.pdf",
    display_name="Metamorphosis",
    custom_metadata=[
        {"key": "author", "string_value": "Franz Kafka"},
        {"key": "year", "numeric_value": 1915},
        {"key": "tags", "string_list_value": {"values": ["novella", "prague"]}},
    ],
    chunking_config={"white_space_config": {"max_tokens_per_chunk": 200, "max_overlap_tokens": 20}},
)
broken = upload(io.BytesIO(b"no picture"), mime_type="image/png")
file = client.files.upload(
    file=io.BytesIO(b"Gregor Samsa fell on the stock market."),
    config={"mime_type": "text/plain", "display_name": "News"},
)
imported = finished(
    stores.import_file(
        file_search_store_name=store.name,
        file_name=file.name,
        config={"custom_metadata": [{"key": "year", "numeric_value": 2026}]},
    )
)
client.files.delete(name=file.name)

interaction = client.interactions.create(
    model="gemini-3-flash-preview",
    input="Search the documents: into what was Gregor Samsa changed?",
    tools=[
        {
            "type": "file_search",
            "file_search_store_names": [store.name],
            "top_k": 3,
            "metadata_filter": "author=Franz Kafka AND year < 2000",
        }
    ],
)
report = {
    "store": shown_store(stores.get(name=store.name)),
    "second": second.name,
    "listed": [one.name for one in stores.list(config={"page_size": 1})],
    "uploaded": shown_operation(uploaded),
    "broken": shown_operation(broken),
    "imported": shown_operation(imported),
    "document": shown_document(documents.get(name=uploaded.response.document_name)),
    "imported_document": shown_document(documents.get(name=imported.response.document_name)),
    "documents": [one.name for one in documents.list(parent=store.name, config={"page_size": 2})],
    "turn": interaction.model_dump(mode="json"),
    "not_forced": refusal(lambda: stores.delete(name=store.name)),
    "document_not_forced": refusal(lambda: documents.delete(name=imported.response.document_name)),
    "get_unknown": refusal(lambda: stores.get(name="fileSearchStores/nosuchstore")),
    "bad_metadata": refusal(lambda: upload("kafka.pdf", custom_metadata=[{"key": "nothing"}])),
}
documents.delete(name=imported.response.document_name, config={"force": True})
report["get_deleted_document"] = refusal(lambda: documents.get(name=imported.response.document_name))
stores.delete(name=store.name, config={"force": True})
stores.delete(name=second.name)
report["get_deleted"] = refusal(lambda: stores.get(name=store.name))
report["listed_later"] = [one.name for one in stores.list()]
print(json.dumps(report))
