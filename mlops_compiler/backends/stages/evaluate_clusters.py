"""What only a clustering is evaluated by: a twin, clusters at random, and what the rows of each cluster are like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.trial import beside, predicted
from mlops_compiler.backends.search.twin import clusters_of, score_beside_twin
from mlops_compiler.backends.stages.folds import prepared
from mlops_compiler.evaluation.profiles import profiles, projection
from mlops_compiler.ir.ops.lifecycle import Evaluate
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.account import ROW
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.rows import Rows
    from mlops_compiler.models.kind import FittedModel

    Matrix = NDArray[np.float64]

_BASELINE = "random_partition"


def evaluate_clusters(
    context: Context, manifest: dict[str, Any], model: FittedModel, read: Rows
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Score a clustering on the holdout; tell of its clusters over all rows.

    Returns:
        The evaluation: beside what every task has, ``clusters`` (see `evaluation.profiles`), whose ``holdout`` is how
        many of the rows are of the holdout; and the cluster of each row of the holdout, by its place in the snapshot.
    """
    op = context.op(Evaluate)
    entry = {"preparation": manifest["preparation"], "features": manifest["features"]}
    held = prepared(entry, read.frame.filter(read.judges()), "scoring")
    answers, twins = (predicted(op.task, item, held.X) for item in (model, twin_of(context, manifest)))
    evaluation = {
        "task": op.task,
        "rows": len(held.X),
        "metric": op.metric,
        "reported": list(op.metrics),
        "metrics": score_beside_twin(held.X, answers, twins),
        "baseline": _baseline(op, held.X, len(np.unique(clusters_of(answers)))),
        "threshold": None,
        "clusters": _told(manifest, entry, model, read),
        "curves": {"projection": projection(held.X, clusters_of(answers))},
        "intervals": {},
        "interval": {},
        "against": {},
    }
    places = read.judges().arg_true().gather(held.kept).alias("row")
    return evaluation, beside(op.task, held.y, answers).insert_column(0, places)


def twin_of(context: Context, manifest: dict[str, Any]) -> FittedModel:
    """Load the twin that was fitted beside the model."""
    outputs = context.inputs["train"].outputs
    files = {
        name.removeprefix("twin/"): context.store.objects.get(digest)
        for name, digest in outputs.items()
        if name.startswith("twin/")
    }
    return MODELS[manifest["model"]["kind"]].load(files)


def _baseline(op: Evaluate, X: Matrix, clusters: int) -> dict[str, float]:
    """Score as many clusters at random."""
    kind, parameters = MODELS[_BASELINE], {"n_clusters": clusters}
    y = np.zeros(len(X), dtype=np.int64)
    answers = [
        kind.fit(X, y, parameters=parameters, options=FitOptions(seed=seed_of(0, name), task=op.task)).predict(X)
        for name in ("baseline", "twin")
    ]
    return score_beside_twin(X, answers[0], answers[1])


def _told(manifest: dict[str, Any], entry: dict[str, Any], model: FittedModel, read: Rows) -> list[dict[str, Any]]:
    """Tell what the rows of each cluster are like, in the columns of the source."""
    rows = read.frame.with_row_index(ROW)
    frame = FittedPreparation.from_json(entry["preparation"]).transform(rows, "scoring")
    clusters = clusters_of(predicted("clustering", model, design_matrix(frame, entry["features"])))
    held = read.judges()[frame[ROW]].to_numpy()
    source = read.frame.select(pl.exclude(LABEL, *filter(None, [manifest["key"]])))[frame[ROW]]
    told = profiles(source, clusters)
    return [{**item, "holdout": int(held[clusters == item["cluster"]].sum())} for item in told]
