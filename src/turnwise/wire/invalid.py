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
    unknown = found["type"] == "extra_forbidden"
    end = len(found["loc"]) - 1 if unknown else None  # an unknown field may be called anything, even like a branch
    loc = [part for i, part in enumerate(found["loc"]) if i == end or not _is_branch(part)]
    path = field_path([prefix, *loc] if prefix else loc)
    if unknown:
        return UnknownParameter(_unknown(str(loc[-1]), _known_fields(model, loc), model), field=path)
    if found["type"] == "missing":
        return InvalidRequest("this field is required", field=path)
    said = found["msg"].partition(" or instance of ")[0]  # which names a class of ours
    return InvalidRequest(f"{said[0].lower()}{said[1:]}, not {shown(found.get('input'))}", field=path)


def _unknown(name: str, beside: Sequence[str], model: type[BaseModel]) -> str:
    """What to say of a field that the API does not have: what it may have been meant to be."""
    close = get_close_matches(name, beside, n=1) or get_close_matches(name, list(_inner_fields(model)), n=1)
    if not close:
        return "the API has no such field; leave it out"
    return f"the API has no such field here; did you mean '{_inner_fields(model).get(close[0], close[0])}'?"


def _inner_fields(model: type[BaseModel]) -> dict[str, str]:
    """The fields one level down, by name, with their whole path."""
    return {
        inner: f"{name}.{inner}"
        for name, field in model.model_fields.items()
        for body in _models_in(field.annotation)
        for inner in body.model_fields
    }


def _is_branch(part: str | int) -> bool:
    """Whether a part of a location names a branch of a union and not a field."""
    return isinstance(part, str) and any(mark in part for mark in ("[", "(", "constrained"))


def _known_fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The fields beside the one at `loc`."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        nested = _models_in(field.annotation) if field else []
        if not nested:
            return []
        model = nested[0]
    return list(model.model_fields)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The JSON objects that a field may be: itself, or members of its union."""
    types = getattr(annotation, "__args__", (annotation,))
    return [t for t in types if isinstance(t, type) and issubclass(t, BaseModel)]


def shown(value: JSON) -> str:
    """A value as the message shows it: short, and never a whole document."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
