"""The rows that a recipe is about, and their target, computed from what the source holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.ir.schema import DTYPES, dtype_name
from mlops_compiler.tables.expressions import parse_expression

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Population


def select(op: Population, rows: pl.DataFrame, span: Span | None = None) -> pl.DataFrame:
    """Keep the rows that a recipe is about, and add their target.

    Args:
        op: What to keep, and what the target is.
        rows: Typed and checked.
        span: Where the recipe says it.

    Raises:
        DataError: No row is left, or the target of some is missing.
    """
    found = selected(op, rows)
    judge(op, found.height, found[op.target[0]].null_count() if op.target is not None else 0, span)
    return found


def selected(op: Population, rows: pl.DataFrame) -> pl.DataFrame:
    """Keep those of some rows that a recipe is about, and add their target."""
    if op.where is not None:
        rows = rows.filter(parse_expression(op.where)[0])
    if op.target is None:
        return rows
    name, text = op.target
    found = rows.with_columns(parse_expression(text)[0].alias(name))
    dtype = DTYPES.get(dtype_name(found.schema[name]))
    return found if dtype is None else found.with_columns(pl.col(name).cast(dtype))


def judge(op: Population, kept: int, missing: int, span: Span | None = None) -> None:
    """Refuse a population of no row, and one whose target is not known for each.

    Args:
        op: What to keep, and what the target is.
        kept: How many rows were.
        missing: Of how many the target is missing.
        span: Where the recipe says it.

    Raises:
        DataError: It is such a one.
    """
    if kept == 0 and op.where is not None:
        raise DataError([Diagnostic(code="source-empty", headline="`data.where` keeps no row", span=span)])
    if missing and op.target is not None:
        name, text = op.target
        headline = f"the target `{name}` is missing in {missing} of {kept} rows"
        note = Note(text=f"it is computed as `{text}`, which is missing where what it reads is")
        help_ = "leave those rows out with `data.where`, as in `where: delay IS NOT NULL`"
        raise DataError([Diagnostic(code="contract-null", headline=headline, span=span, notes=(note,), help=help_)])
