"""Boosted trees, whoever grew them: they add up, output by output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, linked, outputs_of
from mlops_compiler.models.adapters.files import corrupt, task_of
from mlops_compiler.models.adapters.level_sets import read_known
from mlops_compiler.models.adapters.losses import exponential, read_link
from mlops_compiler.models.adapters.trees import is_sound
from mlops_compiler.models.form import TreeSum, linked_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.history import TrainingHistory
    from mlops_compiler.models.kind import Matrix


@dataclass(frozen=True, kw_only=True)
class BoostedTrees(ScoringModel):
    """Trees that add, from `baseline` on, to the log-odds of class 1 or of each class, to the value or its logarithm.

    Attributes:
        trees: Those of the first output, then those of the second, and so on: as many of each.
        baseline: Where each output starts, shape (outputs,).
        width: How many columns the model was fitted on.
        rounds: Whether the trees see features rounded to float32.
        known: For each column how many levels are known, 0 of a number; empty where all are numbers.
        log: Whether they add to the logarithm of the value.
    """

    rounds: ClassVar[bool] = False
    accepts_missing: ClassVar[bool] = True
    task: Task
    trees: Trees
    baseline: NDArray[np.float64]
    width: int
    known: tuple[int, ...] = ()
    log: bool = False
    notes: tuple[str, ...] = ()
    history: TrainingHistory | None = None

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    @cached_property
    def _by_output(self) -> tuple[Trees, ...]:
        each = self.trees.count // len(self.baseline)
        return tuple(self.trees.part(start, start + each) for start in range(0, self.trees.count, each or 1))

    def form(self) -> TreeSum:
        """Give the trees."""
        scale = "log_value" if self.log else linked_scale(self.task)
        return TreeSum(trees=self._by_output, first=self.baseline, scale=scale, rounds=self.rounds, known=self.known)

    def answer(self, X: Matrix) -> Matrix:
        """Add up each output's trees."""
        rows = self.form().asked(X)
        margins = np.empty((len(X), len(self.baseline)))
        for output, (trees, first) in enumerate(zip(self._by_output, self.baseline.tolist(), strict=True)):
            margins[:, output] = trees.sum_of_leaves(rows, first)[:, 0]
        return exponential(margins) if self.log else linked(self.task, margins)


def by_output(count: int, outputs: int) -> NDArray[np.int64]:
    """Order trees that were grown round by round, one for each output, by output: where each was among all."""
    return np.arange(count).reshape(-1, outputs).T.reshape(-1)


def boosted(
    kind: str, config: Mapping[str, Any], *, trees: Trees, baseline: NDArray[np.float64], width: int
) -> dict[str, Any]:
    """Check what was read of a stored model; gives what `BoostedTrees` is made of.

    Args:
        kind: The kind that it is of.
        config: Its settings, with its `task`.
        trees: Its trees.
        baseline: Where each output starts, shape (outputs,).
        width: How many columns it was fitted on.

    Raises:
        EngineError: The trees lead astray, or do not answer the task.
    """
    task = task_of(kind, config)
    outputs = len(baseline)
    fits = outputs > 1 if task == "multiclass_classification" else outputs == outputs_of(task, 2)
    if not fits or trees.outputs != 1 or trees.count % outputs or not np.isfinite(baseline).all():
        raise corrupt(kind, "its trees do not answer its task")
    if not is_sound(trees, width):
        raise corrupt(kind, "its nodes make no trees")
    known, log = read_known(kind, config, width), read_link(kind, config, task)
    return {"task": task, "trees": trees, "baseline": baseline, "width": width, "known": known, "log": log}
