"""Which tools of a server the model may call: `allowed_tools`, read once and applied to what the server has.

Each entry has a mode and may name tools. `auto` and `validated` allow theirs, `any` also demands a call, and `none`
takes them away. An entry that names none means all of them. Without entries all tools are allowed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import ToolChoice


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the entries come to."""

    named: frozenset[str] | None
    """The tools that may be called. None: all that are not excluded."""
    excluded: frozenset[str] | None
    """The tools that must not be called. None: all, so none may be."""
    is_demanded: bool
    """Whether one of them must be called."""

    @property
    def is_nothing(self) -> bool:
        """Whether no tool may be called, whatever the server has."""
        return self.excluded is None or (self.named is not None and not self.named)

    def covers(self, name: str) -> bool:
        """Whether this tool may be called."""
        return self.excluded is not None and name not in self.excluded and (self.named is None or name in self.named)


def read_allowed(entries: Sequence[ToolChoice], field: str) -> Allowed:
    """What the entries come to, as far as can be told without the server.

    Raises:
        InvalidRequest: they contradict one another, or demand a call and allow none.
        Unimplemented: they demand a call of some tools and leave others free.
    """
    freeing = [entry for entry in entries if entry.mode != "none"]
    if any(entry.mode == "any" for entry in freeing) and any(entry.mode != "any" for entry in freeing):
        raise Unimplemented(
            f"{field}: turnwise cannot demand a call of some tools of a server and leave others free; "
            "write all entries with 'any', or all with 'auto'"
        )
    named = _union(freeing) if freeing else None
    taken = [entry for entry in entries if entry.mode == "none"]
    excluded = _union(taken) if taken else frozenset()
    if freeing and excluded is None:
        raise InvalidRequest("'none' without names allows no tool, but another entry allows some", field=field)
    both = sorted((named or frozenset()) & (excluded or frozenset()))
    if both:
        raise InvalidRequest(f"'{both[0]}' is both allowed and, by 'none', not allowed", field=field)
    allowed = Allowed(named, excluded, any(entry.mode == "any" for entry in freeing))
    if allowed.is_demanded and allowed.is_nothing:
        raise InvalidRequest("'any' demands a call, but no tool is allowed; name one", field=field)
    return allowed


def check_names(entries: Sequence[ToolChoice], names: Collection[str], field: str) -> None:
    """Refuse names that the server does not have.

    Raises:
        InvalidRequest: which, and what it has.
    """
    for at, entry in enumerate(entries):
        for index, name in enumerate(entry.allowed or ()):
            if name not in names:
                raise InvalidRequest(
                    f"the server has no tool '{name[:100]}'; it has {_some(names)}",
                    field=f"{field}[{at}].tools[{index}]",
                )


def _union(entries: Sequence[ToolChoice]) -> frozenset[str] | None:
    """The names of all entries. None: one of them means all tools."""
    if any(entry.allowed is None for entry in entries):
        return None
    return frozenset(name for entry in entries for name in entry.allowed or ())


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:20]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "none"
