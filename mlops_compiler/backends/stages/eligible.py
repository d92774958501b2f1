"""Which trials may be chosen at all, and of the others why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.search import Bound, Select

Row = dict[str, Any]
_TOLD = 8


def excluded(op: Select, rows: list[Row]) -> dict[int, str]:
    """Name the trials that may not be chosen, each with the reasons."""
    told = {int(row["trial"]): "; ".join(_reasons(op, row)) for row in rows}
    return {trial: why for trial, why in told.items() if why}


def refuse_none_left(rows: list[Row], why: dict[int, str], span: Span | None) -> None:
    """Refuse a selection that leaves no trial.

    Raises:
        DataError: Every trial breaks something.
    """
    if any(int(row["trial"]) not in why for row in rows):
        return
    notes = (Note(text=f"{row['model']} (trial {row['trial']}): {why[int(row['trial'])]}") for row in rows[:_TOLD])
    raise DataError(
        [
            Diagnostic(
                code="nothing-to-select",
                headline=f"none of {len(rows)} complete trials may be chosen",
                span=span,
                notes=tuple(notes),
                help="loosen `select.constraints`, `select.require` or `search.max_overfit`, or search for longer",
            )
        ]
    )


def broken(op: Select, row: Row) -> list[str]:
    """List the constraints that a trial, or an ensemble, breaks."""
    return [why for bound in op.constraints for why in _broken(bound, row["metrics"][bound.metric])]


def _reasons(op: Select, row: Row) -> Iterator[str]:
    explains = MODELS[row["kind"]].explains
    if op.explanation and not explains & set(op.explanation):
        yield f"cannot be explained by {listing(op.explanation)}"
    yield from broken(op, row)
    if op.max_overfit is not None and row["gap"] is not None and row["gap"] > op.max_overfit:
        shown = f"{row['training']:.4f} on what it learned from, {row['mean']:.4f} on what it did not"
        yield f"overfits by {row['gap']:.4f}, more than {op.max_overfit:g} ({shown})"


def _broken(bound: Bound, value: float) -> Iterator[str]:
    if bound.at_least is not None and value < bound.at_least:
        yield f"{bound.metric} {value:.4f}, at least {bound.at_least:g} asked"
    if bound.at_most is not None and value > bound.at_most:
        yield f"{bound.metric} {value:.4f}, at most {bound.at_most:g} asked"
