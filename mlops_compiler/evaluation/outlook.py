"""What would be decided at other thresholds: the counterfactual that a business asks for before it trusts one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.evaluation.confusion import confusion, total_value
from mlops_compiler.evaluation.scores import precision, recall

if TYPE_CHECKING:
    from mlops_compiler.evaluation.cuts import Labels, Probabilities
    from mlops_compiler.ir.ops.search import ValueMatrix

_USUAL = tuple(np.round(np.linspace(0.1, 0.9, 9), 1).tolist())


def threshold_table(
    y: Labels, probability: Probabilities, chosen: float, value: ValueMatrix | None
) -> list[dict[str, Any]]:
    """Decide the rows at each tenth, and at the chosen threshold.

    Args:
        y: Labels 0 and 1, shape (rows,).
        probability: Of class 1, shape (rows,).
        chosen: The threshold of the release.
        value: What each outcome is worth, where the recipe says so.

    Returns:
        By rising threshold: ``threshold``, ``chosen``, ``decided`` (rows called positive), the four outcomes,
        ``precision``, ``recall`` and ``value`` (None where no outcome has one).
    """
    wanted = sorted({*_USUAL, chosen})
    return [_one(y, probability, threshold, value, chosen=threshold == chosen) for threshold in wanted]


def _one(
    y: Labels, probability: Probabilities, threshold: float, value: ValueMatrix | None, *, chosen: bool
) -> dict[str, Any]:
    counts = confusion(y, probability, threshold)
    return {
        "threshold": threshold,
        "chosen": chosen,
        "decided": counts.true_positive + counts.false_positive,
        **counts.to_json(),
        "precision": precision(counts),
        "recall": recall(counts),
        "value": None if value is None else total_value(counts, value),
    }
