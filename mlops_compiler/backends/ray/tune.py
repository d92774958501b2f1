"""The race on Ray Tune: a trainable that fits folds, and Tune run until no trial is left.

What makes a plain Tune script slow is a new process, with new imports, for each trial. Here a few actors live
as long as the search and take one trial after another; the folds come from the object store without copies.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray.resources import Placement
from mlops_compiler.backends.ray.tune_hooks import Held, make_scheduler, make_searcher
from mlops_compiler.backends.search.meter import NoMeter, TorchMeter
from mlops_compiler.backends.search.trial import Place, TrialSpec, run_fold
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.backends.ray.placing import Places
    from mlops_compiler.backends.search.meter import Meter
    from mlops_compiler.backends.search.session import Session
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Folds
    from mlops_compiler.backends.stages.search import TrialEngine
    from mlops_compiler.models.kind import Device

IDLE_SECONDS = 0.05


def meter_of(device: Device) -> Meter:
    """Measure a GPU where there is one."""
    return TorchMeter() if device == "cuda" else NoMeter()


def tune_engine(places: Places, make_meter: Callable[[Device], Meter] = meter_of) -> TrialEngine:
    """Make the engine that runs trials on Ray Tune.

    Args:
        places: What trials take.
        make_meter: Makes what measures a process of trials.
    """

    def run(session: Session, folds: Folds, context: Context) -> None:
        session.observe, places.note = places.observe, session.note
        places.tell()
        held = Held(session, places)
        while held.has_more():  # a search that is all on record starts no Tune, one that is placed anew another one
            _run(held, folds, context, make_meter)

    return run


def _run(held: Held, folds: Folds, context: Context, make_meter: Callable[[Device], Meter]) -> None:
    import logging

    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(held.places.most)  # all actors start at once
    from ray import tune

    logging.getLogger("ray").setLevel(logging.ERROR)
    trainable = tune.with_parameters(make_trainable(), folds=folds, location=context.task.store, make_meter=make_meter)
    with tempfile.TemporaryDirectory(prefix="mlops-tune-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(trainable, _factory),
            tune_config=tune.TuneConfig(
                search_alg=make_searcher(held),
                scheduler=make_scheduler(held),
                num_samples=-1,
                reuse_actors=True,
                metric="score",
                mode="max",
            ),
            run_config=tune.RunConfig(
                storage_path=folder,
                name="search",
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        tuner.fit()


def _factory(config: dict[str, Any]) -> Any:
    from ray.tune import PlacementGroupFactory

    return PlacementGroupFactory([Placement(**config["placement"]).bundle()])


def make_trainable() -> type:
    """Make the trainable; a function, so that Ray is imported where trials run and nowhere else."""
    from ray import tune

    class FoldTrainable(tune.Trainable):  # type: ignore[misc]
        """Fits one fold a step; takes on the next trial without a new process."""

        def setup(self, config: dict[str, Any], *, folds: Folds, location: Any, make_meter: Any) -> None:
            self._folds, self._device = folds, _device()
            self._meter = make_meter(self._device)
            self._store = open_writer(location)
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self._spec, placed = TrialSpec(**new_config["spec"]), Placement(**new_config["placement"])
            self._place = Place(device=self._device, gpus=placed.gpus, falls_back=placed.falls_back, meter=self._meter)
            self._next = self._spec.first_fold
            return True

        def step(self) -> dict[str, Any]:
            fold = self._next
            if fold == len(self._folds):  # all done: wait until the scheduler lets go of the actor
                time.sleep(IDLE_SECONDS)
                return {"score": 0.0, "idle": True}
            self._next += 1
            try:
                record = run_fold(self._spec, fold, self._folds, self._store, self._place)
            except (MlopsError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
                # One trial that fails costs that trial only; its actor lives on.
                self._next = len(self._folds)
                return {"score": 0.0, "error": f"{type(error).__name__}: {error}"}
            return {"score": 0.0, "record": record}

    return FoldTrainable


def _device() -> Device:
    """Compute on a GPU where Ray gave the trial one and there is one (logical GPUs have no hardware)."""
    import ray

    if not ray.get_gpu_ids():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
