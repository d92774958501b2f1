"""The trials of each model as parallel coordinates: an axis for each thing that was searched, a line for each trial.

Each model has a drawing of its own, as its parameters are its own. What a trial does not have, as what lies inside an
alternative that it did not take, stands below the axis. The drawing needs no script; with the page's own one, a stretch
of an axis can be marked, and only the trials that pass through it stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.evaluation.comparable import comparable
from mlops_compiler.ir.space import shown_value
from mlops_compiler.models.schedule import SCHEDULE, schedule_text
from mlops_compiler.report import numbers
from mlops_compiler.report.leaderboard import status_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Json = Mapping[str, Any]

WIDTH, HEIGHT = 1080, 300
TOP, BOTTOM, LEFT, RIGHT = 58, 268, 60, 1020
"""The ends of the axes, in pixels."""
NOWHERE = 288
"""Where a line passes an axis that its trial has no value on."""
_FEWEST = 2
_MOST_NAME = 22
_CROWDED = 6
_EXACT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A value written beside an axis, at a height in pixels."""

    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One thing that was searched, or the score.

    Attributes:
        name: Its name, cut where it is long.
        full: The whole name.
        x: Its place in pixels.
        up: Pixels that its name stands higher than others, where names are crowded.
        share: How much of the difference between trials is its, as ``64 % ± 9``; empty where that is not known.
    """

    name: str
    full: str
    x: float
    up: int
    ticks: tuple[Tick, ...]
    share: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trial.

    Attributes:
        path: Its way through the axes.
        at: Its height on each axis in pixels, with a comma between.
        mark: ``chosen``, ``stopped`` or empty.
        told: All that is to say of it.
    """

    path: str
    at: str
    mark: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """The drawing of one model's trials; `note` says what cannot be told of them."""

    model: str
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    note: str


def drawings(board: Json | None, importance: Json | None, chosen: object = None) -> tuple[Parallel, ...]:
    """Draw each model that has at least two trials with a score, and something to search.

    Args:
        board: The recorded leaderboard; one of an earlier version, without domains, gives nothing.
        importance: What made the difference, by model.
        chosen: Number of the trial that was selected.
    """
    if board is None or not board.get("spaces") or not board.get("trials"):
        return ()
    models = dict.fromkeys(str(row.get("model")) for row in board["trials"])  # the one with the best trial first
    level = comparable(board["trials"])
    named = [model for model in models if model in board["spaces"]]
    made = (_of_model(board, level, model, (importance or {}).get(model) or {}, chosen) for model in named)
    return tuple(item for item in made if item is not None)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What an axis shows: numbers between two ends, or some values in a row."""

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    levels: tuple[str, ...] = ()

    def y(self, value: Any) -> float | None:
        """Say how high a value stands, in pixels; None where there is none, or it lies outside."""
        share = self._share(value)
        return None if share is None else round(BOTTOM - share * (BOTTOM - TOP), 1)

    def _share(self, value: Any) -> float | None:
        if self.levels:
            text = shown_value(value)
            return (self.levels.index(text) + 0.5) / len(self.levels) if text in self.levels else None
        if not numbers.is_number(value) or not self.low <= value <= self.high:
            return None
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return float((value - self.low) / (self.high - self.low))

    def ticks(self) -> tuple[Tick, ...]:
        """Write the ends and the middle, or every value."""
        if self.levels:
            step = (BOTTOM - TOP) / len(self.levels)
            every = math.ceil(len(self.levels) / _EXACT)
            marks = ((round(BOTTOM - (at + 0.5) * step, 1), text) for at, text in enumerate(self.levels))
            return tuple(Tick(y=y, text=_cut(text)) for at, (y, text) in enumerate(marks) if at % every == 0)
        middle = float(f"{math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2:.3g}")
        values = (self.low, middle, self.high) if self.high > self.low else (self.low,)
        return tuple(Tick(y=y, text=_short(value)) for value in values if (y := self.y(value)) is not None)


def _of_model(board: Json, level: Mapping[int, float], model: str, judged: Json, chosen: object) -> Parallel | None:
    trials = [
        {**row, "level": level[row["trial"]]}
        for row in board["trials"]
        if row.get("model") == model and row["trial"] in level
    ]
    scales = list(_scales(board, model, trials))
    if len(trials) < _FEWEST or not scales:
        return None
    shares = {item["name"]: item for item in judged.get("parameters") or ()}
    scales.sort(key=lambda scale: -shares.get(scale.name, {}).get("share", -1.0))
    levels = [row["level"] for row in trials]
    score = _Scale(str(board.get("metric")), min(levels), max(levels))
    return Parallel(
        model=model,
        axes=tuple(_axes([*scales, score], shares)),
        lines=tuple(_line(row, scales, score, board, chosen) for row in sorted(trials, key=_order(chosen))),
        note=_note(judged),
    )


def _order(chosen: object) -> Any:
    """Draw what was stopped first, and what was chosen last, above the others."""
    return lambda row: (row.get("trial") == chosen, row.get("status") == "complete", row.get("trial"))


def _scales(board: Json, model: str, trials: Sequence[Json]) -> Iterator[_Scale]:
    yield from (_scale(name, domain) for name, domain in board["spaces"][model].items())
    if any(row.get("point") for row in trials):
        for name in dict.fromkeys(item["name"] for item in board.get("dimensions") or ()):
            domains = [item["domain"] for item in board["dimensions"] if item["name"] == name]
            found = [row["preparation"][name] for row in trials if name in row.get("preparation", {})]
            yield _scale(name, domains[0], found if len(domains) > 1 or "choice" in domains[0] else None)


def _scale(name: str, domain: Mapping[str, Any], found: Sequence[Any] | None = None) -> _Scale:
    """Make the scale of a domain; of choices among steps, and of several domains of one name, of what was found."""
    ((kind, bounds),) = domain.items()
    if found is not None and not all(numbers.is_number(value) for value in found):
        return _Scale(name, levels=tuple(sorted(dict.fromkeys(map(shown_value, found)))))
    if found is not None:
        return _Scale(name, min(found, default=0.0), max(found, default=1.0))
    if kind == "choice":
        return _Scale(name, levels=tuple(dict.fromkeys(map(shown_value, bounds))))
    return _Scale(name, bounds[0], bounds[1], "log" in kind)


def _axes(scales: Sequence[_Scale], shares: Mapping[str, Json]) -> Iterator[Axis]:
    step = (RIGHT - LEFT) / (len(scales) - 1)
    for at, scale in enumerate(scales):
        name = scale.name.removeprefix("prepare.")
        up = 15 * (at % 2) if len(scales) > _CROWDED else 0
        share = _share(shares.get(scale.name))
        yield Axis(
            name=_cut(name), full=scale.name, x=round(LEFT + at * step, 1), up=up, ticks=scale.ticks(), share=share
        )


def _share(item: Json | None) -> str:
    return f"{numbers.percent(item['share'], 0)} ± {100 * item['spread']:.0f}" if item else ""


def _line(row: Json, scales: Sequence[_Scale], score: _Scale, board: Json, chosen: object) -> Line:
    values = {**(row.get("parameters") or {}), **(row.get("preparation") or {})}
    heights = [scale.y(values[scale.name]) if scale.name in values else None for scale in scales]
    heights.append(score.y(row["level"]))
    step = (RIGHT - LEFT) / len(scales)
    points = [f"{LEFT + at * step:.1f},{NOWHERE if height is None else height}" for at, height in enumerate(heights)]
    mark = "chosen" if row.get("trial") == chosen else "stopped" if row.get("status") == "stopped" else ""
    named = ", ".join(
        f"{name} {schedule_text(value) if name == SCHEDULE else shown_value(value)}" for name, value in values.items()
    )
    return Line(
        path=f"M{' L'.join(points)}",
        at=",".join("" if height is None else str(height) for height in heights),
        mark=mark,
        told=f"trial {row.get('trial')}: {score.name} {numbers.score(row['mean'])}, {named}; "
        + status_text(row, board.get("folds")),
    )


def _note(judged: Json) -> str:
    """Say what is not known of what made the difference."""
    said = [f"Importance: {judged['why_not']}."] if judged.get("why_not") else []
    said += [
        f"{item['name']} stands in {item['trials']} of {judged['trials']} trials only, and is not judged."
        for item in judged.get("conditional") or ()
    ]
    return " ".join(said)


def _short(value: float) -> str:
    """Write an end of an axis: whole numbers whole, others to four digits."""
    return numbers.number(value) if value == int(value) else f"{value:.4g}"


def _cut(name: str) -> str:
    return name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…"
