"""Where the release fails, and what changed there: slices of the rows whose outcome came, beside what it learned from.

Slices are searched and tested as those of the holdout are. What changed inside one is tested column by column: the
population stability index, scaled by the rows of both sides, is about chi-squared where nothing changed (Yurdakul and
Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation, 2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.significance import FEWEST, adjusted, measure, measured_by
from mlops_compiler.explain.calibration import calibration
from mlops_compiler.explain.conditions import Condition, conditions
from mlops_compiler.explain.slices import SIGNIFICANT, search
from mlops_compiler.explore.drift import stability_index
from mlops_compiler.monitoring.paths import leaves
from mlops_compiler.monitoring.wrong import numbers, probabilities
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_CHANGED, _SHOWN, _BINS = 0.1, 3, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the release learned from.

    Attributes:
        rows: The rows, with the columns of a request.
        y: What came of them, as `score_all` takes it; shape (rows,).
    """

    rows: pl.DataFrame
    y: NDArray[np.generic]


def failings(judged: pl.DataFrame, manifest: Mapping[str, Any], learned: Learned, metric: str) -> dict[str, Any]:
    """Find where a release fails.

    Args:
        judged: Its predictions whose outcome is final and was read: ``input``, ``output``, ``outcome`` and ``wrong``.
        manifest: What it says of itself.
        learned: What it learned from.
        metric: What it was searched for.

    Returns:
        ``rows``; ``wrong``, the share of those; ``measure`` and ``overall``, its value; ``slices``: how many were
        ``tested``, how many are ``significant``, and the ``worst``, each with ``changed`` (columns that are distributed
        otherwise than where the release learned) and ``outcome`` (what came there then and now); ``leaves`` of a
        shallow tree on what is wrong. ``skipped`` says why, where there are too few rows.
    """
    if judged.height < 2 * FEWEST:
        return {"rows": judged.height, "skipped": f"fewer than {2 * FEWEST} outcomes are known: too few to tell"}
    task: Task = manifest["task"]
    columns = [field["name"] for field in manifest["request"] if field["name"] in learned.rows.columns]
    now = _as_learned(judged["input"].struct.unnest().select(columns), learned.rows)
    y, predicted = _came(judged, manifest), _said(judged, manifest)
    compared = measure(task, metric, y, predicted, manifest["threshold"])
    both = pl.concat([now, learned.rows.select(columns)])
    every = [item for name in columns for item in conditions(both[name])]
    found = search(
        [Condition(column=item.column, label=item.label, mask=item.mask[: now.height]) for item in every],
        compared,
        lambda mask: calibration(task, y[mask], predicted[mask]),
    )
    masks = {item.label: item.mask for item in every}
    for item in found["worst"]:
        chosen = _mask(item["slice"], masks)
        item.update(_changed(both, chosen[: now.height], chosen[now.height :], columns))
        item["outcome"] = _outcomes(task, y[chosen[: now.height]], learned.y[chosen[now.height :]])
    whole = compared.of(np.ones(now.height, dtype=np.bool_))
    return {
        "rows": now.height,
        "wrong": float(judged["wrong"].mean() or 0.0),  # type: ignore[arg-type]
        "metric": metric,
        "measure": measured_by(metric),
        "overall": None if whole is None else whole.value,
        "slices": found,
        "leaves": leaves(now, judged["wrong"].to_numpy(), judged["expected"].to_numpy()),
    }


def _as_learned(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(like.schema[name], strict=False) for name in rows.columns)


def _came(rows: pl.DataFrame, manifest: Mapping[str, Any]) -> NDArray[np.generic]:
    """Read the outcomes as `score_all` takes them."""
    if manifest["classes"] is not None:
        return numbers(rows["outcome"], manifest["classes"])
    value = cast_expression(pl.col("outcome"), "float", strict=False, given=pl.String())
    return rows.select(value).to_series().to_numpy()


def _said(rows: pl.DataFrame, manifest: Mapping[str, Any]) -> Values:
    """Read the answers as `score_all` takes them."""
    if manifest["classes"] is None:
        return rows["output"].struct.field("prediction").cast(pl.Float64).to_numpy()
    shares = probabilities(rows, manifest)
    return np.ascontiguousarray(shares[:, 1]) if manifest["task"] == "binary_classification" else shares


def _mask(label: str, masks: Mapping[str, Mask]) -> Mask:
    """Find the rows of a slice of one or two conditions again."""
    if label in masks:
        return masks[label]
    first = next(name for name in masks if label.startswith(f"{name} and ") and label[len(name) + 5 :] in masks)
    return masks[first] & masks[label[len(first) + 5 :]]


def _changed(both: pl.DataFrame, now: Mask, then: Mask, columns: Sequence[str]) -> dict[str, Any]:
    """Name the columns that are distributed otherwise inside a slice than where the release learned."""
    from scipy.stats import chi2

    height, sides = len(now), (int(now.sum()), int(then.sum()))
    if min(sides) < FEWEST:
        return {"learned": sides[1], "changed": []}
    told = []
    for name in columns:
        after, before = both[name][:height].filter(pl.Series(now)), both[name][height:].filter(pl.Series(then))
        index = stability_index(before, after)
        levels = pl.concat([before, after]).n_unique()
        degrees = max(1, min(levels, _BINS) - 1 if before.dtype.is_numeric() else levels - 1)
        p = float(chi2.sf(index * sides[0] * sides[1] / sum(sides), degrees))
        told.append({"column": name, "index": index, "p": p, **_centres(before, after)})
    rates = adjusted([item["p"] for item in told])
    sure = [
        {**item, "q": rate}
        for item, rate in zip(told, rates, strict=True)
        if rate <= SIGNIFICANT and item["index"] >= _CHANGED
    ]
    return {"learned": sides[1], "changed": sorted(sure, key=lambda item: -item["index"])[:_SHOWN]}


def _centres(before: pl.Series, after: pl.Series) -> dict[str, Any]:
    """Say what is typical on both sides: the median, or the share of the level that changed most."""
    if before.dtype.is_numeric() and before.n_unique() > 2:  # noqa: PLR2004 - two values are levels
        return {"level": None, "then": before.median(), "now": after.median()}
    shares = [dict(side.cast(pl.String).value_counts(normalize=True).rows()) for side in (before, after)]
    moved = {name: shares[1].get(name, 0.0) - shares[0].get(name, 0.0) for name in {**shares[0], **shares[1]}}
    level = max(sorted(moved, key=str), key=lambda name: abs(moved[name]))
    return {"level": level, "then": shares[0].get(level, 0.0), "now": shares[1].get(level, 0.0)}


def _outcomes(task: Task, now: NDArray[np.generic], then: NDArray[np.generic]) -> dict[str, Any] | None:
    """Compare what came in a slice with what came where the release learned: the mean, of two classes the share."""
    if task == "multiclass_classification" or min(len(now), len(then)) < FEWEST:
        return None
    sides = [side.astype(np.float64) for side in (then, now)]
    spread = math.sqrt(sum(float(side.var(ddof=1)) / len(side) for side in sides))
    gap = float(sides[1].mean() - sides[0].mean())
    p = math.erfc(abs(gap) / spread / math.sqrt(2)) if spread else float(gap == 0)
    return {"then": float(sides[0].mean()), "now": float(sides[1].mean()), "p": p}
