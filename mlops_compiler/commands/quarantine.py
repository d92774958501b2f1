"""`data quarantine` shows the rows that a recipe left out or dropped, and why."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.data_view import print_quarantine
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.driver import plan_recipe

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed

_STAGES = ("snapshot", "prepare")


def quarantine(composed: Composed, invocation: Invocation) -> int:
    """Show the rows that `data.where`, filters and deduplications of the recipe as it is dropped when it ran.

    Raises:
        UsageError: The recipe as it is has not run, or the file cannot be written.
        EngineError: The store cannot be read.
    """
    planned = plan_recipe(composed)
    tables = _tables(planned)
    counts = [
        {"step": step, "reason": reason, "rows": count}
        for table in tables
        for step, reason, count in table.group_by("step", "reason", maintain_order=True).len().iter_rows()
    ]
    if (out := invocation.options.get("--out")) is not None:
        _write(pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame(), Path(out))
    if invocation.as_json:
        invocation.print_json({"recipe": planned.compiled.recipe.name, "dropped": counts, "out": out})
    else:
        print_quarantine(planned.compiled.recipe.name, counts, tables, out, results())
    return DONE


def _tables(planned: Planned) -> list[pl.DataFrame]:
    records = {name: planned.store.stage(planned.plan.stage(name).fingerprint) for name in _STAGES}
    if any(record is None for record in records.values()):
        raise UsageError([_not_run(planned.compiled.recipe.name)])
    train = planned.store.stage(planned.plan.stage("train").fingerprint)
    if train is not None and "preparation" in train.summary:  # the search chose another one than the recipe begins with
        records["prepare"] = train
    digests = [record.outputs.get("quarantine") for record in records.values() if record is not None]
    return [pl.read_parquet(io.BytesIO(planned.store.objects.get(digest))) for digest in digests if digest is not None]


def _write(rows: pl.DataFrame, path: Path) -> None:
    writers = {".csv": rows.write_csv, ".parquet": rows.write_parquet}
    if path.suffix.lower() not in writers:
        raise UsageError([_bad(path, f"`{path.name}` does not say what to write", "end its name in .csv or .parquet")])
    try:
        writers[path.suffix.lower()](path)  # type: ignore[operator]
    except OSError as error:
        raise UsageError([_bad(path, f"{path} cannot be written: {error.strerror or error}", None)]) from error


def _bad(path: Path, headline: str, help_: str | None) -> Diagnostic:
    return Diagnostic(code="output-unwritable", headline=headline, span=Span.of_token(str(path)), help=help_)


def _not_run(recipe: str) -> Diagnostic:
    return Diagnostic(
        code="not-run",
        headline=f"`{recipe}` as it is has not run: nothing is known of the rows that it drops",
        help=f"run it: mlops-compile recipe={recipe}",
    )
