"""Whether a release answers worse than it should: than the recipe's bounds, and than its own holdout.

A bound is missed where the whole interval misses it. Worse than the holdout it is where the difference is more than
chance and more than the share of its score that the recipe tolerates: of many outcomes any difference is no chance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.metrics import METRICS
from mlops_compiler.evaluation.significance import adjusted, measure, measured_by, p_value
from mlops_compiler.explain.conditions import conditions
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.monitoring.drift import names
from mlops_compiler.monitoring.expected import Answered, expected
from mlops_compiler.monitoring.findings import Rule
from mlops_compiler.monitoring.judged import Scored, calibration, estimated, measured, trust
from mlops_compiler.monitoring.wrong import numbers, probabilities
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.evaluation.significance import Estimate
    from mlops_compiler.ir.watching import RuleKind
    from mlops_compiler.monitoring.reference import Reference
    from mlops_compiler.monitoring.watch import Watch

    Values = NDArray[np.float64]
    _Guess = str | tuple[Scored, dict[str, Any]]
    """Metrics and what else the record holds, or why there are none."""

LEVEL = 0.01
"""Of the tests; those of slices are one family."""


def predicted(rows: pl.DataFrame, manifest: Mapping[str, Any]) -> Values:
    """Give what a service answered as metrics take it."""
    if has_classes(manifest["task"]):
        shares = probabilities(rows, manifest)
        return shares[:, 1] if manifest["task"] == "binary_classification" else shares
    found: Values = rows["output"].struct.field("prediction").cast(pl.Float64).to_numpy()
    return found


def came(outcomes: pl.Series, manifest: Mapping[str, Any]) -> Values:
    """Read outcomes, which are texts: the numbers of classes, or values; NaN of what cannot be read."""
    if has_classes(manifest["task"]):
        found = numbers(outcomes, manifest["classes"]).astype(np.float64)
        return np.where(found < 0, np.nan, found)
    read = pl.DataFrame({"outcome": outcomes.cast(pl.String)}).select(
        cast_expression(pl.col("outcome"), "float", strict=False, given=pl.String())
    )
    return read.to_series().cast(pl.Float64).fill_null(float("nan")).to_numpy()


def held_predicted(held: pl.DataFrame, task: str) -> Values:
    """Give what the evaluation predicted of the holdout as metrics take it."""
    if task == "binary_classification":
        return held["probability"].to_numpy()
    if task == "regression":
        return held["value"].to_numpy()
    return held.select(pl.col("^probability_.*$")).to_numpy()


def performance(reference: Reference, labelled: pl.DataFrame, watch: Watch) -> tuple[list[Rule], dict[str, Any]]:
    """Measure predictions whose outcome is known.

    Args:
        reference: That of the release.
        labelled: Rows with ``output`` and ``outcome``, all of which can be read.
        watch: The bounds.
    """
    if not learns_from_target(reference.manifest["task"]):
        return [], {}
    if labelled.height < watch.at_least:
        few = f"{labelled.height:,} outcomes are known, and {watch.at_least:,} are needed"
        return _unseen("performance", reference, watch, few, labelled.height), {}
    y, said = came(labelled["outcome"], reference.manifest), predicted(labelled, reference.manifest)
    found = measured(reference.manifest["task"], y, said, reference.manifest["threshold"])
    if found is None:
        why = "all outcomes are of one class"
        return _unseen("performance", reference, watch, why, labelled.height), {}
    return _beside("performance", found, reference, watch), {**found.to_json(), "holdout": dict(reference.metrics)}


def estimate(
    reference: Reference, rows: pl.DataFrame, labelled: pl.DataFrame, watch: Watch
) -> tuple[list[Rule], dict[str, Any]]:
    """Estimate the performance of rows whose outcome is not known yet."""
    task = reference.manifest["task"]
    if not watch.estimate or not learns_from_target(task):
        return [], {}
    if rows.height < watch.at_least:
        guess: _Guess = f"{rows.height:,} rows are there, and {watch.at_least:,} are needed"
    else:
        known = labelled if labelled.height >= watch.at_least else labelled.head(0)
        guess = (_of_classes if has_classes(task) else _of_values)(reference, rows, known)
    if isinstance(guess, str):
        return _unseen("estimate", reference, watch, guess, rows.height), {}
    found, more = guess
    return _beside("estimate", found, reference, watch), {
        **found.to_json(),
        "holdout": dict(reference.metrics),
        **more,
    }


def _of_classes(reference: Reference, rows: pl.DataFrame, known: pl.DataFrame) -> _Guess:
    """Estimate by the probabilities, as far as they come true."""
    manifest = reference.manifest
    if reference.held is None:
        return "the store keeps the predictions of the holdout no longer, which say whether probabilities hold"
    trusted = trust(reference.held["label"].to_numpy(), held_predicted(reference.held, manifest["task"]))
    if not trusted.holds:
        return f"on the holdout probabilities are off by {trusted.calibration.error:.1%}, and no curve mends them"
    if known.height:
        told = calibration(came(known["outcome"], manifest), trusted.likely(predicted(known, manifest)))
        if not told.holds:
            return f"outcomes contradict the probabilities by {told.error:.1%}: see the measured performance"
    said = predicted(rows, manifest)
    found = estimated(manifest["task"], said, manifest["threshold"], trusted.likely(said))
    return "all rows are sure to be of one class" if found is None else (found, {"calibrated": trusted.curve is None})


def _of_values(reference: Reference, rows: pl.DataFrame, known: pl.DataFrame) -> _Guess:
    """Estimate by the errors that are to be expected."""
    if reference.errors is None:
        return (
            "the evaluation has not learned what errors are to be expected: its holdout is small, or its version older"
        )
    inputs = rows["input"].struct.unnest()
    if lacking := [name for name in reference.columns if name not in inputs.columns]:
        return f"the log leaves out {names(lacking)}, by which errors are expected"
    sides = [
        Answered(inputs=side["input"].struct.unnest(), said=predicted(side, reference.manifest))
        for side in (rows, known)
        if side.height
    ]
    told = (sides[1], came(known["outcome"], reference.manifest)) if known.height else None
    found = expected(reference.errors, sides[0], told)
    return found if isinstance(found, str) else (found, {})


def _beside(kind: RuleKind, found: Scored, reference: Reference, watch: Watch) -> list[Rule]:
    bounds = [_bound(kind, name, found, bounds) for name, bounds in watch.performance.items() if name in found.metrics]
    return [*bounds, *_holdout(kind, found, reference, watch)]


def _bound(kind: RuleKind, name: str, found: Scored, bounds: tuple[float | None, float | None]) -> Rule:
    value = found.metrics[name]
    low, high = found.intervals.get(name, [value, value])
    least, most = bounds
    below, above = least is not None and high < least, most is not None and low > most
    limit = most if least is None or above else least
    word = "is estimated at" if kind == "estimate" else "is"
    asked = f"at least {least:g}" if limit == least else f"at most {most:g}"
    why = f"{name} {word} {value:.4g} (95 % interval {low:.4g} to {high:.4g}); asked is {asked}"
    return Rule(
        rule=f"{kind}:{name}", kind=kind, fired=below or above, value=value, limit=limit, why=why, rows=found.rows
    )


def _holdout(kind: RuleKind, found: Scored, reference: Reference, watch: Watch) -> list[Rule]:
    """Compare the metric that the search optimised with that of the holdout."""
    from scipy.stats import norm

    name = reference.metric
    if name is None or name not in found.metrics or name not in reference.metrics:
        return []
    value, before = found.metrics[name], reference.metrics[name]
    error, interval = found.error(name), reference.intervals.get(name)
    if error is None or interval is None:
        return []
    spread = math.hypot(error, (interval[1] - interval[0]) / (2 * norm.ppf(0.975)))
    sign = 1 if METRICS[name].greater_is_better else -1
    lost = sign * (before - value)
    p = float(norm.sf(lost / spread)) if spread else float(lost <= 0)
    limit = before - sign * watch.drop * abs(before)
    word = "is estimated at" if kind == "estimate" else "is"
    return [
        Rule(
            rule=f"{kind}:holdout", kind=kind, fired=lost > watch.drop * abs(before) and p <= LEVEL, value=value,
            limit=limit, why=f"{name} {word} {value:.4g}, and was {before:.4g} on the holdout", p=p, rows=found.rows,
        )
    ]  # fmt: skip


def _unseen(kind: RuleKind, reference: Reference, watch: Watch, why: str, rows: int) -> list[Rule]:
    names = [*watch.performance, *(["holdout"] if reference.metric else [])]
    return [Rule(rule=f"{kind}:{name}", kind=kind, why=why, rows=rows, looked=False) for name in names]


def slices(reference: Reference, labelled: pl.DataFrame, watch: Watch) -> tuple[list[Rule], list[dict[str, Any]]]:
    """Compare each slice with the same slice of the holdout: a slice may always have been harder than the rest."""
    held, holdout, manifest = reference.held, reference.holdout, reference.manifest
    named = [name for name in watch.slices if holdout is not None and name in holdout.columns]
    if not named or held is None or holdout is None or reference.metric is None or labelled.height < watch.at_least:
        return [], []
    task, threshold = manifest["task"], manifest["threshold"]
    now = measure(task, reference.metric, came(labelled["outcome"], manifest), predicted(labelled, manifest), threshold)
    then = measure(task, reference.metric, held["label"].to_numpy(), held_predicted(held, task), threshold)
    inputs = labelled["input"].struct.unnest()
    found = []
    for name in named:
        both = pl.concat([holdout[name].cast(inputs.schema[name], strict=False), inputs[name]])
        for condition in conditions(both, _taught(reference, name, inputs)):
            before, after = condition.mask[: holdout.height], condition.mask[holdout.height :]
            found.append((condition.label, int(after.sum()), then.of(before), now.of(after)))
    pairs = [(label, before, after) for label, _, before, after in found if before and after]
    rates = dict(zip([label for label, *_ in pairs], adjusted([p_value(b, a) for _, b, a in pairs]), strict=True))
    told = [_slice(item, rates.get(item[0]), measured_by(reference.metric), watch) for item in found]
    return [_slice_rule(item) for item in told], told


def _taught(reference: Reference, name: str, inputs: pl.DataFrame) -> pl.Series | None:
    """Give the training rows, by which slices are the same in every check."""
    return None if reference.rows is None else reference.rows[name].cast(inputs.schema[name], strict=False)


def _slice(
    found: tuple[str, int, Estimate | None, Estimate | None], rate: float | None, metric: str, watch: Watch
) -> dict[str, Any]:
    label, rows, before, after = found
    told: dict[str, Any] = {"slice": label, "metric": metric, "rows": rows, "worse": False}
    absent = dict.fromkeys(("value", "low", "high", "holdout", "limit", "p", "q"))
    if before is None or after is None or rate is None:
        return {**told, **absent}
    sign = 1 if METRICS[metric].greater_is_better else -1
    lost = sign * (before.value - after.value)
    low, high = after.interval()
    return {
        **told,
        "value": after.value,
        "low": low,
        "high": high,
        "holdout": before.value,
        "limit": before.value - sign * watch.drop * abs(before.value),
        "p": p_value(before, after),
        "q": rate,
        "worse": lost > watch.drop * abs(before.value) and rate <= LEVEL,
    }


def _slice_rule(told: dict[str, Any]) -> Rule:
    looked = told["value"] is not None
    why = (
        f"{told['metric']} where {told['slice']} is {told['value']:.4g}, and was {told['holdout']:.4g} on the holdout"
        if looked
        else f"{told['rows']} rows where {told['slice']} are too few to tell, or were on the holdout"
    )
    return Rule(
        rule=f"slice:{told['slice']}", kind="slice", fired=told["worse"], value=told["value"], limit=told["limit"],
        why=why, p=told["q"], rows=told["rows"], looked=looked,
    )  # fmt: skip
