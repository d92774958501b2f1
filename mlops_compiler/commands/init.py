"""`init` writes a recipe for a table that has none: commented, complete, and checked before it is written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.engine import ALLOWABLE
from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.draft import draft, read_table
from mlops_compiler.frontend.json_schema import recipe_schema

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation

_FOLDER = Path("recipes")


def init(invocation: Invocation) -> int:
    """Write ``recipes/NAME.yaml`` for a file.

    Raises:
        DataError: The file cannot be read, or the target holds nothing that could be predicted.
        UsageError: There is such a recipe already, or it cannot be written.
    """
    example = "from=data/customers.csv target=churned"
    source, target = Path(invocation.required("from", example)), invocation.required("target", example)
    name = invocation.arguments.get("name") or _name(source)
    place = _FOLDER / f"{name}.yaml"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_\-]{0,63}", name):
        raise UsageError([_bad_name(name)])
    if place.exists():
        raise UsageError([_there(place, name)])
    table = read_table(source)
    text = draft(table, name, target, invocation.arguments.get("positive"), os.path.relpath(source, _FOLDER))
    _FOLDER.mkdir(exist_ok=True)
    write_file(place, text)
    if not (schema := _FOLDER / "recipe.schema.json").exists():
        write_file(schema, json.dumps(recipe_schema(ALLOWABLE), indent=1, ensure_ascii=False) + "\n")
    if invocation.as_json:
        invocation.print_json({"recipe": name, "path": str(place), "rows": table.rows.height})
    else:
        results().print(
            f"{place} is written, from {table.rows.height:,} rows and {table.rows.width} columns\n\n"
            f"  look at it         {place}\n"
            f"  look at the data   mlops-compile explore recipe={name}\n"
            f"  check it           mlops-compile check recipe={name}\n"
            f"  run it             mlops-compile recipe={name}",
            soft_wrap=True,
            markup=False,
        )
    return DONE


def _name(source: Path) -> str:
    """Make a name of a file's."""
    found = re.sub(r"[^A-Za-z0-9_]+", "_", source.stem).strip("_")[:64]
    return found if found[:1].isalpha() else f"data_{found}".rstrip("_")[:64]


def _bad_name(name: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"{name!r} is no name of a recipe",
        span=Span.of_token(f"name={name}"),
        help="a name is a letter, then letters, digits, `_` and `-`, 64 at most",
    )


def _there(place: Path, name: str) -> Diagnostic:
    return Diagnostic(
        code="recipe-exists",
        headline=f"{place} is there already",
        help=f"choose another name: `name={name}_2`; or remove it first",
    )
