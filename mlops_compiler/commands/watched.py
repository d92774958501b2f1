"""The recipe's section `monitor:` as a check takes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.watching import KINDS
from mlops_compiler.monitoring.check import Window
from mlops_compiler.monitoring.findings import Agreement
from mlops_compiler.monitoring.watch import DriftLimits, QualityLimits, Watch
from mlops_compiler.recipe.amounts import parse_duration
from mlops_compiler.recipe.monitor import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.recipe.monitor import Monitor
    from mlops_compiler.recipe.recipe import Recipe


def watch_of(recipe: Recipe) -> Watch:
    """Read what a recipe wants watched."""
    asked = recipe.monitor
    assert asked is not None  # noqa: S101 - asked before
    drift, quality = asked.drifts, Quality() if asked.quality == "auto" else asked.quality
    return Watch(
        asked=asked.window,
        at_least=asked.at_least,
        drift=None if drift is None else DriftLimits(**drift.model_dump()),
        quality=None if quality == "none" else QualityLimits(**quality.model_dump()),
        performance={name: (bound.at_least, bound.at_most) for name, bound in asked.performance.items()},
        drop=asked.drop,
        estimate=asked.estimate == "auto",
        latency_p99=asked.latency_p99,
        error_rate=asked.error_rate,
        stale=asked.stale.model_dump(exclude_none=True),
        slices=recipe.explain.slices if asked.slices is None else asked.slices,
        agreement=Agreement(agree=asked.alert.agree, of=asked.alert.of, patience=_patience(asked)),
    )


def _patience(asked: Monitor) -> Mapping[str, int]:
    given: Any = asked.patience
    return dict.fromkeys(KINDS, given) if isinstance(given, int) else given


def window_of(asked: Monitor, now: datetime, since: datetime | None) -> Window:
    """Read what is looked at; a time that the command line gives comes first."""
    if since is not None:
        return Window(rows=None, since=since, until=now)
    if isinstance(asked.window, int):
        return Window(rows=asked.window, since=None, until=now)
    length: Any = parse_duration(asked.window)
    return Window(rows=None, since=now - timedelta(seconds=length), until=now)
