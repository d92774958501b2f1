"""Deals rows into parts: -1 is the holdout, -2 is for training only, 0, 1, ... are the folds.

A fold is judged by a model that saw none of its rows; where rows are ordered by time, none that came after it either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.task import has_classes

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.lifecycle import Split

    Labels = NDArray[np.int64]

HOLDOUT, TRAINING_ONLY = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What holds rows apart or together, beside their labels.

    Attributes:
        time: The rank of each row's time, from 1, equal for equal times; shape (rows,).
        group: A number for each row's group; shape (rows,).
    """

    time: NDArray[np.uint32] | None = None
    group: NDArray[np.uint32] | None = None

    def at(self, rows: NDArray[np.intp]) -> Order:
        """Give the order of some rows."""
        return Order(
            time=None if self.time is None else self.time[rows],
            group=None if self.group is None else self.group[rows],
        )


def training_rows(parts: pl.Series, fold: int, *, ordered: bool) -> pl.Series:
    """Say which rows a fold's model is trained on; shape (rows,).

    Args:
        parts: The part of each row.
        fold: The fold.
        ordered: Whether folds are ordered by time, so that nothing may come after what is judged.
    """
    if ordered:
        return (parts == TRAINING_ONLY) | ((parts >= 0) & (parts < fold))
    return (parts != HOLDOUT) & (parts != fold)


def deal(op: Split, labels: Labels, order: Order, span: Span | None = None) -> NDArray[np.int8]:
    """Deal rows into parts.

    Args:
        op: The kinds of split, their sizes and the seed.
        labels: What a stratified split keeps in proportion: the number of each row's class, from 0; of a regression
            which of the equal shares of the values it is in.
        order: What keeps rows apart or together.
        span: Where the recipe names the target.

    Returns:
        The part of each row, shape (rows,).

    Raises:
        DataError: There are too few rows, groups or times, or too few rows of one class.
    """
    _enough(op, labels, span)
    parts = np.full(len(labels), HOLDOUT, dtype=np.int8)
    training = np.sort(_training(op, labels, order, span))
    parts[training] = _folds(op, labels[training], order.at(training), span)
    _every_class(op, labels, parts, span)
    return parts


def _training(op: Split, labels: Labels, order: Order, span: Span | None) -> NDArray[np.intp]:
    """Choose the rows that are not the holdout."""
    from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

    if op.holdout == "time_ordered" and order.time is not None:
        return _earlier(op, order.time, span)
    kinds = {"stratified": StratifiedShuffleSplit, "random": ShuffleSplit, "grouped": GroupShuffleSplit}
    chooser = kinds[op.holdout](n_splits=1, test_size=op.fraction, random_state=seed_of(op.seed, "holdout"))
    try:
        training, _ = next(chooser.split(labels, labels, order.group))
    except ValueError:  # one group, which cannot be on both sides
        raise DataError([_too_few_groups(op, span)]) from None
    rows: NDArray[np.intp] = training
    return rows


def _earlier(op: Split, time: NDArray[np.uint32], span: Span | None) -> NDArray[np.intp]:
    """Choose all rows but the latest; rows of one time stay on one side."""
    counts = np.bincount(time)
    later = counts[::-1].cumsum()[::-1]  # of each time, how many rows are as late or later
    late = later <= op.fraction * len(time)
    late[0] = False
    if not late[: time.max() + 1].any() or late[time.min()]:
        raise DataError([_too_few_times(op, span)])
    return np.flatnonzero(~late[time])


def _folds(op: Split, labels: Labels, order: Order, span: Span | None) -> NDArray[np.int8]:
    """Deal the training rows into folds."""
    from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

    if op.folds == "time_ordered" and order.time is not None:
        return _blocks(op, order.time, span)
    if op.folds == "grouped" and order.group is not None and len(np.unique(order.group)) < op.k:
        raise DataError([_too_few_groups(op, span)])
    if (least := int(np.bincount(labels).min())) < op.k:
        what = f"{_rarest(op)} has {least} rows to train on, too few for {op.k} folds"
        raise DataError([_too_few(what, span)])
    kinds = {"stratified": StratifiedKFold, "random": KFold, "grouped": StratifiedGroupKFold}
    parts = np.zeros(len(labels), dtype=np.int8)
    folds = kinds[op.folds](n_splits=op.k, shuffle=True, random_state=seed_of(op.seed, "folds"))
    for fold, (_, held) in enumerate(folds.split(labels, labels, order.group)):
        parts[held] = fold
    return parts


def _blocks(op: Split, time: NDArray[np.uint32], span: Span | None) -> NDArray[np.int8]:
    """Cut the rows into one block for training and `k` to judge by, by time, about as long; a time is in one block."""
    counts = np.bincount(time)
    before = counts.cumsum() - counts
    blocks = (before * (op.k + 1) // len(time))[time]
    if len(np.unique(blocks)) < op.k + 1:
        raise DataError([_too_few_times(op, span)])
    return np.where(blocks == 0, TRAINING_ONLY, blocks - 1).astype(np.int8)


def _enough(op: Split, labels: Labels, span: Span | None) -> None:
    least = int(np.bincount(labels, minlength=1).min())
    # Each class must show up in the holdout and in each fold, with some left to train on.
    if least * (1 - op.fraction) < op.k or least * op.fraction < 1:
        what = f"{_rarest(op)} has {least} rows, too few for {op.k} folds"
        raise DataError([_too_few(what, span)])


def _rarest(op: Split) -> str:
    """Name the rows of the rarest label."""
    names = {
        "binary_classification": f"the rarer class of `{op.target}`",
        "multiclass_classification": f"the rarest class of `{op.target}`",
        "regression": f"a share of the values of `{op.target}`",
        "clustering": "the snapshot",
    }
    return names[op.task]


def _every_class(op: Split, labels: Labels, parts: NDArray[np.int8], span: Span | None) -> None:
    """Find a part that lacks a class, as groups and times may make one.

    What models learn from holds every class; what they are judged by holds two at least, or a row where there are no
    classes.
    """
    for part, name in {HOLDOUT: "the holdout", **{fold: f"fold {fold + 1}" for fold in range(op.k)}}.items():
        found = len(np.unique(labels[parts == part]))
        if found < (2 if has_classes(op.task) else 1):
            only = f"rows of {_counted(found)} of `{op.target}` only" if found else "no rows"
            raise DataError([_too_few(f"{name} has {only}", span)])
    ordered = op.folds == "time_ordered"
    learned = [parts != HOLDOUT]
    learned += [
        (parts == TRAINING_ONLY) | ((parts >= 0) & (parts < fold)) if ordered else (parts != HOLDOUT) & (parts != fold)
        for fold in range(op.k)
    ]
    classes = len(np.unique(labels))
    for fold, rows in enumerate(learned):
        if has_classes(op.task) and (found := len(np.unique(labels[rows]))) < classes:
            name = f"what fold {fold} learns from" if fold else "what is not the holdout"
            raise DataError([_too_few(f"{name} has rows of {_counted(found)} of `{op.target}` only", span)])


def _counted(classes: int) -> str:
    return "one class" if classes == 1 else f"{classes} classes"


def _too_few_times(op: Split, span: Span | None) -> Diagnostic:
    return _too_few(f"`{op.time}` has too few different values for a holdout and {op.k} folds in order of time", span)


def _too_few_groups(op: Split, span: Span | None) -> Diagnostic:
    return _too_few(f"`{op.group}` has too few different values for a holdout and {op.k} folds of whole groups", span)


def _too_few(headline: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="too-few-rows",
        headline=headline,
        span=span,
        help="use fewer folds or another fraction under `validate`, or get more data",
    )
