"""The contract after preparation: what the features must be that models learn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCheck:
    """What some features must keep.

    Attributes:
        key: How the recipe names them.
        features: Their names; open ones (``contract=*``) are named by the data.
    """

    key: str
    features: tuple[str, ...]
    range: tuple[float, float] | None = None
    missing: float | None = None
    mean: tuple[float, float] | None = None
    std: tuple[float, float] | None = None
    quantiles: tuple[tuple[str, float, float], ...] | None = None
    severity: Literal["error", "warn"] = "error"
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFeatures:
    """Check the prepared training rows.

    Attributes:
        checks: What features must keep.
        at_most: How many there may be.
        severity: Whether more of them end the run.
        losses: Of steps, the greatest share of rows and of values that each may lose.
        span: Where the recipe says how many.
    """

    verb: ClassVar[str] = "check"
    checks: tuple[FeatureCheck, ...]
    at_most: int | None = None
    severity: Literal["error", "warn"] = "error"
    losses: tuple[tuple[str, float], ...] = ()
    span: Span | None = field(default=None, compare=False)
