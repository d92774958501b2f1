"""`objective:` says what the model is for, in numbers that decide whether it ships."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.evaluation.metrics import (
    ANOMALY_METRICS,
    BINARY_METRICS,
    CLUSTERING_METRICS,
    FORECASTING_METRICS,
    MULTICLASS_METRICS,
    NEED_LABELS,
    REGRESSION_METRICS,
    AnomalyMetric,
    BinaryMetric,
    ClusteringMetric,
    ForecastingMetric,
    MulticlassMetric,
    RegressionMetric,
)
from mlops_compiler.recipe.steps.base import Names
from mlops_compiler.section import Section


class Criterion(Section):
    """The bounds that a metric on the holdout must keep for a release to ship."""

    at_least: float | None = None
    """The least that the metric may be."""
    at_most: float | None = None
    """The most that it may be."""

    @model_validator(mode="after")
    def _one_bound_and_in_order(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a criterion needs `at_least` or `at_most`")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"no value is at least {self.at_least} and at most {self.at_most}")
        return self


Opponent = Literal["baseline", "release"]


class Acceptance(Criterion):
    """What a metric on the holdout must keep or beat for a release to ship."""

    beats: Opponent | tuple[Opponent, ...] = ()
    """What the model must be better than, by more than chance, on the same rows: the ``baseline`` that looks at no
    feature, the ``release`` in place."""
    by: float = 0.0
    """By how much, in the direction that is better; less than 0 to allow that it is so much worse."""

    @property
    def opponents(self) -> tuple[Opponent, ...]:
        """What it must beat."""
        return (self.beats,) if isinstance(self.beats, str) else self.beats

    @model_validator(mode="after")
    def _one_bound_and_in_order(self) -> Self:
        if self.by and not self.beats:
            raise ValueError("`by` says how much better: name what is to be beaten under `beats`")
        if self.at_least is None and self.at_most is None and not self.beats:
            raise ValueError("a criterion needs `at_least`, `at_most` or `beats`")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"no value is at least {self.at_least} and at most {self.at_most}")
        return self


class Value(Section):
    """What each outcome of a decision is worth, in the unit of the business (money, mostly), per row."""

    true_positive: float = 0
    """Acting on a row that is positive."""
    false_positive: float = 0
    """Acting on a row that is negative."""
    false_negative: float = 0
    """Not acting on a row that is positive."""
    true_negative: float = 0
    """Not acting on a row that is negative."""

    @model_validator(mode="after")
    def _a_decision_matters(self) -> Self:
        if self.true_positive == self.false_negative and self.false_positive == self.true_negative:
            raise ValueError("every decision is worth the same: no threshold can be better than another")
        return self


class Objective(Section):
    """What every task says."""

    task: str
    target: Annotated[str, Field(min_length=1)]
    """The column to predict."""
    target_is: Annotated[str, Field(min_length=1)] | None = None
    """A SQL expression over the source's columns that makes the target, where the source does not have it."""


class BinaryClassification(Objective):
    """Which of two classes a row is of, and how good is good enough."""

    task: Literal["binary_classification"]
    """The kind of problem."""
    positive: str | int | bool
    """The value of the target that counts as positive."""
    metric: BinaryMetric = "roc_auc"
    """What the search optimises, averaged over the folds."""
    report: tuple[BinaryMetric, ...] = BINARY_METRICS
    """The metrics to show beside it; all of the task's, where none are named."""
    value: Value | None = None
    """The worth of each outcome; sets the decision threshold (0.5 where it is not given)."""
    accept: dict[BinaryMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship."""


class MulticlassClassification(Objective):
    """Which of several classes a row is of, and how good is good enough."""

    task: Literal["multiclass_classification"]
    """The kind of problem."""
    metric: MulticlassMetric = "log_loss"
    """What the search optimises, averaged over the folds."""
    report: tuple[MulticlassMetric, ...] = MULTICLASS_METRICS
    """The metrics to show beside it; all of the task's, where none are named."""
    accept: dict[MulticlassMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship."""


class Regression(Objective):
    """How much of something a row has, and how good is good enough."""

    task: Literal["regression"]
    """The kind of problem."""
    metric: RegressionMetric = "rmse"
    """What the search optimises, averaged over the folds."""
    report: tuple[RegressionMetric, ...] = REGRESSION_METRICS
    """The metrics to show beside it; all of the task's, where none are named."""
    accept: dict[RegressionMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship."""


class Forecasting(Section):
    """What a value will be some rows ahead in its series, and how good is good enough."""

    task: Literal["forecasting"]
    """The kind of problem."""
    target: Annotated[str, Field(min_length=1)]
    """The column of numbers whose later value is predicted; its value at the time of a row is known, and a feature."""
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How many rows ahead in its series the predicted value lies."""
    by: Names = ()
    """Columns that make the series; without them all rows are one."""
    season: Annotated[int, Field(ge=1, le=100_000)] = 1
    """After how many rows a season comes round: a seasonal naive forecast repeats the value of the last one."""
    metric: ForecastingMetric = "mae"
    """What the search optimises, averaged over the folds."""
    report: tuple[ForecastingMetric, ...] = FORECASTING_METRICS
    """The metrics to show beside it; all of the task's, where none are named."""
    accept: dict[ForecastingMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship; the baseline to beat is the seasonal naive forecast."""

    @property
    def naive_lag(self) -> int:
        """How many rows back the value lies that a seasonal naive forecast repeats."""
        return -(-self.horizon // self.season) * self.season - self.horizon

    @property
    def naive(self) -> str:
        """The column that holds it."""
        return f"{self.target}_lag_{self.naive_lag}" if self.naive_lag else self.target

    @property
    def target_is(self) -> None:
        """No expression makes the target."""


class Ahead(Regression):
    """A forecast once its looks are made: a regression of a column that looks ahead."""

    metric: ForecastingMetric = "mae"  # type: ignore[assignment]
    """What the search optimises, averaged over the folds."""
    report: tuple[ForecastingMetric, ...] = FORECASTING_METRICS  # type: ignore[assignment]
    """The metrics to show beside it."""
    accept: dict[ForecastingMetric, Acceptance] = Field(default_factory=dict)  # type: ignore[assignment]
    """What the holdout must show for a release to ship."""
    naive: str
    """The column that a seasonal naive forecast repeats."""
    horizon: int
    """How many rows ahead the value lies."""
    season: int
    """After how many rows a season comes round."""


class Clustering(Section):
    """Which rows are alike, and how good is good enough: there is no target."""

    task: Literal["clustering"]
    """The kind of problem."""
    metric: ClusteringMetric = "silhouette"
    """What the search optimises, averaged over the folds."""
    report: tuple[ClusteringMetric, ...] = CLUSTERING_METRICS
    """The metrics to show beside it; all of the task's, where none are named."""
    accept: dict[ClusteringMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship."""

    @model_validator(mode="after")
    def _pairs_need_a_target(self) -> Self:
        for name, bound in self.accept.items():
            if bound.beats:
                raise ValueError(f"`accept.{name}.beats` compares row by row, and a clustering has no target")
        return self

    @property
    def target(self) -> None:
        """No column is predicted."""

    @property
    def target_is(self) -> None:
        """Nor computed."""


class AnomalyDetection(Section):
    """Which rows are odd, and how good is good enough; a target only judges, and nothing learns from it."""

    task: Literal["anomaly_detection"]
    """The kind of problem."""
    contamination: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """The share of rows that is expected to be odd: it sets the threshold, and how many rows are looked at."""
    target: Annotated[str, Field(min_length=1)] | None = None
    """A column that says which rows are odd, where there is one. It is never a feature, and no model sees it."""
    target_is: Annotated[str, Field(min_length=1)] | None = None
    """A SQL expression over the source's columns that makes the target, where the source does not have it."""
    positive: str | int | bool | None = None
    """The value of the target that says odd."""
    metric: AnomalyMetric = "stability"
    """What the search optimises, averaged over the folds."""
    report: tuple[AnomalyMetric, ...] = ANOMALY_METRICS
    """The metrics to show beside it; all that can be computed, where none are named."""
    value: Value | None = None
    """The worth of each outcome; sets the threshold in place of `contamination`, by the target."""
    accept: dict[AnomalyMetric, Acceptance] = Field(default_factory=dict)
    """What the holdout must show for a release to ship."""

    @model_validator(mode="after")
    def _labels_come_whole(self) -> Self:
        if (self.target is None) != (self.positive is None):
            raise ValueError("`target` and `positive` say which rows are odd: both are needed, or neither")
        if self.target is None and self.target_is is not None:
            raise ValueError("`target_is` makes the column that `target` names")
        if self.target is None and self.value is not None:
            raise ValueError("`value` needs a `target` that says which rows are odd")
        named = {self.metric, *self.accept, *(self.report if "report" in self.model_fields_set else ())}
        if self.target is None and (wrong := sorted(named & NEED_LABELS)):
            raise ValueError(f"`{wrong[0]}` needs a `target` that says which rows are odd")
        if self.metric == "flagged":
            raise ValueError("`metric` cannot be `flagged`: the fewest flagged rows are none")
        for name, bound in self.accept.items():
            if bound.beats:
                raise ValueError(f"`accept.{name}.beats` compares predictions of a target, and there are none")
        return self


AnyObjective = Annotated[
    BinaryClassification | MulticlassClassification | Regression | Forecasting | Clustering | AnomalyDetection,
    Field(discriminator="task"),
]
"""What is predicted, and how good is good enough."""
