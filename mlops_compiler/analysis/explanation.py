"""What a recipe wants explained or watched names columns that are there, and those to vary reach a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.ir.task import learns_from_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.recipe.recipe import Recipe


def explain_of(
    recipe: Recipe, places: Provenance, schema: Schema, features: Schema, value: finding.ValueMatrix | None, sink: Sink
) -> ops.Explain:
    """Resolve the section `explain:`; of a task without a target nothing is asked.

    Args:
        recipe: The recipe.
        places: Where each of its values was set.
        schema: The columns of the snapshot.
        features: The columns of the design matrix.
        value: What each outcome of a decision is worth.
        sink: Takes what is wrong.
    """
    asked, objective = recipe.explain, recipe.objective
    judged = learns_from_target(recipe.task)
    sliceable = [name for name in schema.names if name not in (objective.target, recipe.data.key)]
    _known(recipe, asked.slices, sliceable, ("explain", "slices"), places, sink)
    varied = asked.partial_dependence
    if not isinstance(varied, int):
        _known(recipe, varied, _read(schema, features), ("explain", "partial_dependence"), places, sink)
    _monitored(recipe, places, _read(schema, features), sink)
    return ops.Explain(
        task=recipe.task,
        metric=objective.metric,
        value=value,
        importance=asked.importance if judged else "none",
        repeats=asked.repeats,
        shap=asked.shap and judged,
        partial_dependence=varied if judged else 0,
        slices=asked.slices,
        find_slices=asked.find_slices and judged,
        sample=asked.sample,
        seed=recipe.validate_.seed,
    )


def _monitored(recipe: Recipe, places: Provenance, read: Sequence[str], sink: Sink) -> None:
    """Ask of `monitor:` that it names what a request holds: a service logs nothing else."""
    if recipe.monitor is None:
        return
    _known(recipe, recipe.monitor.slices or (), read, ("monitor", "slices"), places, sink)
    if (drift := recipe.monitor.drifts) is not None:
        for key, names in (("columns", drift.columns), ("ignore", drift.ignore)):
            _known(recipe, names, read, ("monitor", "drift", key), places, sink)
        for name in drift.thresholds:
            if name not in read:
                span = places.key_span(("monitor", "drift", "thresholds", name))
                key = "monitor.drift.thresholds"
                sink.add(wording_data.not_explainable(name, read, key, recipe.objective.target, span))


def _read(schema: Schema, features: Schema) -> list[str]:
    """Name the columns of the source that some feature is made of."""
    wanted = {origin for column in features for origin in column.origins}
    return [name for name in schema.names if name in wanted]


def _known(
    recipe: Recipe, names: Sequence[str], known: Iterable[str], key: tuple[str, ...], places: Provenance, sink: Sink
) -> None:
    fitting = list(known)
    for place, name in enumerate(names):
        if name not in fitting:
            span = places.value_span((*key, str(place)))
            sink.add(wording_data.not_explainable(name, fitting, ".".join(key), recipe.objective.target, span))
