"""Change which rows a model learns from; rows that are scored stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Balance, ByRows, Deduplicate, Filter
from mlops_compiler.tables.steps.base import (
    LABEL,
    WEIGHT,
    Change,
    adds_up,
    change,
    learn,
    narrow,
    neutral,
    reads,
    statistics,
    writes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@narrow.register(Deduplicate)
@narrow.register(Balance)
def _(step: ByRows, live: AbstractSet[str]) -> ByRows:  # noqa: ARG001
    return step


@writes.register(Deduplicate)
@writes.register(Balance)
def _(_step: ByRows) -> tuple[str, ...]:
    return ()


@reads.register(Balance)
def _(_step: Balance) -> tuple[str, ...]:
    return ()


@change.register(Deduplicate)
def _(step: Deduplicate, learned: Learned) -> Change:  # noqa: ARG001
    return Change(resample=pl.struct(step.columns).is_first_distinct().arg_true())


def explained(step: StepOp) -> str:
    """Say what a step asks of the rows that it keeps."""
    match step:
        case Filter(where=where):
            return where
        case Deduplicate(columns=columns):
            return f"the first only of rows that are equal in {', '.join(columns)}"
        case _:
            return step.op


@statistics.register(Balance)
def _(step: Balance, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:  # noqa: ARG001
    return {"rows": pl.col(LABEL).alias("label").value_counts().implode()}


@adds_up.register(Balance)
def _(_step: Balance) -> bool:
    return True


@learn.register(Balance)
def _(step: Balance, answers: Mapping[str, Any]) -> Learned:  # noqa: ARG001
    counted = {int(item["label"]): int(item["count"]) for item in answers["rows"]}
    return {"rows": {str(label): counted[label] for label in sorted(counted)}}


@change.register(Balance)
def _(step: Balance, learned: Learned) -> Change:
    if step.method == "weights":
        return Change(taught=(_weights(learned["rows"]),))
    chosen = pl.col(LABEL).map_batches(lambda labels: _chosen(step, labels), return_dtype=pl.UInt32)
    return Change(resample=chosen)


def _weights(rows: Mapping[str, int]) -> pl.Expr:
    """Weigh each of k classes with N / (k n), as scikit-learn's ``balanced`` does."""
    total = sum(rows.values())
    weight = {int(label): total / (len(rows) * count) if count else 1.0 for label, count in rows.items()}
    return pl.col(LABEL).replace_strict(weight, default=1.0, return_dtype=pl.Float64).alias(WEIGHT)


def _chosen(step: Balance, labels: pl.Series) -> pl.Series:
    """Number the rows that are learned from: those there are, in order, then those that stand in once more."""
    import numpy as np

    values = labels.to_numpy()
    random = np.random.default_rng(step.seed)
    classes = sorted((np.flatnonzero(values == label) for label in np.unique(values)), key=len)
    if not classes:
        return pl.Series([], dtype=pl.UInt32)
    rarest, others, most = classes[0], classes[1:], classes[-1]
    if step.method == "under":
        drawn = [random.choice(rows, size=len(rarest), replace=False) for rows in others]
        chosen = np.sort(np.concatenate([rarest, *drawn]))
    else:
        again = [_again(rows, len(most) - len(rows), random) for rows in classes[:-1]]
        chosen = np.concatenate([np.arange(len(values)), *again])
    return pl.Series(chosen, dtype=pl.UInt32)


def _again(rows: NDArray[np.intp], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw rows that stand in once more: each as often as any other, or once more."""
    import numpy as np

    drawn = [random.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate([*drawn, rows[:0]])[:count]


@neutral.register(Balance)
def _(step: Balance, schema: Schema) -> Learned:  # noqa: ARG001
    return {"rows": {"0": 1, "1": 1}}
