"""What the model looks at and where it is wrong, ready for the page: rows of tables, and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import explain_charts, numbers
from mlops_compiler.report.metric_names import metric_of, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STRIP = 140
"""Width of the drawing of an interval, in pixels."""
_PAD = 5
_SURE = 0.05
_METHODS = {
    "linear": "exact, as the model is a weighted sum",
    "tree": "exact, along the trees",
    "sampling": "by sampling, as the model can only be asked: exact in sum, approximate for each",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """A slice: its measure beside that of the other rows, drawn on a common scale, and its calibration."""

    name: str
    rows: str
    value: str
    interval: str
    rest: str
    q: str
    verdict: str
    low: float | None
    high: float | None
    centre: float | None
    predicted: str
    observed: str
    calibration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRow:
    """What a threshold would decide."""

    threshold: str
    decided: str
    share: str
    precision: str
    recall: str
    value: str
    chosen: bool


def importance_rows(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Give name, mean loss and spread of each input."""
    return [(str(item.get("name")), numbers.signed(item.get("mean")), numbers.score(item.get("std"))) for item in items]


def slice_rows(items: Sequence[Mapping[str, Any]], overall: Any) -> list[SliceRow]:
    """Lay slices out on a scale that all of them, and the measure of all rows, share."""
    ends = [item[end] for item in items for end in ("low", "high", "rest") if numbers.is_number(item.get(end))]
    ends += [overall] if numbers.is_number(overall) else []
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)

    def place(value: Any) -> float | None:
        if not numbers.is_number(value):
            return None
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_PAD + share * (STRIP - 2 * _PAD), 1)

    return [_slice(item, place) for item in items]


def overall_place(items: Sequence[Mapping[str, Any]], overall: Any) -> float | None:
    """Say where the measure of all rows lies on the scale of `slice_rows`."""
    probe = {"slice": "", "low": overall, "high": overall, "value": overall}
    return slice_rows([*items, probe], overall)[-1].centre


def _slice(item: Mapping[str, Any], place: Any) -> SliceRow:
    told: Mapping[str, Any] = item.get("calibration") or {}
    low, high = item.get("low"), item.get("high")
    apart = numbers.is_number(told.get("q")) and told["q"] <= _SURE
    return SliceRow(
        name=str(item.get("slice")),
        rows=numbers.count(item.get("rows")),
        value=numbers.score(item.get("value"), 3),
        interval=f"{numbers.score(low, 3)} to {numbers.score(high, 3)}" if numbers.is_number(low) else "",
        rest=numbers.score(item.get("rest"), 3),
        q=_small(item.get("q")),
        verdict=_verdict(item),
        low=place(low),
        high=place(high),
        centre=place(item.get("value")),
        predicted=numbers.score(told.get("predicted"), 3),
        observed=numbers.score(told.get("observed"), 3),
        calibration="differs" if apart else "",
    )


def _verdict(item: Mapping[str, Any]) -> str:
    if item.get("value") is None:
        return "too few rows to tell"
    if not item.get("significant"):
        return ""
    return "worse" if item.get("worse") else "better"


def _small(value: Any) -> str:
    if not numbers.is_number(value):
        return numbers.DASH
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"  # noqa: PLR2004 - as p-values are written


def threshold_rows(items: Sequence[Mapping[str, Any]], rows: Any) -> list[ThresholdRow]:
    """Say of each threshold what it would decide."""
    return [
        ThresholdRow(
            threshold=numbers.score(item.get("threshold"), 3 if item.get("chosen") else 1),
            decided=numbers.count(item.get("decided")),
            share=numbers.percent(item["decided"] / rows, 0) if numbers.is_number(rows) and rows else "",
            precision=numbers.percent(item.get("precision"), 0),
            recall=numbers.percent(item.get("recall"), 0),
            value=numbers.amount(item.get("value")),
            chosen=bool(item.get("chosen")),
        )
        for item in items
    ]


def facts_of(explanation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Collect what the section shows; None where nothing was explained."""
    if not explanation:
        return None
    importance = _known(explanation.get("importance"))
    contributions = _known(explanation.get("contributions"))
    slices = _known(explanation.get("slices"))
    found: Mapping[str, Any] = slices.get("found") or {}
    declared: Sequence[Mapping[str, Any]] = slices.get("declared") or ()
    measure = str(slices.get("measure") or "")
    known = metric_of(measure)
    return {
        "metric": explanation.get("metric"),
        "metric_title": title(str(explanation.get("metric"))),
        "importance": importance,
        "features": importance_rows(importance.get("features") or ()),
        "unshuffled": [item["name"] for item in importance.get("columns") or () if item.get("mean") is None],
        "contributions": contributions,
        "method": _METHODS.get(str(contributions.get("method")), ""),
        "slices": slices,
        "measure": title(measure) if measure else "",
        "measure_better": "higher is better" if known is None or known.greater_is_better else "lower is better",
        "declared": slice_rows(declared, slices.get("overall")),
        "declared_overall": overall_place(declared, slices.get("overall")),
        "found": slice_rows(found.get("worst") or (), slices.get("overall")),
        "found_overall": overall_place(found.get("worst") or (), slices.get("overall")),
        "tested": found.get("tested"),
        "significant": found.get("significant"),
        "regression": explanation.get("task") == "regression",
        "binary": explanation.get("task") == "binary_classification",
        "skipped": [part["skipped"] for part in explanation.values() if isinstance(part, dict) and "skipped" in part],
        "thresholds": threshold_rows(_rows(explanation.get("thresholds")), explanation.get("rows")),
        "worth": any(numbers.is_number(item.get("value")) for item in _rows(explanation.get("thresholds"))),
    }


def charts_of(explanation: Mapping[str, Any] | None, positive: object) -> dict[str, Any]:
    """Draw what there is: ``importance``, ``contributions``, and of each varied column its name, chart and outputs."""
    told: Mapping[str, Any] = explanation or {}
    importance, contributions = _known(told.get("importance")), _known(told.get("contributions"))
    outputs: Sequence[str] = contributions.get("outputs") or ()
    answer = {"binary_classification": f"Mean probability of {positive}", "regression": "Mean prediction"}
    words = answer.get(str(told.get("task")), "Mean probability")
    varied = _rows(told.get("dependence"))
    return {
        "importance": explain_charts.importance(importance.get("columns") or (), str(told.get("metric"))),
        "contributions": explain_charts.contributions(contributions),
        "dependence": [
            (
                str(item.get("column")),
                explain_charts.dependence(item, outputs, words),
                explain_charts.shown_outputs(item, outputs),
            )
            for item in varied
        ],
    }


def _known(part: Any) -> Mapping[str, Any]:
    return part if isinstance(part, dict) and "skipped" not in part else {}


def _rows(part: Any) -> Sequence[Mapping[str, Any]]:
    return part if isinstance(part, list) else ()
