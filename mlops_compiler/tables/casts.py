"""Casts between the types of the recipe language; each value that does not survive is known and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.schema import DTYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE = ("true", "yes", "1", "t", "y")
_FALSE = ("false", "no", "0", "f", "n")
_FORMATS = {
    "date": ("%Y-%m-%d", "%Y/%m/%d"),
    "datetime": ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"),
}
"""How texts write dates and times: ISO 8601, and what is close to it; times are in UTC, or in no zone."""
SAMPLES = 5


def cast_expression(values: pl.Expr, to: str, *, strict: bool, given: pl.DataType | None = None) -> pl.Expr:
    """Cast values to a type of the recipe language.

    Args:
        values: What to cast.
        to: ``int``, ``float``, ``bool``, ``text``, ``category``, ``date`` or ``datetime``.
        strict: Whether a value that does not survive is an error of Polars, else it becomes null.
        given: The type of `values`, where known; texts that stand for booleans and dates are then parsed.
    """
    dtype = DTYPES[to]
    if given == pl.String and to == "bool":
        text = values.str.strip_chars().str.to_lowercase()
        return pl.when(text.is_in([*_TRUE, *_FALSE])).then(text.is_in(_TRUE))
    if given == pl.String and to in _FORMATS:
        text = values.str.strip_chars().str.strip_suffix("Z")
        # Named formats: Polars would else take the one that suits the rows it sees, and one row alone another.
        return pl.coalesce(
            text.str.strptime(dtype, form, strict=False)  # type: ignore[arg-type]
            for form in _FORMATS[to]
        )
    if given == pl.String and to in ("int", "float"):
        return values.str.strip_chars().cast(dtype, strict=strict)
    return values.cast(dtype, strict=strict)


def lost_in(before: pl.Series, after: pl.Series) -> pl.Series:
    """Say for each row whether its value was lost: there before the cast and missing after it, or changed.

    A fractional number cast to a whole one is changed, hence lost.
    """
    lost = before.is_not_null() & after.is_null()
    if before.dtype.is_float() and after.dtype.is_integer():
        lost = lost | (before.is_not_null() & (before != after.cast(before.dtype))).fill_null(value=False)
    return lost


def cast_frame(frame: pl.DataFrame, types: Mapping[str, str]) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Cast the columns of a frame and keep account.

    Returns:
        The frame cast, and for each column that lost values a boolean series that marks their rows.
    """
    cast = frame.with_columns(
        cast_expression(pl.col(name), to, strict=False, given=frame.schema[name]) for name, to in types.items()
    )
    losses = {name: lost_in(frame[name], cast[name]) for name in types}
    return cast, {name: lost for name, lost in losses.items() if lost.any()}
