"""What came of two runs: features, the chosen model, its metrics on the holdout, and how long each stage took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mlops_compiler.evaluation.metrics import METRICS, ordered
from mlops_compiler.plan.compare.part import NEITHER, Keys, Pair, Part, compare_keys, gained_and_lost
from mlops_compiler.plan.stages import PARENTS

if TYPE_CHECKING:
    from mlops_compiler.plan.compare.sides import Side

_CHOSEN = ("model", "kind", "parameters", "threshold", "threshold_from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation(Part):
    """The features that the models saw.

    Attributes:
        features: How many.
        rows: Of the training.
        gained: Features that only the second run has.
        lost: Those that only the first has.
        fitted: The digests of all that the steps learned.
    """

    features: Pair = NEITHER
    rows: Pair = NEITHER
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    fitted: Pair = NEITHER

    @property
    def differs(self) -> bool:
        """Whether the features differ, or what was learned to make them."""
        return self.fitted.differs


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """A metric on the holdout.

    Attributes:
        name: The metric.
        before: Its value on the first side.
        after: On the second.
        difference: The second less the first.
        verdict: ``better``, ``worse`` or ``same`` by the metric's direction; None where that is not known.
    """

    name: str
    before: float | None
    after: float | None
    difference: float | None
    verdict: Literal["better", "worse", "same"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Part):
    """All metrics of the task."""

    metrics: tuple[MetricChange, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether one of them differs."""
        return any(item.before != item.after for item in self.metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """How long a stage took; None where that run did not make it itself, or its record was written anew.

    Attributes:
        stage: The stage.
        seconds: On both sides.
        reused: Whether each run took the stage's result from the store.
    """

    stage: str
    seconds: Pair
    reused: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Time(Part):
    """How long the runs took. That one took longer is no difference between them.

    Attributes:
        total: Seconds from start to end; None where it did not say that it ended.
        stages: Stage by stage.
    """

    total: Pair = NEITHER
    stages: tuple[StageTime, ...] = ()

    @property
    def differs(self) -> bool:
        """Never."""
        return False


def compare_preparations(before: Side, after: Side) -> Preparation:
    """Compare the features."""
    old, new = _prepared(before), _prepared(after)
    if old is None or new is None:
        return Preparation(missing=(_unfinished("prepare", before, after),))
    found = Preparation(
        features=Pair(before=old.get("features"), after=new.get("features")),
        rows=Pair(before=old.get("rows"), after=new.get("rows")),
        fitted=Pair(before=_fitted(before), after=_fitted(after)),
    )
    return _features(found, before, after) if found.differs else found


def _prepared(side: Side) -> dict[str, Any] | None:
    """What is told of the preparation that was selected: by `train`, where the search chose another than the base."""
    return (side.summary("train") or {}).get("preparation") or side.summary("prepare")


def _fitted(side: Side) -> str | None:
    return side.output("train", "final") or side.output("prepare", "preparations")


def _features(found: Preparation, before: Side, after: Side) -> Preparation:
    (first, why_first), (second, why_second) = (
        side.read_json(str(digest)) for side, digest in ((before, found.fitted.before), (after, found.fitted.after))
    )
    if first is None or second is None:
        return replace(found, missing=tuple(why for why in (why_first, why_second) if why))
    gained, lost = gained_and_lost(*(entry.get("final", entry)["features"] for entry in (first, second)))
    return replace(found, gained=gained, lost=lost)


def compare_parameters(before: Side, after: Side) -> Keys:
    """Compare the chosen model, its parameters, what was chosen of the preparation, and the threshold."""
    old, new = before.summary("select"), after.summary("select")
    if old is None or new is None:
        return Keys(missing=(_unfinished("select", before, after),))
    return Keys(changes=compare_keys(_chosen(old), _chosen(new)))


def _chosen(selection: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: selection[name] for name in _CHOSEN if name in selection}
    return chosen | (selection.get("preparation") or {})


def compare_metrics(before: Side, after: Side) -> Metrics:
    """Compare the metrics on the holdout, and say whether both were measured on the same rows."""
    old, new = before.summary("evaluate"), after.summary("evaluate")
    if old is None or new is None:
        return Metrics(missing=(_unfinished("evaluate", before, after),))
    first, second = old["metrics"], new["metrics"]
    told = tuple(_metric(name, first.get(name), second.get(name)) for name in ordered({**first, **second}))
    return Metrics(metrics=told, remarks=() if _same_holdout(before, after) else (_OTHER_ROWS,))


_OTHER_ROWS = "the holdouts are not the same rows: a difference may be one of the rows"


def _same_holdout(before: Side, after: Side) -> bool:
    return all(before.output(name, name) == after.output(name, name) for name in ("snapshot", "split"))


def _metric(name: str, before: float | None, after: float | None) -> MetricChange:
    difference = None if before is None or after is None else after - before
    return MetricChange(
        name=name, before=before, after=after, difference=difference, verdict=_verdict(name, difference)
    )


def _verdict(name: str, difference: float | None) -> Literal["better", "worse", "same"] | None:
    known = next((metric for known, metric in METRICS.items() if known == name), None)
    if difference == 0:
        return "same"
    if known is None or difference is None:
        return None
    return "better" if (difference > 0) is known.greater_is_better else "worse"


def compare_times(before: Side, after: Side) -> Time:
    """Compare how long the runs and their stages took."""
    stages = tuple(
        StageTime(
            stage=name,
            seconds=Pair(before=_seconds(before, name), after=_seconds(after, name)),
            reused=Pair(before=_reused(before, name), after=_reused(after, name)),
        )
        for name in PARENTS
        if name in before.stages or name in after.stages
    )
    return Time(total=Pair(before=_total(before), after=_total(after)), stages=stages)


def _seconds(side: Side, name: str) -> float | None:
    record = side.stages.get(name)
    return record.seconds if record and record.run_id == side.run.run_id else None


def _reused(side: Side, name: str) -> bool:
    return any(item.get("stage") == name and item.get("action") == "reuse" for item in side.run.plan)


def _total(side: Side) -> float | None:
    return None if side.run.finished is None else side.run.finished - side.run.started


def _unfinished(stage: str, before: Side, after: Side) -> str:
    lacking = [side.label for side in (before, after) if stage not in side.stages]
    return f"{' and '.join(lacking)} did not come to the end of stage `{stage}`"
