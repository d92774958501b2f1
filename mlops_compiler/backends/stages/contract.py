"""The contract after preparation, in the stage that prepares: a breach ends it, or is recorded and told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, Sink
from mlops_compiler.tables.feature_contract import check_features
from mlops_compiler.tables.preparation import expand
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from mlops_compiler.ir.ops.features import CheckFeatures


def kept_contract(op: CheckFeatures | None, features: Sequence[str], prepared: pl.DataFrame | Stream) -> dict[str, Any]:
    """Check the features of the release against the contract of the recipe.

    Args:
        op: The contract, if there is one.
        features: The features by their full names.
        prepared: The prepared rows that the release learns from.

    Returns:
        What to record: ``contract``, what became of each part, and ``doubts``, breaches that only warn; nothing
        where the recipe has no such contract.

    Raises:
        DataError: The features break it: all of it.
    """
    if op is None:
        return {}
    if isinstance(prepared, Stream):
        named = {name for check in op.checks for name in expand(check.features, prepared.columns)}
        prepared = prepared.collect([name for name in prepared.columns if name in named] or prepared.columns[:1])
    kept, found = check_features(op, features, prepared)
    return {"contract": [asdict(item) for item in kept], "doubts": as_doubts(warned(found))}


def within_losses(op: CheckFeatures | None, told: Iterable[Mapping[str, Any]]) -> None:
    """Refuse steps that lose more rows or values than the recipe lets them.

    Args:
        op: The contract, if there is one.
        told: What each step did to the training rows.

    Raises:
        DataError: Some do; all of them.
    """
    limits = dict(op.losses) if op is not None else {}
    found = []
    for step in told:
        if (most := limits.get(step["step"])) is None:
            continue
        rows = 1 - step["rows_out"] / max(1, step["rows_in"])
        values = step["values_lost"] / max(1, step["values_in"])
        found += [
            _too_much(step["step"], what, lost, most)
            for what, lost in (("rows", rows), ("values", values))
            if lost > most
        ]
    if found:
        raise DataError(found)


def _too_much(step: str, what: str, lost: float, most: float) -> Diagnostic:
    headline = f"step `{step}` loses {lost:.1%} of the {what}, more than `max_loss: {most:g}`"
    return Diagnostic(code="too-much-loss", headline=headline, help="mend the step, or raise `max_loss`")


def warned(found: Iterable[tuple[Diagnostic, str]]) -> list[Diagnostic]:
    """Give the findings that only warn.

    Raises:
        DataError: Some do more than that.
    """
    listed, sink = list(found), Sink()
    for finding, severity in listed:
        if severity == "error":
            sink.add(finding)
    sink.raise_errors(DataError)
    return [finding for finding, _ in listed]


def as_doubts(found: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Write findings that only warn as a stage records them."""
    return [
        {"code": item.code, "headline": item.headline, "notes": [note.text for note in item.notes]} for item in found
    ]
