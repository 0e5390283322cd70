"""Addresses: those that a text names."""

import re

_ADDRESS = re.compile(
    r"(?i)\bhttps?://[^\s<>\"'“”‘’`]+|(?<![\w@/.-])www\.[\w-]+(?:\.[\w-]+)+(?:[/?#][^\s<>\"'“”‘’`]*)?|"
    r"(?<![\w@/.-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|edu|gov|info|ai|app|co\.uk|de|fr|eu)\b(?!\.\w)"
    r"(?:/[^\s<>\"'“”‘’`]*)?"
)
_CLOSING = {")": "(", "]": "[", "}": "{"}


def addresses_in(text: str) -> list[str]:
    """The addresses in a text, each once, without the stops and brackets behind them."""
    return list(dict.fromkeys(_bare(match.group()) for match in _ADDRESS.finditer(text)))


def _bare(address: str) -> str:
    address = address.rstrip(".,;:!?*_")
    while address[-1:] in _CLOSING and address.count(address[-1]) > address.count(_CLOSING[address[-1]]):
        address = address[:-1].rstrip(".,;:!?*_")
    return address
