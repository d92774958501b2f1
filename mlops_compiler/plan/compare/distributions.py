"""How far a column's values moved between two tables: a distance from 0 (the same) to 1 (nothing in common).

Numbers and times are compared by the Kolmogorov-Smirnov distance, the largest gap between the two empirical
distribution functions (Kolmogorov, 1933; Smirnov, 1939). Everything else is compared by the total variation
distance of the levels' frequencies: half the sum of their absolute differences. Both leave missing values out,
whose share is told beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from mlops_compiler.plan.compare.part import NEITHER, Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIKE_A_KEY = 0.9
_FEW_LEVELS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnShift:
    """How one column moved.

    Attributes:
        name: The column.
        kind: ``numeric``, ``time`` or ``levels``.
        distance: Kolmogorov-Smirnov for numbers and times, total variation for levels; None where a side has no
            value, or nearly every row has a level of its own.
        figures: Of numbers ``mean``, ``std``, ``median``; of times ``first``, ``median``, ``last``; else ``levels``,
            how many there are.
        missing: The share of rows without a value.
        level: The level whose share moved most.
        share: Of that level.
    """

    name: str
    kind: Literal["numeric", "time", "levels"]
    distance: float | None
    figures: dict[str, Pair]
    missing: Pair = NEITHER
    level: str | None = None
    share: Pair = NEITHER

    @property
    def moved(self) -> float:
        """The larger of the distance and the change of the missing share."""
        before, after = float(self.missing.before or 0), float(self.missing.after or 0)
        return max(self.distance or 0.0, abs(after - before))


def shift(before: pl.Series, after: pl.Series) -> ColumnShift | None:
    """Compare a column of two tables; None where the types have nothing in common.

    Args:
        before: The column in the first table.
        after: In the second, of any length.
    """
    old, new = _without_nan(before), _without_nan(after)
    if before.dtype.is_numeric() and after.dtype.is_numeric():
        found = _numbers(old, new)
    elif before.dtype.is_temporal() and before.dtype == after.dtype:
        found = _times(old, new)
    elif any(values.dtype.is_numeric() or values.dtype.is_temporal() for values in (before, after)):
        return None
    else:
        found = _levels(old.cast(pl.String), new.cast(pl.String))
    return replace(found, missing=Pair(before=_missing(old), after=_missing(new)))


def kolmogorov_smirnov(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    """The largest gap between two empirical distribution functions; None where a sample is empty."""
    if not len(before) or not len(after):
        return None
    first, second = np.sort(before), np.sort(after)
    at = np.concatenate([first, second])
    gaps = np.searchsorted(first, at, "right") / len(first) - np.searchsorted(second, at, "right") / len(second)
    return float(np.abs(gaps).max())


def _without_nan(values: pl.Series) -> pl.Series:
    return values.fill_nan(None) if values.dtype.is_float() else values


def _missing(values: pl.Series) -> float | None:
    return values.null_count() / len(values) if len(values) else None


def _numbers(before: pl.Series, after: pl.Series) -> ColumnShift:
    old, new = (values.drop_nulls().cast(pl.Float64) for values in (before, after))
    figures = {
        "mean": Pair(before=_finite(old.mean()), after=_finite(new.mean())),
        "std": Pair(before=_finite(old.std()), after=_finite(new.std())),
        "median": Pair(before=_finite(old.median()), after=_finite(new.median())),
    }
    distance = kolmogorov_smirnov(old.to_numpy(), new.to_numpy())
    return ColumnShift(name=before.name, kind="numeric", distance=distance, figures=figures)


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _times(before: pl.Series, after: pl.Series) -> ColumnShift:
    old, new = before.drop_nulls(), after.drop_nulls()
    figures = {
        "first": Pair(before=_text(old.min()), after=_text(new.min())),
        "median": Pair(before=_text(old.median()), after=_text(new.median())),
        "last": Pair(before=_text(old.max()), after=_text(new.max())),
    }
    distance = kolmogorov_smirnov(old.to_physical().to_numpy(), new.to_physical().to_numpy())
    return ColumnShift(name=before.name, kind="time", distance=distance, figures=figures)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _levels(before: pl.Series, after: pl.Series) -> ColumnShift:
    old, new = before.drop_nulls(), after.drop_nulls()
    counts = {"levels": Pair(before=old.n_unique(), after=new.n_unique())}
    found = ColumnShift(name=before.name, kind="levels", distance=None, figures=counts)
    if old.is_empty() or new.is_empty() or (_like_a_key(old) and _like_a_key(new)):
        return found
    both = _shares(old).join(_shares(new), on="level", how="full", coalesce=True, suffix="_after").fill_null(0.0)
    gaps = both.with_columns(gap=(pl.col("share") - pl.col("share_after")).abs())
    most = gaps.sort(["gap", "level"], descending=[True, False]).row(0, named=True)
    return replace(
        found,
        distance=float(gaps["gap"].sum()) / 2,
        level=most["level"] if most["gap"] else None,
        share=Pair(before=most["share"], after=most["share_after"]) if most["gap"] else NEITHER,
    )


def _like_a_key(values: pl.Series) -> bool:
    """Nearly every row has a value of its own: that the values are others says nothing about the rows."""
    return values.n_unique() > max(_FEW_LEVELS, _LIKE_A_KEY * len(values))


def _shares(values: pl.Series) -> pl.DataFrame:
    counted = values.rename("level").value_counts(name="share")
    return counted.with_columns(pl.col("share") / len(values))
