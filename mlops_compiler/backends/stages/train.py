"""Train: fit the chosen model on all training rows, and write down everything that serving it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.search.twin import fit_twin
from mlops_compiler.backends.stages.background import background_of
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.fitting import files_of, fit_chosen, fit_options
from mlops_compiler.backends.stages.folds import prepared
from mlops_compiler.backends.stages.prepare import Pipeline, fit_on_all
from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.ir.ops.intake import Check, History
from mlops_compiler.ir.ops.lifecycle import Split, Train
from mlops_compiler.ir.ops.preparation import Matrix, Vary
from mlops_compiler.ir.origin import origin_of
from mlops_compiler.ir.service_contract import fields_of, request_fields
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.models.registry import MODELS
from mlops_compiler.monitoring.reference import reference_json
from mlops_compiler.passes.decide import preparation_at
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.serving.selftest import EXPECTED, expected_of
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.rows import Rows
    from mlops_compiler.ir.space import Point

FORMAT = 3
"""Raised when the manifest changes its shape."""


def train_model(context: Context) -> Outcome:
    """Run the stage."""
    selection = context.read_json("select", "selection")
    chosen = _chosen(context, tuple(selection["point"]), selection["kind"])
    read = read_rows(context, chosen.source)
    taught = prepared(chosen.entry, read.frame.filter(read.learns()), "training")
    described, models = fit_chosen(context, selection, taught, chosen.entry["features"])
    twin = {}
    if not learns_from_target(context.op(Split).task):
        options = fit_options(context, selection, taught, chosen.entry["features"])
        made = fit_twin(MODELS[selection["kind"]], taught.X, taught.y, selection["parameters"], options)
        twin = {name: context.store.objects.put(content) for name, content in sorted(made.dump().items())}
    manifest = _manifest(context, selection, chosen, described)
    names = [field["name"] for field in manifest["request"]]
    manifest["background"] = background_of(context, read, chosen.entry, names)
    manifest["reference"] = _reference(context, read, names)
    manifest[EXPECTED] = expected_of(Predictor.of(manifest, context.store.objects.get))
    outputs = {
        "manifest": context.put_json(manifest),
        "background": manifest["background"],
        "reference": manifest["reference"],
        "histories": context.put_json([model.history.to_json() if model.history else None for model in models]),
        **files_of(described),
        **{f"twin/{name}": digest for name, digest in twin.items()},
        **chosen.outputs,
    }
    summary = {
        **chosen.summary,
        "model": selection["model"],
        "kind": selection["kind"],
        "rows": len(taught.y),
        "features": taught.X.shape[1],
        "notes": [note for model in models for note in model.notes],
    }
    return Outcome(outputs=outputs, summary=summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """The preparation that was selected, fitted on all training rows.

    Attributes:
        entry: The fitted steps and the features, as JSON.
        source: What it reads of the snapshot; None for all.
        matrix: The features, open ones (``contract=*``) by their star.
        request: The fields that it asks of a request.
        outputs: What the stage keeps of it, where the stage `prepare` has fitted another one.
        summary: What the stage tells of it, likewise.
    """

    entry: dict[str, Any]
    source: list[str] | None
    matrix: tuple[str, ...]
    request: list[dict[str, Any]]
    outputs: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def _reference(context: Context, read: Rows, names: list[str]) -> str:
    """Keep the distributions of the training rows, which monitoring compares traffic with."""
    taught, key = read.frame.filter(read.learns()), context.op(Train).key
    label, classes = taught[LABEL] if LABEL in taught.columns else None, context.inputs["split"].summary["classes"]
    if label is not None and classes is not None:
        label = pl.Series([classes[int(number)] for number in label])
    return context.put_json(reference_json(taught, [name for name in names if name != key], label))


def _season(context: Context) -> _Chosen:
    """Prepare nothing: what a seasonal naive forecast repeats is asked as the source has it."""
    column = str(context.op(Split).naive)
    fields = fields_of(context.task.stage.nodes, {column})
    entry = {"preparation": FittedPreparation(steps=()).to_json(), "features": [column]}
    return _Chosen(entry=entry, source=[column], matrix=(column,), request=fields)


def _chosen(context: Context, point: Point, kind: str) -> _Chosen:
    """Take the preparation of the base from its stage, and fit any other one here; a season needs none."""
    nodes = context.task.stage.nodes
    if kind in MODELS and MODELS[kind].repeats_season:  # an ensemble is no kind of its own, and has no such member
        return _season(context)
    if not point or point == context.op(Vary).variants[0].picks:
        found = context.read_json("prepare", "preparations")
        return _Chosen(
            entry=found["final"],
            source=found["source"],
            matrix=context.op(Matrix).features,
            request=request_fields(nodes),
        )
    made = preparation_at(nodes, point)
    check = tuple(node for node in nodes if isinstance(node.op, Check))
    pipeline = Pipeline.of(made)
    fitted = fit_on_all(context, pipeline)
    return _Chosen(
        entry=fitted.entry,
        source=fitted.source,
        matrix=pipeline.features,
        request=request_fields((*check, *made)),
        outputs={"final": context.put_json(fitted.entry), **fitted.outputs},
        summary={"preparation": fitted.summary},
    )


def _manifest(context: Context, selection: dict[str, Any], chosen: _Chosen, model: dict[str, Any]) -> dict[str, Any]:
    split, train, request = context.op(Split), context.op(Train), chosen.request
    wanted = {field["name"] for field in request}
    unused = {column.name for column in context.op(Check).columns} - wanted - {*split.targets, train.key}
    return {
        "format": FORMAT,
        "recipe": context.task.recipe,
        "task": split.task,
        "target": split.target,
        "classes": context.inputs["split"].summary["classes"],
        "positive": split.positive,
        "threshold": selection["threshold"],
        "key": train.key,
        "request": request,
        "unused": sorted(unused),
        "preparation": chosen.entry["preparation"],
        "features": chosen.entry["features"],
        "matrix": list(chosen.matrix),
        "model": model,
        "origin": {**origin_of(context.task.stage.nodes), "earlier": _earlier(context)},
        "example": _example(context, [field["name"] for field in request]),
    }


def _earlier(context: Context) -> list[str]:
    """Name the tables of the rows that were taken in, where a file may have to be seen after them."""
    if not any(isinstance(node.op, History) for node in context.task.stage.nodes):
        return []
    outputs = context.inputs["snapshot"].outputs
    return [outputs[name] for name in ("snapshot", "quarantine") if name in outputs]


def _example(context: Context, names: list[str]) -> dict[str, Any]:
    """The first row of the snapshot, as a request would send it."""
    row: pl.DataFrame = context.read_table("snapshot", "snapshot", names).head(1)
    return {
        name: value if isinstance(value, bool | int | float | str | None) else str(value)
        for name, value in row.row(0, named=True).items()
    }
