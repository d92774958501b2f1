"""The leaderboard as rows ready to be shown: every trial in its order, the baseline and the choice marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.space import shown_value
from mlops_compiler.models.schedule import SCHEDULE, schedule_text
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STRIP = 120
"""Width of the drawing of a trial's folds, in pixels."""
_INSET = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial, as text and geometry.

    Attributes:
        place: Place among the complete trials, from 1; a dash for others.
        spread: Standard deviation over the folds, or empty.
        dots: The x of each fold's score in the strip.
        centre: The x of the mean, where there is one.
        status: ``complete``, ``stopped after 1 of 5 folds, 7th of 9``, ``failed``.
        mark: ``chosen``, ``baseline``, ``member, 40 %`` or empty.
        training: The mean on rows that the trial learned from, or empty.
    """

    place: str
    trial: str
    model: str
    kind: str
    parameters: tuple[tuple[str, str], ...]
    mean: str
    spread: str
    scores: str
    dots: tuple[float, ...]
    centre: float | None
    status: str
    seconds: str
    mark: str
    error: str | None
    training: str = ""


def as_selected(board: Mapping[str, Any], selection: Mapping[str, Any]) -> dict[str, Any]:
    """Add to each trial what the selection made of it: why it may not be chosen, its scores calibrated, its weight."""
    why: Mapping[str, str] = selection.get("excluded") or {}
    rescored: Mapping[str, Any] = selection.get("rescored") or {}
    weights = {str(item["trial"]): item["weight"] for item in selection.get("members") or ()}
    trials = []
    for row in board["trials"]:
        name = str(row["trial"])
        told = {"excluded": why.get(name), "weight": weights.get(name), **rescored.get(name, {})}
        trials.append({**row, **told})
    return {**board, "trials": trials}


def trial_rows(leaderboard: Mapping[str, Any] | None, chosen: object = None) -> tuple[TrialRow, ...]:
    """Make a row of each trial, in the leaderboard's order.

    Args:
        leaderboard: The recorded leaderboard, or None.
        chosen: Number of the trial that was selected.
    """
    if leaderboard is None:
        return ()
    trials: Sequence[Mapping[str, Any]] = leaderboard.get("trials") or ()
    ranked = [trial for trial in trials if _is_ranked(trial)]
    scale = _Scale.over([score for trial in ranked for score in _scores(trial)])
    rows, place = [], 0
    for trial in trials:
        place += _is_ranked(trial)
        shown = str(place) if _is_ranked(trial) else numbers.DASH
        rows.append(_row(trial, shown, scale, leaderboard, chosen))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    @classmethod
    def over(cls, scores: Sequence[float]) -> _Scale:
        return cls(min(scores, default=0.0), max(scores, default=1.0))

    def x(self, score: float) -> float | None:
        """Return where a score lies in the strip, or None where it lies outside."""
        if not self.low <= score <= self.high:
            return None
        share = 0.5 if self.high == self.low else (score - self.low) / (self.high - self.low)
        return round(_INSET + share * (STRIP - 2 * _INSET), 1)


def _row(
    trial: Mapping[str, Any], place: str, scale: _Scale, leaderboard: Mapping[str, Any], chosen: object
) -> TrialRow:
    scores = _scores(trial)
    mean = trial.get("mean")
    return TrialRow(
        place=place,
        trial=str(trial.get("trial", numbers.DASH)),
        model=str(trial.get("model", numbers.DASH)),
        kind=str(trial.get("kind", "")),
        parameters=tuple(_decided(trial)),
        mean=numbers.score(mean),
        spread=numbers.score(trial.get("std")) if numbers.is_number(trial.get("std")) else "",
        scores=", ".join(numbers.score(score) for score in scores),
        dots=tuple(x for score in scores if (x := scale.x(score)) is not None),
        centre=scale.x(mean) if mean is not None and numbers.is_number(mean) else None,
        status=status_text(trial, leaderboard.get("folds")),
        seconds=numbers.seconds(trial.get("seconds")),
        mark=_mark(trial, chosen),
        training=numbers.score(trial["training"]) if numbers.is_number(trial.get("training")) else "",
        error=trial.get("error"),
    )


def _decided(trial: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Write the parameters of the model, then what the search chose of the preparation."""
    for name, value in (trial.get("parameters") or {}).items():
        yield str(name), schedule_text(value) if name == SCHEDULE else numbers.number(value)
    yield from ((str(name), shown_value(value)) for name, value in (trial.get("preparation") or {}).items())


def status_text(trial: Mapping[str, Any], folds: object) -> str:
    """Say how far a trial went: ``complete``, ``stopped after 1 of 5 folds``, ``failed``."""
    status = str(trial.get("status", "complete"))
    if trial.get("calibrated") and not trial.get("excluded"):
        was = numbers.score(trial.get("uncalibrated"))
        return f"{status}; calibrated by {trial['calibrated']}, {was} before"
    if trial.get("excluded"):
        return f"{status}; may not be chosen: {trial['excluded']}"
    if status != "stopped":
        return status
    return f"stopped after {len(_scores(trial))} of {folds} folds{behind_text(trial.get('behind'))}"


def behind_text(behind: Mapping[str, int] | None) -> str:
    """Say why a trial was stopped: how far behind others it was, ``, 7th of 9``, or ``, as time was up``."""
    return f", {numbers.ordinal(behind['place'])} of {behind['of']}" if behind else ", as time was up"


def _is_ranked(trial: Mapping[str, Any]) -> bool:
    return trial.get("status") == "complete" and not trial.get("baseline")


def _mark(trial: Mapping[str, Any], chosen: object) -> str:
    if chosen is not None and trial.get("trial") == chosen:
        return "chosen"
    if numbers.is_number(trial.get("weight")):
        return f"member, {numbers.percent(trial['weight'], 0)}"
    return "baseline" if trial.get("baseline") else ""


def _scores(trial: Mapping[str, Any]) -> list[float]:
    return [score for score in trial.get("scores") or () if numbers.is_number(score)]
