"""One fold of one trial: fit, score, and record at once under its own fingerprint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.search.meter import NoMeter
from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.race import fold_fingerprint
from mlops_compiler.backends.search.resumed import Keeping, fit_resumed
from mlops_compiler.backends.search.twin import Oddness, clusters_of, fit_twin, score_beside_twin
from mlops_compiler.backends.stages.context import parquet_bytes
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.ir.fingerprint import fingerprint as named
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.models.kind import NO_GPU_MEMORY, FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.wishes import balanced, signs
from mlops_compiler.store.records import COST, NOTES, TRAINING, FoldRecord
from mlops_compiler.store.scratch import open_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.backends.search.meter import Meter
    from mlops_compiler.backends.search.race import Trial
    from mlops_compiler.backends.stages.folds import Fold, Folds
    from mlops_compiler.ir.ops.search import Search
    from mlops_compiler.ir.space import Point
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import Device, Direction, FittedModel, Target
    from mlops_compiler.store.writer import StoreWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpec:
    """A trial as it travels to where it runs."""

    index: int
    model: str
    kind: str
    parameters: dict[str, Any]
    point: Point
    fingerprint: str
    ground: str
    threads: int
    seed: int
    task: Task
    classes: int
    contamination: float | None
    first_fold: int
    imbalance: str | None = None
    monotone: tuple[tuple[str, Direction], ...] = ()

    @classmethod
    def of(cls, trial: Trial, search: Search, classes: int) -> TrialSpec:
        """Describe a trial that goes on after the folds that it has scores of."""
        return cls(
            index=trial.index,
            model=trial.candidate.name,
            kind=trial.candidate.kind,
            parameters=trial.parameters,
            point=trial.point,
            fingerprint=trial.fingerprint,
            ground=trial.ground,
            threads=trial.candidate.cpu,
            seed=search.seed,
            task=search.task,
            classes=classes,
            contamination=search.contamination,
            first_fold=len(trial.scores),
            imbalance=trial.candidate.imbalance,
            monotone=trial.candidate.monotone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a trial runs.

    Attributes:
        device: ``cpu`` or ``cuda``.
        gpus: What it holds of the GPUs there, whether or not it uses them.
        falls_back: Whether it goes on on the CPU where the GPU has no memory for it.
        meter: Measures what it takes of the GPU.
        clock: Tells the seconds of CPU that the fit took: of its process, or of its thread where others run beside it.
    """

    device: Device = "cpu"
    gpus: float = 0.0
    falls_back: bool = False
    meter: Meter = field(default_factory=NoMeter)
    clock: Callable[[], float] = time.process_time


HERE = Place()


def run_fold(spec: TrialSpec, number: int, folds: Folds, store: StoreWriter, place: Place = HERE) -> FoldRecord:
    """Fit a trial's model on one fold, score it on the rows held out, and record both.

    All of the task's metrics are computed, so that a recipe that reports others reruns nothing. What it took is that of
    this process, preparing the fold included where a trial does that.

    Args:
        spec: The trial.
        number: The fold.
        folds: The rows of all folds.
        store: Where the record and the predictions go.
        place: Where it runs.
    """
    begun, worked = time.perf_counter(), place.clock()
    fold = folds.at(spec.point, number, spec.kind).seen_by(spec.kind)
    started = time.perf_counter()
    fingerprint = fold_fingerprint(spec.fingerprint, number)
    keeping = Keeping(
        scratch=open_scratch(store.location),
        name=fingerprint,
        ground=named({"ground": spec.ground, "fold": number}),
    )
    place.meter.start()
    try:
        predicted, metrics, model, notes = _fit_where_it_fits(spec, fold, place, keeping)
    finally:
        use = place.meter.read()
    cost = {"cpu_seconds": place.clock() - worked, "gpu_seconds": (time.perf_counter() - begun) * place.gpus}
    if use is not None:
        cost |= use.as_cost | {"rows": float(fold.X.shape[0]), "columns": float(fold.X.shape[1])}
    record = FoldRecord(
        fingerprint=fingerprint,
        trial=spec.fingerprint,
        fold=number,
        metrics=metrics | {f"{COST}{name}": value for name, value in cost.items()},
        predictions=store.objects.put(
            parquet_bytes(beside(spec.task, fold.y_held, predicted, fold.naive_error, fold.counts_held))
        ),
        seconds=time.perf_counter() - started,
        history=_history(model, notes),
    )
    store.record_fold(record)
    return record


def _fit_where_it_fits(
    spec: TrialSpec, fold: Fold, place: Place, keeping: Keeping
) -> tuple[NDArray[np.float64], dict[str, float], FittedModel, list[str]]:
    """Fit and score, on the CPU where the GPU has no memory for it and the trial may go without; and say so."""
    try:
        found = fit_and_score(spec, fold, place.device, keeping)
    except EngineError as error:
        lacking = next((item for item in error.diagnostics if item.code == NO_GPU_MEMORY), None)
        if lacking is None or place.device == "cpu" or not place.falls_back:
            raise
        return *fit_and_score(spec, fold, "cpu", keeping), [f"{lacking.headline}; went on on the CPU"]
    return *found, list(found[2].smaller)


def _history(model: FittedModel, notes: list[str]) -> dict[str, Any] | None:
    told = model.history.to_json() if model.history else {}
    return told | ({NOTES: notes} if notes else {}) or None


def fit_and_score(
    spec: TrialSpec, fold: Fold, device: Device, keeping: Keeping
) -> tuple[NDArray[np.float64], dict[str, float], FittedModel]:
    """Fit on the training rows, and score.

    Returns:
        What `predicted` gives for the rows held out, the metrics of a `FoldRecord`, and the model.
    """
    options = FitOptions(
        seed=seed_of(spec.seed, "fit", spec.kind),
        threads=spec.threads,
        device=device,
        task=spec.task,
        classes=spec.classes,
        weights=balanced(fold.y, fold.weights) if spec.imbalance else fold.weights,
        monotone=signs(fold.features, spec.monotone),
        categories=fold.categories,
    )
    kind, learned = MODELS[spec.kind], some_of(fold.y, len(fold.y_held))
    model = fit_resumed(kind, (fold.X, fold.y), parameters=spec.parameters, options=options, keeping=keeping)
    answers, known = (predicted(spec.task, model, rows) for rows in (fold.X_held, fold.X[learned]))
    if learns_from_target(spec.task):
        unit, counts = fold.naive_error, None if fold.counts is None else fold.counts[learned]
        metrics = score_all(spec.task, fold.y_held, answers, unit=unit, weights=fold.counts_held)
        training = score_all(spec.task, fold.y[learned], known, unit=unit, weights=counts)
    else:
        twin = fit_twin(kind, fold.X, fold.y, spec.parameters, options)
        metrics, training = (
            score_beside_twin(rows, found, predicted(spec.task, twin, rows), _oddness(spec, y, known))
            for rows, y, found in ((fold.X_held, fold.y_held, answers), (fold.X[learned], fold.y[learned], known))
        )
    return answers, metrics | {f"{TRAINING}{name}": value for name, value in training.items()}, model


def _oddness(spec: TrialSpec, y: Target, known: NDArray[np.float64]) -> Oddness | None:
    """Say what anomalies are judged by: flagged is what scores as the oddest of the rows that were learned from."""
    import numpy as np

    if spec.contamination is None:
        return None
    threshold = float(np.quantile(known, 1 - spec.contamination))
    labels = y.astype(np.int64) if spec.classes else None
    return Oddness(threshold=threshold, contamination=spec.contamination, labels=labels)


def some_of(y: Target, most: int) -> NDArray[np.intp]:
    """Choose rows evenly by what came of them, so that to score what was learned costs no more than what is held out.

    Args:
        y: What came, shape (rows,).
        most: How many to choose at most.

    Returns:
        Their places, in order; shape (chosen,).
    """
    import numpy as np

    order = np.argsort(y, kind="stable")
    chosen = np.linspace(0, len(y) - 1, min(len(y), most)).round().astype(np.intp)
    return np.sort(order[chosen])


def predicted(task: Task, model: FittedModel, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score rows.

    Returns:
        Of a binary task the probability of class 1, shape (rows,); of one with more classes the probability of each,
        shape (rows, classes); of a regression the value, of anomalies the score, shape (rows,); of a clustering cluster
        and distance, and where the kind gives it the probability, shape (rows, 2) or (rows, 3).
    """
    import numpy as np

    found = model.predict(X)
    return found if task in ("multiclass_classification", "clustering") else np.ascontiguousarray(found[:, -1])


def beside(
    task: Task,
    y: Target,
    predicted: NDArray[np.float64],
    unit: float | None = None,
    weights: NDArray[np.float64] | None = None,
) -> pl.DataFrame:
    """Set what was predicted beside what came, and beside what each row weighs, where they differ in that.

    Args:
        task: What was predicted.
        y: What came, shape (rows,).
        predicted: As `predicted` gives it.
        unit: As for `score_all`.
        weights: Likewise.

    Returns:
        ``label``; and ``probability`` of class 1, ``probability_0`` and on of several classes, or ``value``, of a
        forecast with the ``unit``. Of a clustering ``cluster`` and ``distance``, of anomalies ``label`` and ``score``.
        ``weight`` follows where rows weigh by a column.
    """
    if weights is not None:
        return beside(task, y, predicted, unit).with_columns(weight=weights)
    if task == "anomaly_detection":
        return pl.DataFrame({"label": pl.Series(y, dtype=pl.Int8), "score": predicted})
    if task == "clustering":
        return pl.DataFrame({"cluster": clusters_of(predicted), "distance": predicted[:, 1]})
    if task == "regression":
        return pl.DataFrame({"label": y, "value": predicted, **({} if unit is None else {"unit": [unit] * len(y)})})
    if task == "binary_classification":
        return pl.DataFrame({"label": pl.Series(y, dtype=pl.Int8), "probability": predicted})
    columns = {f"probability_{number}": column for number, column in enumerate(predicted.T)}
    return pl.DataFrame({"label": pl.Series(y, dtype=pl.Int16), **columns})


def trial_parameters(trial: Trial) -> Mapping[str, Any]:
    """The parameters of a trial as JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in trial.parameters.items()}
