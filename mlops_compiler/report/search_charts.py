"""The chart of a search in the order of its trials: what each scored, and the best until then."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from mlops_compiler.evaluation.comparable import comparable
from mlops_compiler.report.charts import HEIGHT, HUES, SHAPES, WIDTH
from mlops_compiler.report.grammar import altair, chart_of
from mlops_compiler.report.numbers import is_number
from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FAR = 3
"""Times the middle half's width that a score may lie below it before it is drawn at the edge."""
_FEWEST = 2
_SERIES = {"training": "rows learned from", "validation": "rows held back by the fit"}


def history(leaderboard: Mapping[str, Any]) -> Any:
    """Draw the mean score of each trial in the order of trials, above the best complete one so far."""
    alt = altair()

    up = leaderboard.get("greater_is_better", True)
    rows = [row for row in leaderboard.get("trials", ()) if is_number(row.get("mean")) and not row.get("baseline")]
    if len(rows) < _FEWEST:
        return None
    rows.sort(key=lambda row: row["trial"])
    level = comparable(leaderboard["trials"])
    rows = [{**row, "mean": level.get(row["trial"], row["mean"])} for row in rows]
    floor = _floor([row["mean"] for row in rows], up=up)
    dots = [
        {"x": row["trial"], "y": max(row["mean"], floor) if up else min(row["mean"], floor), **_kind(row)}
        for row in rows
    ]
    names = list(dict.fromkeys(dot["model"] for dot in dots))
    colours = [LIGHT[HUES[at % len(HUES)]] for at in range(len(names))]
    shapes = [SHAPES[at // len(HUES) % len(SHAPES)] for at in range(len(names))]
    x = alt.X("x:Q", title="Trial", scale=alt.Scale(nice=False, padding=8), axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("y:Q", title=str(leaderboard.get("metric")), scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    data = chart_of(dots)
    colour = alt.Color(
        "model:N", title=None, scale=alt.Scale(domain=names, range=colours), legend=alt.Legend(orient="bottom")
    )
    shape = alt.Shape("model:N", title=None, scale=alt.Scale(domain=names, range=shapes))
    whole = data.transform_filter("datum.whole").mark_point(filled=True, size=46, opacity=0.85)
    stopped = data.transform_filter("!datum.whole").mark_point(filled=False, size=30, opacity=0.85)
    marks = [mark.encode(x=x, y=y, color=colour, shape=shape) for mark in (stopped, whole)]
    steps = chart_of(_best(rows, up=up, floor=floor))
    line = steps.mark_line(interpolate="step-after", color=LIGHT["ink"], strokeWidth=1.5).encode(x=x, y=y)
    return alt.layer(line, *marks).properties(width=2 * WIDTH, height=HEIGHT)


def epochs(folds: Sequence[Mapping[str, Any]]) -> Any:
    """Draw the losses of a trial's fits, step by step: a pair of lines for each fold, a rule at the step it kept.

    Args:
        folds: A history for each fold, as `models.history` writes it.
    """
    alt = altair()

    lines = [
        {"x": step, "y": value, "fold": fold, "rows": words}
        for fold, item in enumerate(folds)
        for series, words in _SERIES.items()
        for step, value in zip(item.get("steps") or (), item.get(series) or (), strict=False)
        if is_number(value)
    ]
    if not lines:
        return None
    unit, loss = str(folds[0].get("unit")), str(folds[0].get("loss")).replace("_", " ")
    scale = alt.Scale(domain=list(_SERIES.values()), range=[LIGHT["accent"], LIGHT["warm"]])
    x = alt.X("x:Q", title=unit.capitalize(), axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(nice=False))
    y = alt.Y("y:Q", title=loss.capitalize(), scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    colour = alt.Color("rows:N", title=None, scale=scale, legend=alt.Legend(orient="bottom"))
    drawn = chart_of(lines).mark_line(strokeWidth=1.5, strokeOpacity=0.8)
    best = [{"x": item["best"]} for item in folds if is_number(item.get("best"))]
    rules = chart_of(best).mark_rule(color=LIGHT["muted"], strokeDash=[4, 4])
    return alt.layer(rules.encode(x="x:Q"), drawn.encode(x=x, y=y, color=colour, detail="fold:N")).properties(
        width=2 * WIDTH, height=HEIGHT
    )


def _kind(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": str(row.get("model")), "whole": row.get("status") == "complete"}


def _best(rows: Sequence[Mapping[str, Any]], *, up: bool, floor: float) -> list[dict[str, Any]]:
    best, steps = None, []
    for row in rows:
        if row.get("status") == "complete":
            best = row["mean"] if best is None else (max if up else min)(best, row["mean"])
        if best is not None:
            steps.append({"x": row["trial"], "y": max(best, floor) if up else min(best, floor)})
    return steps


def _floor(means: Sequence[float], *, up: bool) -> float:
    """Say from where on poor scores are drawn at the edge, so that the others can be told apart."""
    first, _, third = statistics.quantiles(means, n=4) if len(means) > _FEWEST else (min(means), 0, max(means))
    far = _FAR * (third - first)
    return max(min(means), first - far) if up else min(max(means), third + far)
