"""How a fit went, step by step: what a kind that learns in epochs or rounds may give beside its model.

What is kept of it is bounded: of very many steps some are kept, evenly, with the first, the best and the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

POINTS = 200
"""Most steps that are kept of a history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingHistory:
    """The losses of a fit.

    Attributes:
        unit: What a step is: a pass over the training rows, or a round of boosting.
        loss: What was made small: `log_loss`, `squared_error` in the unit of the target, squared, or the deviance of
            `poisson` or `gamma`, less what is the same for all models.
        training: The loss on the rows learned from, one for each step.
        validation: The loss on rows that the fit itself held back, to stop by; empty where it held none.
        learning_rate: The step size, one for each step; empty where it has none.
        best: The step, from 1, that the model is of.
    """

    unit: Literal["epoch", "round"]
    loss: Literal["log_loss", "squared_error", "poisson", "gamma"]
    training: Sequence[float]
    validation: Sequence[float] = ()
    learning_rate: Sequence[float] = ()
    best: int

    def to_json(self) -> dict[str, Any]:
        """Write it, with `steps`, those that are kept, and `count`, of all; what is not finite is null."""
        kept = _kept(len(self.training), self.best)
        series = ("training", "validation", "learning_rate")
        values = {
            name: [_number(getattr(self, name)[at]) for at in kept] for name in series if len(getattr(self, name))
        }
        steps, count = [at + 1 for at in kept], len(self.training)
        return {"unit": self.unit, "loss": self.loss, "best": self.best, "count": count, "steps": steps, **values}


def _kept(count: int, best: int) -> list[int]:
    if count <= POINTS:
        return list(range(count))
    spread = POINTS - 2  # with the best, never more than the bound
    return sorted({round(place * (count - 1) / spread) for place in range(spread + 1)} | {best - 1})


def _number(value: float) -> float | None:
    """Keep six digits: it is looked at, not computed with."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
