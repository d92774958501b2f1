"""Split: deal every row of the snapshot into the holdout (-1) or into one of the folds (0, 1, ...), for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.diagnostics import DataError, Diagnostic, did_you_mean
from mlops_compiler.ir.ops.lifecycle import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Scalar

HOLDOUT = -1
BINARY = 2


def split_rows(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: The target does not have two classes with rows enough for every fold.
    """
    op = context.op(Split)
    target = context.read_table("snapshot", "snapshot", [op.target])[op.target]
    span = context.task.stage.nodes[0].span
    classes = _classes(op, target, span)
    labels = (target == op.positive).cast(pl.Int8)
    parts = deal(op, labels.to_numpy(), span)
    digest = context.put_table(pl.DataFrame({"part": pl.Series(parts, dtype=pl.Int8), "label": labels}))
    held = int((parts == HOLDOUT).sum())
    summary = {
        "classes": classes,
        "positive_rows": int(labels.sum()),
        "rows": len(labels),
        "training_rows": len(labels) - held,
        "holdout_rows": held,
        "folds": op.k,
    }
    return Outcome(outputs={"split": digest}, summary=summary)


def deal(op: Split, labels: NDArray[np.int8], span: Span | None = None) -> NDArray[np.int8]:
    """Deal rows into parts.

    Args:
        op: The kinds of split, their sizes and the seed.
        labels: 0 or 1 for each row; what a stratified split keeps in proportion.
        span: Where the recipe names the target.

    Returns:
        For each row -1 (holdout) or its fold, shape (rows,).

    Raises:
        DataError: There are too few rows, or too few of one class.
    """
    import numpy as np
    from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

    _enough(op, labels, span)
    rows = np.arange(len(labels))
    outer = StratifiedShuffleSplit if op.holdout == "stratified" else ShuffleSplit
    inner = StratifiedKFold if op.folds == "stratified" else KFold
    chooser = outer(n_splits=1, test_size=op.fraction, random_state=seed_of(op.seed, "holdout"))
    training, _ = next(chooser.split(rows, labels))
    parts = np.full(len(labels), HOLDOUT, dtype=np.int8)
    training.sort()
    folds = inner(n_splits=op.k, shuffle=True, random_state=seed_of(op.seed, "folds"))
    for fold, (_, held) in enumerate(folds.split(training, labels[training])):
        parts[training[held]] = fold
    return parts


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


def _enough(op: Split, labels: NDArray[np.int8], span: Span | None) -> None:
    least = min(int(labels.sum()), int(len(labels) - labels.sum()))
    # Each class must show up in the holdout and in each fold, with some left to train on.
    if least * (1 - op.fraction) < op.k or least * op.fraction < 1:
        raise DataError(
            [
                Diagnostic(
                    code="too-few-rows",
                    headline=f"the rarer class of `{op.target}` has {least} rows, too few for {op.k} folds",
                    span=span,
                    help="use fewer folds or another fraction under `validate`, or get more data",
                )
            ]
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
        help="make a column with two values, or choose another target",
    )
