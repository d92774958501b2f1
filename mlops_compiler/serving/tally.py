"""What was seen of two releases side by side: counts that replicas add up, and what is judged by them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_compiler.serving.comparison import Difference
    from mlops_compiler.serving.rollout import Limits

_GROWTH = 1.05
_LEAST_SECONDS = 1e-4
_SURE = 2.576
"""Standard errors of 99 %: a step is looked at often, and chance shall not end it."""
_TAIL = 0.01
"""The share of requests that may be slower than a 99th percentile."""


@dataclass(slots=True, kw_only=True)
class Side:
    """What was seen of one release.

    Attributes:
        requests: Requests that it was asked.
        errors: Those that it failed.
        slow: Those that took longer than is allowed.
        buckets: Requests by how long they took: each bucket reaches 5 % further than the one before.
    """

    requests: int = 0
    errors: int = 0
    slow: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, seconds: float, *, failed: bool = False, allowed: float | None = None) -> None:
        """Count a request."""
        bucket = max(0, math.ceil(math.log(max(seconds, _LEAST_SECONDS) / _LEAST_SECONDS, _GROWTH)))
        self.requests += 1
        self.errors += failed
        self.slow += allowed is not None and seconds > allowed
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Side) -> None:
        """Add what another one counted."""
        self.requests += other.requests
        self.errors += other.errors
        self.slow += other.slow
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def quantile(self, share: float) -> float | None:
        """Seconds that a share of the requests took at most, to 5 %; None where there were none."""
        left = share * self.requests
        for bucket, count in sorted(self.buckets.items()):
            left -= count
            if left <= 0:
                return float(_LEAST_SECONDS * _GROWTH**bucket)
        return None


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was seen in one step of a rollout.

    Attributes:
        new: Of the new release.
        old: Of the one in place.
        pairs: Rows that both answered.
        differing: Those that they decided otherwise.
        largest: How far their numbers lay apart at most.
        unpaired: Requests that were not compared, for want of time.
        spared: Requests that the new release was not asked, after it had failed some in a row.
    """

    new: Side = field(default_factory=Side)
    old: Side = field(default_factory=Side)
    pairs: int = 0
    differing: int = 0
    largest: float = 0.0
    unpaired: int = 0
    spared: int = 0

    def pair(self, difference: Difference) -> None:
        """Count what was compared."""
        self.pairs += difference.rows
        self.differing += difference.differing
        self.largest = max(self.largest, difference.largest)

    def merge(self, other: Tally) -> None:
        """Add what another one counted."""
        self.new.merge(other.new)
        self.old.merge(other.old)
        self.pairs += other.pairs
        self.differing += other.differing
        self.largest = max(self.largest, other.largest)
        self.unpaired += other.unpaired
        self.spared += other.spared

    def to_json(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        told = asdict(self)
        for side in ("new", "old"):
            told[side]["buckets"] = sorted(told[side]["buckets"].items())
        return told

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Tally:
        """Read it back."""
        sides = {side: Side(**{**value[side], "buckets": dict(value[side]["buckets"])}) for side in ("new", "old")}
        return cls(**{**value, **sides})

    def summary(self) -> dict[str, Any]:
        """Give what is told of it: counts, shares, and seconds."""
        return {
            "requests": self.new.requests,
            "errors": self.new.errors,
            "latency_p50": self.new.quantile(0.5),
            "latency_p99": self.new.quantile(1 - _TAIL),
            "latency_p99_in_place": self.old.quantile(1 - _TAIL),
            "compared": self.pairs,
            "differing": self.differing,
            "largest_difference": self.largest,
            "not_compared": self.unpaired,
            "spared": self.spared,
        }


def judge(tally: Tally, limits: Limits, *, ended: bool) -> str | None:
    """Say why a new release is taken back; None where it may go on.

    Args:
        tally: What was seen in this step.
        limits: What is too much.
        ended: Whether the step has seen all that it was to see. Before, a share is too large only where chance does not
            explain it: the lower end of its interval (Wilson 1927) at 99 % lies above the limit.
    """
    new = tally.new
    found = (
        ("errors", new.errors, new.requests, limits.error_rate),
        ("disagreement", tally.differing, tally.pairs, limits.disagreement),
    )
    for what, count, total, limit in found:
        if limit is not None and _exceeds(count, total, limit, ended=ended):
            return f"{what} {count / total:.1%} of {total:,}, and {limit:.1%} are allowed"
    if limits.latency_p99 is not None and _exceeds(new.slow, new.requests, _TAIL, ended=ended):
        seconds, allowed = new.quantile(1 - _TAIL) or 0.0, limits.latency_p99
        return f"latency p99 {shown_seconds(seconds)} of {new.requests:,}, and {shown_seconds(allowed)} is allowed"
    return None


def _exceeds(count: int, total: int, limit: float, *, ended: bool) -> bool:
    if not total:
        return False
    return (count / total if ended else lower_end(count, total)) > limit


def lower_end(count: int, total: int) -> float:
    """Give the lower end of the interval of a share at 99 %.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    share, square = count / total, _SURE**2 / total
    spread = _SURE * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return max(0.0, (share + square / 2 - spread) / (1 + square))


def shown_seconds(seconds: float) -> str:
    """Show how long something took."""
    return f"{seconds:.2g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
