"""The releases of a recipe: what each scored, who approved of it, where it is, and whether it is retired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report.numbers import is_number
from mlops_compiler.ui.kept import card_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.store.operations import Approval, Placement, Retirement
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release, RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release.

    Attributes:
        release: What is recorded of it.
        metric: What was searched for.
        interval: Of that metric on the holdout, where the run recorded one.
        serves: The environments whose services answer with it.
        places: The environments that have it.
        approvals: Who approved of it.
        retirement: Its end.
        criteria: What it had to reach.
        run: The run that made it.
    """

    release: Release
    metric: str
    interval: tuple[float, float] | None
    serves: Sequence[str]
    places: Sequence[Placement]
    approvals: Sequence[Approval]
    retirement: Retirement | None
    criteria: Sequence[Mapping[str, Any]]
    run: RunRecord | None

    @property
    def score(self) -> float | None:
        """Of the metric that was searched for."""
        return self.release.metrics.get(self.metric)

    @property
    def others(self) -> list[tuple[str, float]]:
        """The other metrics."""
        return [(name, value) for name, value in self.release.metrics.items() if name != self.metric]


def release_rows(store: StoreReader, recipe: str) -> list[ReleaseRow]:
    """Make a row of each release, the newest first."""
    serving, placements, retired = store.deployments(recipe), store.placements(recipe), store.retirements(recipe)
    metric = str((card_of(store, recipe).get("metrics") or {}).get("primary") or "")
    rows = []
    for release in store.releases(recipe):
        run = store.run(release.run_id)
        summary = (run.summary if run else None) or {}
        rows.append(
            ReleaseRow(
                release=release,
                metric=metric,
                interval=_pair((summary.get("intervals") or {}).get(metric)),
                serves=[item.environment for item in serving if item.release == release.number],
                places=[item for item in placements if item.release == release.number],
                approvals=store.approvals(recipe, release.number),
                retirement=retired.get(release.number),
                criteria=summary.get("criteria") or (),
                run=run,
            )
        )
    return rows


def _pair(interval: Any) -> tuple[float, float] | None:
    if isinstance(interval, (list, tuple)) and len(interval) == 2 and all(map(is_number, interval)):  # noqa: PLR2004
        return float(interval[0]), float(interval[1])
    return None
