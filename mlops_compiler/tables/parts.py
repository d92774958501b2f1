"""Columns that no step brings together can be learned from apart: each is then read once, however deep its steps are.

A column is held while all its steps learn from it in turn, and let go of. Without that each level of steps that depend
on each other would read it anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import (
    Aggregate,
    ByRows,
    Derive,
    Drop,
    Filter,
    Impute,
    ImputeModel,
    Rename,
    Selection,
    is_fitted,
)
from mlops_compiler.tables.fusion import group_steps, scans
from mlops_compiler.tables.steps import adds_up, makes, opens, reads, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.ir.ops.prepare import StepOp

Part = frozenset[str]
_TEXT, _NUMBER = 16, 8
"""Bytes that a value takes in memory."""


def parts(steps: Sequence[NamedStep], columns: Iterable[str]) -> list[Part]:
    """Cut columns into the smallest sets that no step reaches across.

    Args:
        steps: The steps.
        columns: The columns that reach the first of them.

    Returns:
        Disjoint sets that hold all columns, those that steps make as well; one of all where a step chooses among
        columns or rows. Those of which only rows are counted, once, are put together.
    """
    sets = {name: {name} for name in columns}
    for named in steps:
        if isinstance(named.step, Selection | ByRows | Filter):
            return [frozenset(sets) | {made for item in steps for made in (*makes(item.step), *opens(item.step))}]
        for linked in _linked(named.step):
            merged = set().union(*(sets.get(name, {name}) for name in linked))
            sets |= dict.fromkeys(merged, merged)
    found = list({id(part): frozenset(part) for part in sets.values()}.values())
    counted = [part for part in found if only_counts(of_part(steps, part))]
    others = [part for part in found if part not in counted]
    return [*([frozenset().union(*counted)] if counted else []), *others]


def _linked(step: StepOp) -> list[set[str]]:
    """Name the sets of columns that a step reads together, each with what it makes from them."""
    together = isinstance(step, Aggregate | ImputeModel) or (isinstance(step, Impute) and bool(step.by))
    if together:
        return [{*reads(step), *writes(step)}]
    return [{name, *parents} for name, parents in {**makes(step), **opens(step)}.items()]


def only_counts(steps: Sequence[NamedStep]) -> bool:
    """Whether all that steps learn are counts, from one scan: no column of theirs need be held."""
    return scans(group_steps(steps)) <= 1 and all(adds_up(named.step) for named in steps if is_fitted(named.step))


def of_part(steps: Sequence[NamedStep], part: Part) -> list[NamedStep]:
    """Cut steps down to what they do to the columns of a part."""
    found = ((named, _restricted(named.step, part)) for named in steps)
    return [replace(named, step=step) for named, step in found if step is not None]


def _restricted(step: StepOp, part: Part) -> StepOp | None:
    match step:
        case Derive(expressions=expressions, remove=remove):
            made = tuple(pair for pair in expressions if pair[0] in part)
            gone = tuple(name for name in remove if name in part)
            return replace(step, expressions=made, remove=gone) if made else Drop(columns=gone) if gone else None
        case Rename(names=names):
            kept = tuple(pair for pair in names if pair[0] in part)
            return replace(step, names=kept) if kept else None
        case _ if isinstance(step, Filter | Selection | ByRows):
            return step
        case _:
            columns = tuple(name for name in step.columns if name in part)
            return replace(step, columns=columns) if columns else None


def size_of(names: Iterable[str], schema: Mapping[str, pl.DataType], height: int) -> int:
    """Estimate the bytes that columns take in memory."""
    return height * sum(_TEXT if schema[name] == pl.String() else _NUMBER for name in names)
