"""One plain line for each event that is worth one: for logs, pipes and terminals that cannot redraw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.console.text import clean
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mlops_compiler.console.progress_state import ProgressState, SearchState, StageState
    from mlops_compiler.store.records import Event


def line_of(event: Event, state: ProgressState, *, since: float) -> str | None:
    """Say an event in a line, or None where it is not worth one.

    Args:
        event: What happened.
        state: Where the run stands, the event taken in.
        since: Time of the first event; the line begins with what has passed since.
    """
    said = _said(event, state)
    return None if said is None else f"{numbers.seconds(event.time - since):>12}  {clean(said)}"


def _said(event: Event, state: ProgressState) -> str | None:
    said: str | None = None
    match event.kind:
        case "stage_started":
            said = f"{event.payload['stage']}: started"
        case "stage_finished":
            said = _finished(state.stage(str(event.payload["stage"])))
        case "stage_failed":
            said = f"{event.payload['stage']}: failed: {event.payload.get('headline', '')}"
        case "search_planned" if state.search is not None:
            said = _planned(state.search)
        case "trial_finished" if state.search is not None:
            said = _trial(event.payload, state.search)
        case "search_ended" if state.search is not None and state.search.ended:
            said = f"search: {state.search.ended}"
        case "trial_lost":
            trial, model = event.payload["trial"], event.payload.get("model", "")
            said = f"search: trial {trial} {model}: {event.payload.get('reason', 'lost')}; it is tried again"
        case "nested_fold":
            outer = f"outer fold {event.payload['fold'] + 1} of {event.payload['folds']}"
            said = f"nested: {outer}: {event.payload.get('model', '')}"
        case "note":
            said = str(event.payload.get("text", ""))
    return said


def _finished(stage: StageState) -> str:
    detail = f", {stage.detail}" if stage.detail else ""
    return f"{stage.name}: done in {numbers.seconds(stage.seconds)}{detail}"


def _planned(search: SearchState) -> str:
    known = f", {search.cached} known already" if search.cached else ""
    return f"search: {search.trials} trials x {search.folds} folds of {', '.join(search.models)}{known}"


def _trial(payload: Mapping[str, Any], search: SearchState) -> str | None:
    """Say how a trial ended; one that an earlier run ran says nothing."""
    if payload.get("cached"):
        return None
    trial = payload["trial"]
    score, status = numbers.score(payload.get("score")), payload.get("status")
    end = {
        "complete": f"{score} over {payload.get('folds')} folds",
        "stopped": f"stopped after {payload.get('folds')} of {search.folds} folds at {score}",
    }.get(str(status), "failed")
    best = " (best so far)" if search.best is not None and search.best.trial == trial else ""
    of = f"{search.done}/{search.trials}" if search.trials else f"{search.done}"
    return f"search: {of}: trial {trial} {payload.get('model', '')}: {end}{best}"
