"""What has moved: the columns of requests, the answers, and what came of them, beside those of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.significance import measure
from mlops_compiler.ir.task import has_classes
from mlops_compiler.monitoring.distribution import distribution
from mlops_compiler.monitoring.drift import compare, drift_json, family, sentence
from mlops_compiler.monitoring.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.watching import RuleKind
    from mlops_compiler.monitoring.distribution import Distribution
    from mlops_compiler.monitoring.reference import Reference
    from mlops_compiler.monitoring.watch import Watch

    Pair = tuple[RuleKind, str, Distribution, pl.Series]

TOGETHER = "drift:together"
"""The rule about rows as a whole."""
AREA = 0.6
"""From which area under the ROC curve on a classifier that tells rows from those of training has found a drift."""
_SAMPLE, _FOLDS, _SEED = 2000, 3, 0
_MOST_LEVELS = 20


def moved(
    reference: Reference, inputs: pl.DataFrame, answers: pl.DataFrame, outcomes: pl.Series, watch: Watch
) -> tuple[list[Rule], list[dict[str, Any]]]:
    """Compare distributions; all tests are one family.

    Args:
        reference: What they are compared with.
        inputs: The columns of the requests.
        answers: What was answered, by `answers_of`.
        outcomes: What came of those rows of which it is known, in the target's own type.
        watch: What counts as drift.

    Returns:
        The rules, and what was measured.
    """
    limits = watch.drift
    if limits is None:
        return [], []
    pairs: list[Pair] = [
        *_inputs(reference, inputs, watch),
        *_answers(reference, answers),
        *_target(reference, outcomes),
    ]
    few = [_too_few(kind, name, now.len(), watch) for kind, name, _, now in pairs if now.len() < watch.at_least]
    enough: dict[str, Pair] = {
        f"{kind}:{name}": (kind, name, then, now) for kind, name, then, now in pairs if now.len() >= watch.at_least
    }
    found = {
        rule: item
        for rule, (_, _, then, now) in enough.items()
        if (item := compare(then, distribution(now, then.type))) is not None
    }
    chances, rules, told = family(found), list(few), list[dict[str, Any]]()
    for rule, item in found.items():
        kind, name, _, now = enough[rule]
        limit = limits.limit(name, item.type)
        drifted = chances[rule] <= limits.level and item.effect >= limit
        rules.append(
            Rule(
                rule=rule,
                kind=kind,
                fired=drifted,
                value=item.effect,
                limit=limit,
                why=sentence(name, item),
                p=chances[rule],
                rows=now.len(),
            )
        )
        told.append({**drift_json(name, kind, item, limit, chances[rule]), "drifted": drifted, "rows": now.len()})
    if limits.together and not limits.columns and inputs.height >= watch.at_least:
        rules.append(_together(reference, inputs, watch))
    return rules, told


def answers_of(held: pl.DataFrame, manifest: Mapping[str, Any]) -> pl.DataFrame:
    """Give what the evaluation predicted of the holdout as a service answers it: the columns that are compared."""
    task = manifest["task"]
    if task == "regression":
        return held.select(prediction="value")
    if task == "clustering":
        return held.select("cluster", "distance")
    if task == "anomaly_detection":
        return held.select("score", anomaly=pl.col("score") >= manifest["threshold"])
    classes = [str(name) for name in manifest["classes"]]
    if task == "binary_classification":
        decided = (held["probability"] >= manifest["threshold"]).cast(int).to_list()
        return held.select("probability").with_columns(decision=pl.Series([classes[place] for place in decided]))
    shares = held.select(f"probability_{number}" for number in range(len(classes))).to_numpy()
    return pl.DataFrame({"decision": [classes[place] for place in shares.argmax(axis=1)]})


def served_answers(output: pl.Series, manifest: Mapping[str, Any]) -> pl.DataFrame:
    """Give the same of what a service answered."""
    told = output.struct.unnest()
    if has_classes(manifest["task"]):
        told = told.with_columns(pl.col("decision").cast(pl.String))
        return told.select("probability", "decision") if "probability" in told.columns else told.select("decision")
    names = {
        "regression": ("prediction",),
        "clustering": ("cluster", "distance"),
        "anomaly_detection": ("score", "anomaly"),
    }
    return told.select(names[manifest["task"]])


def _inputs(reference: Reference, inputs: pl.DataFrame, watch: Watch) -> list[Pair]:
    limits = watch.drift
    return [
        ("drift", name, then, inputs[name])
        for name, then in reference.inputs.items()
        if name in inputs.columns
        and limits is not None
        and limits.compares(name)
        and then.type in ("number", "category")
    ]


def _answers(reference: Reference, answers: pl.DataFrame) -> list[Pair]:
    if reference.held is None:
        return []
    then = answers_of(reference.held, reference.manifest)
    return [("prediction_drift", name, distribution(then[name]), answers[name]) for name in then.columns]


def _target(reference: Reference, outcomes: pl.Series) -> list[Pair]:
    then = reference.target
    return [("label_drift", "target", then, outcomes)] if then is not None and outcomes.len() else []


def _too_few(kind: RuleKind, name: str, rows: int, watch: Watch) -> Rule:
    why = f"{rows:,} rows are there, and {watch.at_least:,} are needed"
    return Rule(rule=f"{kind}:{name}", kind=kind, why=why, rows=rows, looked=False)


def _together(reference: Reference, inputs: pl.DataFrame, watch: Watch) -> Rule:
    """Let a classifier tell rows from those of training, on rows that it did not learn from.

    Rabanser, Günnemann and Lipton, "Failing loudly" (2019), and Lopez-Paz and Oquab, "Revisiting classifier two-sample
    tests" (2017): what no single column shows, a joint change of several does.
    """
    limits, before = watch.drift, reference.rows
    if before is None or limits is None:
        why = "the store keeps the training rows no longer; columns are compared one by one"
        return Rule(rule=TOGETHER, kind="drift", why=why, rows=inputs.height, looked=False)
    names = [name for name, then in reference.inputs.items() if limits.compares(name) and then.type != "text"]
    sides = [_sample(side.select(names)) for side in (before, inputs)]
    labels = np.repeat([0, 1], [side.height for side in sides])
    judged = measure("binary_classification", "roc_auc", labels, _told_apart(sides, labels), None)
    found = judged.of(np.ones(len(labels), dtype=np.bool_))
    if found is None:
        return Rule(rule=TOGETHER, kind="drift", why="too few rows to tell", rows=inputs.height, looked=False)
    p = _above_chance(found.value, found.error)
    return Rule(
        rule=TOGETHER,
        kind="drift",
        fired=found.value >= AREA and p <= limits.level,
        value=found.value,
        limit=AREA,
        why=f"a classifier tells rows from those of training with an area under the ROC curve of {found.value:.2f}",
        p=p,
        rows=inputs.height,
    )


def _above_chance(area: float, error: float) -> float:
    from scipy.stats import norm

    return float(norm.sf((area - 0.5) / error)) if error else float(area <= 0.5)  # noqa: PLR2004 - that of a coin


def _sample(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sample(min(_SAMPLE, rows.height), shuffle=True, seed=_SEED)


def _told_apart(sides: list[pl.DataFrame], labels: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from mlops_compiler.models.adapters.sklearn_threads import limited_threads

    X = _as_numbers(sides)
    model = HistGradientBoostingClassifier(max_iter=50, min_samples_leaf=20, random_state=_SEED)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    with limited_threads(1):  # threads would wait for each other longer than these few rows take
        return cross_val_predict(model, X, labels, cv=folds, method="predict_proba")[:, 1]


def _as_numbers(sides: list[pl.DataFrame]) -> Any:
    """Number categories by their frequency: trees cut where it pays, whatever the order."""
    table = pl.concat(sides, how="vertical_relaxed")
    columns = []
    for name in table.columns:
        values = table[name]
        if values.dtype.is_temporal():
            continue
        if not values.dtype.is_numeric():
            texts = values.cast(pl.String)
            ranked = texts.drop_nulls().value_counts(sort=True)[name].to_list()
            order = {level: place for place, level in enumerate(ranked[:_MOST_LEVELS])}
            values = texts.replace_strict(order, default=_MOST_LEVELS, return_dtype=pl.Float64)
        columns.append(values.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    return np.column_stack(columns)
