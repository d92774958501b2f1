"""One fold of one trial: fit, score, and record at once under its own fingerprint."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.race import fold_fingerprint
from mlops_compiler.backends.stages.context import parquet_bytes
from mlops_compiler.evaluation.metrics import METRIC_NAMES, score_all
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.store.records import FoldRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.backends.search.race import Trial
    from mlops_compiler.backends.stages.folds import Fold
    from mlops_compiler.store.writer import StoreWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpec:
    """A trial as it travels to where it runs."""

    index: int
    model: str
    kind: str
    parameters: dict[str, Any]
    fingerprint: str
    threads: int
    seed: int
    first_fold: int

    @classmethod
    def of(cls, trial: Trial, seed: int) -> TrialSpec:
        """Describe a trial that goes on after the folds that it has scores of."""
        return cls(
            index=trial.index,
            model=trial.candidate.name,
            kind=trial.candidate.kind,
            parameters=trial.parameters,
            fingerprint=trial.fingerprint,
            threads=trial.candidate.cpu,
            seed=seed,
            first_fold=len(trial.scores),
        )


def run_fold(spec: TrialSpec, number: int, fold: Fold, store: StoreWriter, device: str = "cpu") -> FoldRecord:
    """Fit a trial's model on one fold, score it on the rows held out, and record both.

    All of the task's metrics are computed, so that a recipe that reports others reruns nothing.

    Args:
        spec: The trial.
        number: The fold.
        fold: Its rows, prepared.
        store: Where the record and the predictions go.
        device: ``cpu`` or ``cuda``.
    """
    started = time.perf_counter()
    probability = fit_and_predict(spec, fold, device)
    metrics = score_all(fold.y_held, probability, names=METRIC_NAMES)
    predictions = pl.DataFrame({"label": pl.Series(fold.y_held, dtype=pl.Int8), "probability": probability})
    record = FoldRecord(
        fingerprint=fold_fingerprint(spec.fingerprint, number),
        trial=spec.fingerprint,
        fold=number,
        metrics=metrics,
        predictions=store.objects.put(parquet_bytes(predictions)),
        seconds=time.perf_counter() - started,
    )
    store.record_fold(record)
    return record


def fit_and_predict(spec: TrialSpec, fold: Fold, device: str) -> Any:
    """Fit on the training rows; return the probability of the positive class for those held out, shape (rows,)."""
    model = MODELS[spec.kind].fit(
        fold.X,
        fold.y,
        parameters=spec.parameters,
        options=fit_options(spec.seed, spec.kind, spec.threads, device, fold.weights),
    )
    return model.predict_proba(fold.X_held)[:, 1]


def fit_options(
    seed: int, kind: str, threads: int, device: str = "cpu", weights: NDArray[np.float64] | None = None
) -> FitOptions:
    """Make the options of a fit; every fit of a kind gets the same seed, so that scores differ by parameters only."""
    return FitOptions(
        seed=seed_of(seed, "fit", kind),
        threads=threads,
        device="cuda" if device == "cuda" else "cpu",
        classes=2,
        weights=weights,
    )


def trial_parameters(trial: Trial) -> Mapping[str, Any]:
    """The parameters of a trial as JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in trial.parameters.items()}
