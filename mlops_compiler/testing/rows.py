"""A small problem that every kind can learn, for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import Target

CLASSES = 4
"""Of the task with several classes."""

_random = np.random.default_rng(0)
ROWS = _random.normal(size=(400, 6))
"""The design matrix, shape (400, 6)."""
GROUPS = _random.integers(0, 3, size=400)
"""Which of three heaps each row lies in, by its last three columns."""
ROWS[:, 3:] += np.array([[-4, -4, -4], [4, 0, 4], [0, 4, -4]])[GROUPS]
_value = ROWS[:, 0] - ROWS[:, 1] * ROWS[:, 2] + _random.normal(size=400)
_TARGETS: dict[str, Target] = {
    "binary_classification": (_value > 0.3).astype(np.int64),
    "multiclass_classification": np.digitize(_value, [-1.0, 0.0, 1.0]),
    "regression": 1000 + 50 * _value,
    "clustering": np.zeros(400, dtype=np.int64),
    "anomaly_detection": np.zeros(400, dtype=np.int64),
}
for _array in (ROWS, GROUPS, *_TARGETS.values()):
    _array.flags.writeable = False


def target_of(task: Task) -> Target:
    """Give what came of the rows."""
    return _TARGETS[task]
