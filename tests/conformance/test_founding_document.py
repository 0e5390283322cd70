"""The founding document is cut into all of its snippets, and each is a whole program in its language."""

import subprocess

import pytest

from .founding import NAMES, at_server, parse_groups, second_request, with_client, with_id, with_quotes_closed

pytestmark = pytest.mark.founding

# The document's own slip: an apostrophe inside the single-quoted body leaves this request's quotes unbalanced.
UNBALANCED = "structured_output"

SIGNS = {
    "stateful_conversation": "previous_interaction_id=",
    "get_interaction": "interactions.get(",
    "stateless_conversation": "conversation_history",
    "image_understanding": '"type": "image"',
    "audio_understanding": '"type": "audio"',
    "video_understanding": '"type": "video"',
    "document_understanding": '"type": "document"',
    "image_generation": '"IMAGE"',
    "image_configuration": '"image_config"',
    "speech_generation": '"speech_config"',
    "deep_research": "background=True",
    "function_calling": "get_weather",
    "function_calling_with_client_state": "schedule_meeting",
    "google_search": '"google_search"',
    "code_execution": '"code_execution"',
    "url_context": '"url_context"',
    "computer_use": '"computer_use"',
    "remote_mcp": '"mcp_server"',
    "structured_output": "response_format=",
    "structured_output_with_tools": "response_format=",
    "streaming": "stream=True",
    "configuration": '"max_output_tokens"',
    "thinking": '"thinking_summaries"',
    "remote_files": '"uri": "https://',
    "files_api": "files.upload(",
}


def test_every_snippet_of_the_document_is_found(snippets):
    assert len(snippets) == len(NAMES) == 27
    without_rest = [name for name, group in snippets.items() if "rest" not in group]
    assert without_rest == ["function_calling_with_client_state"]
    assert all(set(group) >= {"python", "javascript"} for group in snippets.values())


def test_every_name_stands_at_its_own_snippet(snippets):
    misplaced = [name for name, sign in SIGNS.items() if sign not in snippets[name]["python"]]
    assert misplaced == []
    assert snippets["basic_interaction"] == snippets["first_request"]


def test_every_python_snippet_compiles(snippets):
    for name, group in snippets.items():
        compile(group["python"], f"<{name}>", "exec")


@pytest.mark.node
def test_every_javascript_snippet_parses(snippets, program, tmp_path):
    for name, group in snippets.items():
        file = tmp_path / f"{name}.mjs"
        file.write_text(group["javascript"], encoding="utf-8")
        subprocess.run([program("node"), "--check", str(file)], check=True, timeout=60)


def test_every_curl_snippet_but_the_unbalanced_one_parses(snippets):
    unparsed = [name for name, group in snippets.items() if "rest" in group and not bash_parses(group["rest"])]
    assert unparsed == [UNBALANCED]


def test_unbalanced_curl_snippet_parses_once_its_apostrophes_are_a_shells(snippets):
    assert bash_parses(with_quotes_closed(snippets[UNBALANCED]["rest"]))


def test_second_requests_are_taken_out_of_their_comments(snippets):
    for name in ("stateful_conversation", "deep_research", "function_calling"):
        request = with_id(second_request(snippets[name]["rest"]), "v1_one")
        assert request.startswith("curl ")
        assert "v1_one" in request
        assert "INTERACTION_ID" not in request
        assert bash_parses(request)


def test_snippet_without_a_client_gets_the_documents_own_two_lines(snippets):
    python = with_client(snippets["get_interaction"]["python"], "python")
    javascript = with_client(snippets["get_interaction"]["javascript"], "javascript")
    assert python.splitlines()[:2] == ["from google import genai", "client = genai.Client()"]
    assert javascript.splitlines()[1] == "const client = new GoogleGenAI({});"


def test_only_the_address_of_a_curl_snippet_changes(snippets):
    request = at_server(snippets["first_request"]["rest"], "http://127.0.0.1:1")
    assert request.startswith('curl -X POST "http://127.0.0.1:1/v1beta/interactions"')


def test_snippet_ends_where_the_prose_goes_on():
    document = "標題\n\nPython\n\nprint(1)\n\nREST\n\n curl x\n設定\nrest of the prose\n"
    assert parse_groups(document) == [{"python": "print(1)\n", "rest": " curl x\n"}]


def bash_parses(snippet: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", snippet], capture_output=True, timeout=60).returncode == 0
