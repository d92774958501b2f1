"""What a model is asked for: which of two classes, which of several, or how much."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Task: TypeAlias = Literal["binary_classification", "multiclass_classification", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)


def has_classes(task: str) -> bool:
    """Say whether the target of a task is one of some classes."""
    return task != "regression"
