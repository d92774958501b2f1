"""The lifecycle as it stands: what the last run did with each stage, or is doing now, and what is there after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.console.progress_state import ProgressState
from mlops_compiler.plan.stages import PARENTS
from mlops_compiler.report import dag, numbers
from mlops_compiler.ui.kept import stage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.console.progress_state import SearchState, StageState
    from mlops_compiler.report.dag import Drawing
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event, RunRecord

STATES = {
    "done": "ran to its end",
    "reused": "taken from an earlier run",
    "running": "runs now",
    "waiting": "waits for its turn",
    "failed": "failed",
    "stopped": "was cut short",
    "live": "in operation",
    "alert": "has an alert",
    "idle": "not in use",
}
"""What a box of the drawing may be, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A box of the drawing.

    Attributes:
        name: The stage, or ``deploy`` and what comes after it.
        state: One of `STATES`.
        told: What is shown under the state: a duration, or how far it is.
        detail: What came of it, or why it runs.
        reason: Why the plan had it run.
        seconds: How long it took, where that is known.
        began: Since when it runs, where it does.
        share: How much of it is done, where that is known.
        link: Where more is to be seen.
    """

    name: str
    state: str
    told: str = ""
    detail: str = ""
    reason: str = ""
    seconds: float | None = None
    began: float | None = None
    share: float | None = None
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The parts of a lifecycle, and where they are drawn.

    Attributes:
        across: For a page.
        down: For a phone.
        text: The same in words.
        parts: By name.
        search: Where the search stands, where there was one.
    """

    across: Drawing
    down: Drawing
    text: str
    parts: Mapping[str, Part]
    search: SearchState | None

    @property
    def states(self) -> list[str]:
        """The states that are there, for the legend."""
        return [state for state in STATES if any(part.state == state for part in self.parts.values())]


def lifecycle(store: StoreReader, run: RunRecord, after: Sequence[Part] = ()) -> Lifecycle:
    """Tell where a run is, or how it ended.

    Args:
        store: The store.
        run: The run.
        after: What comes after the run, in order.
    """
    progress = folded(store.events(run.run_id))
    parts = [_part(item, progress, run) for item in run.plan] + list(after)
    told = [_told(part, store, run, progress) for part in parts]
    names = ", ".join(f"{part.name} ({STATES[part.state]})" for part in parts)
    steps = _steps(store, run)
    return Lifecycle(
        across=dag.draw_across(told, steps),
        down=dag.draw_down(told, steps),
        text=f"The lifecycle in order: {names}.",
        parts={part.name: part for part in parts},
        search=progress.search,
    )


def folded(events: Sequence[Event]) -> ProgressState:
    """Fold events into what they come to."""
    state = ProgressState()
    for event in events:
        state.apply(event)
    return state


def _part(item: Mapping[str, Any], progress: ProgressState, run: RunRecord) -> Part:
    name = str(item.get("stage"))
    known = progress.stages.get(name)
    state = _state(item, known, run)
    search = progress.search if name == "search" and state == "running" else None
    seconds = known.seconds if known is not None else None
    return Part(
        name=name,
        state=state,
        told=_far(search) if search else numbers.seconds(seconds) if seconds is not None else "",
        detail=known.detail if known is not None else "",
        reason=str(item.get("reason") or ""),
        seconds=seconds,
        began=known.started if known is not None and state == "running" else None,
        share=search.done / search.trials if search and search.trials else None,
    )


def _state(item: Mapping[str, Any], known: StageState | None, run: RunRecord) -> str:
    if known is None or known.status == "waiting":
        if item.get("action") == "reuse":
            return "reused"
        return "waiting" if run.status == "running" else "idle"
    if known.status == "running" and run.status != "running":
        return "stopped"
    return known.status


def _far(search: SearchState) -> str:
    return f"{search.done} of {search.trials} trials" if search.trials else f"{search.done} trials"


def _told(part: Part, store: StoreReader, run: RunRecord, progress: ProgressState) -> dict[str, Any]:
    """Give a part as the drawing of the report takes it."""
    parents = list(PARENTS[part.name]) if part.name in PARENTS else _before(part.name, run)
    inside = list(progress.search.models) if part.name == "search" and progress.search is not None else []
    if part.name == "search" and not inside:
        inside = _models(store, run)
    return {"stage": part.name, "action": part.state, "parents": parents, "inside": inside}


def _before(name: str, run: RunRecord) -> list[str]:
    planned = {str(item.get("stage")) for item in run.plan}
    above = {"deploy": "release", "monitor": "deploy", "feedback": "monitor"}.get(name, "release")
    return [above] if above in planned or above in ("deploy", "monitor") else []


def _steps(store: StoreReader, run: RunRecord) -> list[dict[str, Any]]:
    record = stage_of(store, run, "prepare")
    return list(record.summary.get("steps") or ()) if record else []


def _models(store: StoreReader, run: RunRecord) -> list[str]:
    """Name the models of a search that was reused, and so told nothing."""
    from mlops_compiler.ui.kept import output_of

    board = output_of(store, run, "search", "leaderboard") or {}
    return list(dict.fromkeys(str(trial.get("model")) for trial in board.get("trials") or ()))
