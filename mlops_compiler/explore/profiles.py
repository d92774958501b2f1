"""Each column by itself: its kind, what is missing, its levels or its distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.explore.exploration import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.explore.exploration import About

MISSING_MUCH, NEARLY_ONE, ID_LIKE, MANY_LEVELS, FAR_OUT, SKEWED = 0.5, 0.995, 0.95, 50, 0.01, 2.0
"""From where a share of missing values, of one value, of distinct texts, a number of levels, a share beyond
three interquartile ranges, and a skewness are worth a word."""
_LEVELS, _BINS, _FENCE = 12, 30, 3.0


def profile(rows: pl.DataFrame, about: About) -> list[dict[str, Any]]:
    """Describe every column of a table."""
    return [_profile(rows[name], about) for name in rows.columns]


def _profile(values: pl.Series, about: About) -> dict[str, Any]:
    known = values.drop_nulls()
    if values.dtype.is_float():
        known = known.drop_nans()
    told: dict[str, Any] = {
        "name": values.name,
        "dtype": str(values.dtype),
        "kind": kind_of(values.dtype),
        "role": about.roles.get(values.name, "late" if values.name in about.late else "feature"),
        "missing": values.len() - known.len(),
        "missing_share": (values.len() - known.len()) / values.len() if values.len() else 0.0,
        "distinct": known.n_unique(),
    }
    if told["kind"] == "number" and known.len():
        told |= _numbers(known.cast(pl.Float64).filter(known.cast(pl.Float64).is_finite()))
    elif told["kind"] == "time" and known.len():
        told |= {"least": str(known.min()), "greatest": str(known.max())}
    if told["kind"] in ("level", "truth") or told["distinct"] <= _LEVELS:
        counted = known.cast(pl.String).value_counts(sort=True)
        counted = counted.sort(["count", values.name], descending=[True, False]).head(_LEVELS)
        told["levels"] = [{"level": level, "rows": rows} for level, rows in counted.iter_rows()]
    return told


def kind_of(dtype: pl.DataType) -> str:
    """Say what a column holds: ``number``, ``truth``, ``time`` or ``level``."""
    if dtype == pl.Boolean:
        return "truth"
    if dtype.is_numeric():
        return "number"
    return "time" if dtype.is_temporal() else "level"


def _numbers(known: pl.Series) -> dict[str, Any]:
    if not known.len():
        return {}
    quartiles = [_finite(known.quantile(share, "linear")) for share in (0.25, 0.5, 0.75)]
    spread = (quartiles[2] or 0.0) - (quartiles[0] or 0.0)
    low, high = (quartiles[0] or 0.0) - _FENCE * spread, (quartiles[2] or 0.0) + _FENCE * spread
    counts, edges = np.histogram(known.to_numpy(), bins=_BINS)
    return {
        "mean": _finite(known.mean()),
        "std": _finite(known.std(ddof=0)),
        "least": _finite(known.min()),
        "quartiles": quartiles,
        "greatest": _finite(known.max()),
        "skew": _finite(known.skew()),
        "zeros": int((known == 0).sum()),
        "far_out": int(((known < low) | (known > high)).sum()) if spread > 0 else 0,
        "histogram": [
            {"from": float(start), "to": float(end), "rows": int(count)}
            for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
            if count
        ],
    }


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def of_columns(columns: list[dict[str, Any]], rows: int) -> Iterator[Finding]:
    """Find what is worth knowing of single columns."""
    for column in columns:
        name, role = column["name"], column["role"]
        if role in ("target", "key"):
            continue
        if column["distinct"] <= 1:
            yield Finding(
                kind="constant",
                columns=(name,),
                text=f"`{name}` holds one value only" if column["distinct"] else f"`{name}` holds no value",
                advice="list it under `data.ignore`: it can tell nothing",
            )
            continue
        if column["missing_share"] > MISSING_MUCH:
            yield Finding(
                kind="mostly-missing",
                columns=(name,),
                text=f"`{name}` is missing in {column['missing_share']:.1%} of the rows",
                measure=column["missing_share"],
                advice="that it is missing may tell more than what it holds: `impute` with `indicator: true`",
            )
        if role == "feature":
            yield from _of_values(column, rows)


def _of_values(column: dict[str, Any], rows: int) -> Iterator[Finding]:
    name, known = column["name"], rows - column["missing"]
    top = column.get("levels", [{"rows": 0}])[0]["rows"] / known
    if top >= NEARLY_ONE:
        yield Finding(
            kind="near-constant",
            columns=(name,),
            text=f"{top:.1%} of `{name}` are one value",
            measure=top,
            advice="it can tell little; drop it, or look at the rest by itself",
        )
    if column["kind"] == "level" and column["distinct"] >= ID_LIKE * known and known > MANY_LEVELS:
        yield Finding(
            kind="id-like",
            columns=(name,),
            text=f"`{name}` is another text in nearly each row ({column['distinct']:,} in {known:,})",
            measure=column["distinct"] / known,
            advice="it names rows: make it the `key`, ignore it, or take it apart (`text_counts`, `text_topics`)",
        )
    elif column["kind"] == "level" and column["distinct"] > MANY_LEVELS:
        yield Finding(
            kind="many-levels",
            columns=(name,),
            text=f"`{name}` has {column['distinct']:,} levels",
            measure=float(column["distinct"]),
            advice="`target_encode` or `hash` it, or `group_rare` before `one_hot`",
        )
    if column.get("far_out", 0) >= FAR_OUT * known:
        share = column["far_out"] / known
        yield Finding(
            kind="outliers",
            columns=(name,),
            text=f"{share:.1%} of `{name}` lie more than three interquartile ranges beyond the quartiles",
            measure=share,
            advice="`clip`, `log1p`, `yeo_johnson` or `robust_scale` it for models that are not trees",
        )
    elif abs(column.get("skew") or 0.0) > SKEWED and column["distinct"] > _LEVELS:
        yield Finding(
            kind="skewed",
            columns=(name,),
            text=f"`{name}` is skewed ({column['skew']:.1f})",
            measure=column["skew"],
            advice="`log1p` or `yeo_johnson` it for models that are not trees",
        )
