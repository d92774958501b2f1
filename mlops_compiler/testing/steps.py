"""Made-up steps of a preparation: what the laws of steps and of passes are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from mlops_compiler.ir.ops.prepare import (
    Aggregate,
    Balance,
    Bins,
    Categories,
    Clip,
    Deduplicate,
    Derive,
    Drop,
    Filter,
    Frequency,
    GroupRare,
    HashEncode,
    Impute,
    ImputeModel,
    Log1p,
    MinMaxScale,
    OneHot,
    Ordinal,
    Power,
    QuantileScale,
    Rename,
    RobustScale,
    Standardize,
    TargetEncode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.ir.ops.prepare import StepOp


def some(names: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """Choose one of the names, or several."""
    return st.lists(st.sampled_from(names), min_size=1, max_size=len(names), unique=True).map(tuple)


def steps(
    numbers: Sequence[str],
    texts: Sequence[str],
    *,
    made: Sequence[str],
    expressions: Sequence[str],
    conditions: Sequence[str],
    beside: Sequence[str] = (),
) -> st.SearchStrategy[StepOp]:
    """Make steps over a table of numbers and texts.

    Args:
        numbers: The columns of numbers; two at least.
        texts: The columns of texts.
        made: What `Derive` may name what it makes.
        expressions: What it may compute, in SQL.
        conditions: What `Filter` may ask, in SQL.
        beside: Columns that steps may also ask for, whether a step made them or not.
    """
    columns, known, (first, second) = (*numbers, *texts), (*numbers, *beside), numbers[:2]
    definitions = st.tuples(st.sampled_from([first, *made]), st.sampled_from(expressions))
    several = st.lists(definitions, min_size=1, max_size=3, unique_by=lambda one: one[0]).map(tuple)
    averages = st.sampled_from(["mean", "median", "mode"])
    statistics = st.sampled_from([("mean",), ("std", "count"), ("min", "max", "median")])
    names = st.sampled_from([((first, "renamed"),), ((first, second), (second, first))])
    listed: list[tuple[type[StepOp], dict[str, Any]]] = [
        (Impute, {"columns": some(numbers), "value": st.sampled_from([0, 1.5, -3])}),
        (Impute, {"columns": some(numbers), "statistic": averages}),
        (Impute, {"columns": some(texts), "statistic": st.just("mode")}),
        (Impute, {"columns": some(numbers), "statistic": averages, "by": some(texts), "indicator": st.booleans()}),
        (ImputeModel, {"columns": some(numbers), "using": st.just(tuple(numbers)), "indicator": st.booleans()}),
        (Derive, {"expressions": several}),
        (Derive, {"expressions": definitions.map(lambda one: (one,)), "remove": some(columns)}),
        (Standardize, {"columns": some(known)}),
        (RobustScale, {"columns": some(known)}),
        (MinMaxScale, {"columns": some(known), "clip": st.booleans()}),
        (Clip, {"columns": some(known), "lower": st.sampled_from([0.0, 0.1]), "upper": st.sampled_from([0.8, 1.0])}),
        (Clip, {"columns": some(known), "iqr": st.sampled_from([0.5, 1.5])}),
        (Bins, {"columns": some(known), "edges": st.just((0.0, 2.5))}),
        (Bins, {"columns": some(known), "quantiles": st.integers(2, 4)}),
        (Bins, {"columns": some(known), "equal_width": st.integers(2, 4)}),
        (Power, {"columns": some(numbers)}),
        (
            QuantileScale,
            {"columns": some(numbers), "quantiles": st.integers(2, 5), "to": st.sampled_from(["uniform", "normal"])},
        ),
        (Log1p, {"columns": some(known)}),
        (Ordinal, {"columns": some(texts), "order": st.sampled_from([None, ("x", "a")])}),
        (Frequency, {"columns": some(texts)}),
        (Categories, {"columns": some(texts), "max_levels": st.integers(1, 3)}),
        (OneHot, {"columns": some(texts), "max_levels": st.integers(1, 3), "rare": st.just("group")}),
        (
            TargetEncode,
            {"columns": some(texts), "smoothing": st.sampled_from([0.5, 10.0]), "folds": st.integers(2, 4)},
        ),
        (HashEncode, {"columns": some(texts), "buckets": st.integers(2, 5)}),
        (
            GroupRare,
            {
                "columns": some(texts),
                "min_share": st.sampled_from([0.0, 0.3]),
                "keep": st.sampled_from([None, 1]),
                "level": st.just("(rare)"),
            },
        ),
        (Aggregate, {"columns": some(numbers), "by": some(texts), "statistics": statistics}),
        (Rename, {"names": names}),
        (Drop, {"columns": some((*columns, *beside))}),
        (Deduplicate, {"columns": some(columns), "max_loss": st.just(1.0)}),
        (Balance, {"method": st.sampled_from(["weights", "over", "under"]), "seed": st.just(7)}),
        (Filter, {"where": st.sampled_from(conditions), "max_loss": st.just(1.0)}),
    ]
    return st.one_of([st.builds(kind, **fields) for kind, fields in listed])
