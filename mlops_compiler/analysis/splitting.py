"""How the rows are dealt: kinds and sizes as the recipe says them, and lengths that the column of time can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.program import Node
from mlops_compiler.recipe.amounts import parse_duration

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.ops.intake import Check
    from mlops_compiler.recipe.recipe import Recipe

_DATES = ("date", "datetime")


def split_of(recipe: Recipe, places: Provenance) -> Node:
    """Make the node that deals the rows."""
    holdout, folds = recipe.validate_.holdout, recipe.validate_.folds
    target = recipe.objective.target
    horizon = getattr(recipe.objective, "horizon", None)
    ahead = None if horizon is None else ops.Stretch(times=horizon)
    dealt = (holdout.kind, folds.kind)
    kinds = [kind if target is not None or kind != "stratified" else "random" for kind in dealt]
    split = ops.Split(
        task=recipe.task,
        target=target,
        positive=getattr(recipe.objective, "positive", None),
        holdout=kinds[0],
        fraction=holdout.fraction,
        folds=kinds[1],
        k=folds.k,
        seed=recipe.validate_.seed,
        time=recipe.data.time if "time_ordered" in kinds else None,
        group=(recipe.data.groups or None) if {"grouped", "time_ordered"} & set(kinds) else None,
        weight=recipe.data.weight,
        repeats=folds.repeats,
        window=folds.window,
        max_train=_stretch(folds.max_train),
        gap=_stretch(folds.gap) or ahead,
        holdout_gap=_stretch(holdout.gap) or ahead,
        naive=getattr(recipe.objective, "naive", None),
    )
    span = places.value_span(("objective", "target" if target is not None else "task"))
    return Node(name="split", op=split, inputs=("snapshot",), span=span)


def check_stretches(recipe: Recipe, check: Check, places: Provenance, sink: Sink) -> None:
    """Refuse stretches of so many days where the rows are ordered by a number."""
    time = next((column for column in check.columns if column.name == recipe.data.time), None)
    if time is None or time.type in _DATES:
        return
    for part, key in (("holdout", "gap"), ("folds", "gap"), ("folds", "max_train")):
        if isinstance(getattr(getattr(recipe.validate_, part), key, None), str):
            sink.add(
                _no_dates(f"validate.{part}.{key}", time.name, time.type, places.value_span(("validate", part, key)))
            )


def _stretch(written: int | str | None) -> ops.Stretch | None:
    if isinstance(written, str):
        return ops.Stretch(seconds=float(str(parse_duration(written))))
    return None if written is None else ops.Stretch(rows=written)


def _no_dates(key: str, column: str, kind: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="stretch-without-dates",
        headline=f"`{key}` is a length of time, and `{column}` is {kind}",
        span=span,
        help="say it as a number of rows",
    )
