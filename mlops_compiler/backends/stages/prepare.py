"""Prepare: fit the preparation once for each fold and once for the release, each on its own training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.deal import HOLDOUT, training_rows
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.ops.lifecycle import FusedPrepare, Matrix, NamedStep, Prepare, Project
from mlops_compiler.ir.ops.prepare import Filter
from mlops_compiler.tables.account import account
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.preparation import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.program import Node
    from mlops_compiler.tables.preparation import FittedPreparation

LABEL = "\x00label"
"""The encoded target travels with the rows under a name that no recipe can write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The preparation of a program: what to read, the steps in groups, the features in the order of the matrix."""

    columns: tuple[str, ...] | None
    groups: tuple[tuple[NamedStep, ...], ...]
    features: tuple[str, ...]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Pipeline:
        """Collect it from the nodes of the stage, fused or not."""
        columns = next((node.op.columns for node in nodes if isinstance(node.op, Project)), None)
        groups = [node.op.steps for node in nodes if isinstance(node.op, FusedPrepare)]
        loose = [
            NamedStep(
                name=node.name.removeprefix("prepare."),
                step=node.op.step,
                because=node.op.because,
                span=node.span,
            )
            for node in nodes
            if isinstance(node.op, Prepare)
        ]
        features = next(node.op.features for node in nodes if isinstance(node.op, Matrix))
        return cls(columns=columns, groups=(*groups, *group_steps(loose)), features=features)

    @property
    def steps(self) -> tuple[NamedStep, ...]:
        """All steps, in order."""
        return tuple(step for group in self.groups for step in group)


def labelled_rows(context: Context, columns: Sequence[str] | None) -> tuple[pl.DataFrame, pl.Series]:
    """Read the snapshot with the encoded target beside it.

    Returns:
        The rows, with the label in `LABEL`, and the part that each belongs to.
    """
    split = context.read_table("split", "split")
    rows = context.read_table("snapshot", "snapshot", list(columns) if columns else None)
    return rows.with_columns(split["label"].alias(LABEL)), split["part"]


def fit_preparations(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: A step cannot learn from the rows, or drops more of them than it may.
    """
    pipeline = Pipeline.of(context.task.stage.nodes)
    rows, parts = labelled_rows(context, pipeline.columns)
    split = context.inputs["split"].summary
    training_of = [training_rows(parts, fold, ordered=split["ordered"]) for fold in range(split["folds"])]
    fitted = [_fit(pipeline, rows.filter(mask)) for mask in training_of]
    training = rows.filter(parts != HOLDOUT)
    final = _fit(pipeline, training)
    told = account(final[0], training.drop(LABEL))
    for entry, named in zip(told, pipeline.steps, strict=True):
        entry["because"] = named.because
        _within_loss(named, entry)
    value = {
        "columns": pipeline.columns,
        "folds": [_entry(*item) for item in fitted],
        "final": _entry(*final),
    }
    summary = {"steps": told, "features": len(final[1]), "rows": training.height}
    return Outcome(outputs={"preparations": context.put_json(value)}, summary=summary)


def _fit(pipeline: Pipeline, rows: pl.DataFrame) -> tuple[FittedPreparation, list[str]]:
    preparation, prepared = fit(pipeline.groups, rows)
    return preparation, expand(pipeline.features, prepared.columns)


def expand(features: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Name the features that stand behind each open one (``contract=*``), in the order of the table."""
    named: list[str] = []
    for feature in features:
        if feature.endswith("*"):
            named += [column for column in columns if column.startswith(feature[:-1])]
        else:
            named.append(feature)
    return named


def _entry(preparation: FittedPreparation, features: list[str]) -> dict[str, Any]:
    return {"preparation": preparation.to_json(), "features": features}


def _within_loss(named: NamedStep, entry: dict[str, Any]) -> None:
    if not isinstance(named.step, Filter):
        return
    lost = 1 - entry["rows_out"] / max(1, entry["rows_in"])
    most = named.step.max_loss
    if lost > most:
        raise DataError(
            [
                Diagnostic(
                    code="too-much-loss",
                    headline=f"step `{named.name}` drops {lost:.1%} of the rows, more than `max_loss: {most:g}`",
                    span=named.span,
                )
            ]
        )
