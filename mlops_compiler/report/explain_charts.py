"""The charts of what a model looks at: importance, contributions, partial dependence.

As in `charts`, only colours of the palette are used; so a scale from low to high has three steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report.grammar import altair, chart_of
from mlops_compiler.report.numbers import is_number
from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 300, 200
_ROW = 24
_SHOWN = 12
_STEPS = (1 / 3, 2 / 3)
_LINES = ("accent", "warm", "good", "violet", "bad")

Points = list[dict[str, Any]]


def importance(items: Sequence[Mapping[str, Any]], metric: str) -> Any:
    """Draw how much the metric loses where each input is shuffled, with the spread over the shuffles."""
    alt = altair()
    known = [item for item in items if is_number(item.get("mean"))][:_SHOWN]
    if not known:
        return None
    points = [
        {
            "name": str(item["name"]),
            "x": item["mean"],
            "low": item["mean"] - (item.get("std") or 0),
            "high": item["mean"] + (item.get("std") or 0),
        }
        for item in known
    ]
    y = alt.Y("name:N", title=None, sort=[point["name"] for point in points])
    x = alt.X("x:Q", title=f"How much worse {metric} gets", axis=alt.Axis(tickCount=5))
    bars = chart_of(points).mark_bar(color=LIGHT["accent"], height={"band": 0.6}).encode(x=x, x2=alt.datum(0), y=y)
    spread = chart_of(points).mark_rule(color=LIGHT["ink"], strokeWidth=1.5).encode(x="low:Q", x2="high:Q", y=y)
    return (bars + spread).properties(width=2 * WIDTH, height=_ROW * len(points))


def contributions(told: Mapping[str, Any]) -> Any:
    """Draw a dot for each row and player, where its value is low, middle or high; or how much each adds on average."""
    players = list(told.get("players") or ())[:_SHOWN]
    if not players:
        return None
    title = f"What it adds, in {_unit(told.get('scale'))}"
    if "points" not in players[0]:
        return _bars(players, title)
    alt = altair()
    shown = [player for player in players if "points" in player]
    dots = [dot for player in shown for dot in _dots(player)]
    names = [player["name"] for player in shown]
    colours = alt.Scale(
        domain=["low", "middle", "high", "a level"],
        range=[LIGHT["accent"], LIGHT["muted"], LIGHT["warm"], LIGHT["violet"]],
    )
    zero = chart_of([{"x": 0}]).mark_rule(color=LIGHT["muted"], strokeDash=[4, 4]).encode(x="x:Q")
    marks = chart_of(dots).mark_circle(size=14, opacity=0.7)
    legend = alt.Legend(title="its value", orient="bottom", labelColor=LIGHT["muted"], titleColor=LIGHT["muted"])
    drawn = marks.encode(
        x=alt.X("x:Q", title=title, axis=alt.Axis(tickCount=5)),
        y=alt.Y("name:N", title=None, sort=names),
        yOffset=alt.YOffset("jitter:Q", scale=alt.Scale(domain=[-1, 1])),
        color=alt.Color("value:N", scale=colours, legend=legend),
    )
    return (zero + drawn).properties(width=2 * WIDTH, height=_ROW * len(names))


def dependence(item: Mapping[str, Any], outputs: Sequence[str], answer: str) -> Any:
    """Draw the mean answer at each value of a column; for a number with thin lines of single rows."""
    means: Sequence[Sequence[float]] = item.get("mean") or ()
    if not means:
        return None
    return _curves(item, outputs, answer) if item.get("kind") == "number" else _levels(item, outputs, answer)


def _curves(item: Mapping[str, Any], outputs: Sequence[str], answer: str) -> Any:
    alt = altair()
    x = alt.X("x:Q", title=str(item["column"]), scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=5))
    y = alt.Y("y:Q", title=answer, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    layers = []
    thin = [point for number, line in enumerate(item.get("lines") or ()) for point in _line(item, line, str(number))]
    if thin:
        faint = chart_of(thin).mark_line(color=LIGHT["muted"], strokeWidth=0.7, opacity=0.4)
        layers.append(faint.encode(x=x, y=y, detail="of:N"))
    layers += [
        chart_of(_line(item, mean, name)).mark_line(color=LIGHT[_LINES[place]], strokeWidth=2.5).encode(x=x, y=y)
        for place, (mean, name) in enumerate(_outputs(item, outputs))
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _levels(item: Mapping[str, Any], outputs: Sequence[str], answer: str) -> Any:
    alt = altair()
    names = [str(value) for value in item["values"]]
    points = [
        {"name": name, "x": value, "of": of}
        for mean, of in _outputs(item, outputs)
        for name, value in zip(names, mean, strict=True)
    ]
    x = alt.X("x:Q", title=answer, axis=alt.Axis(tickCount=4), scale=alt.Scale(zero=True))
    y = alt.Y("name:N", title=None, sort=names)
    used = [of for _, of in _outputs(item, outputs)]
    scale = alt.Scale(domain=used, range=[LIGHT[name] for name in _LINES[: len(used)]])
    colour = alt.Color("of:N", scale=scale, legend=None)
    dots = chart_of(points).mark_circle(size=70, opacity=1).encode(x=x, y=y, color=colour)
    return dots.properties(width=WIDTH, height=max(_ROW * len(names), _ROW * 3))


def _outputs(item: Mapping[str, Any], outputs: Sequence[str]) -> list[tuple[Sequence[float], str]]:
    """Pair means with the names of their outputs: of many classes, those that move most."""
    pairs = list(zip(item["mean"], outputs or ("",), strict=False))
    pairs.sort(key=lambda pair: min(pair[0]) - max(pair[0]))
    return pairs[: len(_LINES)]


def shown_outputs(item: Mapping[str, Any], outputs: Sequence[str]) -> list[tuple[str, str]]:
    """Name the outputs that a chart of partial dependence draws, each with its colour's name."""
    return [(name, _LINES[place]) for place, (_, name) in enumerate(_outputs(item, outputs)) if name]


def _line(item: Mapping[str, Any], values: Sequence[float], of: str) -> Points:
    return [{"x": x, "y": y, "of": of} for x, y in zip(item["values"], values, strict=True)]


def _bars(players: Sequence[Mapping[str, Any]], title: str) -> Any:
    alt = altair()
    points = [{"name": str(player["name"]), "x": player["mean"]} for player in players]
    y = alt.Y("name:N", title=None, sort=[point["name"] for point in points])
    bars = chart_of(points).mark_bar(color=LIGHT["accent"], height={"band": 0.6})
    drawn = bars.encode(x=alt.X("x:Q", title=f"{title} (mean size, all classes)"), x2=alt.datum(0), y=y)
    return drawn.properties(width=2 * WIDTH, height=_ROW * len(points))


def _dots(player: Mapping[str, Any]) -> Points:
    ranks = player.get("ranks") or [None] * len(player["points"])
    levels = player.get("ranks") is None
    return [
        {"name": player["name"], "x": x, "value": "a level" if levels else _step(rank), "jitter": _jitter(place)}
        for place, (x, rank) in enumerate(zip(player["points"], ranks, strict=True))
    ]


def _step(rank: float | None) -> str:
    if rank is None:
        return "middle"
    return "low" if rank < _STEPS[0] else "high" if rank > _STEPS[1] else "middle"


def _jitter(place: int) -> float:
    """Spread dots evenly, in an order that looks like none (the golden ratio)."""
    return round(((place * 0.6180339887) % 1.0 - 0.5) * 1.2, 3)


def _unit(scale: Any) -> str:
    told = {"log_odds": "log-odds", "probability": "probability", "log_value": "the logarithm of the target"}
    return told.get(str(scale), "the unit of the target")
