"""The candidates of the search: every parameter a value or a domain, and a budget that can try each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording
from mlops_compiler.evaluation.metrics import NEED_LABELS, metric_names
from mlops_compiler.ir.domain import is_domain
from mlops_compiler.ir.ops.search import Candidate, Search
from mlops_compiler.models.registry import MODELS
from mlops_compiler.recipe.objective import Ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import ModelKind
    from mlops_compiler.recipe.models import Model
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.recipe.resources import Resources


def search_of(recipe: Recipe, places: Provenance, sink: Sink) -> Search:
    """Make the search of a recipe."""
    search, cluster = recipe.search, recipe.cluster
    if search.trials < len(recipe.models):
        span = places.value_span(("search", "trials"))
        sink.add(wording.too_few_trials(search.trials, len(recipe.models), span))
    search_op = Search(
        task=recipe.task,
        candidates=tuple(_candidate(name, model, recipe, places, sink) for name, model in recipe.models.items()),
        metric=recipe.objective.metric,
        metrics=_metrics(recipe),
        algorithm=search.algorithm,
        scheduler=search.scheduler,
        trials=search.trials,
        time=search.time,
        cpu_hours=search.cpu_hours,
        gpu_hours=search.gpu_hours,
        patience=search.patience,
        min_improvement=search.min_improvement or None,
        population=(search.population.size, search.population.steps) if search.scheduler == "population" else None,
        warm_start=None if search.warm_start == "none" else search.warm_start,
        warm_span=places.value_span(("search", "warm_start")),
        max_concurrent=search.max_concurrent,
        seed=recipe.validate_.seed,
        contamination=getattr(recipe.objective, "contamination", None),
        cpus=cluster.cpus if cluster.address == "embedded" else None,
        gpus=cluster.gpus if cluster.address == "embedded" else None,
        wait=cluster.wait,
    )
    _check_resources(search_op, places, sink)
    return search_op


def _check_resources(search: Search, places: Provenance, sink: Sink) -> None:
    """Refuse what no trial can ever get, where the recipe says what the engine has."""
    for item in search.candidates:
        spans = dict(item.resource_spans)
        wishes = (("cpu", item.cpu, search.cpus), ("gpu", 0 if item.gpu == "auto" else item.gpu, search.gpus))
        for resource, asked, has in wishes:
            if has is not None and asked > has:
                declared = places.value_span(("cluster", f"{resource}s"))
                where = spans.get(resource, item.span), declared
                sink.add(wording.more_than_declared(item.name, f"{resource.upper()}s", asked, has, where))


def _metrics(recipe: Recipe) -> tuple[str, ...]:
    """The metrics to compute: the primary, those to report and those with a criterion; in the task's order."""
    objective = recipe.objective
    wanted = {objective.metric, *objective.report, *objective.accept}
    if objective.target is None:
        wanted -= NEED_LABELS
    known = metric_names("forecasting" if is_ahead(recipe) else recipe.task)
    return tuple(name for name in known if name in wanted)


def is_ahead(recipe: Recipe) -> bool:
    """Say whether the target lies ahead."""
    return isinstance(recipe.objective, Ahead)


def _candidate(name: str, model: Model, recipe: Recipe, places: Provenance, sink: Sink) -> Candidate:
    kind, resources = MODELS[model.kind], model.resources
    fitting = [other for other in MODELS if _fits(MODELS[other], recipe)]
    if model.kind not in fitting:
        span = places.value_span(("models", name, "kind"))
        sink.add(wording.wrong_task(name, model.kind, recipe.task, fitting, span))
    if resources.gpu not in ("auto", 0) and not kind.uses_gpu:
        users = [other for other in MODELS if MODELS[other].uses_gpu]
        sink.add(wording.no_gpu_model(name, model.kind, users, places.value_span(("models", name, "resources", "gpu"))))
    for key in ("accelerator", "gpu_memory"):
        if getattr(resources, key) is not None and not _is_asked(key, resources):
            sink.add(
                wording.gpu_not_asked(name, key, resources.gpu, places.value_span(("models", name, "resources", key)))
            )
    return Candidate(
        name=name,
        kind=model.kind,
        version=kind.version,
        parameters=tuple(_reached(model.parameters, kind, recipe.task).items()),
        cpu=resources.cpu,
        gpu=resources.gpu if kind.uses_gpu else 0,
        memory=resources.memory,
        gpu_memory=resources.gpu_memory,
        accelerators=resources.accelerator or (),
        imbalance=model.imbalance,
        monotone=tuple(model.monotone.items()),
        description=model.description,
        span=places.key_span(("models", name)),
        resource_spans=tuple(_asked_at(name, places)),
    )


def _fits(kind: ModelKind, recipe: Recipe) -> bool:
    """Say whether a kind can do what is asked: one that repeats a season does forecasts alone."""
    return recipe.task in kind.tasks and (is_ahead(recipe) or not kind.repeats_season)


def _reached(parameters: dict[str, Scalar | Domain], kind: ModelKind, task: Task) -> dict[str, Scalar | Domain]:
    """Search no parameter that the values of others, or the task, put out of reach."""
    unread = kind.unread(parameters, task)
    return {
        name: kind.defaults[name] if name in unread and is_domain(value) else value
        for name, value in parameters.items()
    }


def _is_asked(key: str, resources: Resources) -> bool:
    """Whether there is a GPU that the key is about; of memory, one whose share is not said by a number."""
    return resources.gpu == "auto" or (key == "accelerator" and resources.gpu > 0)


def _asked_at(name: str, places: Provenance) -> Iterator[tuple[str, Span]]:
    for resource in ("cpu", "gpu", "memory", "accelerator"):
        if (origin := places.origins.get(("models", name, "resources", resource))) is not None:
            yield resource, origin.value
