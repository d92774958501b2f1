"""Groups of rows: the values of some columns as one text, and a table of what each group gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.tables.steps.base import as_level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BETWEEN, _MISSING = "\x1f", "\x00"


def group_key(by: Sequence[str], column: Callable[[str], pl.Expr] = pl.col) -> pl.Expr:
    """Name the group of each row; what is missing is a value of its own."""
    levels = [as_level(column(name)).fill_null(_MISSING) for name in by]
    return levels[0] if len(levels) == 1 else pl.concat_str(levels, separator=_BETWEEN)


def by_group(key: pl.Expr, values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Ask for a statistic of each group: one list of the key with the values, in no order."""
    over = [value.over(key).alias(name) for name, value in values.items()]
    return pl.struct([key.alias("key"), *over]).filter(key.is_first_distinct()).implode()


def looked_up(key: pl.Expr, values: Mapping[str, Any], otherwise: Any, dtype: pl.DataType) -> pl.Expr:
    """Put the value of its group for each row; another one for groups that are not known."""
    if not values:
        return pl.when(key.is_null()).then(otherwise).otherwise(pl.lit(otherwise, dtype=dtype)).cast(dtype)
    return key.replace_strict(list(values), list(values.values()), default=otherwise, return_dtype=dtype)
