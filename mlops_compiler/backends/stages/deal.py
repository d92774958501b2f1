"""Deals rows: from which each fold's model learns, by which it is judged, and likewise for the model that is released.

A fold is judged by a model that saw none of its rows; where rows are ordered by time, none that came after it either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.stages.windows import Order, apart, learned_before
from mlops_compiler.diagnostics import DataError, Diagnostic, listing
from mlops_compiler.ir.ops.lifecycle import Stretch
from mlops_compiler.ir.task import has_classes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.lifecycle import Split

    Labels = NDArray[np.int64]
    Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one model learns from, and what it is judged by; shape (rows,) each, and no row is in both."""

    learns: Chosen
    judges: Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """All rows dealt.

    Attributes:
        final: For the model that is released: it is judged by the holdout.
        folds: For each fold of each repeat.
    """

    final: Part
    folds: tuple[Part, ...]


def deal(
    op: Split, labels: Labels, order: Order, span: Span | None = None, stays: NDArray[np.int8] | None = None
) -> Dealt:
    """Deal rows.

    Args:
        op: The kinds of split, their sizes and the seed.
        labels: What a stratified split keeps in proportion: the number of each row's class, from 0; of a regression
            which of the equal shares of the values it is in.
        order: What keeps rows apart or together.
        span: Where the recipe names the target.
        stays: Which rows were dealt before: 1 to learn from, 2 to judge by, 0 anew; shape (rows,).

    Raises:
        DataError: There are too few rows, groups or times, or too few rows of one class.
    """
    _enough(op, labels, span)
    earlier = _earlier_rows(op, labels, order, span)
    if stays is not None and stays.any():
        earlier = _as_before(earlier, order, stays)
    final = Part(learns=earlier, judges=~earlier)
    if _late(op) and op.holdout_gap is not None:
        final = Part(learns=learned_before(order, final.judges, op.holdout_gap, None), judges=final.judges)
    if not final.learns.any():
        raise DataError([_too_few("the gap before the holdout leaves nothing to learn from", span)])
    if _late(op):
        final = Part(learns=apart(order, final.learns, final.judges), judges=final.judges)
    if not final.learns.any():
        raise DataError([_too_few(f"every {listing(op.group or ())} before the holdout has rows in it as well", span)])
    found = deal_within(op, labels, order, final, span)
    _every_class(op, labels, found, span)
    return found


def deal_within(op: Split, labels: Labels, order: Order, final: Part, span: Span | None = None) -> Dealt:
    """Deal what a final model learns from into folds.

    Raises:
        DataError: There are too few rows, groups or times, or too few rows of one class.
    """
    if op.folds != "time_ordered":
        folds = (part for repeat in range(op.repeats) for part in _folds(op, labels, order, final, repeat, span))
        return Dealt(final=final, folds=tuple(folds))
    blocks = _blocks(op, order, final.learns, span)
    most = _longest(op, int((blocks == 0).sum()))
    ordered = tuple(_in_order(op, order, blocks, most, final.learns))
    if most is not None and _late(op):  # the released model is made as those were that were judged
        recent = learned_before(order, final.judges, op.holdout_gap, most)
        final = Part(learns=final.learns & recent, judges=final.judges)
    return Dealt(final=final, folds=ordered)


def outer_parts(op: Split, labels: Labels, order: Order, learns: Chosen) -> tuple[Part, ...]:
    """Deal rows into outer folds, of each of which the rest is a whole to be dealt again."""
    whole = Part(learns=learns, judges=np.zeros(len(learns), dtype=bool))
    if op.folds != "time_ordered":
        return tuple(_folds(op, labels, order, whole, 0, None))
    blocks = _blocks(op, order, learns, None)
    return tuple(_in_order(op, order, blocks, None, learns))


def _late(op: Split) -> bool:
    return op.holdout == "time_ordered"


def _longest(op: Split, first: int) -> Stretch | None:
    """Say how far back a model looks; a window that rolls is as long as the first, where nothing else is said."""
    if op.window != "rolling":
        return None
    return op.max_train or Stretch(rows=first)


def _earlier_rows(op: Split, labels: Labels, order: Order, span: Span | None) -> Chosen:
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
    return _mask(len(labels), training)


def _as_before(earlier: Chosen, order: Order, stays: NDArray[np.int8]) -> Chosen:
    """Leave rows on the side that they were on, and their groups with them."""
    learned, judged = stays == 1, stays == 2  # noqa: PLR2004 - as a split has it
    if order.group is not None:  # a group of both sides teaches no more than it did
        judged |= np.isin(order.group, order.group[judged])
        learned |= np.isin(order.group, order.group[learned])
    found: Chosen = (earlier | learned) & ~(judged & ~learned)
    return found


def _mask(rows: int, chosen: NDArray[np.intp]) -> Chosen:
    found = np.zeros(rows, dtype=bool)
    found[chosen] = True
    return found


def _earlier(op: Split, time: NDArray[np.uint32], span: Span | None) -> Chosen:
    """Choose all rows but the latest; rows of one time stay on one side."""
    counts = np.bincount(time)
    later = counts[::-1].cumsum()[::-1]  # of each time, how many rows are as late or later
    late = later <= op.fraction * len(time)
    late[0] = False
    if not late[: time.max() + 1].any() or late[time.min()]:
        raise DataError([_too_few_times(op, span)])
    earlier: Chosen = ~late[time]
    return earlier


def _folds(op: Split, labels: Labels, order: Order, final: Part, repeat: int, span: Span | None) -> Iterator[Part]:
    """Deal the training rows into the folds of one repeat."""
    from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

    rows = np.flatnonzero(final.learns)
    some, group = labels[rows], None if order.group is None else order.group[rows]
    if op.folds == "grouped" and group is not None and len(np.unique(group)) < op.k:
        raise DataError([_too_few_groups(op, span)])
    if (least := int(np.bincount(some).min())) < op.k:
        what = f"{_rarest(op)} has {least} rows to train on, too few for {op.k} folds"
        raise DataError([_too_few(what, span)])
    kinds = {"stratified": StratifiedKFold, "random": KFold, "grouped": StratifiedGroupKFold}
    names = ("folds", str(repeat)) if repeat else ("folds",)
    dealer = kinds[op.folds](n_splits=op.k, shuffle=True, random_state=seed_of(op.seed, *names))
    for _, held in dealer.split(some, some, group):
        judges = _mask(len(labels), rows[held])
        yield Part(learns=final.learns & ~judges, judges=judges)


def _blocks(op: Split, order: Order, learns: Chosen, span: Span | None) -> NDArray[np.intp]:
    """Cut the training rows into one block for training and `k` to judge by, about as long; a time is in one block.

    Returns:
        The number of each row's block; -1 of rows that are not to learn from.
    """
    if order.time is None:
        raise ValueError("folds in order of time need a time")
    time = order.time[learns]
    counts = np.bincount(time)
    before = counts.cumsum() - counts
    blocks = np.full(len(learns), -1, dtype=np.intp)
    blocks[learns] = (before * (op.k + 1) // len(time))[time]
    if len(np.unique(blocks[learns])) < op.k + 1:
        raise DataError([_too_few_times(op, span)])
    return blocks


def _in_order(
    op: Split, order: Order, blocks: NDArray[np.intp], most: Stretch | None, learns: Chosen
) -> Iterator[Part]:
    for fold in range(op.k):
        judges = blocks == fold + 1
        before = learned_before(order, judges, op.gap, most) & learns
        yield Part(learns=apart(order, before, judges), judges=judges)


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
        "anomaly_detection": "the snapshot" if op.target is None else f"what `{op.target}` calls odd",
    }
    return names[op.task]


def _every_class(op: Split, labels: Labels, dealt: Dealt, span: Span | None) -> None:
    """Find a part that lacks a class, as groups and times may make one.

    What models learn from holds every class; what they are judged by holds two at least, or a row where there are no
    classes.
    """
    parts = {"the holdout": dealt.final, **{f"fold {fold + 1}": part for fold, part in enumerate(dealt.folds)}}
    for name, part in parts.items():
        found = len(np.unique(labels[part.judges]))
        if found < (2 if has_classes(op.task) else 1):
            only = f"rows of {_counted(found)} of `{op.target}` only" if found else "no rows"
            raise DataError([_too_few(f"{name} has {only}", span)])
    classes = len(np.unique(labels))
    for name, part in parts.items():
        found, taught = len(np.unique(labels[part.learns])), name.replace("the holdout", "the final model")
        if not found:
            raise DataError([_too_few(f"{taught} has no rows to learn from", span)])
        if has_classes(op.task) and found < classes:
            raise DataError([_too_few(f"what {taught} learns from has {_counted(found)} of `{op.target}` only", span)])


def _counted(classes: int) -> str:
    return "one class" if classes == 1 else f"{classes} classes"


def _too_few_times(op: Split, span: Span | None) -> Diagnostic:
    return _too_few(f"`{op.time}` has too few different values for a holdout and {op.k} folds in order of time", span)


def _too_few_groups(op: Split, span: Span | None) -> Diagnostic:
    return _too_few(
        f"{listing(op.group or ())} has too few different values for a holdout and {op.k} folds of whole groups", span
    )


def _too_few(headline: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="too-few-rows",
        headline=headline,
        span=span,
        help="use fewer folds or another fraction under `validate`, or get more data",
    )
