"""What is wrong with a request, in words: a validation error as one sentence that names the field, the value and the
remedy."""

from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, UnknownParameter


def field_path(parts: Sequence[str | int]) -> str:
    """A path as people write it: `input[0].content[1].text`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> InvalidRequest:
    """The first thing that is wrong."""
    found = error.errors(include_url=False)[0]
    loc = [part for part in found["loc"] if not _is_branch(part)]
    path = field_path([prefix, *loc] if prefix else loc)
    if found["type"] == "extra_forbidden":
        return UnknownParameter(_unknown(str(loc[-1]), _known_fields(model, loc)), field=path)
    if found["type"] == "missing":
        return InvalidRequest("this field is required", field=path)
    shown = _shown(found.get("input"))
    return InvalidRequest(f"{found['msg'][0].lower()}{found['msg'][1:]}, not {shown}", field=path)


def _unknown(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "leave it out"
    return f"the API has no such field; {hint}"


def _is_branch(part: str | int) -> bool:
    """Whether a part of a location names a branch of a union and not a field."""
    return isinstance(part, str) and any(mark in part for mark in ("[", "(", "constrained"))


def _known_fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The fields beside the one at `loc`."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        inner = [t for t in _types(field.annotation) if isinstance(t, type)] if field else []
        nested = [t for t in inner if issubclass(t, BaseModel)]
        if not nested:
            return []
        model = nested[0]
    return list(model.model_fields)


def _types(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", (annotation,))


def _shown(value: JSON) -> str:
    """A value as the message shows it: short, and never a whole document."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
