"""Train: fit the chosen model on all training rows, and write down everything that serving it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.twin import fit_twin
from mlops_compiler.backends.stages.background import background_of
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.folds import prepared
from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.ir.ops.intake import Check, History
from mlops_compiler.ir.ops.lifecycle import Matrix, Search, Split, Train
from mlops_compiler.ir.origin import origin_of
from mlops_compiler.ir.service_contract import request_fields
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.wishes import balanced, signs

if TYPE_CHECKING:
    import polars as pl

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.lifecycle import Candidate

FORMAT = 2
"""Raised when the manifest changes its shape."""


def train_model(context: Context) -> Outcome:
    """Run the stage."""
    selection = context.read_json("select", "selection")
    preparations = context.read_json("prepare", "preparations")
    read = read_rows(context, preparations["source"])
    taught = prepared(preparations["final"], read.frame.filter(read.learns()), "training")
    kind = MODELS[selection["kind"]]
    candidate = _candidate(context, selection["model"])
    options = FitOptions(
        seed=seed_of(context.op(Train).seed, "fit", kind.name),
        threads=candidate.cpu,  # that of its trials: others could give other bits
        task=context.op(Split).task,
        classes=len(context.inputs["split"].summary["classes"] or ()),
        weights=balanced(taught.y, taught.weights) if candidate.imbalance else taught.weights,
        monotone=signs(preparations["final"]["features"], candidate.monotone),
    )
    model = kind.fit(taught.X, taught.y, parameters=selection["parameters"], options=options)
    files = {name: context.store.objects.put(content) for name, content in sorted(model.dump().items())}
    twin = {}
    if not learns_from_target(options.task):
        made = fit_twin(kind, taught.X, taught.y, selection["parameters"], options)
        twin = {name: context.store.objects.put(content) for name, content in sorted(made.dump().items())}
    manifest = _manifest(context, selection, preparations["final"], files)
    names = [field["name"] for field in manifest["request"]]
    manifest["background"] = background_of(context, read, preparations["final"], names)
    outputs = {
        "manifest": context.put_json(manifest),
        "background": manifest["background"],
        **{f"model/{name}": digest for name, digest in files.items()},
        **{f"twin/{name}": digest for name, digest in twin.items()},
    }
    summary = {
        "model": selection["model"],
        "kind": kind.name,
        "rows": len(taught.y),
        "features": taught.X.shape[1],
        "notes": list(model.notes),
    }
    return Outcome(outputs=outputs, summary=summary)


def _candidate(context: Context, model: str) -> Candidate:
    return next(item for item in context.op(Search).candidates if item.name == model)


def _manifest(
    context: Context, selection: dict[str, Any], final: dict[str, Any], files: dict[str, str]
) -> dict[str, Any]:
    split, train = context.op(Split), context.op(Train)
    request = request_fields(context.task.stage.nodes)
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
        "preparation": final["preparation"],
        "features": final["features"],
        "matrix": list(context.op(Matrix).features),
        "model": {"kind": selection["kind"], "parameters": selection["parameters"], "files": files},
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
