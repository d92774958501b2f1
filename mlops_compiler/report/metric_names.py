"""A recorded metric is looked up by any text: a record may name one that this version does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from mlops_compiler.evaluation.metrics import Metric


def metric_of(name: str) -> Metric | None:
    """Return what is known of a metric, or None."""
    return next((metric for known, metric in METRICS.items() if known == name), None)


def title(name: str) -> str:
    """Return a metric's name for people; its own name where nothing is known of it."""
    known = metric_of(name)
    return name if known is None else known.title
