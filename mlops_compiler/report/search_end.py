"""What ended a search, in words, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping


def ended_text(ended: Mapping[str, Any] | None) -> str:
    """Say what ended a search before its trials were all made: ``ended by patience after 41 of 80 trials``.

    Args:
        ended: ``by``, ``trials`` and ``of``, as recorded; None where nothing is.

    Returns:
        Nothing where all trials were made, or where it is not known.
    """
    found = ended or {}
    after = f"after {numbers.count(found.get('trials'))} of {numbers.count(found.get('of'))} trials"
    match found.get("by"):
        case "patience":
            return f"ended by patience {after}"
        case "time":
            return f"ended by its time {after}"
        case "cpu_hours":
            return f"ended by its CPU-hours {after}"
        case "gpu_hours":
            return f"ended by its GPU-hours {after}"
        case "space":
            return f"ended {after}: every point of the space was tried"
        case _:
            return ""


def spent_text(spent: Mapping[str, Any] | None) -> str:
    """Say what the trials of a search took: ``12.5 s of a core, 3.2 s of a GPU``; nothing where it is not known."""
    found = spent or {}
    cores = [f"{numbers.seconds(found['cpu_seconds'])} of a core"] if found.get("cpu_seconds") else []
    gpus = [f"{numbers.seconds(found['gpu_seconds'])} of a GPU"] if found.get("gpu_seconds") else []
    return ", ".join(cores + gpus)


def with_facts(board: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a leaderboard what is recorded apart, as it is no part of the result: times, cost, what ended the search.

    Args:
        board: The recorded leaderboard.
        summary: That of the stage `search`; one of an earlier version has only times.
    """
    seconds = summary["seconds"]
    trials = [{**row, "seconds": seconds.get(str(row["trial"]))} for row in board["trials"]]
    return {**board, "trials": trials, "ended": summary.get("ended"), "spent": summary.get("spent")}
