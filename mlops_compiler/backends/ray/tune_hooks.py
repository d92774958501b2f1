"""What Tune asks: which trial is next, what becomes of one that reports, and of one that does not come back.

Tune decides nothing: the searcher and the scheduler pass on what the session says. A trial whose process or machine is
lost is proposed to Tune again; its recorded folds are kept, and the race never hears of it.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray.losses import Losses, loss_of
from mlops_compiler.backends.ray.resources import Placement, cluster_nodes, live_nodes
from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.trial import TrialSpec
from mlops_compiler.diagnostics import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.backends.ray.placing import Places
    from mlops_compiler.backends.ray.resources import NodeResources
    from mlops_compiler.backends.search.session import Session

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 2.0
"""How often the nodes of the cluster are counted."""


class Held:
    """Holds the session for Tune's objects, which Tune pickles: a session is of this process and is never saved.

    It also counts the trials that run. Tune asks for the next one before an actor is free for it, starts a process,
    and ends that again when it finds a used actor: with no more trials than slots, no process is started in vain.
    """

    def __init__(self, session: Session | None, places: Places | None = None) -> None:
        self._session, self._places = session, places
        self._running: dict[str, int] = {}
        self._again: list[TrialSpec] = []
        self._losses = Losses()
        self._vacant = False
        self._waiting_since: dict[str, float] = {}
        self._patient = True
        self._looked = self._stuck = time.monotonic()
        self._error: MlopsError | None = None

    def __reduce__(self) -> tuple[type[Held], tuple[None]]:
        return Held, (None,)

    @property
    def session(self) -> Session:
        """The session."""
        if self._session is None:
            raise RuntimeError("a search goes on from the store, never from what Tune saved")
        return self._session

    @property
    def places(self) -> Places:
        """What trials take."""
        if self._places is None:
            raise RuntimeError("a search goes on from the store, never from what Tune saved")
        return self._places

    def has_more(self) -> bool:
        """Say whether any trial is left to run, after whatever an earlier round of Tune left.

        Raises:
            MlopsError: The cluster lost what a trial asks for.
        """
        if self._error is not None:
            raise self._error
        left, self._running = list(self._running.values()), {}
        for index in left:
            self._try_again(index, "the cluster changed")
        if not self._again and isinstance(spec := self.session.next(), TrialSpec):
            self._again.append(spec)
        return bool(self._again)

    def next(self, trial: str) -> TrialSpec | Signal:
        """Give the next trial where a slot is free for it.

        Args:
            trial: Tune's name for it.
        """
        if len(self._running) >= self.places.slots:
            return Signal.WAIT
        spec = self._again.pop(0) if self._again else self.session.next()
        self._vacant = self._vacant and spec is Signal.WAIT
        if isinstance(spec, TrialSpec):
            self._running[trial] = spec.index
        elif self._running:  # Tune asks no more once it is told that all is done, and one of these may be lost yet
            return Signal.WAIT
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

    def ended(self, trial: str) -> None:
        """Take note that a trial no longer runs."""
        self._running.pop(trial, None)

    def lost(self, index: int, error: BaseException | None) -> None:
        """Take note that a trial did not come back, and have it tried again where that may help."""
        if not self.session.runs(index):
            return
        loss = loss_of(error)
        if (failed := self._losses.take(index, loss, live_nodes())) is not None:
            self.session.fail(index, failed)
        else:
            self._try_again(index, loss.reason)

    def _try_again(self, index: int, reason: str) -> None:
        if (spec := self.session.again(index, reason)) is not None:
            self._again.append(spec)

    def look(self, waiting: Callable[[], Sequence[Placement]]) -> bool:
        """Look at the cluster now and then.

        Args:
            waiting: What the trials that wait for their actors asked for.

        Returns:
            Whether some wait for what the cluster no longer has, so that trials must be placed anew.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        asked = waiting()
        nodes = cluster_nodes() if asked else []
        if not any(_is_vain(placement, nodes) for placement in asked):
            self._stuck = now
            return False
        if now - self._stuck < self.session.search.wait:
            return False
        try:
            self.places.refresh(nodes)
        except MlopsError as error:
            self._error = error
        return True


def _is_vain(asked: Placement, nodes: Sequence[NodeResources]) -> bool:
    return not any(asked.fits(node) for node in nodes)


def make_searcher(held: Held) -> Any:
    """Make the searcher that asks the session for trials."""
    from ray.tune.search import Searcher

    class RaceSearcher(Searcher):  # type: ignore[misc]
        """Proposes what the race proposes."""

        def __init__(self) -> None:
            super().__init__(metric="score", mode="max")

        def suggest(self, trial_id: str) -> Any:
            spec = held.next(trial_id)
            if isinstance(spec, Signal):
                return None if spec is Signal.WAIT else Searcher.FINISHED
            placement = held.places.of(spec)
            held.session.placed(spec.index, placement.gpus, held.places.gpus)
            return {"spec": asdict(spec), "placement": asdict(placement)}

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - Tune's signature
            """Free its slot; the scheduler hears of the result."""
            held.ended(trial_id)

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

        def choose_trial_to_run(self, tune_controller: Any) -> Any:
            """Look at the cluster, as Tune asks at every turn."""
            if held.look(lambda: _waiting(tune_controller)):
                tune_controller.request_stop_experiment()
                return None
            return super().choose_trial_to_run(tune_controller)

        def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
            if self._judge(trial, result):
                return str(TrialScheduler.CONTINUE)
            starting = any(other.status == "PENDING" for other in tune_controller.get_trials())
            waits = held.must_wait(trial.trial_id, starting=starting)
            return str(TrialScheduler.CONTINUE if waits else TrialScheduler.STOP)

        def on_trial_error(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002 - Tune's signature
            held.lost(trial.config["spec"]["index"], trial.get_pickled_error())

        def _judge(self, trial: Any, result: dict[str, Any]) -> bool:
            """Tell the race what a step gave; return whether the trial goes on."""
            index = trial.config["spec"]["index"]
            if result.get("error"):
                held.session.fail(index, result["error"])
            elif "record" in result:
                return held.session.report(index, result["record"]) is Verdict.CONTINUE
            return False

    return RaceScheduler()


def _waiting(tune_controller: Any) -> list[Placement]:
    pending = [trial for trial in tune_controller.get_trials() if trial.status == "PENDING"]
    return [Placement(**trial.config["placement"]) for trial in pending]
