"""Explore a table: what a careful person looks at before the first model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.explore import drift, missing, profiles, relations
from mlops_compiler.explore.exploration import About, Exploration, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

_ORDER = (
    "leak-suspect",
    "constant",
    "id-like",
    "duplicate-column",
    "duplicate-rows",
    "missing-tells",
    "missing-not-at-random",
    "mostly-missing",
    "imbalanced",
    "drifts",
    "near-constant",
    "correlated",
    "outliers",
    "many-levels",
    "skewed",
    "informative",
)
"""The gravest first."""
_SEED = 0


def explore(rows: pl.DataFrame, about: About) -> Exploration:
    """Look at a table.

    Args:
        rows: All of it, typed; the target is a column of it where there is one.
        about: What is known of it. Findings of pairs, tests and scores rest on a sample of `about.sample` rows.

    Returns:
        The findings and the numbers behind them; the same ones for the same rows.
    """
    rows = rows.select(name for name in rows.columns if name not in about.ignore)
    sample = rows if rows.height <= about.sample else _sample(rows, about)
    features = [name for name in rows.columns if name not in about.roles and name not in about.late]
    columns = profiles.profile(rows, about)
    varying = {column["name"] for column in columns if column["distinct"] > 1}
    telling = [name for name in features if name in varying]
    task = _task(rows, about)
    labels = _labels(sample, about, task)
    scored = relations.scores(sample, telling, labels, task) if labels is not None and task is not None else []
    alike = relations.pairs(sample, telling)
    counted = _counted(rows, about)
    found: list[Finding] = [
        *profiles.of_columns(columns, rows.height),
        *missing.not_at_random(sample, telling, about.target),
        *(relations.of_scores(scored, about.target or "", task) if task is not None else ()),
        *(relations.of_balance(counted, about.target or "", rows.height) if task != "regression" else ()),
        *relations.of_pairs(sample, alike),
        *relations.repeated(rows, features),
        *(drift.drifts(sample, about.time, telling) if about.time else ()),
    ]
    gravest = sorted(found, key=lambda item: (_ORDER.index(item.kind), -abs(item.measure or 0.0), item.columns))
    return Exploration(
        about=replace(about, task=task),
        rows=rows.height,
        sampled=sample.height,
        vs=_vs(rows, about, columns, scored),
        columns=columns,
        target=counted,
        patterns=missing.patterns(rows),
        scores=scored,
        pairs=alike,
        periods=drift.periods(rows, about.time, _labels(rows, about, task)) if about.time else [],
        findings=tuple(gravest),
    )


def _sample(rows: pl.DataFrame, about: About) -> pl.DataFrame:
    """Take some rows, in their order."""
    chosen = np.random.default_rng(_SEED).choice(rows.height, size=about.sample, replace=False)
    return rows[np.sort(chosen)]


def _task(rows: pl.DataFrame, about: About) -> Task | None:
    """Say what models would be asked for, where nobody said it: two values are classes, other numbers are values."""
    if about.task is not None or about.target is None or about.target not in rows.columns:
        return about.task
    values = rows[about.target].drop_nulls()
    if values.n_unique() < 2:  # noqa: PLR2004
        return None
    if values.n_unique() == 2:  # noqa: PLR2004
        return "binary_classification"
    if values.n_unique() <= relations.MOST_LEVELS and not values.dtype.is_float():
        return "multiclass_classification"
    return "regression" if values.dtype.is_numeric() else None


def _labels(rows: pl.DataFrame, about: About, task: Task | None) -> NDArray[Any] | None:
    """Give what came of each row: whether it is positive, the number of its class, or its value."""
    if about.target is None or task is None:
        return None
    values = rows[about.target]
    if task == "regression":
        numbers = values.cast(pl.Float64).fill_nan(None)
        return numbers.fill_null(numbers.mean()).to_numpy()
    if task == "multiclass_classification":
        return values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    positive = about.positive if about.positive is not None else values.drop_nulls().unique().sort()[-1]
    return (values == positive).fill_null(value=False).cast(pl.Int8).to_numpy()


def _counted(rows: pl.DataFrame, about: About) -> list[dict[str, Any]]:
    if about.target is None or rows[about.target].n_unique() > relations.MOST_LEVELS:
        return []
    counted = rows[about.target].cast(pl.String).alias("value").value_counts()
    return list(
        counted.rename({"count": "rows"}).sort(["rows", "value"], descending=[True, False]).iter_rows(named=True)
    )


def _vs(
    rows: pl.DataFrame, about: About, columns: list[dict[str, Any]], scored: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Sum up by the five Vs."""
    cells = rows.height * rows.width
    kinds = [column["kind"] for column in columns]
    return {
        "volume": {"rows": rows.height, "columns": rows.width, "bytes": about.bytes},
        "velocity": dict(_velocity(rows, about)),
        "variety": {kind: kinds.count(kind) for kind in ("number", "level", "truth", "time") if kind in kinds},
        "veracity": {
            "missing_share": sum(column["missing"] for column in columns) / cells if cells else 0.0,
            "columns_with_gaps": sum(column["missing"] > 0 for column in columns),
        },
        "value": {"best_column": scored[0]["column"], "best_score": scored[0]["score"]} if scored else {},
    }


def _velocity(rows: pl.DataFrame, about: About) -> Iterator[tuple[str, Any]]:
    if about.time is None or not rows[about.time].dtype.is_temporal():
        return
    start, end = rows[about.time].min(), rows[about.time].max()
    if start is None or end is None:
        return
    days = (end - start).total_seconds() / 86_400  # type: ignore[operator, union-attr]
    yield "from", str(start)
    yield "to", str(end)
    yield "rows_a_day", rows.height / days if days > 0 else float(rows.height)
