"""Write docs/reference.md from the code: commands, settings, routes, errors. With --check, only say whether it is true.

What the page says is taken from the docstrings under the fields and classes themselves, so it cannot go stale.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from turnwise import cli, settings
from turnwise.domain import errors
from turnwise.http import routes
from turnwise.http.contracts import Services
from turnwise.wire.errors import http_status, render_rpc_error

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

CONVERTOR = re.compile(r":\w+(?=\})")
"""What a route says of the form of a parameter in its path."""

HEAD = """# Reference

Written by `scripts/reference.py` from the code; `scripts/check` fails when it is not true any more.
"""


def main() -> int:
    page = "\n".join([HEAD, *commands(), *settings_tables(), *route_table(), *error_table()])
    if "--check" not in sys.argv:
        PAGE.write_text(page)
        return 0
    if PAGE.is_file() and PAGE.read_text() == page:
        return 0
    sys.stderr.write("docs/reference.md is not true any more; run scripts/docs\n")
    return 1


def commands() -> Iterator[str]:
    """The help of every command, as the terminal shows it."""
    yield "## Commands\n"
    yield from _help(cli.main, "turnwise")


def _help(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, max_content_width=100)
    yield f"### `{path}`\n\n```\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            if not inner.hidden:
                yield from _help(inner, f"{path} {name}")


def settings_tables() -> Iterator[str]:
    """The settings, with what stands under each in the code."""
    yield "## Settings\n"
    yield inspect.cleandoc(settings.__doc__ or "").partition("\n\n")[2] + "\n"
    for title, model in (
        ("At the top", settings.Settings),
        ("In `[models.NAME]`", settings.ModelSettings),
        ("In `[models.NAME.defaults]`", settings.ModelDefaults),
        *_sections(settings.Settings),
    ):
        yield f"### {title}\n\n| setting | type | default | |\n|---|---|---|---|"
        words = _field_words(model)
        for name, field in model.model_fields.items():
            kind = str(field.annotation if not isinstance(field.annotation, type) else field.annotation.__name__)
            kind = kind.replace("typing.", "").replace("pathlib.", "").replace("|", "or")
            default = "" if field.default_factory or field.default is None else f"`{field.default}`"
            yield f"| `{name}` | {kind} | {default} | {words.get(name, '')} |"
        yield ""


def _sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables of settings within others, each with its name."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield f"In `[{path}{name}]`", inner
            yield from _sections(inner, f"{path}{name}.")


def _field_words(model: type[BaseModel]) -> dict[str, str]:
    """The docstring under each field of a class."""
    body = ast.parse(inspect.getsource(model)).body[0].body  # type: ignore[attr-defined]
    return {
        field.target.id: " ".join(words.value.value.split())
        for field, words in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant)
    }


def route_table() -> Iterator[str]:
    """The route table."""
    yield "## Routes\n\n`{version}` is `v1`, `v1beta` or `v1alpha`.\n\n| method | path |\n|---|---|"
    nothing: Any = None  # the table is the same whatever stands behind it
    services = Services(**{part.name: nothing for part in fields(Services)})
    for route in routes.build_routes(services).routes:
        methods = sorted(route.methods - {"HEAD"})
        if len(methods) == 1:
            yield f"| {methods[0]} | `{CONVERTOR.sub('', route.path)}` |"
    yield f"\nAnswered with 501, by name: {', '.join(f'`{name}`' for name in routes.NOT_YET)}.\n"


def error_table() -> Iterator[str]:
    """Every error with its code and status."""
    yield "## Errors\n\n| status | code | in the Files API | |\n|---|---|---|---|"
    rows = []
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TurnwiseError) and kind is not errors.TurnwiseError:
            error = kind("", allowed=()) if kind is errors.MethodNotAllowed else kind("")
            word = render_rpc_error(error)["error"]["status"]
            rows.append((http_status(error), kind.code, word, " ".join((kind.__doc__ or "").split())))
    for status, code, word, words in sorted(rows):
        yield f"| {status} | `{code}` | `{word}` | {words} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
