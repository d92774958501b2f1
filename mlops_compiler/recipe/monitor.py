"""`monitor:` says what is watched while a release serves, and when somebody is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.evaluation.metrics import MetricName
from mlops_compiler.recipe.amounts import Duration
from mlops_compiler.recipe.objective import Criterion
from mlops_compiler.section import Section


class Alert(Section):
    """When a finding becomes an alert."""

    agree: Annotated[int, Field(ge=1, le=10)] = 1
    """So many of the rules must agree."""


class Monitor(Section):
    """What is watched."""

    every: Duration = 3600.0
    """How often."""
    drift: Literal["auto", "none"] = "auto"
    """Whether inputs and predictions are compared with those of training."""
    performance: dict[MetricName, Criterion] = Field(default_factory=dict)
    """Bounds on metrics, once outcomes are known."""
    alert: Alert = Alert()
