"""Split: deal every row of the snapshot into the holdout or one of the folds, once and for ever."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.deal import deal
from mlops_compiler.backends.stages.rows import JUDGES, split_table
from mlops_compiler.backends.stages.windows import Order, group_numbers
from mlops_compiler.diagnostics import DataError, Diagnostic, did_you_mean
from mlops_compiler.ir.ops.lifecycle import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Scalar

BINARY = 2
_MOST_CLASSES = 200
_STRATA, _ROWS_OF_A_STRATUM = 10, 20
"""A regression is stratified by tenths of its values, or fewer shares where that many rows are not in each."""


def split_rows(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: The target does not have the classes of the task, with rows enough of each for every fold.
    """
    op = context.op(Split)
    key = op.frozen[0] if op.frozen else None
    columns = dict.fromkeys((op.target, op.time, op.naive, *(op.group or ()), op.weight, key))
    named = [name for name in columns if name is not None]
    rows = context.read_table("snapshot", "snapshot", named or None)
    span = context.task.stage.nodes[0].span
    labels, classes = _labels(op, rows, span)
    stays = stays_of(context, op, rows)
    dealt = deal(op, strata_of(op, labels), order_of(op, rows), span, stays)
    naive = None if op.naive is None else rows[op.naive].cast(pl.Float64)
    digest = context.put_table(split_table(dealt, labels, naive, weights_of(op, rows)))
    summary = {
        "task": op.task,
        "classes": classes,
        **({"positive_rows": int(labels.sum())} if op.task == "binary_classification" else {}),
        "rows": len(labels),
        "training_rows": int(dealt.final.learns.sum()),
        "holdout_rows": int(dealt.final.judges.sum()),
        "folds": op.parts,
        "ordered": op.folds == "time_ordered",
        **({"weight": op.weight} if op.weight else {}),
        **({"stay": {"held_out": int((stays == JUDGES).sum()), "rows": int((stays > 0).sum())}} if op.frozen else {}),
    }
    return Outcome(outputs={"split": digest}, summary=summary)


def stays_of(context: Context, op: Split, rows: pl.DataFrame) -> NDArray[np.int8]:
    """Say which rows stay what they were when the release in place was made: learned from, judging, or new (0)."""
    if op.frozen is None:
        return np.zeros(rows.height, dtype=np.int8)
    key, before, dealt = op.frozen
    known, split = (pl.read_parquet(io.BytesIO(context.store.objects.get(digest))) for digest in (before, dealt))
    roles = known.select(pl.col(key).cast(pl.String)).with_columns(split["final"].alias("was"))
    # A key that came back may stand twice: whoever was learned from once is not judged by.
    roles = roles.filter(pl.col("was") > 0).sort("was", maintain_order=True)
    roles = roles.unique(key, keep="first", maintain_order=True)
    found = rows.select(pl.col(key).cast(pl.String)).join(roles, on=key, how="left", maintain_order="left")
    return found["was"].fill_null(0).cast(pl.Int8).to_numpy()


def weights_of(op: Split, rows: pl.DataFrame) -> pl.Series | None:
    """Read what each row weighs; None where all weigh the same."""
    return None if op.weight is None else rows[op.weight].cast(pl.Float64)


def order_of(op: Split, rows: pl.DataFrame) -> Order:
    """Read what holds rows apart or together."""
    seconds = None
    if op.time is not None and rows[op.time].dtype.is_temporal():
        seconds = rows[op.time].cast(pl.Datetime("us")).dt.epoch("us").to_numpy() / 1e6
    return Order(
        time=None if op.time is None else rows[op.time].rank("dense").to_numpy(),
        group=group_numbers(rows, op.group) if op.group else None,
        seconds=seconds,
    )


def _labels(op: Split, rows: pl.DataFrame, span: Span | None) -> tuple[pl.Series, list[Scalar] | None]:
    """Number what came of each row; zeros where the task has no target."""
    if op.target is None:
        return pl.zeros(rows.height, dtype=pl.Int8, eager=True), None
    return label_rows(op, rows[op.target], span)


def label_rows(op: Split, target: pl.Series, span: Span | None = None) -> tuple[pl.Series, list[Scalar] | None]:
    """Number the classes of a target, or take its values.

    Returns:
        The number of each row's class (Int8 or Int16), or its value (Float64); and the classes in the order of their
        numbers, None where there are none. Of two classes the positive one is number 1; several are sorted.

    Raises:
        DataError: The target does not have the classes of the task, or is not finite.
    """
    if op.task == "regression":
        values = target.cast(pl.Float64)
        if wrong := int((~values.is_finite()).fill_null(value=True).sum()):
            raise DataError([_not_finite(op, wrong, span)])
        if values.n_unique() == 1:
            raise DataError([_one_value(op, values[0], span)])
        return values, None
    if op.task == "anomaly_detection":
        return _odd(op, target, span)
    if op.task == "binary_classification":
        classes = _two_classes(op, target, span)
        return (target == op.positive).cast(pl.Int8), classes
    found: list[Any] = target.unique().sort().to_list()
    if len(found) == 1:
        raise DataError([_one_class(op, found[0], span)])
    if len(found) > _MOST_CLASSES:
        raise DataError([_too_many_classes(op, found, span)])
    return target.rank("dense").cast(pl.Int16) - 1, found


def _odd(op: Split, target: pl.Series, span: Span | None) -> tuple[pl.Series, list[Scalar] | None]:
    """Number the rows that a target calls odd 1, and all others 0."""
    labels = (target == op.positive).cast(pl.Int8)
    if labels.n_unique() == 1:
        found = target.unique().sort().to_list()
        raise DataError([_no_positive(op, found, span) if not labels[0] else _one_class(op, op.positive, span)])
    return labels, [False, True]


def strata_of(op: Split, labels: pl.Series) -> NDArray[np.int64]:
    """Number what a stratified split keeps in proportion: classes, or equal shares of the values."""
    if op.task != "regression":
        return labels.cast(pl.Int64).to_numpy()
    shares = max(1, min(_STRATA, labels.len() // max(_ROWS_OF_A_STRATUM, 2 * op.k)))
    place = (labels.rank("average") - 0.5) / labels.len() * shares
    return place.floor().cast(pl.Int64).rank("dense").cast(pl.Int64).to_numpy() - 1


def _two_classes(op: Split, target: pl.Series, span: Span | None) -> list[Scalar]:
    """Name the two classes, the negative one first."""
    found: list[Any] = target.unique().sort().to_list()
    if len(found) == 1:
        raise DataError([_one_class(op, found[0], span)])
    if op.positive not in found:
        raise DataError([_no_positive(op, found, span)])
    if len(found) > BINARY:
        raise DataError([_many_classes(op, found, span)])
    return [next(value for value in found if value != op.positive), op.positive]


def _not_finite(op: Split, rows: int, span: Span | None) -> Diagnostic:
    headline = f"the target `{op.target}` is not finite in {rows} rows"
    return Diagnostic(code="wrong-target", headline=headline, span=span, help="leave those rows out by `data.where`")


def _one_value(op: Split, only: float, span: Span | None) -> Diagnostic:
    headline = f"the target `{op.target}` has one value only, {only:g}: there is nothing to learn"
    return Diagnostic(code="one-class", headline=headline, span=span)


def _too_many_classes(op: Split, found: list[Any], span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="many-classes",
        headline=f"the target `{op.target}` has {len(found)} values: too many to be classes",
        span=span,
        help="group them by `objective.target_is`, or let the task be a regression",
    )


def _one_class(op: Split, only: object, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="one-class",
        headline=f"the target `{op.target}` has one class only, {only!r}: there is nothing to learn",
        span=span,
        help="take the target from data that have both outcomes",
    )


def _no_positive(op: Split, found: list[Any], span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="wrong-positive",
        headline=f"no row of the target `{op.target}` is {op.positive!r}, the positive value",
        span=span,
        help=did_you_mean(str(op.positive), map(str, found[:20]), otherwise="its values are"),
    )


def _many_classes(op: Split, found: list[Any], span: Span | None) -> Diagnostic:
    shown = ", ".join(map(repr, found[:5])) + (", …" if len(found) > 5 else "")  # noqa: PLR2004 - a line's worth
    return Diagnostic(
        code="many-classes",
        headline=f"the target `{op.target}` has {len(found)} values ({shown}); the task is binary",
        span=span,
        help="let the task be `multiclass_classification`, or make two classes of them by `objective.target_is`",
    )
