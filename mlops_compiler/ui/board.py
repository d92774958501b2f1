"""The leaderboard of a run: as it was recorded at its end; until then, from the events that were told so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report.leaderboard import as_selected
from mlops_compiler.report.numbers import is_number
from mlops_compiler.report.search_end import with_facts
from mlops_compiler.ui.kept import output_of, stage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event, RunRecord

Board = dict[str, Any]


def board_of(store: StoreReader, run: RunRecord) -> Board | None:
    """Give the trials of a run, the best first; None where none was told of yet.

    Returns:
        What `report.leaderboard` takes, with ``chosen`` (the number of a trial, or None) and ``live`` beside it.
    """
    board, record = output_of(store, run, "search", "leaderboard"), stage_of(store, run, "search")
    if board is None or record is None:
        return _so_far(store.events(run.run_id))
    selection = output_of(store, run, "select", "selection") or {}
    timed = with_facts(board, record.summary)
    return {**as_selected(timed, selection), "chosen": selection.get("trial"), "live": False, "selection": selection}


def _so_far(events: Sequence[Event]) -> Board | None:
    planned = next((event.payload for event in events if event.kind == "search_planned"), None)
    if planned is None:
        return None
    up = bool(planned.get("greater_is_better", True))
    scores: dict[int, dict[int, float]] = {}
    trials: dict[int, dict[str, Any]] = {}
    began: dict[int, float] = {}
    for event in events:
        number = event.payload.get("trial")
        if event.kind == "trial_started" and number is not None:
            trials[number] = {"trial": number, "model": event.payload.get("model"), "status": "running"}
            scores[number], began[number] = {}, event.time
        elif event.kind == "fold_finished" and is_number(event.payload.get("score")):
            scores.setdefault(event.payload["trial"], {})[event.payload.get("fold", 0)] = event.payload["score"]
        elif event.kind == "trial_finished" and number is not None:
            took = None if event.payload.get("cached") else event.time - began.get(number, event.time)
            trials[number] = {**event.payload, "baseline": event.payload.get("kind") == "prior", "seconds": took}
    rows = [_row(trial, scores.get(number, {})) for number, trial in trials.items()]
    rows.sort(key=lambda row: _place(row, up=up))
    return {
        "metric": planned.get("metric"),
        "folds": planned.get("folds"),
        "greater_is_better": up,
        "trials": rows,
        "chosen": None,
        "live": True,
        "selection": {},
    }


def _row(trial: Mapping[str, Any], scores: Mapping[int, float]) -> dict[str, Any]:
    found = [scores[fold] for fold in sorted(scores)]
    mean = trial.get("score") if is_number(trial.get("score")) else sum(found) / len(found) if found else None
    return {**trial, "mean": mean, "scores": found}


def _place(row: Mapping[str, Any], *, up: bool) -> tuple[int, float]:
    order = {"complete": 0, "running": 1, "stopped": 2}.get(str(row.get("status")), 3)
    mean = row["mean"]
    return order + (4 if row.get("baseline") else 0), 0.0 if mean is None else -mean if up else mean
