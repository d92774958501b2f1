"""What a check watches, as data: the recipe's section `monitor:` without the recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.monitoring.findings import Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """What counts as drift.

    Attributes:
        columns: Only these are compared; all where none are named.
        ignore: These are not.
        number: From how many standard deviations on a number has moved.
        category: From which distance on shares have.
        thresholds: Likewise, of single columns.
        level: The false discovery rate.
        together: Whether rows are compared as a whole.
    """

    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    number: float = 0.1
    category: float = 0.1
    thresholds: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.01
    together: bool = True

    def compares(self, column: str) -> bool:
        """Say whether a column is compared."""
        return column not in self.ignore and (not self.columns or column in self.columns)

    def limit(self, column: str, kind: str) -> float:
        """Say from where on a column has moved."""
        return self.thresholds.get(column, self.number if kind == "number" else self.category)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """How much of what clients send may be amiss: shares."""

    refused: float = 0.05
    missing: float = 0.05
    unseen: float = 0.01
    beyond: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a check watches.

    Attributes:
        asked: The window as the recipe has it.
        at_least: Fewer rows, or outcomes, are not looked at.
        drift: What counts as drift; None where nothing is compared.
        quality: How much may be amiss; None where that is not watched.
        performance: Bounds on metrics: the least and the greatest value.
        drop: By which share of the holdout's score a metric may be worse.
        estimate: Whether performance is estimated before outcomes are known.
        latency_p99: Seconds that all but one request in a hundred may take.
        error_rate: The share of requests that may fail.
        stale: How many seconds old may be the last ``traffic`` and ``labels``, the ``release`` and its ``source``.
        slices: Columns whose levels are looked at apart.
        agreement: When findings are an alert.
    """

    asked: int | str
    at_least: int = 100
    drift: DriftLimits | None = DriftLimits()
    quality: QualityLimits | None = QualityLimits()
    performance: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    drop: float = 0.05
    estimate: bool = True
    latency_p99: float | None = None
    error_rate: float | None = None
    stale: Mapping[str, float] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    agreement: Agreement
