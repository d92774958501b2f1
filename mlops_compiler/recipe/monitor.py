"""`monitor:` says what is watched while a release serves, and when somebody is told."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.evaluation.metrics import MetricName
from mlops_compiler.ir.watching import KINDS, RuleKind
from mlops_compiler.recipe.amounts import Duration, Share, Stretch
from mlops_compiler.recipe.feedback import Cron
from mlops_compiler.recipe.objective import Criterion
from mlops_compiler.section import Section


class Alert(Section):
    """When a finding becomes an alert."""

    agree: Annotated[int, Field(ge=1, le=10)] = 1
    """So many of `of` must have found something."""
    of: Annotated[tuple[str, ...], Field(min_length=1)] = KINDS
    """Whose word counts: kinds of rules, each with one vote however many of its rules fire, or single rules by their
    name, ``drift:monthly_charges``."""

    @model_validator(mode="after")
    def _enough_can_agree(self) -> Self:
        for name in self.of:
            kind, _, what = name.partition(":")
            if kind not in KINDS or (":" in name and not what):
                kinds = ", ".join(KINDS)
                raise ValueError(f"`monitor.alert.of` names {name!r}: a kind, {kinds}, or a rule of one: drift:tenure")
        if len(set(self.of)) < len(self.of):
            raise ValueError("`monitor.alert.of` names something twice, and each has one vote")
        if self.agree > len(self.of):
            raise ValueError(f"`monitor.alert.agree` is {self.agree}, and `of` names {len(self.of)}: they never agree")
        return self


class Drift(Section):
    """What counts as drift: a change that is no chance, and large enough to matter."""

    columns: tuple[str, ...] = ()
    """Only these columns are compared; all that a request holds, where none are named."""
    ignore: tuple[str, ...] = ()
    """Columns that are not compared."""
    number: Annotated[float, Field(gt=0, le=10)] = 0.1
    """How far a number must move: Wasserstein's distance, in standard deviations of the training rows."""
    category: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """How far the shares of categories must move: Jensen and Shannon's distance, from 0 to 1."""
    thresholds: dict[str, Annotated[float, Field(gt=0, le=10)]] = Field(default_factory=dict)
    """Likewise of single columns, in place of these."""
    level: Annotated[float, Field(gt=0, le=0.1)] = 0.01
    """The false discovery rate of all comparisons of a check together."""
    together: bool = True
    """Whether a classifier looks for rows that differ as a whole from those of training."""

    @model_validator(mode="after")
    def _a_column_is_compared_or_not(self) -> Self:
        for name in (*self.columns, *self.thresholds):
            if name in self.ignore:
                raise ValueError(f"`monitor.drift` ignores {name}, and asks for it")
        return self


class Quality(Section):
    """How much of what clients send may be amiss."""

    refused: Share = 0.05
    """The share of requests that break the contract and are refused."""
    missing: Share = 0.05
    """By how much more of a column's values may be missing than in training."""
    unseen: Share = 0.01
    """The share of a column's values that may be categories which training has not seen."""
    beyond: Share = 0.01
    """The share of a column's values that may lie outside all that training has seen, by more than a tenth of it."""


class Stale(Section):
    """What must not be too old; a duration, or none."""

    traffic: Duration | None = None
    """The last request."""
    labels: Duration | None = None
    """The last outcome that was told."""
    release: Duration | None = None
    """The release that serves."""
    source: Duration | None = None
    """The data that it was trained on."""

    @model_validator(mode="after")
    def _something_ages(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("`monitor.stale_after` says how old what may be: traffic, labels, release or source")
        return self


class Monitor(Section):
    """What is watched."""

    every: Duration = 3600.0
    """How often, where watching goes on."""
    cron: Cron | None = None
    """When, in place of `every`."""
    window: Stretch = "1d"
    """What is looked at: the newest rows, so many or of so long."""
    at_least: Annotated[int, Field(ge=30)] = 100
    """Below so many rows distributions are not compared, and below so many outcomes no performance."""
    drift: Literal["auto", "none"] | Drift = "auto"
    """Whether inputs, predictions and outcomes are compared with those of training, and how."""
    quality: Literal["auto", "none"] | Quality = "auto"
    """How much of what clients send may be amiss."""
    performance: dict[MetricName, Criterion] = Field(default_factory=dict)
    """Bounds on metrics, once outcomes are known."""
    drop: Annotated[Share, Field(gt=0)] = 0.05
    """By how much of the holdout's score a metric may be worse, where that is more than chance; of slices, too."""
    estimate: Literal["auto", "none"] = "auto"
    """Whether performance is estimated before outcomes are known: from probabilities, or from expected errors."""
    latency_p99: Duration | None = None
    """What all but one request in a hundred may take."""
    error_rate: Share | None = None
    """The share of requests that may fail."""
    stale_after: Duration | Stale | None = None
    """How old what may be; a duration alone is that of the last request."""
    slices: tuple[str, ...] | None = None
    """Columns whose levels are looked at apart, for drift and for performance; those of `explain.slices` where none
    are named."""
    patience: Annotated[int, Field(ge=1, le=1000)] | dict[RuleKind, Annotated[int, Field(ge=1, le=1000)]] = 1
    """In how many checks in a row a rule must fire before it counts for an alert; or by kind."""
    alert: Alert = Alert()

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        if self.cron is not None and "every" in self.model_fields_set:
            raise ValueError("`monitor.every` and `monitor.cron` both say when: write one")
        return self

    @property
    def drifts(self) -> Drift | None:
        """What counts as drift; None where nothing is compared."""
        return Drift() if self.drift == "auto" else None if self.drift == "none" else self.drift

    @property
    def stale(self) -> Stale:
        """How old what may be."""
        given = self.stale_after
        return given if isinstance(given, Stale) else Stale(traffic=given)

    def watched(self, task: str, *, labelled: bool) -> tuple[RuleKind, ...]:
        """Name the kinds of rules that can fire.

        Args:
            task: That of the recipe.
            labelled: Whether outcomes can be told: the objective has a target.
        """
        drifts, stale = self.drifts is not None, self.stale
        judged = labelled and task != "anomaly_detection"
        found: dict[RuleKind, bool] = {
            "drift": drifts,
            "prediction_drift": drifts,
            "label_drift": drifts and labelled,
            "quality": self.quality != "none",
            "performance": judged,
            "estimate": self.estimate == "auto" and judged,
            "latency": self.latency_p99 is not None,
            "errors": self.error_rate is not None,
            "staleness": bool(stale.model_dump(exclude_none=True)),
            "slice": judged,
        }
        return tuple(kind for kind in KINDS if found[kind])

    def lack(self, task: str, *, labelled: bool) -> str | None:
        """Say what is asked that the task has not; None where it has all."""
        if not labelled:
            slices = self.slices if self.drifts is None else None  # drift is compared by slice without outcomes
            asked = {"slices": slices, "stale_after.labels": self.stale.labels, "performance": self.performance}
            for key, given in asked.items():
                if given:
                    return f"`monitor.{key}` looks at outcomes, and {task} has no target"
        watched = self.watched(task, labelled=labelled)
        votes = [name for name in self.alert.of if name.partition(":")[0] in watched]
        if "of" in self.alert.model_fields_set and len(votes) < len(self.alert.of):
            deaf = next(name for name in self.alert.of if name not in votes)
            return f"`monitor.alert.of` names {deaf}, and nothing watches that: {task} has not, or the key is not given"
        if self.alert.agree > len(votes):
            return f"`monitor.alert.agree` is {self.alert.agree}, and {len(votes)} kinds are watched: they never agree"
        return None
