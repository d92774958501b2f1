"""Fits what was chosen on all training rows, a single model or each member of an ensemble, and describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.resumed import Keeping, fit_resumed
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.ops.lifecycle import Split, Train
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.models.composed import ENSEMBLE
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.wishes import balanced, signs
from mlops_compiler.store.scratch import open_scratch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Prepared
    from mlops_compiler.models.kind import FittedModel


def fit_options(context: Context, chosen: Mapping[str, Any], taught: Prepared, features: Sequence[str]) -> FitOptions:
    """Fit as the trials of the model did, but of all rows: another number of threads could give other bits."""
    candidate = next(item for item in context.op(Search).candidates if item.name == chosen["model"])
    return FitOptions(
        seed=seed_of(context.op(Train).seed, "fit", chosen["kind"]),
        threads=candidate.cpu,
        task=context.op(Split).task,
        classes=len(context.inputs["split"].summary["classes"] or ()),
        weights=balanced(taught.y, taught.weights) if candidate.imbalance else taught.weights,
        monotone=signs(features, candidate.monotone),
        categories=taught.categories,
        whole=True,
    )


def fit_chosen(
    context: Context, selection: Mapping[str, Any], taught: Prepared, features: Sequence[str]
) -> tuple[dict[str, Any], list[FittedModel]]:
    """Fit what was chosen and keep its files.

    Returns:
        The model as `models.composed` describes it, and the fitted members.
    """
    if selection["kind"] != ENSEMBLE:
        described, model = _fit(context, selection, (taught, features), 0)
        return described, [model]
    fitted = [
        (item["weight"], *_fit(context, item, (taught, features), place))
        for place, item in enumerate(selection["members"])
    ]
    members = [{**described, "weight": weight} for weight, described, _ in fitted]
    return {"kind": ENSEMBLE, "parameters": {}, "members": members}, [model for _, _, model in fitted]


def _fit(
    context: Context, chosen: Mapping[str, Any], given: tuple[Prepared, Sequence[str]], place: int
) -> tuple[dict[str, Any], FittedModel]:
    taught, _ = given
    model = fit_resumed(
        MODELS[chosen["kind"]],
        (taught.X, taught.y),
        parameters=chosen["parameters"],
        options=fit_options(context, chosen, *given),
        keeping=Keeping(
            scratch=open_scratch(context.store.location),
            name=fingerprint({"train": context.task.stage.fingerprint, "member": place}),
        ),
    )
    files = {name: context.store.objects.put(content) for name, content in sorted(model.dump().items())}
    described = {"kind": chosen["kind"], "parameters": chosen["parameters"], "files": files}
    if chosen["calibration"] is not None:
        described["calibration"] = chosen["calibration"]
    return described, model


def files_of(described: Mapping[str, Any]) -> dict[str, str]:
    """Name the objects of a model, of an ensemble each under the place of its member."""
    if described["kind"] != ENSEMBLE:
        return {f"model/{name}": digest for name, digest in described["files"].items()}
    return {
        f"model/{place}/{name}": digest
        for place, member in enumerate(described["members"])
        for name, digest in member["files"].items()
    }
