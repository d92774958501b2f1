"""What the holdout showed, each number beside the trivial answer that it must beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import metric_of, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALIKE = 1e-9
_RARE = 0.3
_TRAITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """A metric beside the baseline's; `verdict` is better, worse, equal, or empty if that is unknown.

    `interval`, `validation` and `chance` are empty where a run did not record them.
    """

    name: str
    title: str
    value: str
    baseline: str
    difference: str
    verdict: str
    direction: str
    primary: bool
    interval: str = ""
    validation: str = ""
    chance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """A criterion: what was asked, what was found, and whether that is enough."""

    metric: str
    title: str
    asked: str
    value: str
    met: bool
    beaten: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalRow:
    """What the release in place scores, by how much the new model is better, and whether that is more than chance."""

    title: str
    name: str
    value: str
    gain: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """What a way to decide is worth, in total and per row, and how much less that is than the best."""

    name: str
    total: str
    per_row: str
    short_of_best: str
    best: bool


def metric_rows(evaluation: Mapping[str, Any], selection: Mapping[str, Any] | None = None) -> tuple[MetricRow, ...]:
    """Set every metric beside the baseline's, the one that was searched for first.

    Args:
        evaluation: The scores on the holdout.
        selection: The chosen trial, with its ``validation``.
    """
    metrics: Mapping[str, Any] = evaluation.get("metrics") or {}
    baseline: Mapping[str, Any] = evaluation.get("baseline") or {}
    primary = evaluation.get("metric")
    names = sorted(metrics, key=lambda name: name != primary)
    rows = (_metric(name, metrics[name], baseline.get(name), name == primary) for name in names)
    return tuple(_with_certainty(row, evaluation, selection or {}) for row in rows)


def _with_certainty(row: MetricRow, evaluation: Mapping[str, Any], selection: Mapping[str, Any]) -> MetricRow:
    told = _against(evaluation, "baseline").get(row.name) or {}
    verdict = row.verdict
    if told and row.verdict in ("better", "worse") and told["low"] <= 0 <= told["high"]:
        verdict = "may be chance"
    return replace(
        row,
        verdict=verdict,
        interval=numbers.span((evaluation.get("intervals") or {}).get(row.name)),
        validation=numbers.spread((selection.get("validation") or {}).get(row.name)),
        chance=numbers.chance(told.get("p")),
    )


def beats(evaluation: Mapping[str, Any], other: str, metric: str) -> bool | None:
    """Say whether the model is better than another by more than chance; None where nothing is recorded of that."""
    told = _against(evaluation, other).get(metric)
    return None if told is None else bool(told["low"] > 0)


def _against(evaluation: Mapping[str, Any], other: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (evaluation.get("against") or {}).get(other) or {}
    return found


def certainty(evaluation: Mapping[str, Any]) -> str | None:
    """Say how the intervals were made; None where there are none."""
    about: Mapping[str, Any] = evaluation.get("interval") or {}
    if not evaluation.get("intervals") or not about:
        return None
    level, samples = numbers.percent(about["level"], 0), numbers.count(about["samples"])
    drawn = f"{numbers.count(about['units'])} {about['drawn']}"
    return f"{level} intervals: percentiles of {samples} bootstrap samples, each of {drawn}."


def _metric(name: str, value: Any, baseline: Any, primary: bool) -> MetricRow:  # noqa: FBT001 - a fact, not a switch
    known = metric_of(name)
    greater = None if known is None else known.greater_is_better
    comparable = numbers.is_number(value) and numbers.is_number(baseline)
    gain = value - baseline if comparable else None
    verdict = ""
    if gain is not None and greater is not None:
        verdict = "equal" if abs(gain) < _ALIKE else "better" if (gain > 0) == greater else "worse"
    return MetricRow(
        name=name,
        title=title(name),
        value=numbers.score(value),
        baseline=numbers.score(baseline),
        difference=numbers.signed(gain),
        verdict=verdict,
        direction={True: "higher is better", False: "lower is better", None: ""}[greater],
        primary=primary,
    )


def criterion_rows(criteria: Sequence[Mapping[str, Any]]) -> tuple[CriterionRow, ...]:
    """Say of each criterion what was asked and what was found."""
    return tuple(
        CriterionRow(
            metric=str(item.get("metric")),
            title=title(str(item.get("metric"))),
            asked=numbers.asked(item),
            beaten=tuple(f"{beaten['other']}: {numbers.gain(beaten)}" for beaten in item.get("beats") or ()),
            value=numbers.score_beside(item.get("value"), (item.get("at_least"), item.get("at_most"))),
            met=bool(item.get("met")),
        )
        for item in criteria
    )


def rival_rows(rival: Mapping[str, Any] | None, primary: str | None = None) -> tuple[RivalRow, ...]:
    """Set every metric beside that of the release in place, on the same rows; the one that was searched for first."""
    found = rival or {}
    gains: Mapping[str, Any] = found.get("gains") or {}
    return tuple(
        RivalRow(
            title=title(name),
            name=name,
            value=numbers.score(found["metrics"].get(name)),
            gain=numbers.gain(gains[name]),
            verdict="better" if gains[name]["low"] > 0 else "worse" if gains[name]["high"] < 0 else "may be chance",
        )
        for name in sorted(gains, key=lambda name: name != primary)
    )


def policy_rows(evaluation: Mapping[str, Any]) -> tuple[PolicyRow, ...]:
    """Compare the model's decisions with calling everyone and no one; empty where no value was given."""
    value: Mapping[str, Any] = evaluation.get("value") or {}
    rows = evaluation.get("rows")
    totals: dict[str, Any] = {
        "The model": value.get("total"),
        "Everyone": value.get("all_positive"),
        "No one": value.get("all_negative"),
    }
    known = {name: float(total) for name, total in totals.items() if numbers.is_number(total)}
    best = max(known.values(), default=0.0)
    return tuple(_policy(name, total, best=best, rows=rows) for name, total in known.items())


def _policy(name: str, total: float, *, best: float, rows: Any) -> PolicyRow:
    return PolicyRow(
        name=name,
        total=numbers.amount(total),
        per_row=numbers.amount(total / rows, 2) if numbers.is_number(rows) and rows else numbers.DASH,
        short_of_best=numbers.DASH if total == best else numbers.amount(total - best),
        best=total == best,
    )


def confused_rows(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each class how its rows were called, each cell with its share of them, 0 to 100."""
    classes, counts = evaluation.get("classes") or (), evaluation.get("confused") or ()
    return [
        {
            "value": item.get("value"),
            "cells": [
                {"rows": rows, "share": round(100 * rows / max(1, sum(line))), "right": place == number}
                for place, rows in enumerate(line)
            ],
        }
        for number, (item, line) in enumerate(zip(classes, counts, strict=False))
    ]


def cluster_rows(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name each cluster, with the traits that tell most of it."""
    return [
        {
            **item,
            "name": f"Cluster {item['cluster']}" if item["cluster"] >= 0 else "No cluster",
            "traits": _traits(item),
        }
        for item in evaluation.get("clusters") or ()
    ]


def flagged(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of the flagged rows; empty where the task is another."""
    found: Mapping[str, Any] = evaluation.get("flagged") or {}
    return {**found, "traits": _traits(found)} if found else {}


def _traits(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**trait, "apart": numbers.signed(trait["distance"])} for trait in item["traits"][:_TRAITS]]


def shades(evaluation: Mapping[str, Any]) -> dict[str, int]:
    """Return how strongly each cell of the confusion matrix is shaded, 0 to 100."""
    confusion: Mapping[str, Any] = evaluation.get("confusion") or {}
    counts = {name: rows for name, rows in confusion.items() if numbers.is_number(rows)}
    most = max([*counts.values(), 1])
    return {name: round(100 * rows / most) for name, rows in counts.items()}


def positive_share(evaluation: Mapping[str, Any]) -> float | None:
    """Return the share of positive rows in the holdout."""
    rows, positive = evaluation.get("rows"), evaluation.get("positive_rows")
    return positive / rows if numbers.is_number(rows) and rows and numbers.is_number(positive) else None


def caution(evaluation: Mapping[str, Any]) -> str | None:
    """Warn of accuracy where one class is rare: always giving the common answer scores high."""
    share = positive_share(evaluation)
    if share is None or "accuracy" not in (evaluation.get("metrics") or {}):
        return None
    common = max(share, 1 - share)
    if common < 1 - _RARE:
        return None
    shown = numbers.percent(common)
    return f"Always giving the more common answer is right in {shown} of rows: read accuracy beside that."
