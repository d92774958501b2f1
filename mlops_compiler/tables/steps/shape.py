"""Change how numbers are distributed: Yeo-Johnson's power, and quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Power, QuantileScale
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    must_be_finite,
    must_have_learned,
    neutral,
    present,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_SYMMETRIC = 2.0
"""The exponent at which the negative side is a logarithm."""
_EDGE = 1e-7
"""How near to 0 and 1 a share comes before it is put on the normal distribution; scikit-learn's bound."""


@statistics.register(Power)
@statistics.register(QuantileScale)
def _(step: Power | QuantileScale, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: present(column(name).cast(pl.Float64)).sort().implode() for name in step.columns}


def _values(step: Power | QuantileScale, answers: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Take the present values of each column, sorted."""
    values = {name: answers[name].to_numpy() for name in step.columns}
    must_have_learned({name: float(found[0]) if len(found) else None for name, found in values.items()}, what)
    must_be_finite({name: float(found[-1]) for name, found in values.items()}, what)
    return values


@learn.register(Power)
def _(step: Power, answers: Mapping[str, Any]) -> Learned:
    from scipy.stats import yeojohnson_normmax

    values = _values(step, answers, "an exponent")
    constant = {name for name, found in values.items() if found[0] == found[-1]}
    return {
        "exponent": {
            name: 1.0 if name in constant else float(yeojohnson_normmax(found)) for name, found in values.items()
        }
    }


@change.register(Power)
def _(step: Power, learned: Learned) -> Change:
    return Change(columns=tuple(_power(name, learned["exponent"][name]) for name in step.columns))


def _power(name: str, exponent: float) -> pl.Expr:
    value = pl.col(name).cast(pl.Float64)
    above = (value + 1).log() if exponent == 0 else ((value + 1).pow(exponent) - 1) / exponent
    mirrored = _SYMMETRIC - exponent
    below = -(1 - value).log() if mirrored == 0 else -((1 - value).pow(mirrored) - 1) / mirrored
    return pl.when(value >= 0).then(above).otherwise(below).alias(name)


@neutral.register(Power)
def _(step: Power, schema: Schema) -> Learned:  # noqa: ARG001
    return {"exponent": dict.fromkeys(step.columns, 1.0)}


@learn.register(QuantileScale)
def _(step: QuantileScale, answers: Mapping[str, Any]) -> Learned:
    import numpy as np

    values = _values(step, answers, "quantiles")
    shares = np.linspace(0, 1, step.quantiles)
    return {"quantile": {name: np.quantile(found, shares).tolist() for name, found in values.items()}}


@change.register(QuantileScale)
def _(step: QuantileScale, learned: Learned) -> Change:
    return Change(columns=tuple(_scaled(name, learned["quantile"][name], step.to) for name in step.columns))


def _scaled(name: str, edges: list[float], to: str) -> pl.Expr:
    """Interpolate from below and from above and take the middle, so that ties lie in the middle of their shares."""
    import numpy as np

    known, shares = np.asarray(edges), np.linspace(0, 1, len(edges))

    def scaled(values: pl.Series) -> pl.Series:
        given = values.to_numpy()
        made = 0.5 * (np.interp(given, known, shares) - np.interp(-given, -known[::-1], -shares[::-1]))
        if to == "normal":
            from scipy.special import ndtri

            made = ndtri(np.clip(made, _EDGE, 1 - _EDGE))
        return pl.Series(values.name, made, dtype=pl.Float64, nan_to_null=False).fill_nan(None)

    number = pl.col(name).cast(pl.Float64).fill_nan(None)
    return number.map_batches(scaled, return_dtype=pl.Float64, is_elementwise=True).alias(name)


@neutral.register(QuantileScale)
def _(step: QuantileScale, schema: Schema) -> Learned:  # noqa: ARG001
    return {"quantile": {name: [0.0, 1.0] for name in step.columns}}
