"""The charts of the page, one function each: from recorded numbers to an Altair chart, or None.

Only colours of the palette are used: the style sheet swaps them on dark screens. No chart clips its marks: a
clip path's id would count the charts drawn before it, and the same facts must give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report.grammar import altair, chart_of
from mlops_compiler.report.numbers import is_number
from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 300, 240
_MOST_POINTS = 300
_ROW = 26
_UNIT = (0.0, 1.0)
HUES = ("accent", "warm", "good", "violet", "bad")
SHAPES = ("circle", "square", "triangle-up", "diamond")

Points = list[dict[str, Any]]


def roc(curve: Mapping[str, Any]) -> Any:
    """Draw the ROC curve above the line of chance."""
    points = _points(curve, x="false_positive_rate", y="true_positive_rate")
    if not points:
        return None
    chance: Points = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    return _sized(_chance(chance) + _line(points, x="False positive rate", y="True positive rate", limits=_UNIT))


def precision_recall(curve: Mapping[str, Any], positive_share: float | None) -> Any:
    """Draw precision over recall above the share of positive rows, which is the precision of chance."""
    points = _points(curve, x="recall", y="precision")
    if not points:
        return None
    chart = _line(points, x="Recall", y="Precision", limits=_UNIT)
    if positive_share is not None:
        chart = _chance([{"x": 0, "y": positive_share}, {"x": 1, "y": positive_share}]) + chart
    return _sized(chart)


def calibration(curve: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Any:
    """Draw what happened against what was predicted, dots as large as their rows, beside the perfect line.

    Args:
        curve: The points.
        before: Those of the model without its calibration, where it has one.
    """
    alt = altair()
    points = _points(curve, x="predicted", y="observed", size="rows")
    if not points:
        return None
    perfect: Points = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    line = _line(points, x="Predicted probability", y="Observed share", limits=_UNIT)
    size = alt.Size("size:Q", legend=None, scale=alt.Scale(range=[18, 160], domainMin=0))
    dots = chart_of(points).mark_circle(color=LIGHT["accent"], opacity=1).encode(x="x:Q", y="y:Q", size=size)
    raw = _points(before or {}, x="predicted", y="observed")
    if not raw:
        return _sized(_chance(perfect) + line + dots)
    was = chart_of(raw).mark_line(color=LIGHT["warm"], strokeWidth=1.5).encode(x="x:Q", y="y:Q", order="order:Q")
    return _sized(_chance(perfect) + was + line + dots)


def value(curve: Mapping[str, Any], threshold: float | None) -> Any:
    """Draw what the decisions are worth at each threshold, the chosen one marked."""
    points = _points(curve, x="threshold", y="value")
    if not points:
        return None
    chart = _line(points, x="Decision threshold", y="Value on the holdout", limits=None)
    if threshold is None:
        return _sized(chart)
    mark = chart_of([{"x": threshold}]).mark_rule(color=LIGHT["warm"], strokeWidth=1.5, strokeDash=[5, 3])
    label = chart_of([{"x": threshold, "text": f"chosen {threshold:.3f}"}]).mark_text(
        color=LIGHT["warm"],
        align="left" if threshold < 2 / 3 else "right",
        dx=5 if threshold < 2 / 3 else -5,
        fontSize=11,
    )
    return _sized(chart + mark.encode(x="x:Q") + label.encode(x="x:Q", y=altair().value(HEIGHT - 10), text="text:N"))


def scatter(points: Mapping[str, Any]) -> Any:
    """Draw what came against what was predicted, above the perfect line."""
    alt = altair()
    dots = _points(points, x="predicted", y="observed")
    if not dots:
        return None
    ends = [
        min(dot[axis] for dot in dots for axis in ("x", "y")),
        max(dot[axis] for dot in dots for axis in ("x", "y")),
    ]
    scale = alt.Scale(zero=False, nice=True)
    marks = chart_of(dots).mark_circle(color=LIGHT["accent"], opacity=0.55, size=22)
    shown = marks.encode(
        x=alt.X("x:Q", title="Predicted", scale=scale, axis=alt.Axis(tickCount=5)),
        y=alt.Y("y:Q", title="Observed", scale=scale, axis=alt.Axis(tickCount=5)),
    )
    return _sized(_chance([{"x": end, "y": end} for end in ends]) + shown)


def errors(histogram: Mapping[str, Any]) -> Any:
    """Draw how errors are distributed, around none."""
    alt = altair()
    bars = _points(histogram, x="from", x2="to", y="rows")
    if not bars:
        return None
    shown = chart_of(bars).mark_bar(color=LIGHT["accent"], binSpacing=1)
    x = alt.X("x:Q", title="Predicted less observed", axis=alt.Axis(tickCount=5))
    y = alt.Y("y:Q", title="Rows", axis=alt.Axis(tickCount=5))
    none = chart_of([{"x": 0}]).mark_rule(color=LIGHT["muted"], strokeDash=[4, 4])
    return _sized(shown.encode(x=x, x2="x2:Q", y=y, y2=alt.datum(0)) + none.encode(x="x:Q"))


def projection(points: Mapping[str, Any]) -> Any:
    """Draw rows on a plane, each cluster in a colour and a shape of its own; rows of none are grey."""
    alt = altair()
    dots = _points(points, x="x", y="y", cluster="cluster")
    if not dots:
        return None
    for dot in dots:
        dot["cluster"] = f"{dot['cluster']}" if dot["cluster"] >= 0 else "none"
    names = sorted({dot["cluster"] for dot in dots}, key=lambda name: (name == "none", len(name), name))
    colours = [LIGHT["muted"] if name == "none" else LIGHT[HUES[int(name) % len(HUES)]] for name in names]
    shapes = ["circle" if name == "none" else SHAPES[int(name) // len(HUES) % len(SHAPES)] for name in names]
    kept = [f"{100 * share:.0f} %" for share in points.get("kept") or (0.0, 0.0)]
    scale = alt.Scale(zero=False, nice=True)
    marks = chart_of(dots).mark_point(filled=True, opacity=0.6, size=24)
    return _sized(
        marks.encode(
            x=alt.X("x:Q", title=f"First component ({kept[0]})", scale=scale, axis=alt.Axis(tickCount=5)),
            y=alt.Y("y:Q", title=f"Second component ({kept[1]})", scale=scale, axis=alt.Axis(tickCount=5)),
            color=alt.Color("cluster:N", title="Cluster", sort=names, scale=alt.Scale(domain=names, range=colours)),
            shape=alt.Shape("cluster:N", title="Cluster", sort=names, scale=alt.Scale(domain=names, range=shapes)),
        )
    )


def scores(histogram: Mapping[str, Any], threshold: float | None) -> Any:
    """Draw how scores are distributed, beside the threshold."""
    alt = altair()
    bars = _points(histogram, x="from", x2="to", y="rows")
    if not bars:
        return None
    x = alt.X("x:Q", title="Score", axis=alt.Axis(tickCount=5))
    y = alt.Y("y:Q", title="Rows", axis=alt.Axis(tickCount=5))
    marks = chart_of(bars).mark_bar(color=LIGHT["accent"], binSpacing=1)
    shown = marks.encode(x=x, x2="x2:Q", y=y, y2=alt.datum(0))
    if threshold is None:
        return _sized(shown)
    rule = chart_of([{"x": threshold}]).mark_rule(color=LIGHT["warm"], strokeWidth=1.5, strokeDash=[5, 3])
    return _sized(shown + rule.encode(x="x:Q"))


def models(leaderboard: Mapping[str, Any], chosen: int | None) -> Any:
    """Draw what each model reached: a dot for each complete trial, a diamond for the chosen one."""
    alt = altair()
    trials = [trial for trial in leaderboard.get("trials", ()) if is_number(trial.get("mean"))]
    dots = [_dot(trial, chosen) for trial in trials if trial.get("status") == "complete" and not trial.get("baseline")]
    if not dots:
        return None
    metric = f"{leaderboard.get('metric')} (mean over the folds)"
    x = alt.X("x:Q", title=metric, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=6))
    y = alt.Y("model:N", title=None, sort=list(dict.fromkeys(dot["model"] for dot in dots)))
    shown = chart_of(dots)
    every = shown.mark_circle(size=46, opacity=0.75, color=LIGHT["accent"]).encode(x=x, y=y)
    mark = shown.transform_filter("datum.chosen").mark_point(shape="diamond", size=110, filled=True, opacity=1)
    chart = every + mark.encode(x=x, y=y, color=alt.value(LIGHT["warm"]))
    return _sized(chart, width=2 * WIDTH, height=_ROW * len({dot["model"] for dot in dots}))


def _dot(trial: Mapping[str, Any], chosen: int | None) -> dict[str, Any]:
    return {"x": trial["mean"], "model": str(trial.get("model")), "chosen": trial.get("trial") == chosen}


def _line(points: Points, *, x: str, y: str, limits: tuple[float, float] | None) -> Any:
    alt = altair()
    y_scale = alt.Scale(domain=limits, nice=False) if limits else alt.Scale(zero=False)
    x_axis = alt.X("x:Q", title=x, scale=alt.Scale(domain=_UNIT, nice=False), axis=alt.Axis(tickCount=5))
    y_axis = alt.Y("y:Q", title=y, scale=y_scale, axis=alt.Axis(tickCount=5))
    line = chart_of(points).mark_line(color=LIGHT["accent"], strokeWidth=2)
    return line.encode(x=x_axis, y=y_axis, order="order:Q")


def _chance(points: Points) -> Any:
    return chart_of(points).mark_line(color=LIGHT["muted"], strokeDash=[4, 4], strokeWidth=1).encode(x="x:Q", y="y:Q")


def _sized(chart: Any, *, width: int = WIDTH, height: int = HEIGHT) -> Any:
    return chart.properties(width=width, height=height)


def _points(curve: Mapping[str, Any], **columns: str) -> Points:
    """Zip columns of a curve to points; one with a missing number is left out, a long curve is thinned."""
    lists: list[Sequence[Any]] = [curve.get(name) or () for name in columns.values()]
    rows = [row for row in zip(*lists, strict=False) if all(is_number(item) for item in row)]
    return [{**dict(zip(columns, row, strict=True)), "order": place} for place, row in enumerate(_thin(rows))]


def _thin(rows: list[Any]) -> list[Any]:
    """Keep evenly spaced rows, the first and the last among them."""
    if len(rows) <= _MOST_POINTS:
        return rows
    last = len(rows) - 1
    return [rows[round(place * last / (_MOST_POINTS - 1))] for place in range(_MOST_POINTS)]
