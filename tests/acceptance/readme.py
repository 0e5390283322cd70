"""The README's code blocks that are tested: those with a comment on the line above them.

    <!-- test: first-command -->

The name is for the test's report; `first-command` is the one that starts the server, in an empty environment. Every
other block is run while that server runs, in the order of the page: a shell block by bash, a Python block by the
official SDK (1.55.0, unless the comment goes on with another: `<!-- test: name google-genai==2.34.0 -->`), a TOML block
as settings.
"""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
FIRST = "first-command"
SDK = "1.55.0"

_BLOCK = re.compile(
    r"^<!-- test: (?P<name>\S+)(?: google-genai==(?P<sdk>\S+))? -->\n+```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"^<!-- test:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A marked block of code."""

    name: str
    language: str
    code: str
    sdk: str = SDK


def read_blocks(text: str) -> list[Block]:
    """The marked blocks of a page, in its order.

    Raises:
        ValueError: a comment stands above nothing, or two have one name.
    """
    blocks = [
        Block(found["name"], found["language"], found["code"], found["sdk"] or SDK) for found in _BLOCK.finditer(text)
    ]
    if len(blocks) != len(_COMMENT.findall(text)):
        raise ValueError("a comment `<!-- test: NAME -->` stands on the line above a block of code, and nowhere else")
    if len({block.name for block in blocks}) != len(blocks):
        raise ValueError("two blocks have the same name")
    return blocks
