"""The race on Ray Tune: a searcher that asks it, a scheduler that lets it judge, a trainable that fits folds.

What makes a plain Tune script slow is a new process, with new imports, for each trial. Here a few actors live
as long as the search and take one trial after another; the folds come from the object store without copies.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.trial import TrialSpec, run_fold
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.backends.ray.resources import Placement
    from mlops_compiler.backends.search.session import Session
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Fold

_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the folds are recorded in the store
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "100000",  # the store is what a search goes on from
    "TUNE_RESULT_BUFFER_LENGTH": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "1",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


def tune_engine(placements: Mapping[str, Placement]) -> Callable[[Session, list[Fold], Context], None]:
    """Make the engine that runs trials on Ray Tune, each with what its model was placed with."""

    def run(session: Session, folds: list[Fold], context: Context) -> None:
        first = session.next()
        if not isinstance(first, Signal):  # a search that is all on record starts no Tune
            _run(session, folds, context, placements, first)

    return run


def _run(
    session: Session, folds: list[Fold], context: Context, placements: Mapping[str, Placement], first: TrialSpec
) -> None:
    os.environ.update(_QUIET)
    import logging

    from ray import tune

    logging.getLogger("ray").setLevel(logging.ERROR)
    trainable = tune.with_parameters(make_trainable(), folds=folds, location=context.task.store)
    held = Held(session)
    with tempfile.TemporaryDirectory(prefix="mlops-tune-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(trainable, lambda config: _factory(placements[config["spec"]["model"]])),
            tune_config=tune.TuneConfig(
                search_alg=make_searcher(held, first),
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


def _factory(placement: Placement) -> Any:
    from ray.tune import PlacementGroupFactory

    return PlacementGroupFactory([placement.bundle()])


def make_trainable() -> type:
    """Make the trainable; a function, so that Ray is imported where trials run and nowhere else."""
    from ray import tune

    class FoldTrainable(tune.Trainable):  # type: ignore[misc]
        """Fits one fold a step; takes on the next trial without a new process."""

        def setup(self, config: dict[str, Any], *, folds: list[Fold], location: Any) -> None:
            self._folds = folds
            self._store = open_writer(location)
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self._spec = TrialSpec(**new_config["spec"])
            self._next = self._spec.first_fold
            return True

        def step(self) -> dict[str, Any]:
            fold = self._next
            self._next += 1
            try:
                record = run_fold(self._spec, fold, self._folds[fold], self._store, _device())
            except (MlopsError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
                # One trial that fails costs that trial only; its actor lives on.
                return {"score": 0.0, "error": f"{type(error).__name__}: {error}", "done": True}
            return {"score": 0.0, "record": record, "done": self._next == len(self._folds)}

    return FoldTrainable


def _device() -> str:
    """Compute on a GPU where Ray gave the trial one and there is one (logical GPUs have no hardware)."""
    import ray

    if not ray.get_gpu_ids():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Held:
    """Holds the session for Tune's objects, which Tune pickles: a session is of this process and is never saved."""

    def __init__(self, session: Session | None) -> None:
        self._session = session

    def __reduce__(self) -> tuple[type[Held], tuple[None]]:
        return Held, (None,)

    @property
    def session(self) -> Session:
        """The session."""
        if self._session is None:
            raise RuntimeError("a search goes on from the store, never from what Tune saved")
        return self._session


def make_searcher(held: Held, first: TrialSpec) -> Any:
    """Make the searcher that asks the session for trials."""
    from dataclasses import asdict

    from ray.tune.search import Searcher

    class RaceSearcher(Searcher):  # type: ignore[misc]
        """Proposes what the race proposes."""

        def __init__(self) -> None:
            super().__init__(metric="score", mode="max")
            self._first: TrialSpec | None = first

        def suggest(self, trial_id: str) -> Any:  # noqa: ARG002 - Tune's signature
            spec = self._first or held.session.next()
            self._first = None
            if isinstance(spec, Signal):
                return None if spec is Signal.WAIT else Searcher.FINISHED
            return {"spec": asdict(spec)}

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: FBT001, FBT002
            """The scheduler hears of it."""

        def save(self, checkpoint_path: str) -> None:
            """Nothing to save: the store has it all."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing to restore."""

    return RaceSearcher()


def make_scheduler(held: Held) -> Any:
    """Make the scheduler that lets the race judge each fold."""
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler

    class RaceScheduler(FIFOScheduler):  # type: ignore[misc]
        """Stops what the race stops."""

        def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:  # noqa: ARG002
            return str(self._judge(trial, result))

        def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:  # noqa: ARG002
            self._judge(trial, result)

        def on_trial_error(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002
            held.session.fail(trial.config["spec"]["index"], "its process died")

        def _judge(self, trial: Any, result: dict[str, Any]) -> str:
            index = trial.config["spec"]["index"]
            if result.get("error"):
                held.session.fail(index, result["error"])
                return str(TrialScheduler.STOP)
            verdict = held.session.report(index, result["record"])
            return str(TrialScheduler.CONTINUE if verdict is Verdict.CONTINUE else TrialScheduler.STOP)

    return RaceScheduler()
