"""The symbols that pictures consist of. A file here is a group of them; `symbol.py` says what one is."""

from turnwise.models.drawing.symbols import animals, buildings, food, household, land, people, shapes, sky, vehicles
from turnwise.models.drawing.symbols.symbol import Symbol

GROUPS = (sky, land, buildings, vehicles, people, animals, food, household, shapes)

SYMBOLS: dict[str, Symbol] = {
    found.name: found for group in GROUPS for found in vars(group).values() if isinstance(found, Symbol)
}
"""Every symbol by its name."""
