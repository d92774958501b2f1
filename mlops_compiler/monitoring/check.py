"""A check: what a window of traffic holds, beside what the release was trained on, comes to findings.

A window of time holds what was answered in it, and the outcomes that were told in it, whenever the answer was: they
come later. A window of rows holds the newest rows, and the newest of those whose outcome is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.monitoring.amiss import quality, served, stale, traffic_json
from mlops_compiler.monitoring.findings import Findings, settled, votes
from mlops_compiler.monitoring.moving import moved, served_answers
from mlops_compiler.monitoring.within import moved_within
from mlops_compiler.monitoring.worse import came, estimate, performance, slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.monitoring.findings import Rule
    from mlops_compiler.monitoring.reference import Reference
    from mlops_compiler.monitoring.watch import Watch
    from mlops_compiler.store.operations import Check

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was logged of one release.

    Attributes:
        joined: All rows that were answered beside their outcomes, as `observed.joined` gives them.
        traffic: What requests met with, as `observed.traffic` gives it.
        deployed: Since when the release serves, seconds since 1970; None where it does not.
    """

    joined: pl.DataFrame
    traffic: pl.DataFrame
    deployed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is looked at.

    Attributes:
        rows: The newest rows, so many; None where a time is looked at.
        since: From when on; None where rows are counted.
        until: The time of the check.
    """

    rows: int | None
    since: datetime | None
    until: datetime

    def answered(self, joined: pl.DataFrame) -> pl.DataFrame:
        """Choose the rows that were answered."""
        return self._chosen(joined, "time")

    def labelled(self, joined: pl.DataFrame) -> pl.DataFrame:
        """Choose rows whose outcome is known."""
        return self._chosen(joined.filter(pl.col("outcome").is_not_null()), "outcome_time")

    def _chosen(self, rows: pl.DataFrame, time: str) -> pl.DataFrame:
        before = rows.filter(pl.col(time) <= self.until)
        if self.since is not None:
            return before.filter(pl.col(time) >= self.since)
        return before.sort(time).tail(self.rows or 0)

    def start(self, answered: pl.DataFrame) -> datetime:
        """Say where the window starts."""
        first: Any = answered["time"].min() if self.since is None else self.since
        return first if first is not None else self.until - _DAY


def check(reference: Reference, seen: Observed, window: Window, watch: Watch, before: Sequence[Check] = ()) -> Findings:
    """Look at a window.

    Args:
        reference: That of the release.
        seen: What was logged of it.
        window: What to look at.
        watch: What for.
        before: The checks before this one, the newest first.
    """
    answered = window.answered(seen.joined)
    labelled = _readable(window.labelled(seen.joined), reference)
    start = window.start(answered)
    traffic = seen.traffic.filter((pl.col("time") >= start) & (pl.col("time") <= window.until))
    rules: list[Rule] = []
    drift: list[dict[str, Any]] = []
    measured: dict[str, Any] = {}
    guessed: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    within: list[dict[str, Any]] = []
    inputs = answered["input"].struct.unnest() if answered.height else pl.DataFrame()
    if answered.height:
        answers, outcomes = served_answers(answered["output"], reference.manifest), _outcomes(labelled, reference)
        rules, drift = moved(reference, inputs, answers, outcomes, watch)
        found, within = moved_within(reference, inputs, answers, watch)
        rules += found
        found, guessed = estimate(reference, answered, labelled, watch)
        rules += found
    if labelled.height:
        found, measured = performance(reference, labelled, watch)
        worse, parts = slices(reference, labelled, watch)
        rules += [*found, *worse]
    rules += [*quality(reference, inputs, traffic, watch), *served(answered, traffic, watch)]
    rules += stale(_ages(reference, seen, window.until), watch)
    counted = settled(rules, [item for item in before if item.release == reference.release.number])
    return Findings(
        window={"start": start.isoformat(), "end": window.until.isoformat(), "asked": watch.asked},
        rows=answered.height,
        labelled=labelled.height,
        rules=counted,
        votes=votes(counted, watch.agreement),
        agree=watch.agreement.agree,
        drift=tuple(drift),
        slice_drift=tuple(within),
        performance=measured,
        estimate=guessed,
        traffic=traffic_json(answered, traffic),
        slices=tuple(parts),
    )


def _readable(labelled: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Keep outcomes that the task can have."""
    if not labelled.height or not (has_classes(reference.manifest["task"]) or _has_values(reference)):
        return labelled.head(0)
    return labelled.filter(pl.Series(came(labelled["outcome"], reference.manifest)).is_not_nan())


def _has_values(reference: Reference) -> bool:
    return learns_from_target(reference.manifest["task"])


def _outcomes(labelled: pl.DataFrame, reference: Reference) -> pl.Series:
    """Give outcomes as the reference of the target has them."""
    if not labelled.height:
        return pl.Series(dtype=pl.Float64)
    found = came(labelled["outcome"], reference.manifest)
    if has_classes(reference.manifest["task"]):
        return pl.Series([reference.manifest["classes"][int(number)] for number in found])
    return pl.Series(found)


def _ages(reference: Reference, seen: Observed, now: datetime) -> dict[str, float | None]:
    told = seen.joined.filter(pl.col("outcome").is_not_null())["outcome_time"].max() if seen.joined.height else None
    last = [side["time"].max() for side in (seen.joined, seen.traffic) if side.height]
    requests = max(last).timestamp() if last else seen.deployed  # type: ignore[type-var, union-attr]
    moments = {
        "traffic": requests,
        "labels": told.timestamp() if isinstance(told, datetime) else seen.deployed,
        "release": reference.release.created,
        "source": reference.taken,
    }
    return {what: None if moment is None else now.timestamp() - moment for what, moment in moments.items()}


def utc(seconds: float) -> datetime:
    """Give a time of the store as a time."""
    return datetime.fromtimestamp(seconds, UTC)
