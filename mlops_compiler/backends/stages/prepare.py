"""Prepare: fit the preparation once for each fold and once for the release, each on its own training rows only.

What does not depend on a fold is done once, before the rows are dealt to them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.contract import kept_contract, within_losses
from mlops_compiler.backends.stages.rows import Rows, read_rows, scan_snapshot
from mlops_compiler.backends.stages.training import Training, sampled, training_rows
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.probe import suspects
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, NamedStep, Prepare, Project
from mlops_compiler.ir.ops.prepare import Deduplicate, Filter
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.tables.account import ROW, account
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.preparation import FittedPreparation, FittedStep, expand, fit
from mlops_compiler.tables.steps import LABEL, reads
from mlops_compiler.tables.steps.rows import explained
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.evaluation.probe import Suspect
    from mlops_compiler.ir.program import Node

Groups = tuple[tuple[NamedStep, ...], ...]
_ENOUGH = 1_000_000
"""Rows that suspicious features are looked for in, where there are more than can be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The preparation of a program.

    Attributes:
        columns: What is read of the snapshot; None for all.
        filters: The steps that the reading does.
        shared: The steps that run once for all folds; none of them learns anything.
        groups: The other steps, each group with one scan.
        features: The features in the order of the matrix.
        checked: What they must keep, where the recipe says so.
    """

    columns: tuple[str, ...] | None
    filters: tuple[NamedStep, ...]
    shared: tuple[NamedStep, ...]
    groups: Groups
    features: tuple[str, ...]
    checked: CheckFeatures | None = None

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Pipeline:
        """Collect it from the nodes of the stage, fused or not."""
        project = next((node.op for node in nodes if isinstance(node.op, Project)), None)
        return cls(
            columns=project.columns if project else None,
            filters=project.filters if project else (),
            shared=tuple(step for group in _groups(nodes, "table") for step in group),
            groups=_groups(nodes, "fold"),
            features=next(node.op.features for node in nodes if isinstance(node.op, Matrix)),
            checked=next((node.op for node in nodes if isinstance(node.op, CheckFeatures)), None),
        )

    @property
    def steps(self) -> tuple[NamedStep, ...]:
        """All steps, in order."""
        return (*self.filters, *self.shared, *(step for group in self.groups for step in group))

    @property
    def source(self) -> list[str] | None:
        """What all steps together read of the snapshot, those of the reading as well; None for all."""
        if self.columns is None:
            return None
        return list(dict.fromkeys((*self.columns, *(name for named in self.filters for name in reads(named.step)))))

    @property
    def before(self) -> FittedPreparation:
        """The steps that run before the rows are dealt to folds."""
        return _unfitted((*self.filters, *self.shared))


def _groups(nodes: Sequence[Node], scope: str) -> Groups:
    fused = [node.op.steps for node in nodes if isinstance(node.op, FusedPrepare) and node.op.scope == scope]
    loose = [
        NamedStep(name=node.name.removeprefix("prepare."), step=node.op.step, because=node.op.because, span=node.span)
        for node in nodes
        if isinstance(node.op, Prepare) and node.op.scope == scope
    ]
    return (*fused, *group_steps(loose))


def _unfitted(steps: Sequence[NamedStep]) -> FittedPreparation:
    return FittedPreparation(steps=tuple(FittedStep(name=named.name, step=named.step, learned={}) for named in steps))


def fit_preparations(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: A step cannot learn from the rows, or drops more of them than it may.
    """
    pipeline = Pipeline.of(context.task.stage.nodes)
    split = context.inputs["split"].summary
    read = training_rows(context, pipeline.columns, pipeline.filters)
    _, shared = fit((pipeline.shared,), read.rows)
    folds = range(split["folds"])
    fitted = [fit(pipeline.groups, shared.filter(read.learns(fold))) for fold in folds]
    final = _on_all(context, pipeline, read, shared)
    value = {
        "columns": pipeline.columns,
        "source": pipeline.source,
        "filters": [named.name for named in pipeline.filters],
        "shared": _unfitted(pipeline.shared).to_json(),
        "folds": [_entry(pipeline, part, rows.columns) for part, rows in fitted],
        "final": final.entry,
    }
    return Outcome(outputs={"preparations": context.put_json(value), **final.outputs}, summary=final.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAll:
    """A preparation fitted on all training rows, as the release has it.

    Attributes:
        entry: The fitted steps and the features, as JSON.
        source: What it reads of the snapshot; None for all.
        outputs: The rows that it dropped, if any.
        summary: What each step did, how many features there are, and which of them are suspicious.
    """

    entry: dict[str, Any]
    source: list[str] | None
    outputs: dict[str, str]
    summary: dict[str, Any]


def fit_on_all(context: Context, pipeline: Pipeline) -> OnAll:
    """Fit a preparation on all training rows.

    Raises:
        DataError: A step cannot learn from the rows, or drops more of them than it may.
    """
    read = training_rows(context, pipeline.columns, pipeline.filters)
    _, shared = fit((pipeline.shared,), read.rows)
    return _on_all(context, pipeline, read, shared)


def _on_all(context: Context, pipeline: Pipeline, read: Training, shared: pl.DataFrame | Stream) -> OnAll:
    preparation, prepared = fit(pipeline.groups, shared.filter(read.learns()))
    whole = FittedPreparation(steps=(*pipeline.before.steps, *preparation.steps))
    entry = _entry(pipeline, whole, prepared.columns)
    unfiltered = training_rows(context, pipeline.source) if pipeline.filters else read
    steps, dropped = _account(pipeline, whole, unfiltered)
    summary = {
        "steps": steps,
        "quarantined": dropped.height,
        "suspects": [asdict(item) for item in _suspects(context, pipeline, prepared)],
        "features": len(entry["features"]),
        "rows": int(read.learns().sum()),
        **kept_contract(pipeline.checked, entry["features"], prepared),
    }
    outputs = {"quarantine": context.put_table(_quarantine(context, pipeline, dropped))} if dropped.height else {}
    return OnAll(entry=entry, source=pipeline.source, outputs=outputs, summary=summary)


def _quarantine(context: Context, pipeline: Pipeline, dropped: pl.DataFrame) -> pl.DataFrame:
    """Give the rows that were dropped as they were taken in, each with the step and what that asks for."""
    why = {named.name: explained(named.step) for named in pipeline.steps}
    told = dropped.with_columns(reason=pl.col("step").replace_strict(why, return_dtype=pl.String)).drop("op")
    wanted = dropped.select("row").unique()
    snapshot = Stream.scan(scan_snapshot(context)).numbered("row")
    whole = pl.concat(part.join(wanted, on="row", how="semi") for part in snapshot.batches())
    return told.join(whole, on="row", how="left", maintain_order="left").drop("row")


def _suspects(context: Context, pipeline: Pipeline, prepared: pl.DataFrame | Stream) -> tuple[Suspect, ...]:
    """Look for training features that tell the target almost by themselves; some rows of very many tell as well."""
    task = context.inputs["split"].summary["task"]
    if not learns_from_target(task):
        return ()
    prepared = sampled(prepared, _ENOUGH) if isinstance(prepared, Stream) else prepared
    columns = {
        name: [column for column in expand([name], prepared.columns) if column in prepared.columns]
        for name in pipeline.features
    }
    features = {name: prepared.select(found) for name, found in columns.items() if found}
    return suspects(features, prepared[LABEL].to_numpy(), task)


def _account(pipeline: Pipeline, whole: FittedPreparation, read: Training) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Tell what each step did to the training rows, and refuse a filter that drops too many."""
    told, dropped = account(whole, read.numbered(ROW).filter(read.learns()))
    for entry, named in zip(told, pipeline.steps, strict=True):
        entry["because"] = named.because
        within_loss(named, entry["rows_in"], entry["rows_out"])
    within_losses(pipeline.checked, told)
    return told, dropped


def _entry(pipeline: Pipeline, preparation: FittedPreparation, columns: Sequence[str]) -> dict[str, Any]:
    features = features_of(pipeline, preparation.steps, columns)
    return {"preparation": preparation.to_json(), "features": features}


def features_of(pipeline: Pipeline, steps: Sequence[FittedStep], columns: Sequence[str]) -> list[str]:
    """Name the features that are there once a preparation is fitted.

    Args:
        pipeline: The preparation.
        steps: Its steps, fitted.
        columns: Those of the prepared rows.

    Raises:
        DataError: None is left.
    """
    removed = {name for item in steps for name in item.learned.get("removed", ())}
    features = [name for name in expand(pipeline.features, columns) if name not in removed]
    if not features:
        raise DataError([_nothing_left(pipeline)])
    return features


def _nothing_left(pipeline: Pipeline) -> Diagnostic:
    last = pipeline.steps[-1]
    return Diagnostic(
        code="no-features",
        headline=f"no feature is left after step `{last.name}`",
        span=last.span,
        help="let it keep more columns",
    )


def shared_rows(context: Context, preparations: dict[str, Any]) -> Rows:
    """Read the rows of the folds, with the steps done that run once for all of them."""
    filters = _filters(preparations)
    read = read_rows(context, preparations["columns"], filters)
    frame = FittedPreparation.from_json(preparations["shared"]).transform(read.beside_naive, "scoring")
    return Rows(frame=frame, split=read.split)


def _filters(preparations: dict[str, Any]) -> list[NamedStep]:
    steps = FittedPreparation.from_json(preparations["final"]["preparation"]).steps
    return [NamedStep(name=item.name, step=item.step) for item in steps if item.name in preparations["filters"]]


def within_loss(named: NamedStep, rows_in: int, rows_out: int) -> None:
    """Refuse a filter, or a deduplication, that drops more of the training rows than it may.

    Raises:
        DataError: It does.
    """
    if not isinstance(named.step, Filter | Deduplicate):
        return
    lost = 1 - rows_out / max(1, rows_in)
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
