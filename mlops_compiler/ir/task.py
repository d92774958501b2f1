"""What a model is asked for: which of some classes, how much, which rows are alike, or which are odd."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Task: TypeAlias = Literal[
    "binary_classification", "multiclass_classification", "regression", "clustering", "anomaly_detection"
]
ALL_TASKS: tuple[Task, ...] = get_args(Task)
TASKS: tuple[Task, ...] = ("binary_classification", "multiclass_classification", "regression")
"""Those that learn from a target: a kind that can do every task can do each of them."""


def has_classes(task: str) -> bool:
    """Say whether the target of a task is one of some classes."""
    return task in ("binary_classification", "multiclass_classification")


def learns_from_target(task: str) -> bool:
    """Say whether a model is shown what came of its training rows."""
    return task in TASKS
