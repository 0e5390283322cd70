"""Clients other than the official SDKs that speak the API, and one cached environment for each.

google-adk (Python) builds agents on an SDK of its own choosing; the AI SDK (JavaScript) speaks the API by itself. They
name neither a revision nor an SDK of ours. What runs inside an environment is in `scripts/clients`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .sdks import javascript_recipe, open_recipe, python_recipe

CONSTRAINTS = Path(__file__).with_name("constraints-adk.txt")
SCRIPTS = Path(__file__).with_name("scripts") / "clients"


@dataclass(frozen=True, slots=True)
class Client:
    """One published version of a client."""

    language: Literal["python", "javascript"]
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def script(self) -> Path:
        """The program that we run with it."""
        return SCRIPTS / (f"{self.name}.py" if self.language == "python" else f"{self.name}.mjs")


ADK = Client("python", "google-adk", "2.13.0")
AI_SDK = Client("javascript", "ai-sdk", "7.0.173")

AI_SDK_PARTS = {"ai": AI_SDK.version, "@ai-sdk/google": "4.0.121", "zod": "4.1.13"}
# What they bring along and do not hold at one version themselves.
AI_SDK_OVERRIDES = {
    "@standard-schema/spec": "1.1.0",
    "@vercel/oidc": "3.2.0",
    "@workflow/serde": "4.1.0",
    "eventsource-parser": "3.1.1",
    "json-schema": "0.4.0",
}


def open_client(client: Client, cache: Path) -> Path:
    """The folder of the client's environment, which is built first if it is not there."""
    if client.language == "python":
        recipe = python_recipe([f"{client.name}=={client.version}"], CONSTRAINTS)
    else:
        recipe = javascript_recipe(AI_SDK_PARTS, AI_SDK_OVERRIDES)
    return open_recipe(cache / "clients", str(client), recipe)
