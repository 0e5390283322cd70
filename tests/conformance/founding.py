"""The founding document and its snippets, read where the document lies and never copied here.

The document is the Interactions API's own guide of December 2025. It shows every feature as a group of snippets:
Python, JavaScript and, but for one group, REST (curl). This module cuts them out verbatim and gives each group a name
of ours, in the document's order (`NAMES`). It also does the few things that the document leaves to its reader: to put
an id where a placeholder stands, to put the client's two lines before a snippet that has none, to take away the
comment signs of a second request, and to write the apostrophes of one request as a shell needs them.
"""

import os
import re
from functools import cache
from pathlib import Path

PUBLIC_ADDRESS = "https://generativelanguage.googleapis.com"
LANGUAGES = {"Python": "python", "JavaScript": "javascript", "REST": "rest"}

NAMES = (
    "first_request",
    "basic_interaction",
    "stateful_conversation",
    "get_interaction",
    "stateless_conversation",
    "image_understanding",
    "audio_understanding",
    "video_understanding",
    "document_understanding",
    "image_generation",
    "image_configuration",
    "speech_generation",
    "deep_research",
    "function_calling",
    "function_calling_with_client_state",
    "google_search",
    "code_execution",
    "url_context",
    "computer_use",
    "remote_mcp",
    "structured_output",
    "structured_output_with_tools",
    "streaming",
    "configuration",
    "thinking",
    "remote_files",
    "files_api",
)

# The document's prose and headings are Chinese and its code is not: such a character ends a snippet.
_PROSE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
# In its list of models a name stands behind the document's word for "model".
_LISTED_MODEL = re.compile(r"\s\u578b\u865f\s+([a-z][\w.-]+)$", flags=re.MULTILINE)
_CLIENT_LINES = re.compile(r"^(from google import genai|import \{ ?GoogleGenAI|(const )?client = )")


class DocumentMissing(Exception):
    """The founding document is not on this machine; the message is the reason a test gives when it skips."""


def document_path() -> Path:
    """Where the document is looked for: the environment's word, else beside the checkout."""
    chosen = os.environ.get("TURNWISE_FOUNDING_DOCUMENT")
    if chosen:
        return Path(chosen)
    repository = Path(__file__).resolve().parents[2]
    return repository.parent / "shared" / "seed" / "interactions-api.zh.txt"


@cache
def read_snippets() -> dict[str, dict[str, str]]:
    """Every snippet of the document, as `snippets[name][language]`."""
    path = document_path()
    if not path.is_file():
        raise DocumentMissing("the founding document is not here; TURNWISE_FOUNDING_DOCUMENT can name it")
    groups = parse_groups(path.read_text(encoding="utf-8"))
    return dict(zip(NAMES, groups, strict=True))


def read_model_names() -> set[str]:
    """The models that the document lists, and those that its snippets ask for."""
    snippets = "".join(snippet for group in read_snippets().values() for snippet in group.values())
    asked_for = re.findall(r"""["']?model["']?\s*[=:]\s*["']([\w.-]+)["']""", snippets)
    return {*_LISTED_MODEL.findall(document_path().read_text(encoding="utf-8")), *asked_for}


def parse_groups(document: str) -> list[dict[str, str]]:
    """The groups of snippets in the document's order; each group begins with its Python snippet."""
    groups: list[dict[str, str]] = []
    lines = document.splitlines()
    for number, line in enumerate(lines):
        language = LANGUAGES.get(line.strip())
        if language is None:
            continue
        if language == "python":
            groups.append({})
        groups[-1][language] = _snippet_from(lines, number + 1)
    return groups


def _snippet_from(lines: list[str], start: int) -> str:
    end = start
    while end < len(lines) and lines[end].strip() not in LANGUAGES and not _PROSE.search(lines[end]):
        end += 1
    return "\n".join(lines[start:end]).strip("\n") + "\n"


def with_client(snippet: str, language: str) -> str:
    """The snippet behind the two lines that make a client, as the document's first request writes them."""
    first_request = read_snippets()["first_request"][language]
    lines = [line for line in first_request.splitlines() if _CLIENT_LINES.match(line)]
    return "\n".join(lines) + "\n\n" + snippet


def with_id(snippet: str, interaction_id: str) -> str:
    """The snippet with the reader's interaction id where the document has a placeholder for it."""
    return re.sub(r"<YOUR_INTERACTION_ID>|INTERACTION_ID", interaction_id, snippet)


def second_request(snippet: str) -> str:
    """The second request of a REST snippet, which the document shows as a comment, ready to run."""
    commented = re.findall(r"^# (curl .*(?:\n# .*)*)", snippet, flags=re.MULTILINE)
    (request,) = commented
    return re.sub(r"^# ", "", request, flags=re.MULTILINE) + "\n"


def with_quotes_closed(snippet: str) -> str:
    """A REST snippet whose single-quoted body has apostrophes of its own, as a shell must have them."""
    head, quote, body = snippet.partition("-d '")
    body = body.rstrip().removesuffix("'").replace("'", r"'\''")
    return f"{head}{quote}{body}'\n"


def at_server(snippet: str, server: str) -> str:
    """A REST snippet that asks the given server."""
    return snippet.replace(PUBLIC_ADDRESS, server)
