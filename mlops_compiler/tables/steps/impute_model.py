"""Fill what is missing with what other columns let expect: a ridge regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import ImputeModel
from mlops_compiler.tables.steps.base import Change, change, learn, must_be_finite, neutral, nothing_to_learn, reads
from mlops_compiler.tables.steps.base import statistics as asks
from mlops_compiler.tables.steps.impute import indicators

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_RIDGE = 1.0
"""The penalty on weights of standardised columns; scikit-learn's default."""


@reads.register(ImputeModel)
def _(step: ImputeModel) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*step.columns, *step.using)))


@asks.register(ImputeModel)
def _(step: ImputeModel, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: column(name).cast(pl.Float64).fill_nan(None).implode() for name in reads(step)}


@learn.register(ImputeModel)
def _(step: ImputeModel, answers: Mapping[str, Any]) -> Learned:
    import numpy as np

    values = {name: answers[name].to_numpy() for name in reads(step)}
    means = {name: None if np.isnan(given).all() else float(np.nanmean(given)) for name, given in values.items()}
    if empty := [name for name, mean in means.items() if mean is None]:
        raise DataError([nothing_to_learn(empty, "a regression")])
    must_be_finite(means, "a regression")
    filled = {name: np.nan_to_num(given, nan=means[name] or 0.0) for name, given in values.items()}
    return {"means": means, "models": {name: _ridge(name, step, values[name], filled) for name in step.columns}}


def _ridge(
    name: str, step: ImputeModel, values: NDArray[np.float64], filled: Mapping[str, NDArray[np.float64]]
) -> dict[str, Any]:
    """Fit one column on the others; gives the weight of each in its own unit, and the intercept."""
    import numpy as np

    using = [other for other in step.using if other != name]
    known = ~np.isnan(values)
    X = np.column_stack([filled[other][known] for other in using])
    center, scale = X.mean(axis=0), X.std(axis=0)
    scale[scale == 0] = 1.0
    Z = (X - center) / scale
    y = values[known]
    weights = np.linalg.solve(Z.T @ Z + _RIDGE * np.eye(len(using)), Z.T @ (y - y.mean())) / scale
    return {"intercept": float(y.mean() - center @ weights), "weights": dict(zip(using, weights.tolist(), strict=True))}


@change.register(ImputeModel)
def _(step: ImputeModel, learned: Learned) -> Change:
    means = learned["means"]
    columns = []
    for name in step.columns:
        model = learned["models"][name]
        expected = pl.lit(model["intercept"])
        for other, weight in model["weights"].items():
            known = pl.col(other).cast(pl.Float64).fill_nan(None).fill_null(means[other])
            expected = expected + known * weight
        columns.append(pl.col(name).cast(pl.Float64).fill_nan(None).fill_null(expected).alias(name))
    return Change(columns=(*columns, *indicators(step)))


@neutral.register(ImputeModel)
def _(step: ImputeModel, schema: Schema) -> Learned:  # noqa: ARG001
    model = {"intercept": 0.0, "weights": dict.fromkeys(step.using, 0.0)}
    return {"means": dict.fromkeys(reads(step), 0.0), "models": dict.fromkeys(step.columns, model)}
