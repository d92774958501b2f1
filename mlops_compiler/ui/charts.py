"""The dashboard's charts over time and over releases, one function each: from recorded numbers to an Altair chart.

They have the report's colours, so that its style sheet turns them for dark screens. What a mark stands for is in its
description, which the page shows beside the pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers
from mlops_compiler.report.charts import HUES
from mlops_compiler.report.grammar import altair, chart_of
from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.ui.releases import ReleaseRow

WIDTH, HEIGHT = 620, 200
_FEW = 2


def scores_of_releases(rows: Sequence[ReleaseRow], bounds: tuple[float | None, float | None] = (None, None)) -> Any:
    """Draw the score of each release with its interval, beside what is asked of it; None where there are too few."""
    alt = altair()
    points = [
        {
            "release": row.release.number,
            "y": row.score,
            "low": (row.interval or (row.score, row.score))[0],
            "high": (row.interval or (row.score, row.score))[1],
            "told": f"release {row.release.number}: {numbers.score(row.score)}"
            + (f", {numbers.span(row.interval)}" if row.interval else "")
            + (", in service" if row.serves else ""),
            "serves": row.serves,
        }
        for row in reversed(rows)
        if numbers.is_number(row.score)
    ]
    if not points:
        return None
    x = alt.X("release:O", title="Release", axis=alt.Axis(labelAngle=0))
    y = alt.Y("y:Q", title=rows[0].metric, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5))
    base = chart_of(points)
    spans = base.mark_rule(color=LIGHT["accent"], strokeWidth=6, opacity=0.25, aria=False).encode(
        x=x, y=alt.Y("low:Q", title=rows[0].metric), y2="high:Q"
    )
    dots = base.mark_circle(color=LIGHT["accent"], size=80, opacity=1).encode(x=x, y=y, description="told:N")
    ring = base.transform_filter("datum.serves").mark_point(color=LIGHT["good"], size=230, strokeWidth=2.5, aria=False)
    return alt.layer(*_rules(bounds), spans, dots, ring.encode(x=x, y=y)).properties(width=WIDTH, height=HEIGHT)


def over_time(
    series: Mapping[str, Sequence[tuple[float, float | None]]],
    *,
    unit: str,
    bounds: tuple[float | None, float | None] = (None, None),
    band: Sequence[tuple[float, float, float]] = (),
    dashed: frozenset[str] = frozenset(),
    written: Callable[[Any], str] = numbers.number,
) -> Any:
    """Draw lines over time; None where there is nothing to draw.

    Args:
        series: By name, pairs of seconds since 1970 and a value, in order; None breaks the line.
        unit: What the values are.
        bounds: The least and the most that is asked.
        band: Seconds, low and high of an interval around the first series.
        dashed: Names of lines that are estimates.
        written: Writes a value for people.
    """
    alt = altair()
    names = list(series)
    points = [
        {
            "t": 1000 * at,
            "y": value,
            "series": name,
            "told": f"{numbers.moment(at)} UTC, {name}: {written(value)}",
            "dashed": name in dashed,
        }
        for name, pairs in series.items()
        for at, value in pairs
    ]
    if not any(numbers.is_number(point["y"]) for point in points):
        return None
    x, y = _time_axis(points), alt.Y("y:Q", title=unit, scale=alt.Scale(zero=False, nice=True), axis=_Y())
    colours = [LIGHT[HUES[at % len(HUES)]] for at in range(len(names))]
    legend = alt.Legend(orient="bottom", symbolType="stroke") if len(names) > 1 else None
    colour = alt.Color("series:N", title=None, sort=names, legend=legend, scale=_scale(names, colours))
    base = chart_of(points)
    line = base.mark_line(strokeWidth=2, aria=False).encode(
        x=x,
        y=y,
        color=colour,
        strokeDash=alt.condition("datum.dashed", alt.value([5, 4]), alt.value([1, 0])),
        detail="series:N",
    )
    dots = base.mark_circle(size=36 if len(points) <= _MANY else 14, opacity=1).encode(
        x=x, y=y, color=colour, description="told:N"
    )
    layers = [*_rules(bounds), *_band(band, x), line, dots]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def stacked(
    series: Mapping[str, Sequence[tuple[float, float]]], *, unit: str, width: float, tones: Mapping[str, str]
) -> Any:
    """Draw bars over time, one part of each for a series; None where there is nothing to draw.

    Args:
        series: By name, pairs of seconds since 1970 and how many, in order.
        unit: What is counted.
        width: Seconds that a bar stands for.
        tones: The colour of each series, by its name in the palette.
    """
    alt = altair()
    names = [name for name, pairs in series.items() if any(value for _, value in pairs)]
    points = _piled(series, names, width)
    if not points:
        return None
    colour = alt.Color(
        "series:N",
        title=None,
        sort=names,
        scale=_scale(names, [LIGHT[tones.get(name, "muted")] for name in names]),
        legend=alt.Legend(orient="bottom") if len(names) > 1 else None,
    )
    y = alt.Y("low:Q", title=unit, scale=alt.Scale(zero=True, nice=True), axis=_Y())
    bars = chart_of(points).mark_rect()
    drawn = bars.encode(
        x=_time_axis(points, end="end"), x2="end:Q", y=y, y2="high:Q", color=colour, description="told:N"
    )
    return drawn.properties(width=WIDTH, height=HEIGHT)


def _piled(
    series: Mapping[str, Sequence[tuple[float, float]]], names: Sequence[str], width: float
) -> list[dict[str, Any]]:
    """Put the parts of each bar on top of each other, with a little room beside it."""
    reached: dict[float, float] = {}
    points = []
    for name in names:
        for at, value in series[name]:
            if value:
                low = reached.get(at, 0.0)
                reached[at] = low + value
                told = f"{numbers.moment(at)} UTC, {name}: {numbers.count(value)}"
                ends = {"t": 1000 * at, "end": 1000 * (at + 0.86 * width)}
                points.append({**ends, "low": low, "high": reached[at], "series": name, "told": told})
    return points


_MANY = 80


def _band(band: Sequence[tuple[float, float, float]], x: Any) -> list[Any]:
    if not band:
        return []
    points = [{"t": 1000 * at, "low": low, "high": high} for at, low, high in band]
    area = chart_of(points).mark_area(color=LIGHT["accent"], opacity=0.16, aria=False)
    return [area.encode(x=x, y="low:Q", y2="high:Q")]


def _rules(bounds: tuple[float | None, float | None]) -> list[Any]:
    points = [{"y": bound} for bound in bounds if numbers.is_number(bound)]
    if not points:
        return []
    rule = chart_of(points).mark_rule(color=LIGHT["bad"], strokeDash=[6, 4], strokeWidth=1.5, aria=False)
    return [rule.encode(y="y:Q")]


def _time_axis(points: Sequence[Mapping[str, Any]], end: str = "t") -> Any:
    """An axis in UTC; one moment alone gets an hour around it."""
    alt = altair()
    first, last = min(point["t"] for point in points), max(point[end] for point in points)
    if last - first < _MOMENT:
        first, last = first - _HOUR / 2, last + _HOUR / 2
    scale = alt.Scale(type="utc", domain=[first, last], nice=False, padding=6)
    return alt.X(
        "t:T", title=None, scale=scale, axis=alt.Axis(tickCount=6, labelOverlap=True, format=_format(last - first))
    )


_MOMENT, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


def _format(span: float) -> str:
    return "%H:%M" if span <= _DAY else "%b %d %H:%M" if span <= 4 * _DAY else "%b %d"


def _scale(names: Sequence[str], colours: Sequence[str]) -> Any:
    return altair().Scale(domain=list(names), range=list(colours))


def _Y() -> Any:  # noqa: N802 - an axis
    return altair().Axis(tickCount=5)
