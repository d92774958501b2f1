"""A kind of model with a task of its, on rows that it can learn from: what the laws of kinds are tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.resumable import ResumableKind
from mlops_compiler.testing.rows import CLASSES, ROWS, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.checkpointing import Checkpoint, Checkpointing
    from mlops_compiler.models.kind import Matrix, Target


@dataclass(frozen=True)
class Subject:
    """A kind with one of its tasks, on rows that it can learn from.

    Attributes:
        kind: The kind.
        task: The task.
        changes: Parameters other than the kind's defaults: smaller models, so that the tests are quick.
    """

    kind: ModelKind
    task: Task
    changes: Mapping[str, Scalar] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind.name}/{self.task}"

    @property
    def outputs(self) -> int:
        """How many columns a score has."""
        known = {"binary_classification": 2, "multiclass_classification": CLASSES, "regression": 1}
        return known.get(self.task) or self.fitted.predict(ROWS[:1]).shape[1]

    @property
    def target(self) -> Target:
        """What came of the rows."""
        return target_of(self.task)

    @cached_property
    def fitted(self) -> FittedModel:
        """The model of all rows."""
        return self.fit()

    def fit(
        self,
        X: Matrix | None = None,
        y: Target | None = None,
        *,
        classes: int | None = None,
        **options: object,
    ) -> FittedModel:
        """Fit these rows, or the usual ones."""
        known = CLASSES if self.task == "multiclass_classification" else 2
        chosen = FitOptions(**{"seed": 1, **options}, task=self.task, classes=classes or known)  # type: ignore[arg-type]
        return self.kind.fit(
            ROWS if X is None else X,
            self.target if y is None else y,
            parameters={**self.kind.defaults, **self.changes},
            options=chosen,
        )

    def resume(self, checkpointing: Checkpointing) -> tuple[FittedModel, Checkpoint]:
        """Fit the usual rows from a checkpoint on, or up to a step."""
        chosen = FitOptions(seed=1, task=self.task, classes=CLASSES if self.task == "multiclass_classification" else 2)
        given = {**self.kind.defaults, **self.changes}
        assert isinstance(self.kind, ResumableKind)
        return self.kind.resume(ROWS, self.target, parameters=given, options=chosen, checkpointing=checkpointing)


def subjects(kind: ModelKind, **changes: Scalar) -> list[Subject]:
    """List a kind with each of its tasks."""
    return [Subject(kind, task, changes) for task in kind.tasks]
