"""Files on a model hub that speaks as huggingface.co does: their addresses, and what its refusals mean. No network.

    hf:OWNER/REPO/FILE.gguf            as it is on the main branch
    hf:OWNER/REPO/FILE.gguf@REVISION   a branch, a tag or a commit

Another hub, or a mirror, is named by the hub's own variable HF_ENDPOINT; a token, for private and gated models, comes
from its variable HF_TOKEN.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

HUB = "https://huggingface.co"
MAIN = "main"

_FILE = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[^@]+)(?:@(?P<revision>[^@\s]+))?")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model's repository."""

    repo: str
    """With its owner."""
    file: str
    """Its path in the repository."""
    revision: str = MAIN

    @property
    def url(self) -> str:
        """Where it is, or where the hub says where it is."""
        return f"{endpoint()}/{self.repo}/resolve/{quote(self.revision, safe='')}/{quote(self.file)}"

    @property
    def listing(self) -> str:
        """Where the hub says which files there are."""
        return f"{endpoint()}/api/models/{self.repo}/revision/{quote(self.revision, safe='')}"


def hub_form(suffix: str = ".gguf") -> str:
    """How a file of a hub is written, whose name ends so."""
    return f"hf:OWNER/REPO/FILE{suffix}, with @REVISION behind it if need be"


def parse_hub(text: str, suffix: str = ".gguf") -> HubFile:
    """
    Raises:
        ValueError: it does not name a file in a repository whose name ends with `suffix`.
    """
    found = _FILE.fullmatch(text)
    if found is None or not found["file"].endswith(suffix) or ".." in text.split("/"):
        raise ValueError(f"source is {text!r}; a file of a model hub is written {hub_form(suffix)}")
    return HubFile(found["repo"], found["file"], found["revision"] or MAIN)


def endpoint() -> str:
    """The hub's address."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def token() -> str | None:
    """What the hub knows us by."""
    return os.environ.get("HF_TOKEN") or None


def explain(asked: HubFile, status: int, code: str, *, files: Sequence[str] = ()) -> str:
    """Why the hub refused a file, and what mends it. `code` is its own word for it; `files` are those that it has."""
    page = f"{endpoint()}/{asked.repo}"
    if code == "GatedRepo" and token() is None:
        return f"{asked.repo} is gated: accept its terms at {page}, and set HF_TOKEN to a token of that account"
    if code == "GatedRepo":
        return f"{asked.repo} is gated, and the account of HF_TOKEN may not read it yet: accept its terms at {page}"
    if code == "RevisionNotFound":
        return f"{asked.repo} has no revision {asked.revision!r}; see {page}"
    if code == "EntryNotFound":
        there = f"; it has: {', '.join(files)}" if files else f"; see {page}"
        return f"{asked.repo} has no file {asked.file!r} at {asked.revision!r}{there}"
    if status in (401, 403) and token() is not None and code != "RepoNotFound":
        return f"HF_TOKEN may not read {asked.repo} (HTTP {status}): see {page}"
    if code == "RepoNotFound" or status in (401, 403):
        return f"there is no model {asked.repo} at {endpoint()}, or it is private: then set HF_TOKEN (HTTP {status})"
    return f"{endpoint()} refused {asked.repo}/{asked.file} (HTTP {status})"
