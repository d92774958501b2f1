"""What each step did to the training rows: rows and columns in and out, values changed, values missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from mlops_compiler.tables.preparation import FittedPreparation

_SHOWN = 6


def account(preparation: FittedPreparation, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Run a fitted preparation step by step and keep count.

    Args:
        preparation: Fitted on these rows.
        rows: The training rows.

    Returns:
        For each step its name, kind, rows and columns in and out, values changed (in columns that are
        there before and after it), nulls in and out, and what it learned, shortened.
    """
    told = []
    for step in preparation.steps:
        after = step.apply(rows, filter_rows=True)
        told.append(
            {
                "step": step.name,
                "op": step.step.op,
                "rows_in": rows.height,
                "rows_out": after.height,
                "columns_in": rows.width,
                "columns_out": after.width,
                "values_changed": _changed(rows, after),
                "nulls_in": _nulls(rows),
                "nulls_out": _nulls(after),
                "learned": _short(step.learned),
            }
        )
        rows = after
    return told


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> int:
    if before.height != after.height:
        return 0  # rows were dropped; the values of those that stay are as they were
    shared = [name for name in after.columns if name in before.columns]
    return sum(int(_differ(before[name], after[name]).sum()) for name in shared)


def _differ(before: pl.Series, after: pl.Series) -> pl.Series:
    if before.dtype == after.dtype or (before.dtype.is_numeric() and after.dtype.is_numeric()):
        return before.ne_missing(after)
    return pl.repeat(value=True, n=len(before), eager=True)


def _nulls(frame: pl.DataFrame) -> int:
    return sum(frame.null_count().row(0)) if frame.width else 0


def _short(learned: dict[str, Any]) -> dict[str, Any]:
    """Round numbers and cut long lists: this is for reading."""
    match learned:
        case {"levels": levels, "rare": rare}:
            return {name: _listed(found) + (["(rare)"] if name in rare else []) for name, found in levels.items()}
        case {"edges": numbers} | {"place": numbers} | {"share": numbers}:
            return {name: _listed([_number(item) for item in found]) for name, found in numbers.items()}
        case {"fill": fill}:
            return {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in fill.items()}
        case _:
            return _by_column(learned)


def _by_column(learned: dict[str, Any]) -> dict[str, Any]:
    """Turn numbers by name and column, as bounds and scales are kept, into a line a column."""
    columns = dict.fromkeys(column for numbers in learned.values() for column in numbers)
    return {column: _line(column, learned) for column in columns}


def _line(column: str, learned: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_number(numbers[column])}" for name, numbers in learned.items())


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _listed(values: list[str]) -> list[str]:
    return values if len(values) <= _SHOWN else [*values[: _SHOWN - 1], f"… {len(values) - _SHOWN + 1} more"]
