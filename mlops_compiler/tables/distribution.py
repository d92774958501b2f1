"""What a column is like as a whole: asked of it as expressions, so that all columns are looked at in one scan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from mlops_compiler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.diagnostics import Span

    Bounds = tuple[tuple[str, float, float], ...] | None


class Expected(Protocol):
    """What is said of one column; all of it may be left open."""

    @property
    def missing(self) -> float | None:
        """The greatest share of values that may be missing."""

    @property
    def mean(self) -> tuple[float, float] | None:
        """The least and the greatest mean."""

    @property
    def std(self) -> tuple[float, float] | None:
        """The least and the greatest standard deviation, of a sample."""

    @property
    def quantiles(self) -> Bounds:
        """Quantiles, each with its least and its greatest value."""

    @property
    def span(self) -> Span | None:
        """Where the recipe says it."""


def asks(expected: Expected, column: str, *, is_float: bool, shares: Bounds = None) -> dict[str, pl.Expr]:
    """Give the aggregates that tell whether a column is as expected.

    Args:
        expected: What is said of it.
        column: Its name.
        is_float: Whether it may hold NaN, which counts as missing.
        shares: Levels, each with its least and its greatest share.
    """
    values = pl.col(column).fill_nan(None) if is_float else pl.col(column)
    asked: dict[str, pl.Expr] = {}
    if expected.missing is not None:
        asked["missing"] = values.null_count() / pl.len()
    if expected.mean is not None:
        asked["mean"] = values.cast(pl.Float64).mean()
    if expected.std is not None:
        asked["std"] = values.cast(pl.Float64).std()
    for name, _, _ in expected.quantiles or ():
        asked[name] = values.cast(pl.Float64).quantile(float(name[1:]) / 100, "linear")
    for level, _, _ in shares or ():
        asked[f"={level}"] = (values.cast(pl.String) == level).sum() / values.count()
    return asked


def departures(
    expected: Expected, column: str, answers: Mapping[str, Any], shares: Bounds = None
) -> Iterator[Diagnostic]:
    """Say where a column is not as expected; of a column without values only that they are missing.

    Args:
        expected: What is said of it.
        column: Its name.
        answers: To what was asked.
        shares: As asked.
    """
    if expected.missing is not None and (share := answers["missing"]) > expected.missing:
        told = f"column `{column}` may be missing in {expected.missing:.1%} of the rows, and is in {share:.1%}"
        help_ = "look why it is not filled any more, or raise `missing`"
        yield Diagnostic(code="contract-missing", headline=told, span=expected.span, help=help_)
    if expected.mean is not None and _beyond(expected.mean, found := answers["mean"]):
        yield _elsewhere("contract-mean", f"the mean of column `{column}`", expected.mean, found, expected.span)
    if expected.std is not None and _beyond(expected.std, found := answers["std"]):
        what = f"the standard deviation of column `{column}`"
        yield _elsewhere("contract-std", what, expected.std, found, expected.span)
    for name, *bounds in expected.quantiles or ():
        if _beyond(bounds, found := answers[name]):
            yield _elsewhere("contract-quantile", f"{name} of column `{column}`", bounds, found, expected.span)
    for level, *bounds in shares or ():
        if _beyond(bounds, found := answers[f"={level}"]):
            low, high = bounds
            told = f"`{level}` must be {low:.1%} to {high:.1%} of column `{column}`, and is {found:.1%}"
            help_ = "look whether its levels are written otherwise now, or widen `shares`"
            yield Diagnostic(code="contract-share", headline=told, span=expected.span, help=help_)


def _beyond(bounds: Sequence[float], value: float | None) -> bool:
    """Whether there is a value, and it lies beyond its bounds."""
    return value is not None and not math.isnan(value) and not bounds[0] <= value <= bounds[1]


def _elsewhere(code: str, what: str, bounds: Sequence[float], found: float, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=code,
        headline=f"{what} must lie between {bounds[0]:g} and {bounds[1]:g}, and is {found:g}",
        span=span,
        help="look whether its unit or its population changed, or widen the bounds",
    )
