"""File search as every SDK has it: stores, documents and operations, a turn that searches them, and its citations."""

import pytest

from .sdks import PYTHON
from .selection import over_every_sdk, over_every_sdk_and_model
from .test_files import is_refused

WITHOUT_RESULTS = [sdk for sdk in PYTHON if sdk.major >= 2 and sdk.version != "2.0.0"]
"""SDKs that show nothing of what was found but its citations."""


@pytest.fixture
def report(sdk, report_of):
    return report_of(sdk, "file_search")


@over_every_sdk
def test_store_tells_what_its_documents_amount_to(sdk, report):
    store = report["store"]
    assert store["name"].startswith("fileSearchStores/kafka-s-books-")
    assert store["display_name"] == "Kafka's books"
    assert (store["active"], store["pending"], store["failed"]) == (2, 0, 1)
    assert store["size"] == report["document"]["size"] + report["imported_document"]["size"]


@over_every_sdk
def test_list_of_stores_goes_through_all_pages_oldest_first(sdk, report):
    made = [report["store"]["name"], report["second"]]
    assert [name for name in report["listed"] if name in made] == made
    assert len(set(report["listed"])) == len(report["listed"])


@over_every_sdk
def test_upload_is_an_operation_that_ends_with_a_document(sdk, report):
    uploaded, document = report["uploaded"], report["document"]
    assert uploaded["name"].startswith(f"{report['store']['name']}/upload/operations/metamorphosis-")
    assert (uploaded["done"], uploaded["error"], uploaded["parent"]) == (True, None, report["store"]["name"])
    assert uploaded["document"] == document["name"]
    assert (document["display_name"], document["mime_type"]) == ("Metamorphosis", "application/pdf")
    assert document["state"] == "STATE_ACTIVE"
    assert document["metadata"] == {"author": "Franz Kafka", "year": 1915, "tags": ["novella", "prague"]}


@over_every_sdk
def test_import_is_an_operation_that_ends_with_a_document(sdk, report):
    imported, document = report["imported"], report["imported_document"]
    assert imported["name"].startswith(f"{report['store']['name']}/operations/news-")
    assert (imported["done"], imported["document"]) == (True, document["name"])
    assert (document["display_name"], document["state"]) == ("News", "STATE_ACTIVE")


@over_every_sdk
def test_operation_on_a_document_that_cannot_be_read_ends_with_the_reason(sdk, report):
    assert (report["broken"]["done"], report["broken"]["document"]) == (True, None)
    assert report["broken"]["error"]["code"] == 3
    assert "image/png" in report["broken"]["error"]["message"]


@over_every_sdk
def test_list_of_documents_goes_through_all_pages(sdk, report):
    first, failed, last = report["documents"]
    assert (first, last) == (report["document"]["name"], report["imported_document"]["name"])
    assert failed.startswith(f"{report['store']['name']}/documents/")


@over_every_sdk
def test_what_has_something_in_it_is_deleted_by_force(sdk, report):
    assert is_refused(report["not_forced"], 400, "FAILED_PRECONDITION")
    assert is_refused(report["document_not_forced"], 400, "FAILED_PRECONDITION")
    assert is_refused(report["get_deleted_document"], 404, "NOT_FOUND")
    assert is_refused(report["get_deleted"], 404, "NOT_FOUND")
    assert not {report["store"]["name"], report["second"]} & set(report["listed_later"])


@over_every_sdk
def test_unknown_store_and_wrong_metadata_are_a_clients_error(sdk, report):
    assert is_refused(report["get_unknown"], 404, "NOT_FOUND")
    assert is_refused(report["bad_metadata"], 400, "INVALID_ARGUMENT")
    assert "customMetadata[0]" in report["bad_metadata"]["message"]


@over_every_sdk_and_model
def test_turn_searches_the_documents_that_the_filter_lets_through(sdk, report):
    steps = report["turn"].get("steps") or report["turn"]["outputs"]
    kinds = [step["type"] for step in steps]
    assert kinds[:2] == ["file_search_call", "file_search_result"]
    assert steps[1]["call_id"] == steps[0]["id"]
    if sdk in WITHOUT_RESULTS:
        return
    found = steps[1]["result"]
    assert {one["title"] for one in found} == {"Metamorphosis"}
    assert {one["file_search_store"] for one in found} == {report["store"]["name"]}
    assert any("beetle" in one["text"] for one in found)


@over_every_sdk_and_model
def test_answer_from_a_document_cites_it_with_its_page(sdk, report):
    last = (report["turn"].get("steps") or report["turn"]["outputs"])[-1]
    text = last["content"][0] if sdk.dialect == "steps" else last
    assert "beetle" in text["text"]
    citation = text["annotations"][0]
    cited = text["text"].encode()[citation["start_index"] : citation["end_index"]].decode()
    assert "beetle" in cited
    assert (citation["source"], citation["page_number"]) == (report["document"]["name"], 2)
    assert (citation["type"], citation["document_uri"]) == ("file_citation", report["document"]["name"])
    assert citation["file_name"] == "Metamorphosis"
    assert citation["custom_metadata"] == {"author": "Franz Kafka", "year": 1915, "tags": ["novella", "prague"]}
