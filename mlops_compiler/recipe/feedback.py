"""`feedback:` says how what happened after a prediction comes back to training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_compiler.recipe.amounts import Bound, Duration, Share
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
    """Where the outcomes come from."""

    source: Source
    """Where they come from."""
    key: str
    """The column by which an outcome finds its prediction."""


class Wrong(Section):
    """Which predictions count as wrong."""

    probability_error: Bound = "> 0.5"
    """The distance of the predicted probability from the outcome, 0 or 1."""


class Retrain(Section):
    """When a model is trained anew, and what it must beat."""

    cron: Cron | None = None
    """At fixed times."""
    when: tuple[Literal["drift", "performance"], ...] = ()
    """When monitoring says so."""
    patience: Annotated[int, Field(ge=1, le=1000)] = 1
    """So many checks in a row must say so."""
    must_beat: Literal["current", "baseline", "nothing"] = "current"
    """What the new model is compared with, on rows that neither was trained on."""


class Feedback(Section):
    """What happened after a prediction, and what is made of it."""

    labels: Labels
    wrong: Wrong = Wrong()
    at_most: Share = 0.1
    """The greatest share of training rows that may be rows fed back."""
    wait: Duration | None = None
    """How long an outcome takes to be known."""
    retrain: Retrain = Retrain()
