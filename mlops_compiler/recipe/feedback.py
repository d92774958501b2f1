"""`feedback:` says how what happened after a prediction comes back to training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mlops_compiler.recipe.amounts import Bound, Duration, Share, parse_comparison
from mlops_compiler.recipe.sources import Source
from mlops_compiler.section import Section

if TYPE_CHECKING:
    from datetime import datetime


def first_time(cron: str) -> datetime | None:
    """Say when a cron expression fires first after a fixed day; None where it names a day that no year has.

    Raises:
        ValueError: It is no cron expression.
    """
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    start = datetime(2024, 1, 1, tzinfo=UTC)
    try:
        return next(CronSim(cron, start), None)
    except CronSimError as error:
        try:  # the 30th of February is a date to CronSim that cannot be read
            CronSim(" ".join([*cron.split()[:3], "*", *cron.split()[4:]]), start)
        except CronSimError:
            raise ValueError(f"`{cron}` is no cron expression of five fields: {str(error).lower()}") from None
        return None


def _is_cron(value: str) -> str:
    first_time(value)
    return value


Cron = Annotated[str, Field(min_length=1), AfterValidator(_is_cron)]
"""Minute, hour, day of the month, month, day of the week; in UTC."""


class Labels(Section):
    """Where the outcomes come from, beside those that are sent to the service."""

    source: Source
    """Where they come from."""
    key: str
    """The column by which an outcome finds its prediction."""


class Wrong(Section):
    """Which predictions count as wrong: one bound, of those that the task has."""

    probability_error: Bound | None = None
    """Of classes: one less the probability that the class which came was given. ``> 0.5``, where nothing is said."""
    error: Bound | None = None
    """Of values: how far the prediction is from what came, in the unit of the target."""
    times_rmse: Bound | None = None
    """Of values: likewise, in the root mean squared error of the release on its holdout. ``> 2``, where nothing is
    said."""

    @property
    def given(self) -> dict[str, str]:
        """The bounds that are given."""
        named = {name: getattr(self, name) for name in ("probability_error", "error", "times_rmse")}
        return {name: bound for name, bound in named.items() if bound is not None}

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if len(self.given) > 1:
            raise ValueError(f"`feedback.wrong` takes one bound, and has {' and '.join(self.given)}")
        if any(parse_comparison(bound).sign in ("<", "<=") for bound in self.given.values()):
            raise ValueError("`feedback.wrong` says how far off a prediction is at least: write `>` or `>=`")
        return self


class Quota(Section):
    """How much may come back from one API key."""

    rows: Annotated[int, Field(ge=1)] = 1000
    """The most rows."""
    share: Annotated[Share, Field(gt=0)] = 0.5
    """The greatest share of what `at_most` has room for."""


class Quarantine(Section):
    """Whose labels do not come back."""

    level: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    """How often an API key whose labels are as good as all others' may be held back, for all keys together."""
    times: Annotated[float, Field(ge=1)] = 1.2
    """A key is held back only where its labels call predictions wrong so many times as often as others' do, each
    measured by what the probabilities of the release lead to expect."""
    keys: tuple[str, ...] = ()
    """Names of API keys that are held back in any case."""


class Retrain(Section):
    """When a model is trained anew, what it must beat, and what becomes of it."""

    cron: Cron | None = None
    """At fixed times."""
    when: tuple[Literal["drift", "performance"], ...] = ()
    """When monitoring says so."""
    patience: Annotated[int, Field(ge=1, le=1000)] = 1
    """So many checks in a row must say so."""
    must_beat: Literal["current", "baseline", "nothing"] = "current"
    """What the new model is compared with, on rows that neither was trained on."""
    deploy: bool = False
    """Whether a release that comes of it is deployed, as `deploy` says."""


class Feedback(Section):
    """What happened after a prediction, and what is made of it."""

    labels: Labels | None = None
    """Outcomes that lie in a table; those that are sent to the service are known without."""
    wrong: Wrong = Wrong()
    at_most: Share = 0.1
    """The greatest share of training rows that may be rows fed back; they weigh no more than that together, either."""
    weight: Annotated[float, Field(gt=0, le=10)] = 1.0
    """How much a row fed back counts beside a mean training row, at most."""
    wait: Duration | None = None
    """How long an outcome takes to be known."""
    quota: Quota = Quota()
    quarantine: Quarantine = Quarantine()
    retrain: Retrain = Retrain()

    @model_validator(mode="after")
    def _something_is_observed(self) -> Self:
        if self.at_most >= 1:
            raise ValueError("`feedback.at_most` leaves nothing but rows that came back: write less than 100%")
        return self
