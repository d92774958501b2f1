"""Keys across tables: which values of the rows do not stand in another table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import Diagnostic, Note, listing
from mlops_compiler.tables.casts import SAMPLES, cast_expression

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import References


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """What a look into another table gave.

    Attributes:
        rows: Rows that have all the values that are looked for.
        unmatched: Rows whose values do not stand there.
        finding: The breach, where more do not than may.
    """

    rows: int
    unmatched: int
    finding: Diagnostic | None


def refer(
    name: str, op: References, rows: pl.DataFrame | pl.LazyFrame, other: pl.DataFrame, span: Span | None = None
) -> Referred:
    """Look for the values of rows in another table, as the types that both are compared as.

    A row that lacks one of the values is not asked, as a foreign key of SQL is not (MATCH SIMPLE).

    Args:
        name: The entry of the recipe, for messages.
        op: What must stand where.
        rows: The rows that are kept.
        other: The other table, as its source gives it.
        span: Where the recipe says it.
    """
    keys = [f"\x00key{index}" for index in range(len(op.on))]
    ours = _keys(rows.lazy(), [pair[0] for pair in op.on], keys, op.types)
    theirs = _keys(other.lazy(), [pair[1] for pair in op.on], keys, op.types).unique()
    counted = ours.group_by(keys, maintain_order=True).agg(pl.len().alias("\x00rows")).collect()
    lonely = counted.lazy().join(theirs, on=keys, how="anti", maintain_order="left").collect()
    asked, unmatched = int(counted["\x00rows"].sum()), int(lonely["\x00rows"].sum())
    broken = unmatched > op.max_unmatched * asked
    return Referred(rows=asked, unmatched=unmatched, finding=_breach(name, op, asked, lonely, span) if broken else None)


def _keys(table: pl.LazyFrame, names: list[str], keys: list[str], types: tuple[str, ...]) -> pl.LazyFrame:
    """Give the values that are compared, of the rows that have them all."""
    schema = table.collect_schema()
    return table.select(
        cast_expression(pl.col(name), to, strict=False, given=schema[name]).alias(key)
        for name, key, to in zip(names, keys, types, strict=True)
    ).drop_nulls()


def _breach(name: str, op: References, asked: int, lonely: pl.DataFrame, span: Span | None) -> Diagnostic:
    named = listing(ours for ours, _ in op.on)
    unmatched = int(lonely["\x00rows"].sum())
    most = lonely.sort("\x00rows", descending=True, maintain_order=True).head(SAMPLES)
    samples = [f"{', '.join(map(repr, values))} ({count:,} rows)" for *values, count in most.iter_rows()]
    more = "; …" if lonely.height > SAMPLES else ""
    may = f"{op.max_unmatched:.1%} may" if op.max_unmatched else "none may"
    return Diagnostic(
        code="contract-unmatched",
        headline=f"references `{name}`: {named} of {unmatched:,} of {asked:,} rows does not stand in the other table, "
        f"and {may}",
        span=span,
        notes=(Note(text=f"{lonely.height:,} values, most often {'; '.join(samples)}{more}"),),
        help="look whether the other table is whole and writes them in the same way, or raise `max_unmatched`",
    )
