"""What checks found, over time: how far columns moved, how good the answers were, and what is said of it.

A check's payload is what `monitoring.findings` writes; a part that one of another version lacks is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import title
from mlops_compiler.report.numbers import is_number
from mlops_compiler.ui import charts
from mlops_compiler.ui.drawing import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.report.page import Figure
    from mlops_compiler.store.operations import Check

    Json = Mapping[str, Any]

CHECKS = 48
"""So many checks are drawn."""
_FIGURES = 4
_CAPTION = (
    "Of the rows of each check, with its interval; estimated until outcomes are known. Dashed in red: what is asked."
)
_SIDES = (("performance", "measured"), ("estimate", "estimated"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A column in one check.

    Attributes:
        share: The effect over its limit, at most 1; None where it was not compared.
        drifted: Whether it counts as drift.
        told: What was measured, in words.
    """

    share: float | None
    drifted: bool
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A column, a prediction, the label or a slice over the checks.

    Attributes:
        name: Its name.
        kind: ``drift``, ``prediction_drift`` or ``label_drift``.
        last: What the last check measured.
        cells: One for each check, the oldest first.
    """

    name: str
    kind: str
    last: Json
    cells: Sequence[Cell]

    @property
    def worst(self) -> float:
        """By what rows are put in order: the effect over its limit, in the last check."""
        effect: Any = self.last.get("effect")
        limit: Any = self.last.get("limit")
        return float(effect) / float(limit) if is_number(effect) and is_number(limit) and limit else 0.0


def drift_rows(checks: Sequence[Check]) -> list[Row]:
    """Follow each column over the checks; the one that moved farthest comes first.

    Args:
        checks: The newest first.
    """
    return _followed(checks, "drift", "column")


def slice_drift_rows(checks: Sequence[Check]) -> list[Row]:
    """Follow each slice over the checks likewise: by the column that moved farthest in it."""
    return _followed(checks, "slice_drift", "slice")


def _followed(checks: Sequence[Check], part: str, by: str) -> list[Row]:
    oldest = list(reversed(checks[:CHECKS]))
    found = [{(str(item.get(by)), str(item.get("kind"))): item for item in _part(check, part, ())} for check in oldest]
    names = dict.fromkeys(name for measured in reversed(found) for name in measured)
    rows = [
        Row(
            name=name[0],
            kind=name[1],
            last=(found[-1] if found else {}).get(name) or {},
            cells=[_cell(check, measured.get(name)) for check, measured in zip(oldest, found, strict=True)],
        )
        for name in names
    ]
    return sorted(rows, key=lambda row: (row.kind == "drift", -row.worst, row.name))


def _cell(check: Check, item: Json | None) -> Cell:
    when = f"{numbers.moment(check.time)} UTC"
    if item is None or not is_number(item.get("effect")):
        return Cell(share=None, drifted=False, told=f"{when}: not compared")
    effect, limit = float(item["effect"]), item.get("limit")
    share = min(1.0, effect / float(limit)) if is_number(limit) and limit else 0.0
    measure = str(item.get("measure") or "effect").replace("_", " ")
    of = f"{item.get('column')}, " if "slice" in item else ""
    told = f"{when}: {of}{measure} {numbers.number(effect)}"
    told += f" of {numbers.number(limit)}" if is_number(limit) else ""
    told += f", {numbers.chance(item['p'])}" if is_number(item.get("p")) else ""
    return Cell(share=share, drifted=bool(item.get("drifted")), told=f"{told}, {numbers.count(item.get('rows'))} rows")


def performance_figures(checks: Sequence[Check], asked: Sequence[Json]) -> list[Figure]:
    """Draw each metric over the checks: measured with its interval, estimated, and what is asked of it.

    Args:
        checks: The newest first.
        asked: The acceptance criteria of the release, for bounds that no rule names.
    """
    oldest = list(reversed(checks[:CHECKS]))
    ruled = [
        rule["rule"].partition(":")[2]
        for check in oldest
        for rule in _part(check, "rules", ())
        if _is_of_a_metric(rule)
    ]
    known = [name for check in reversed(oldest) for side, _ in _SIDES for name in _metrics(check, side)]
    names = list(dict.fromkeys([*ruled, *known]))
    made = (_figure(name, oldest, asked) for name in names if name in known)
    return [item for item in made if item is not None][:_FIGURES]


def _figure(name: str, oldest: Sequence[Check], asked: Sequence[Json]) -> Figure | None:
    series = {
        told: [(check.time, value) for check in oldest if is_number(value := _metrics(check, side).get(name))]
        for side, told in _SIDES
    }
    series = {told: pairs for told, pairs in series.items() if pairs}
    holdout = [(check.time, value) for check in oldest if is_number(value := _holdout(check, name))]
    series |= {"on the holdout": holdout} if holdout and series else {}
    side = next((side for side, told in _SIDES if told in series), "")
    band = [(check.time, *pair) for check in oldest if (pair := _interval(check, side, name)) is not None]
    chart = charts.over_time(
        series,
        unit=title(name),
        bounds=_bounds(name, oldest, asked),
        band=band,
        dashed=frozenset(series) - {"measured"},
        written=numbers.score,
    )
    return figure(chart, title(name), _CAPTION)


def _interval(check: Check, side: str, name: str) -> tuple[float, float] | None:
    found: Any = (_part(check, side, {}).get("intervals") or {}).get(name)
    return (float(found[0]), float(found[1])) if found and all(map(is_number, found)) else None


def _bounds(name: str, oldest: Sequence[Check], asked: Sequence[Json]) -> tuple[float | None, float | None]:
    for check in reversed(oldest):
        for rule in _part(check, "rules", ()):
            limit: Any = rule.get("limit")
            if _is_of_a_metric(rule) and rule["rule"].partition(":")[2] == name and is_number(limit):
                return float(limit), None
    found = next((item for item in asked if item.get("metric") == name), {})
    return found.get("at_least"), found.get("at_most")


def _is_of_a_metric(rule: Json) -> bool:
    return rule.get("kind") in ("performance", "estimate") and ":" in str(rule.get("rule"))


def _metrics(check: Check, side: str) -> Json:
    found: Json = _part(check, side, {}).get("metrics") or {}
    return found


def _holdout(check: Check, name: str) -> Any:
    return next(
        (value for side, _ in _SIDES if (value := (_part(check, side, {}).get("holdout") or {}).get(name)) is not None),
        None,
    )


def _part(check: Check, name: str, missing: Any) -> Any:
    """Take a part of a payload; what is there and of another shape counts as missing."""
    found = check.payload.get(name)
    return (
        found
        if isinstance(found, type(missing)) or (isinstance(missing, tuple) and isinstance(found, list))
        else missing
    )


def fired(check: Check) -> list[Json]:
    """List the rules of a check that found something."""
    return [rule for rule in _part(check, "rules", ()) if rule.get("fired")]


def rules_of(check: Check) -> list[Json]:
    """List all rules of a check, those that fired first."""
    return list(_part(check, "rules", ()))


def slices_of(check: Check) -> list[Json]:
    """List the slices of a check, those that are worse first."""
    return sorted(_part(check, "slices", ()), key=lambda item: not item.get("worse"))
