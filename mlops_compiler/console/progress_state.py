"""Where a run stands, folded from its events one after another; drawing it is somebody else's business."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import metric_of
from mlops_compiler.report.search_end import ended_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.store.records import Event


_FEW = 3
"""Trials from which on the pace of a search says something."""


@dataclass(slots=True, kw_only=True)
class StageState:
    """A stage: ``waiting``, ``running``, ``done``, ``failed`` or ``reused``."""

    name: str
    status: str = "waiting"
    started: float = 0.0
    seconds: float | None = None
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class TrialState:
    """A trial that runs, with the score of each fold that is done."""

    trial: int
    model: str
    scores: dict[int, float] = field(default_factory=dict)
    gpus: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean of the folds so far."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best complete trial so far."""

    trial: int
    model: str
    score: float


@dataclass(slots=True, kw_only=True)
class GpuState:
    """The GPUs of the cluster: how many there are, and what the last fold that was measured took of one.

    Attributes:
        of: How many there are.
        memory: GiB at the peak of the fold; None where nothing was measured.
        of_memory: GiB that its GPU has.
        busy: The share of the time in which its GPU computed.
    """

    of: float
    memory: float | None = None
    of_memory: float | None = None
    busy: float | None = None


@dataclass(slots=True, kw_only=True)
class SearchState:
    """The search: what was planned, what is done, what runs and what is best so far."""

    trials: int = 0
    folds: int = 0
    models: tuple[str, ...] = ()
    cached: int = 0
    metric: str = ""
    greater_is_better: bool = True
    fresh: int = 0
    cached_seen: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    best: Best | None = None
    running: dict[int, TrialState] = field(default_factory=dict)
    ended: str = ""
    started: float = 0.0
    fits: int = 0
    gpu: GpuState | None = None

    @property
    def held(self) -> float:
        """How many GPUs the trials hold that run."""
        return sum(trial.gpus for trial in self.running.values())

    def left(self, now: float) -> float | None:
        """Estimate the seconds that are left at most, at the pace of the trials so far; None where these are few."""
        if self.fresh < _FEW or not self.trials or self.ended:
            return None
        return (now - self.started) / self.fresh * (self.trials - self.done)

    @property
    def done(self) -> int:
        """How many trials are done, those of earlier runs among them."""
        done = self.fresh + max(self.cached, self.cached_seen)
        return min(done, self.trials) if self.trials else done

    @property
    def found(self) -> str:
        """What came of it, in a few words."""
        best = f", best {self.best.model} {numbers.score(self.best.score)}" if self.best else ""
        return f"{self.ended or f'{self.done} trials'}{best}"


class ProgressState:
    """The stages and the search of one run."""

    def __init__(self) -> None:
        self.stages: dict[str, StageState] = {}
        self.search: SearchState | None = None

    def apply(self, event: Event) -> None:
        """Take one event in; a kind that is not known here changes nothing."""
        handler = getattr(self, f"_{event.kind}", None)
        if handler is not None:
            handler(event.payload, event.time)

    def stage(self, name: str) -> StageState:
        """Return the state of a stage, which waits if nothing was heard of it."""
        return self.stages.setdefault(name, StageState(name=name))

    def _stage_started(self, payload: Mapping[str, Any], time: float) -> None:
        stage = self.stage(str(payload["stage"]))
        stage.status, stage.started, stage.seconds, stage.detail = "running", time, None, ""

    def _stage_finished(self, payload: Mapping[str, Any], time: float) -> None:
        stage = self.stage(str(payload["stage"]))
        stage.status, stage.detail = "done", stage_detail(payload.get("summary") or {})
        stage.seconds = payload.get("seconds", time - stage.started)
        if stage.name == "search" and self.search is not None and not stage.detail:
            stage.detail = self.search.found

    def _stage_failed(self, payload: Mapping[str, Any], time: float) -> None:
        stage = self.stage(str(payload["stage"]))
        stage.seconds = time - stage.started if stage.status == "running" else None
        stage.status, stage.detail = "failed", str(payload.get("headline", ""))

    def _search_planned(self, payload: Mapping[str, Any], time: float) -> None:
        metric = str(payload.get("metric", ""))
        known = metric_of(metric)
        self.search = SearchState(
            trials=int(payload.get("trials", 0)),
            folds=int(payload.get("folds", 0)),
            models=tuple(str(model) for model in payload.get("models", ())),
            cached=int(payload.get("cached", 0)),
            metric=metric,
            greater_is_better=bool(payload.get("greater_is_better", known is None or known.greater_is_better)),
            started=time,
        )

    def _trial_started(self, payload: Mapping[str, Any], _time: float) -> None:
        trial = int(payload["trial"])
        self._search().running[trial] = TrialState(trial=trial, model=str(payload.get("model", "")))

    def _trial_placed(self, payload: Mapping[str, Any], time: float) -> None:
        search, trial = self._search(), int(payload["trial"])
        if trial not in search.running:
            self._trial_started(payload, time)
        search.running[trial].gpus = float(payload.get("gpus", 0.0))
        search.gpu = search.gpu or GpuState(of=0.0)
        search.gpu.of = float(payload.get("of", 0.0))

    def _trial_lost(self, payload: Mapping[str, Any], _time: float) -> None:  # noqa: ARG002 - the signature of all
        self._search().lost += 1

    def _fold_finished(self, payload: Mapping[str, Any], time: float) -> None:
        search, trial = self._search(), int(payload["trial"])
        if trial not in search.running:
            self._trial_started(payload, time)
        if numbers.is_number(payload.get("score")):
            search.running[trial].scores[int(payload.get("fold", 0))] = float(payload["score"])
        search.fits += 1
        if search.gpu is not None and (measured := payload.get("gpu")):
            search.gpu.memory, search.gpu.of_memory = measured.get("gpu_gib"), measured.get("gpu_of_gib")
            search.gpu.busy = measured.get("gpu_busy", search.gpu.busy)

    def _trial_finished(self, payload: Mapping[str, Any], _time: float) -> None:
        search, status = self._search(), str(payload.get("status", "complete"))
        search.running.pop(int(payload["trial"]), None)
        search.ends[status] = search.ends.get(status, 0) + 1
        search.cached_seen += bool(payload.get("cached"))
        search.fresh += not payload.get("cached")
        if status == "complete" and numbers.is_number(payload.get("score")):
            self._challenge(payload)

    def _search_ended(self, payload: Mapping[str, Any], _time: float) -> None:
        self._search().ended = ended_text(payload)

    def _challenge(self, payload: Mapping[str, Any]) -> None:
        search, score = self._search(), float(payload["score"])
        best = search.best
        if best is None or (score > best.score if search.greater_is_better else score < best.score):
            model = str(payload.get("model", ""))
            search.best = Best(trial=int(payload["trial"]), model=model, score=score)

    def _nested_trial(self, payload: Mapping[str, Any], _time: float) -> None:
        outer = f"outer fold {int(payload['fold']) + 1} of {payload['folds']}"
        self.stage("nested").detail = f"{outer}, trial {payload['done']} of {payload['trials']}"

    def _nested_fold(self, payload: Mapping[str, Any], _time: float) -> None:
        self.stage("nested").detail = f"outer fold {int(payload['fold']) + 1} of {payload['folds']} done"

    def _search(self) -> SearchState:
        if self.search is None:
            self.search = SearchState()
        return self.search


def stage_detail(summary: Mapping[str, Any]) -> str:
    """Say in a few words what a stage made, from the facts that its summary holds."""
    parts = []
    if numbers.is_number(summary.get("rows")):
        columns = summary.get("columns")
        across = f" x {numbers.count(columns)} columns" if numbers.is_number(columns) else ""
        parts.append(f"{numbers.count(summary['rows'])} rows{across}")
    if summary.get("left_out"):
        parts.append(f"{numbers.count(summary['left_out'])} left out")
    parts += [f"{item['join']} matched {_share(item)}" for item in summary.get("joins") or ()]
    if isinstance(summary.get("steps"), (list, tuple)):
        parts.append(f"{len(summary['steps'])} steps")
    if summary.get("release") is not None:
        parts.append(f"release {summary['release']}")
    elif summary.get("accepted") is False:
        parts.append("a criterion was missed")
    return ", ".join(parts)


def _share(join: Mapping[str, Any]) -> str:
    return numbers.percent(join["matched"] / (join["matched"] + join["unmatched"]))
