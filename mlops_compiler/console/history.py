"""What was recorded, as tables: the runs, one run, and what is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.criteria import criteria_table
from mlops_compiler.console.explained import print_explained
from mlops_compiler.console.metrics import print_metrics, print_rival
from mlops_compiler.console.plan_view import ACTION_STYLES
from mlops_compiler.console.progress_lines import line_of
from mlops_compiler.console.progress_state import ProgressState
from mlops_compiler.console.text import (
    ACCENT,
    BAD,
    DIM,
    GOOD,
    STRONG,
    WARN,
    clean,
    grid,
    heading,
    line,
    row,
    styled,
)
from mlops_compiler.ir.space import shown_point
from mlops_compiler.report import numbers
from mlops_compiler.report.search_end import ended_text, spent_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from mlops_compiler.store.records import Deployment, Event, RunRecord

_WIDE = 100
_STATUS_STYLES = {
    "succeeded": GOOD,
    "rejected": BAD,
    "failed": BAD,
    "interrupted": WARN,
    "lost": WARN,
    "running": ACCENT,
}
_STATE_STYLES = {"running": GOOD, "healthy": GOOD, "starting": WARN, "unhealthy": BAD, "gone": BAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentView:
    """A deployment as recorded, and how it is now.

    Attributes:
        deployment: What was recorded when it was made.
        state: ``healthy``, ``starting``, ``unhealthy`` or ``gone``.
        replicas: Replicas that run, where that is known.
        detail: What is wrong with it, if anything is.
    """

    deployment: Deployment
    state: str
    replicas: int | None = None
    detail: str = ""


def print_runs(runs: Sequence[RunRecord], console: Console) -> None:
    """Print a line a run, the newest first."""
    if not runs:
        line(console, ("no runs are recorded", DIM))
        return
    table = grid("left", "text", "left", "left", "right", "text")
    titles = ("run", "recipe", "status", "started, UTC", "took", "result")
    row(table, *(Text(title, style=DIM) for title in titles))
    for run in runs:
        row(
            table,
            styled(run.run_id, STRONG),
            styled(run.recipe),
            _status(run.status),
            Text(numbers.moment(run.started, short=console.width < _WIDE), style=DIM),
            Text(_took(run), style=DIM),
            styled(_result(run.summary)),
        )
    console.print(table)


def print_run(run: RunRecord, events: Sequence[Event], console: Console) -> None:
    """Print one run: its stages, criteria, metrics and events.

    Of ``run.summary`` the keys ``actor``, ``criteria``, ``metrics``, ``baseline``, ``explained``, ``release``,
    ``preparation``, ``search`` and ``report`` are shown.
    """
    line(console, (clean(run.recipe), STRONG), " ", clean(run.run_id), "  ", _status(run.status))
    _print_header(run, console)
    state = ProgressState()
    for event in events:
        state.apply(event)
    if run.plan:
        heading(console, "Stages")
        _print_stages(run, state, console)
    summary: Mapping[str, Any] = run.summary or {}
    if summary.get("criteria"):
        heading(console, "Criteria")
        console.print(criteria_table(summary["criteria"], summary.get("baseline") or {}))
    if summary.get("metrics"):
        heading(console, "Metrics", "beside the baseline")
        print_metrics(summary, console, summary.get("validation"))
    if summary.get("rival"):
        print_rival(summary["rival"], console)
    print_explained(summary.get("explained") or {}, console)
    if events:
        heading(console, "Events")
        _print_events(events, console)


def print_status(deployments: Sequence[DeploymentView], console: Console) -> None:
    """Print what is deployed and how it is."""
    if not deployments:
        line(console, ("nothing is deployed", DIM))
        return
    for view in deployments:
        item = view.deployment
        state = Text(clean(view.state), style=_STATE_STYLES.get(view.state, ""))
        line(console, (clean(item.recipe), STRONG), f"  release {item.release} in {item.environment}  ", state)
        table = grid("left", "text")
        for name, value in _deployment_facts(view):
            row(table, Text(name, style=DIM), styled(value))
        console.print(table)


def _deployment_facts(view: DeploymentView) -> list[tuple[str, str]]:
    item = view.deployment
    facts = [
        ("url", f"http://{item.host}:{item.port}{item.route}"),
        ("since", f"{numbers.moment(item.created)} UTC"),
        ("engine", f"{item.address}{f', process {item.pid}' if item.pid else ''}"),
    ]
    facts += [("replicas", str(view.replicas))] if view.replicas is not None else []
    return facts + ([("detail", view.detail)] if view.detail else [])


def _status(status: str) -> Text:
    return styled(status, _STATUS_STYLES.get(status, ""))


def _took(run: RunRecord) -> str:
    return numbers.seconds(run.finished - run.started) if run.finished is not None else ""


def _result(summary: Mapping[str, Any] | None) -> str:
    found = summary or {}
    release = f"release {found['release']}" if found.get("release") is not None else ""
    missed = [str(item.get("metric")) for item in found.get("criteria") or () if not item.get("met")]
    return release or (f"missed {', '.join(missed)}" if missed else "")


def _print_header(run: RunRecord, console: Console) -> None:
    table = grid("left", "text")
    facts = [("started", f"{numbers.moment(run.started)} UTC"), ("by", str((run.summary or {}).get("actor", "")))]
    facts += [("took", _took(run)), ("host", run.host)]
    facts += [("overrides", " ".join(run.overrides)), ("result", _result(run.summary))]
    facts += [("prepared", " ".join(shown_point((run.summary or {}).get("preparation") or {})))]
    search = (run.summary or {}).get("search") or {}
    facts += [("search", ended_text(search.get("ended"))), ("trials took", spent_text(search.get("spent")))]
    facts += [("report", (run.summary or {}).get("report") or "")]
    for name, value in facts:
        if value:
            row(table, Text(name, style=DIM), styled(value))
    console.print(table)


def _print_stages(run: RunRecord, state: ProgressState, console: Console) -> None:
    table = grid("left", "left", "right", "text", indent=4)
    for item in run.plan:
        stage, action = str(item.get("stage")), str(item.get("action"))
        known = state.stages.get(stage)
        failed = known is not None and known.status == "failed"
        row(
            table,
            styled(stage, BAD if failed else ""),
            styled(action, ACTION_STYLES.get(action, "")),
            Text(numbers.seconds(known.seconds) if known and known.seconds is not None else "", style=DIM),
            styled(known.detail if known and known.detail else item.get("reason") or "", BAD if failed else DIM),
        )
    console.print(table)


def _print_events(events: Sequence[Event], console: Console) -> None:
    state = ProgressState()
    for event in events:
        state.apply(event)
        said = line_of(event, state, since=events[0].time)
        if said is not None:
            line(console, (said, DIM))
