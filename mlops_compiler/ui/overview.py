"""All recipes of a store at a glance, and what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import title
from mlops_compiler.store.records import ENVIRONMENTS
from mlops_compiler.ui.kept import card_of
from mlops_compiler.ui.lifecycle import folded
from mlops_compiler.ui.steps import ROLLOUT_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.console.progress_state import SearchState
    from mlops_compiler.store.operations import AuditEntry, Check, Placement
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment, Release, RunRecord
    from mlops_compiler.ui.services import Answer

LATEST = 12
_STRIP, _LOOKED = 24, 200
_FOUND = {
    "alert": "an alert",
    "noticed": "a rule fired; too few agree for an alert",
    "quiet": "all is quiet again",
    "blind": "monitoring has nothing to look at",
}
"""What the status of a check says."""
_TRAIL = 24
TONES = {
    "succeeded": "good",
    "rejected": "bad",
    "failed": "bad",
    "interrupted": "warm",
    "lost": "warm",
    "running": "accent",
    "quiet": "good",
    "noticed": "warm",
    "alert": "bad",
    "blind": "muted",
}
"""The colour of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One recipe.

    Attributes:
        recipe: Its name.
        description: What the model is for.
        run: Its last run.
        search: Where that run's search stands, while it runs.
        release: Its newest release.
        services: What is served, the strictest environment first, and how it answers.
        placements: What each environment has.
        checks: What monitoring found in the last checks, the newest first.
        metric: What was searched for.
        trail: That metric of each release, the oldest first.
    """

    recipe: str
    description: str
    run: RunRecord | None
    search: SearchState | None
    release: Release | None
    services: Sequence[tuple[Deployment, Answer | None]]
    placements: Sequence[Placement]
    checks: Sequence[Check]
    metric: str
    trail: Sequence[float]

    @property
    def check(self) -> Check | None:
        """What monitoring found last."""
        return self.checks[0] if self.checks else None

    @property
    def silent(self) -> bool:
        """Whether a service does not answer."""
        return any(answer is not None and not answer.well for _, answer in self.services)

    @property
    def metric_title(self) -> str:
        """The metric's name for people."""
        return title(self.metric) if self.metric else ""

    @property
    def score(self) -> float | None:
        """The newest release's."""
        return self.release.metrics.get(self.metric) if self.release else None

    @property
    def tone(self) -> str:
        """What is to be seen at first sight."""
        if (self.check and self.check.status == "alert") or self.silent:
            return "bad"
        if self.run and self.run.status == "running":
            return "accent"
        if self.run and self.run.status in ("failed", "rejected"):
            return "warm"
        return "good" if self.services else "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened, for the list of what is new."""

    time: float
    recipe: str
    told: str
    tone: str
    link: str


def cards(store: StoreReader, answers: Mapping[tuple[str, str], Answer]) -> list[Card]:
    """Make a card of each recipe, by name.

    Args:
        store: What is recorded.
        answers: How services answer, by recipe and environment.
    """
    return [_card(store, recipe, answers) for recipe in store.recipes()]


def _card(store: StoreReader, recipe: str, answers: Mapping[tuple[str, str], Answer]) -> Card:
    served = store.deployments(recipe)
    environment = served[0].environment if served else ENVIRONMENTS[0]
    runs, releases, card = store.runs(recipe, limit=1), store.releases(recipe), card_of(store, recipe)
    run = runs[0] if runs else None
    metric = str((card.get("metrics") or {}).get("primary") or "")
    running = run is not None and run.status == "running"
    scores = [item.metrics.get(metric) for item in reversed(releases[:_TRAIL])]
    return Card(
        recipe=recipe,
        description=str((card.get("use") or {}).get("description") or ""),
        run=run,
        search=folded(store.events(run.run_id)).search if running and run else None,
        release=releases[0] if releases else None,
        services=[(item, answers.get((recipe, item.environment))) for item in served],
        placements=store.placements(recipe),
        checks=store.check_states(recipe, environment, limit=_STRIP),
        metric=metric,
        trail=[score for score in scores if score is not None and numbers.is_number(score)],
    )


def happenings(store: StoreReader, recipe: str | None = None, limit: int = LATEST) -> list[Happening]:
    """List what happened last: runs, what people did, and what monitoring found; the newest first."""
    found = [_of_run(run) for run in store.runs(recipe, limit=limit)]
    found += map(_of_audit, store.audit(recipe, limit=limit))
    for name in [recipe] if recipe else store.recipes():
        for environment in ENVIRONMENTS:
            found += _of_checks(store.check_states(name, environment, limit=_LOOKED))
    # What an older store found is that of each environment, and told once.
    return sorted(dict.fromkeys(found), key=lambda item: -item.time)[:limit]


def path_of(recipe: str) -> str:
    """Give the address of a recipe's first page."""
    return f"/recipes/{quote(recipe, safe='')}"


def _of_run(run: RunRecord) -> Happening:
    release = (run.summary or {}).get("release")
    told = {
        "running": "a run began",
        "succeeded": f"a run made release {release}" if release is not None else "a run came to its end",
        "rejected": f"a run was not released: it missed {', '.join(missed(run)) or 'a criterion'}",
        "failed": "a run failed",
        "interrupted": "a run was interrupted",
        "lost": "a run ended without a word",
    }.get(run.status, f"a run is {run.status}")
    link = f"{path_of(run.recipe)}/runs/{quote(run.run_id, safe='')}"
    return Happening(
        time=run.finished or run.started, recipe=run.recipe, told=told, tone=TONES.get(run.status, "muted"), link=link
    )


def missed(run: RunRecord) -> list[str]:
    """Name the criteria that a run missed."""
    criteria: Sequence[Mapping[str, Any]] = (run.summary or {}).get("criteria") or ()
    return [str(item.get("metric")) for item in criteria if not item.get("met")]


def _of_audit(entry: AuditEntry) -> Happening:
    verdict = entry.payload.get("verdict")
    tone = {"passed": "good", "taken back": "bad"}.get(str(verdict), "violet")
    page = "traffic" if entry.action in ROLLOUT_STEPS else "audit"
    return Happening(
        time=entry.time, recipe=entry.recipe, told=_done(entry), tone=tone, link=f"{path_of(entry.recipe)}/{page}"
    )


def _done(entry: AuditEntry) -> str:
    release = f" release {entry.release}" if entry.release is not None else ""
    if entry.action not in ROLLOUT_STEPS:
        where = f" in {entry.environment}" if entry.environment else ""
        return f"{entry.action}{release}{where}, by {entry.actor}"
    share, verdict = entry.payload.get("share"), entry.payload.get("verdict")
    at = f" at {numbers.percent(share, 0)}" if share else ""
    return f"{entry.action.replace('_', ' ')} of{release}{at}" + (f": {verdict}" if verdict else "")


def _of_checks(checks: Sequence[Check]) -> Iterator[Happening]:
    """Tell when checks began to find something, and when they found nothing any more."""
    before = "quiet"
    for check in reversed(checks):
        if check.status != before and (check.status in ("alert", "noticed") or before != "blind"):
            told, where = _FOUND[check.status], f" in {check.environment}" if check.environment else ""
            yield Happening(
                time=check.time,
                recipe=check.recipe,
                told=f"{told} (release {check.release}{where})",
                tone=TONES[check.status],
                link=f"{path_of(check.recipe)}/alerts",
            )
        before = check.status
