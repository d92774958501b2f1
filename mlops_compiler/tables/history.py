"""What earlier rows of its group say to each row: never across a group, and never from the future unless asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.tables.casts import SAMPLES, cast_expression
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import History

_ROW, _TIME = "\x00row", "\x00time"
_WINDOWED: dict[str, Callable[[pl.Expr, int], pl.Expr]] = {
    "mean": lambda values, window: values.rolling_mean(window),
    "std": lambda values, window: values.rolling_std(window, ddof=0),
    "min": lambda values, window: values.rolling_min(window),
    "max": lambda values, window: values.rolling_max(window),
    "median": lambda values, window: values.rolling_median(window),
}


def look_back(name: str, op: History, rows: pl.DataFrame, span: Span | None = None) -> pl.DataFrame:
    """Add columns that look at other rows of the group, in the order of time.

    Args:
        name: The entry of the recipe, for messages.
        op: What is added.
        rows: As the source gives them; they keep their order.
        span: Where the recipe says it.

    Raises:
        DataError: Two rows of a group have the same time, so that neither is before the other.
    """
    kinds = {column: rows.schema[column] for column in (*op.columns, op.time)}
    time = pl.col(op.time)
    when = (
        time if kinds[op.time].is_numeric() else cast_expression(time, "datetime", strict=False, given=kinds[op.time])
    )
    numbers = [cast_expression(pl.col(it), "float", strict=False, given=kinds[it]).alias(it) for it in op.columns]
    keys = [pl.col(column) for column in op.by]
    known = rows.with_row_index(_ROW).select(_ROW, when.alias(_TIME), *keys, *numbers).drop_nulls(_TIME)
    repeated = known.filter(pl.struct(_TIME, *op.by).is_duplicated())
    if repeated.height:
        raise DataError([_same_time(name, op, repeated, span)])
    ordered = known.sort(_TIME)
    made = [expression.over(op.by) if op.by else expression for expression in _expressions(op)]
    found = ordered.select(_ROW, *made)
    added = rows.with_row_index(_ROW).select(_ROW).join(found, on=_ROW, how="left", maintain_order="left").drop(_ROW)
    return pl.concat([rows, added], how="horizontal")


def looking_back(name: str, op: History, rows: Stream, span: Span | None = None) -> Stream:
    """Add those columns to rows that go by; what they are made from, and they, are held whole.

    Raises:
        DataError: Once the rows are read: as `look_back`.
    """
    kinds = {column: rows.schema[column] for column in dict.fromkeys((*op.columns, op.time, *op.by))}
    made = list(op.made)
    schema = look_back(name, op, pl.DataFrame(schema=kinds)).schema
    known: list[pl.DataFrame] = []

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        if not known:
            known.append(look_back(name, op, rows.collect(kinds), span).select(made))
        place = 0
        for part in rows.batches(dict.fromkeys((op.time, *(item for item in names if item in rows.schema)))):
            yield pl.concat([part, known[0].slice(place, part.height)], how="horizontal")
            place += part.height

    return Stream(schema={**rows.schema, **{item: schema[item] for item in made}}, read=read)


def _expressions(op: History) -> list[pl.Expr]:
    made = []
    for name, (column, kind, number) in op.made.items():
        values = pl.col(column)
        if kind == "lag":
            expression = values.shift(number)
        elif kind == "difference":
            expression = values - values.shift(number)
        elif kind == "forward_fill":
            expression = values.fill_nan(None).forward_fill(number or None)
        else:
            expression = _WINDOWED[kind](values, number)
        made.append(expression.alias(name))
    return made


def _same_time(name: str, op: History, repeated: pl.DataFrame, span: Span | None) -> Diagnostic:
    samples = repeated.select(_TIME, *op.by).unique(maintain_order=True).head(SAMPLES).rows()
    shown = "; ".join(", ".join(map(str, values)) for values in samples)
    within = f" with the same {', '.join(op.by)}" if op.by else ""
    found = f"{repeated.height:,} rows{within} have the same `{op.time}`"
    return Diagnostic(
        code="history-unordered",
        headline=f"history `{name}`: {found}, and none is before another",
        span=span,
        notes=(Note(text=f"for instance {shown}"),),
        help="name the columns that tell them apart under `by`",
    )
