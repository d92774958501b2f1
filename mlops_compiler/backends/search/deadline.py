"""The time that a search has: what still fits into it, by what folds took so far."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Deadline:
    """When a search must be over.

    Attributes:
        seconds: How long it may take, from now on; None where it may take any time.
        folds: How many folds a trial has.
        clock: Seconds, from any beginning.
    """

    seconds: float | None
    folds: int
    clock: Callable[[], float]
    _began: float = field(init=False)
    _took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def left(self) -> float:
        """Seconds until then; below 0 after it."""
        return math.inf if self.seconds is None else self._began + self.seconds - self.clock()

    @property
    def is_over(self) -> bool:
        """Whether time is up."""
        return self.left < 0

    def took(self, model: str, seconds: float) -> None:
        """Take note of how long a fold of a model took."""
        if self.seconds is not None:
            self._took[model].append(seconds)

    def fits(self, model: str) -> bool:
        """Say whether a whole trial of a model would end in time; True of a model of which no fold is known."""
        known = self._took.get(model)
        return known is None or self.folds * math.fsum(known) / len(known) <= self.left
