"""The race on Ray Tune: a searcher that asks it, a scheduler that lets it judge, a trainable that fits folds.

What makes a plain Tune script slow is a new process, with new imports, for each trial. Here a few actors live
as long as the search and take one trial after another; the folds come from the object store without copies.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.trial import Place, TrialSpec, run_fold
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.backends.ray.resources import Placement
    from mlops_compiler.backends.search.session import Session
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Folds
    from mlops_compiler.backends.stages.search import TrialEngine

IDLE_SECONDS = 0.05
PATIENCE_SECONDS = 30.0


def tune_engine(placements: Mapping[str, Placement], slots: int) -> TrialEngine:
    """Make the engine that runs trials on Ray Tune, each with what its model was placed with.

    Args:
        placements: What a trial of each model takes.
        slots: How many trials the cluster can run at once.
    """

    def run(session: Session, folds: Folds, context: Context) -> None:
        first = session.next()
        if not isinstance(first, Signal):  # a search that is all on record starts no Tune
            _run(Held(session, slots), folds, context, placements, first)

    return run


def _run(
    held: Held,
    folds: Folds,
    context: Context,
    placements: Mapping[str, Placement],
    first: TrialSpec,
) -> None:
    import logging

    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(held.slots)  # all actors start at once
    from ray import tune

    logging.getLogger("ray").setLevel(logging.ERROR)
    trainable = tune.with_parameters(
        make_trainable(),
        folds=folds,
        location=context.task.store,
        gpus={model: placement.gpus for model, placement in placements.items()},
    )
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

        def setup(self, config: dict[str, Any], *, folds: Folds, location: Any, gpus: dict[str, float]) -> None:
            self._folds = folds
            self._gpus = gpus
            self._store = open_writer(location)
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self._spec = TrialSpec(**new_config["spec"])
            self._next = self._spec.first_fold
            return True

        def step(self) -> dict[str, Any]:
            fold = self._next
            if fold == len(self._folds):  # all done: wait until the scheduler lets go of the actor
                time.sleep(IDLE_SECONDS)
                return {"score": 0.0, "idle": True}
            self._next += 1
            try:
                place = Place(device=_device(), gpus=self._gpus[self._spec.model])
                record = run_fold(self._spec, fold, self._folds, self._store, place)
            except (MlopsError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
                # One trial that fails costs that trial only; its actor lives on.
                self._next = len(self._folds)
                return {"score": 0.0, "error": f"{type(error).__name__}: {error}"}
            return {"score": 0.0, "record": record}

    return FoldTrainable


def _device() -> str:
    """Compute on a GPU where Ray gave the trial one and there is one (logical GPUs have no hardware)."""
    import ray

    if not ray.get_gpu_ids():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Held:
    """Holds the session for Tune's objects, which Tune pickles: a session is of this process and is never saved.

    It also counts the trials that run. Tune asks for the next one before an actor is free for it, starts a process,
    and ends that again when it finds a used actor: with no more trials than slots, no process is started in vain.
    """

    def __init__(self, session: Session | None, slots: int = 0) -> None:
        self._session = session
        self.slots = slots
        self._running = 0
        self._vacant = False
        self._waiting_since: dict[str, float] = {}
        self._patient = True

    def __reduce__(self) -> tuple[type[Held], tuple[None]]:
        return Held, (None,)

    def next(self) -> TrialSpec | Signal:
        """Give the next trial where a slot is free for it."""
        if self._running >= self.slots:
            return Signal.WAIT
        spec = self.session.next()
        self._vacant = self._vacant and spec is Signal.WAIT
        if isinstance(spec, TrialSpec):
            self.started()
        return spec

    def must_wait(self, trial: str, *, starting: bool) -> bool:
        """Say whether a trial that ended must keep its actor for a moment.

        Tune keeps one actor without a trial, and ends a second one. While an actor is starting for a trial, Tune
        gives that trial any actor that comes free, and kills the one that starts half-way. Either costs a process
        start for each trial. So actors come free one at a time, and not while another starts.

        Args:
            trial: Tune's name of the trial.
            starting: Whether any trial waits for its actor.
        """
        if self._patient and (starting or self._vacant):
            since = self._waiting_since.setdefault(trial, time.monotonic())
            # An actor that does not start (the cluster is busy with others' work) is not waited for again.
            self._patient = time.monotonic() - since < PATIENCE_SECONDS
            return self._patient
        self._vacant = True
        return False

    def started(self) -> None:
        """Take note that a trial runs."""
        self._running += 1

    def ended(self) -> None:
        """Take note that a trial no longer runs."""
        self._running -= 1

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
            held.started()

        def suggest(self, trial_id: str) -> Any:  # noqa: ARG002 - Tune's signature
            spec = self._first or held.next()
            self._first = None
            if isinstance(spec, Signal):
                return None if spec is Signal.WAIT else Searcher.FINISHED
            return {"spec": asdict(spec)}

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - Tune's signature
            """Free its slot; the scheduler hears of the result."""
            held.ended()

        def save(self, checkpoint_path: str) -> None:
            """Nothing to save: the store has it all."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing to restore."""

    return RaceSearcher()


def make_scheduler(held: Held) -> Any:
    """Make the scheduler that lets the race judge each fold."""
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler

    class RaceScheduler(FIFOScheduler):  # type: ignore[misc]
        """Stops what the race stops, and what is complete."""

        def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
            if self._judge(trial, result):
                return str(TrialScheduler.CONTINUE)
            starting = any(other.status == "PENDING" for other in tune_controller.get_trials())
            waits = held.must_wait(trial.trial_id, starting=starting)
            return str(TrialScheduler.CONTINUE if waits else TrialScheduler.STOP)

        def on_trial_error(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002 - Tune's signature
            held.session.fail(trial.config["spec"]["index"], "its process died")

        def _judge(self, trial: Any, result: dict[str, Any]) -> bool:
            """Tell the race what a step gave; return whether the trial goes on."""
            index = trial.config["spec"]["index"]
            if result.get("error"):
                held.session.fail(index, result["error"])
            elif "record" in result:
                return held.session.report(index, result["record"]) is Verdict.CONTINUE
            return False

    return RaceScheduler()
