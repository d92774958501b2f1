"""What ends a search before its trials are all made: patience, and budgets of CPU- and GPU-hours.

The race's law holds here, too: whether trial i may start follows from trials up to i - `max_concurrent`. What those
took is measured once and recorded with their folds, so a search that is replayed ends where it ended. Trials that are
under way, and not known yet, count as what known ones of their model took in the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.backends.search.race import Trial
    from mlops_compiler.ir.ops.search import Search

_HOUR = 3600.0
End: TypeAlias = Literal["trials", "space", "patience", "time", "cpu_hours", "gpu_hours"]
"""What ended a search: all trials were made, every point of the space was tried, or a limit was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What folds took.

    Attributes:
        cpu: Seconds of cores that were at work.
        gpu: Seconds of GPUs that were held; a part of a GPU counts as that part.
    """

    cpu: float = 0.0
    gpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(cpu=self.cpu + other.cpu, gpu=self.gpu + other.gpu)


NOTHING = Spent()


@dataclass(slots=True)
class _Total:
    spent: Spent = NOTHING
    trials: int = 0

    def add(self, trial: Trial) -> None:
        self.spent += trial.spent
        self.trials += 1


@dataclass(slots=True)
class Limits:
    """The limits of a search, told of its trials in order."""

    search: Search
    sign: float
    _all: _Total = field(default_factory=_Total)
    _models: dict[str, _Total] = field(default_factory=dict)
    _mark: float | None = None
    _since: int = 0

    def tell(self, trial: Trial) -> None:
        """Take note of the next trial that ended."""
        self._all.add(trial)
        self._models.setdefault(trial.candidate.name, _Total()).add(trial)
        self._since += 1
        if trial.status != "complete" or trial.mean is None:
            return
        reached = self.sign * trial.mean
        if self._mark is None or reached > self._mark + (self.search.min_improvement or 0.0):
            self._mark, self._since = reached, 0

    def reached(self, ahead: Iterable[Trial]) -> End | None:
        """Name the limit that keeps another trial from starting, if one does.

        Args:
            ahead: The trials before it that were not told yet.
        """
        search = self.search
        if search.patience is not None and self._since >= search.patience:
            return "patience"
        if search.cpu_hours is None and search.gpu_hours is None:
            return None
        spent = sum((self._usual(trial.candidate.name) for trial in ahead), start=self._all.spent)
        if search.cpu_hours is not None and spent.cpu >= search.cpu_hours * _HOUR:
            return "cpu_hours"
        if search.gpu_hours is not None and spent.gpu >= search.gpu_hours * _HOUR:
            return "gpu_hours"
        return None

    def _usual(self, model: str) -> Spent:
        """What a trial of a model takes: the mean of those known; nothing where none is."""
        known = self._models.get(model)
        if known is None:
            return NOTHING
        return Spent(cpu=known.spent.cpu / known.trials, gpu=known.spent.gpu / known.trials)
