"""Split: deal every row of the snapshot into the holdout or one of the folds, once and for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.deal import HOLDOUT, Order, deal
from mlops_compiler.diagnostics import DataError, Diagnostic, did_you_mean
from mlops_compiler.ir.ops.lifecycle import Split

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Scalar

BINARY = 2


def split_rows(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: The target does not have two classes with rows enough for every fold.
    """
    op = context.op(Split)
    named = [name for name in dict.fromkeys((op.target, op.time, op.group)) if name is not None]
    rows = context.read_table("snapshot", "snapshot", named)
    target = rows[op.target]
    span = context.task.stage.nodes[0].span
    classes = _classes(op, target, span)
    labels = (target == op.positive).cast(pl.Int8)
    order = Order(
        time=None if op.time is None else rows[op.time].rank("dense").to_numpy(),
        group=None if op.group is None else rows[op.group].rank("dense").to_numpy(),
    )
    parts = deal(op, labels.to_numpy(), order, span)
    digest = context.put_table(pl.DataFrame({"part": pl.Series(parts, dtype=pl.Int8), "label": labels}))
    held = int((parts == HOLDOUT).sum())
    summary = {
        "classes": classes,
        "positive_rows": int(labels.sum()),
        "rows": len(labels),
        "training_rows": len(labels) - held,
        "holdout_rows": held,
        "folds": op.k,
        "ordered": op.folds == "time_ordered",
    }
    return Outcome(outputs={"split": digest}, summary=summary)


def _classes(op: Split, target: pl.Series, span: Span | None) -> list[Scalar]:
    """Name the two classes, the negative one first."""
    found: list[Any] = target.unique().sort().to_list()
    if len(found) == 1:
        raise DataError([_one_class(op, found[0], span)])
    if op.positive not in found:
        raise DataError([_no_positive(op, found, span)])
    if len(found) > BINARY:
        raise DataError([_many_classes(op, found, span)])
    return [next(value for value in found if value != op.positive), op.positive]


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
        help="make a column with two values, or choose another target",
    )
