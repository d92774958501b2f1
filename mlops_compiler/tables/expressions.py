"""SQL expressions of recipes: parsed by Polars, never evaluated as code, and computed from one row alone.

An expression that looks at other rows (an aggregate, a window, a rank) would give one value in training
and another for a single request, so it is found by running it on rows together and one by one.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORDER = (0, 1, 2, 0, 2, 1, 1, 0)
"""Which of the three probes each row holds. Each column starts at another place, so that the rows that agree in one
differ in another: a window over them shows."""
_PROBE_TEXTS = (["a", "7", "c"], ["5", "7", "11"], ["2024-01-02", "2023-05-06", "2025-12-31"])
"""Words, numbers and dates: an expression that casts texts runs on some of them."""
_PROBES: dict[str, list[Any]] = {
    "int": [3, 1, 7],
    "float": [0.5, 2.25, 11.0],
    "bool": [True, False, True],
    "date": [date(2024, 1, 2), date(2023, 5, 6), date(2025, 12, 31)],
    "datetime": [datetime(2024, 1, 2, 3), datetime(2023, 5, 6, 7), datetime(2025, 12, 31, 23)],  # noqa: DTZ001 - naive, as columns are
}


class NotRowWiseError(ValueError):
    """An expression looks at more than its own row."""


_LAST_BITS = 1e-12
_OF_THE_CLOCK = re.compile(
    r"\b(now|current_date|current_time|current_timestamp|localtime|localtimestamp)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> tuple[pl.Expr, tuple[str, ...]]:
    """Parse a SQL expression.

    Returns:
        The expression and the columns that it reads, sorted.

    Raises:
        polars.exceptions.PolarsError: The text is no expression of Polars's SQL dialect.
    """
    if clock := _OF_THE_CLOCK.search(_QUOTED.sub("", text)):
        raise pl.exceptions.SQLInterfaceError(f"`{clock[0]}` gives another value each time that it is computed")
    expression = pl.sql_expr(text)
    if expression.meta.has_multiple_outputs():
        raise pl.exceptions.SQLInterfaceError("it gives several columns, and one is wanted")
    roots = tuple(sorted(set(expression.meta.root_names())))
    if any(name.startswith("_POLARS_TMP") for name in roots):
        raise pl.exceptions.SQLInterfaceError("it holds a query, and an expression over one row is wanted")
    return expression, roots


def infer_expression(text: str, dtypes: Mapping[str, pl.DataType]) -> pl.DataType:
    """Type an expression by running it on no row, and prove that it needs only its own row.

    Args:
        text: A SQL expression.
        dtypes: The types of the columns that it may read.

    Raises:
        polars.exceptions.PolarsError: It does not parse, or its types do not fit.
        NotRowWiseError: Its value depends on other rows.
    """
    expression, roots = parse_expression(text)
    frame = pl.DataFrame(schema={name: dtypes[name] for name in roots} or {"_": pl.Int64()})
    dtype = frame.lazy().with_columns(expression.alias("_")).collect().schema["_"]
    _prove_row_wise(text, tuple((name, dtypes[name]) for name in roots))
    return dtype


@lru_cache(maxsize=4096)
def _prove_row_wise(text: str, given: tuple[tuple[str, pl.DataType], ...]) -> None:
    expression, _ = parse_expression(text)
    texts = _PROBE_TEXTS if any(dtype == pl.String for _, dtype in given) else _PROBE_TEXTS[:1]
    for words in texts:
        probes = {name: _probe(dtype, words) for name, dtype in given} or {"_": pl.Series(_PROBES["int"])}
        orders = [[*_ORDER[start % len(_ORDER) :], *_ORDER[: start % len(_ORDER)]] for start in range(len(probes))]
        columns = {name: values[order] for (name, values), order in zip(probes.items(), orders, strict=True)}
        _prove_on(text, expression, pl.DataFrame(columns))


def _prove_on(text: str, expression: pl.Expr, rows: pl.DataFrame) -> None:
    try:
        alone = [_run(expression, rows[index]) for index in range(rows.height)]
        together = _run(expression, rows)
    except pl.exceptions.PolarsError:
        return  # the probe's own values do not suit it (a cast of "a" to a number): typed above, and run on data
    if any(part.height != 1 for part in alone) or not _same(together["_"], pl.concat(alone)["_"]):
        raise NotRowWiseError(text)


def _same(together: pl.Series, alone: pl.Series) -> bool:
    """Compare but for the last bits: Polars divides a single row in another way than a column."""
    if not together.dtype.is_float():
        return together.equals(alone)
    differ = together.ne_missing(alone)
    far = (together - alone).abs() > _LAST_BITS * together.abs()
    return not (differ & far.fill_null(value=True)).any()


def _run(expression: pl.Expr, rows: pl.DataFrame) -> pl.DataFrame:
    """Compute an expression; one that names no column gives a single row, which is repeated for all."""
    if expression.meta.root_names():
        return rows.select(expression.alias("_"))
    return rows.with_columns(expression.alias("_")).select("_")


def _probe(dtype: pl.DataType, words: list[str]) -> pl.Series:
    if dtype == pl.String:
        return pl.Series(words)
    for name, kind in (("bool", pl.Boolean), ("date", pl.Date)):
        if dtype == kind:
            return pl.Series(_PROBES[name], dtype=dtype)
    if isinstance(dtype, pl.Datetime):
        return pl.Series(_PROBES["datetime"]).cast(dtype)
    return pl.Series(_PROBES["int" if dtype.is_integer() else "float"]).cast(dtype, strict=False)
