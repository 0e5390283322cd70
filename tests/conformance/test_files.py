"""Files as every SDK uploads, polls, lists, downloads and deletes them, and which of its error classes a refusal is."""

from base64 import b64encode

import pytest

from .sdks import PYTHON
from .selection import each_sdk, over_every_sdk


@pytest.fixture
def files(sdk, report_of):
    return report_of(sdk, "files")


def is_refused(refusal: dict | None, code: int, status: str) -> bool:
    """Whether it is the SDK's own error for what a client did wrong, with all that the reply says."""
    if refusal is None or refusal["error"] not in ("ClientError", "ApiError"):
        return False
    return (refusal["code"], refusal["status"]) == (code, status) and bool(refusal["message"])


@over_every_sdk
def test_file_from_a_path_is_active_with_what_was_said_of_it(sdk, files, server):
    file = files["path"]
    assert (file["display_name"], file["mime_type"], file["size"]) == ("My notes", "text/plain", 19)
    assert (file["state"], file["source"], file["lives"]) == ("ACTIVE", "UPLOADED", 48 * 3600)
    assert file["uri"] == f"{server}/v1beta/{file['name']}"


@over_every_sdk
def test_large_file_comes_whole_in_several_chunks(sdk, files):
    file = files["large"]
    assert (file["size"], file["state"]) == (17 * 1024 * 1024, "ACTIVE")
    assert file["sha256"] == b64encode(file["sent"].encode()).decode()


@over_every_sdk
def test_file_from_memory_has_the_name_that_was_asked_for(sdk, files):
    assert files["memory"]["name"] == f"files/{files['memory']['asked']}"
    assert (files["memory"]["size"], files["memory"]["state"]) == (11, "ACTIVE")


@each_sdk(PYTHON)
def test_file_of_no_bytes_is_a_file(sdk, files):
    """The JavaScript SDKs send nothing at all of such a file, and fail by themselves."""
    assert (files["empty"]["size"], files["empty"]["state"]) == (0, "ACTIVE")


@over_every_sdk
def test_file_that_is_not_what_it_was_said_to_be_fails_with_the_reason(sdk, files):
    assert (files["failed"]["state"], files["failed"]["code"]) == ("FAILED", 3)
    assert "image/png" in files["failed"]["error"]


@over_every_sdk
def test_list_goes_through_all_pages_newest_first(sdk, files):
    made = [files[name]["name"] for name in ("failed", "empty", "memory", "large", "path") if name in files]
    assert files["listed"][: len(made)] == made
    assert len(set(files["listed"])) == len(files["listed"])


@over_every_sdk
def test_download_has_the_bytes(sdk, files):
    assert files["downloaded"] == "from memory"


@over_every_sdk
def test_deleted_file_is_not_found_again(sdk, files):
    assert is_refused(files["get_deleted"], 404, "NOT_FOUND")
    assert is_refused(files["delete_deleted"], 404, "NOT_FOUND")
    assert files["memory"]["name"] not in files["listed_later"]
    assert files["path"]["name"] in files["listed_later"]


@over_every_sdk
def test_unknown_file_is_not_found(sdk, files):
    assert is_refused(files["get_unknown"], 404, "NOT_FOUND")


@over_every_sdk
def test_name_that_is_taken_or_none_is_a_clients_error(sdk, files):
    assert is_refused(files["name_taken"], 400, "ALREADY_EXISTS")
    assert is_refused(files["bad_name"], 400, "INVALID_ARGUMENT")
