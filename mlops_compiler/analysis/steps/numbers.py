"""Steps on numbers, and on what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mlops_compiler.analysis import wording, wording_steps
from mlops_compiler.analysis.steps.common import copied, resolve
from mlops_compiler.ir.ops import prepare as ops
from mlops_compiler.ir.schema import Known
from mlops_compiler.recipe import prepare as steps
from mlops_compiler.recipe.steps.base import names_of

if TYPE_CHECKING:
    from mlops_compiler.analysis.site import Site

_STATISTICS = ("mean", "median", "mode")
OnNumbers: TypeAlias = (
    steps.Log1p
    | steps.YeoJohnson
    | steps.Standardize
    | steps.RobustScale
    | steps.MinMaxScale
    | steps.QuantileScale
    | steps.Clip
    | steps.Bins
)
_SAYS_ALL: dict[type[OnNumbers], type[ops.StepOp]] = {
    steps.Log1p: ops.Log1p,
    steps.YeoJohnson: ops.Power,
    steps.Standardize: ops.Standardize,
    steps.RobustScale: ops.RobustScale,
    steps.MinMaxScale: ops.MinMaxScale,
    steps.QuantileScale: ops.QuantileScale,
    steps.Clip: ops.Clip,
    steps.Bins: ops.Bins,
}
"""Steps that say all that their op does, and take numbers."""


@resolve.register(steps.Impute)
def _(step: steps.Impute, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    if step.indicator:
        for name in columns:
            site.no_indicator(f"{name}_missing", site.span("columns"))
    if step.with_ == "model":
        return _model(step, site, site.numbers(columns, "numbers to expect by a regression"))
    if step.with_ not in _STATISTICS:
        return _constant(step, site, columns)
    if step.with_ == "mode":
        columns = site.no_times(columns, "numbers, texts or booleans to take the mode of")
    else:
        columns = site.numbers(columns, f"numbers to take the {step.with_} of")
    by = site.early(names_of(step.by), "by")
    if filled := sorted(set(columns) & set(by)):
        site.sink.add(wording_steps.fills_its_group(site.name, filled, site.span("by")))
    statistic = step.with_
    return ops.Impute(columns=columns, statistic=statistic, by=by, indicator=step.indicator) if columns else None  # type: ignore[arg-type]


def _constant(step: steps.Impute, site: Site, columns: tuple[str, ...]) -> ops.StepOp | None:
    fitting = tuple(name for name in columns if _holds(site, name, step.with_))
    if not fitting:
        return None
    floats = any(site.schema[name].dtype.is_float() for name in fitting)
    value = float(step.with_) if floats and not isinstance(step.with_, str) else step.with_
    return ops.Impute(columns=fitting, value=value, indicator=step.indicator)


def _holds(site: Site, name: str, value: object) -> bool:
    column = site.schema[name]
    fits = isinstance(value, str) if column.is_categorical else not isinstance(value, str)
    if fits and not column.dtype.is_temporal():
        return True
    wanted = "a column of texts" if isinstance(value, str) else "a column of numbers"
    site.sink.add(wording.wrong_column_type(site.name, column, f"{wanted} to fill with {value!r}", site.span("with")))
    return False


def _model(step: steps.Impute, site: Site, columns: tuple[str, ...]) -> ops.StepOp | None:
    if step.using is None:
        using = tuple(
            column.name
            for column in site.schema.features
            if column.is_numeric and not column.is_open and column.known is Known.BEFORE_PREDICTION
        )
    else:
        using = site.early(site.numbers(site.columns(step.using, "using"), "numbers to compute with", "using"), "using")
    if lonely := [name for name in columns if not set(using) - {name}]:
        site.sink.add(wording_steps.nothing_to_expect_from(site.name, lonely, site.span("with")))
        return None
    return ops.ImputeModel(columns=columns, using=using, indicator=step.indicator) if columns and using else None


@resolve.register(steps.Cast)
def _(step: steps.Cast, site: Site) -> ops.StepOp | None:
    return copied(step, ops.Cast, site.columns(step.columns))


@resolve.register(steps.Winsorize)
def _(step: steps.Winsorize, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.Clip(columns=columns, lower=step.share, upper=1 - step.share) if columns else None


@resolve.register(steps.Log1p)
@resolve.register(steps.YeoJohnson)
@resolve.register(steps.Standardize)
@resolve.register(steps.RobustScale)
@resolve.register(steps.MinMaxScale)
@resolve.register(steps.QuantileScale)
@resolve.register(steps.Clip)
@resolve.register(steps.Bins)
def _(step: OnNumbers, site: Site) -> ops.StepOp | None:
    return copied(step, _SAYS_ALL[type(step)], site.numbers(site.columns(step.columns)))
