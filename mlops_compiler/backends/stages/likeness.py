"""Columns that must be distributed as in a version that was kept: by the measures of `diff` and `explore`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import Diagnostic, Note
from mlops_compiler.explore.drift import stability_index
from mlops_compiler.plan.compare.distributions import shift
from mlops_compiler.store.versions import find_version, versions

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Check, ColumnCheck, Like
    from mlops_compiler.plan.compare.distributions import ColumnShift
    from mlops_compiler.store.versions import Version

_MEASURES = {
    "psi": "the population stability index",
    "numeric": "the Kolmogorov-Smirnov distance",
    "time": "the Kolmogorov-Smirnov distance",
    "levels": "the total variation distance",
}


def likeness(
    context: Context, check: Check, snapshot: str
) -> tuple[list[dict[str, Any]], list[tuple[Diagnostic, str]]]:
    """Compare columns with a version of the data, one column at a time.

    Args:
        context: The stage that takes rows in.
        check: The contract.
        snapshot: The hash that the rows are kept under: no version is compared with itself.

    Returns:
        What to record of each column, and each breach with its severity. The first data of a recipe have nothing
        before them, and break nothing; nor does a column that the version does not have.

    Raises:
        DataError: There is no version of the number that the recipe names.
    """
    told, found = list[dict[str, Any]](), list[tuple[Diagnostic, str]]()
    for column in check.columns:
        if column.like is None or (version := _version(context, column.like, snapshot, column.span)) is None:
            continue
        before, after = (_column(context, digest, column.name) for digest in (version.digest, snapshot))
        if before is None or after is None:
            continue
        moved = shift(before, after)
        measured = _measured(column.like, moved, before, after)
        told.append({"column": column.name, "version": version.number, "measured": measured} | _wanted(column.like))
        if moved is None or measured is None or measured > column.like.at_most:
            found.append((_unlike(column, column.like, version, moved, measured), column.severity))
    return told, found


def _wanted(like: Like) -> dict[str, Any]:
    return {"measure": like.measure, "at_most": like.at_most}


def _version(context: Context, like: Like, snapshot: str, span: Span | None) -> Version | None:
    if like.version is not None:
        return find_version(context.store, context.task.recipe, like.version, span)
    others = [item for item in versions(context.store, context.task.recipe) if item.digest != snapshot]
    return others[-1] if others else None


def _column(context: Context, digest: str, name: str) -> pl.Series | None:
    path = context.store.objects.local_path(digest)
    table = path or io.BytesIO(context.store.objects.get(digest))
    if name not in pl.read_parquet_schema(table):
        return None
    return pl.read_parquet(table, columns=[name])[name]


def _measured(like: Like, moved: ColumnShift | None, before: pl.Series, after: pl.Series) -> float | None:
    """Measure how far a column moved; None where its types have nothing in common."""
    if moved is None:
        return None
    return stability_index(before, after) if like.measure == "psi" else moved.moved


def _unlike(
    column: ColumnCheck, like: Like, version: Version, moved: ColumnShift | None, measured: float | None
) -> Diagnostic:
    if moved is None or measured is None:
        told = f"column `{column.name}` is of another type than in version {version.number}"
        return Diagnostic(code="contract-unlike", headline=told, span=column.span, help="look what the source changed")
    name = _MEASURES[like.measure if like.measure == "psi" else moved.kind]
    return Diagnostic(
        code="contract-unlike",
        headline=f"column `{column.name}` is distributed otherwise than in version {version.number}: {name} is "
        f"{measured:.3f}, and {like.at_most:g} may be",
        span=column.span,
        notes=tuple(Note(text=text) for text in _figures(moved)),
        help="look whether its unit or its population changed, or raise `like.at_most`",
    )


def _figures(moved: ColumnShift) -> list[str]:
    pairs = {**moved.figures, "missing": moved.missing}
    told = [f"{name} {_shown(pair.before)} → {_shown(pair.after)}" for name, pair in pairs.items() if pair.differs]
    if moved.level is not None:
        told.append(f"the share of {moved.level!r} {_shown(moved.share.before)} → {_shown(moved.share.after)}")
    return [", ".join(told)] if told else []


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
