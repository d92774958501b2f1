"""A model card: what a model is for, what it was made of, how good it is and for whom, and what speaks against it.

The sections are those of Mitchell et al., "Model cards for model reporting" (2019). Everything in it was recorded by
the run; what nobody wrote down is said to be missing, and not made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.models.schedule import SCHEDULE, schedule_text
from mlops_compiler.report import explained, holdout, numbers
from mlops_compiler.report.metric_names import title
from mlops_compiler.report.page import environment
from mlops_compiler.report.palette import PALETTE
from mlops_compiler.report.purpose import PURPOSE, shown_purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.report.facts import ReportFacts

FORMAT = 1
_TOP = 8


def card_of(facts: ReportFacts, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Collect a card.

    Args:
        facts: What the run found.
        kept: ``about`` (licence, personal columns, retention of the data), ``period`` (first and last time, where the
            recipe names a time), ``doubts`` (headlines of what only warned) and ``notes`` (of the fit).

    Returns:
        A JSON object, the same for the same facts.
    """
    selection: Mapping[str, Any] = facts.selection or {}
    return {
        "format": FORMAT,
        "model": {
            "name": facts.recipe,
            "release": facts.release,
            "run": facts.run_id,
            "made": facts.started,
            "task": facts.task,
            "kind": selection.get("kind"),
            "parameters": {
                name: schedule_text(value) if name == SCHEDULE else value
                for name, value in (selection.get("parameters") or {}).items()
            },
            "seed": facts.origins.seed,
            "versions": dict(facts.origins.versions),
        },
        "use": {
            "description": facts.description,
            "owner": facts.owner,
            "threshold": selection.get("threshold"),
            **{name: facts.purpose.get(name) for name in PURPOSE},
        },
        "data": _data(facts, kept),
        "metrics": _metrics(facts),
        "slices": _slices(facts.explanation or {}),
        "explanation": _explanation(facts.explanation or {}),
        "limits": _limits(facts, kept),
    }


def render_markdown(card: Mapping[str, Any]) -> str:
    """Write a card as Markdown."""
    template = environment().overlay(autoescape=False).get_template("card.md.j2")
    return template.render(**_shown(card))


def render_html(card: Mapping[str, Any]) -> str:
    """Write a card as one self-contained HTML file."""
    return environment().get_template("card.html.j2").render(**_shown(card), palette=PALETTE)


def _shown(card: Mapping[str, Any]) -> dict[str, Any]:
    slices: Mapping[str, Any] = card["slices"]
    return {
        "card": card,
        "operation": card.get("operation"),
        **shown_purpose(card["use"], card["model"]["made"]),
        "criteria": holdout.criterion_rows(card["metrics"]["criteria"]),
        "declared": explained.slice_rows(slices.get("declared") or (), None),
        "found": explained.slice_rows(slices.get("worst") or (), None),
        "measure": title(str(slices.get("measure") or "")),
        "released": f"Release {card['model']['release']}" if card["model"]["release"] else "Not released",
    }


def _data(facts: ReportFacts, kept: Mapping[str, Any]) -> dict[str, Any]:
    about: Mapping[str, Any] = kept.get("about") or {}
    data = facts.data
    known = {name: about.get(name) for name in ("licence", "personal", "retention")} | {"period": kept.get("period")}
    return {
        "source": data and data.source,
        "version": data and data.snapshot,
        "rows": data and data.rows,
        "holdout_rows": (facts.evaluation or {}).get("rows"),
        "weight": ((facts.evaluation or {}).get("weight") or {}).get("column"),
        "columns": data and data.columns,
        "target": data and data.target,
        "positive": data and data.positive,
        **known,
    }


def _metrics(facts: ReportFacts) -> dict[str, Any]:
    evaluation: Mapping[str, Any] = facts.evaluation or {}
    metrics: Mapping[str, Any] = evaluation.get("metrics") or {}
    baseline: Mapping[str, Any] = evaluation.get("baseline") or {}
    values = [
        {"name": name, "title": title(name), "value": value, "baseline": baseline.get(name)}
        for name, value in metrics.items()
    ]
    return {
        "primary": evaluation.get("metric"),
        "values": values,
        "criteria": [dict(item) for item in facts.criteria],
        "value": evaluation.get("value"),
    }


def _slices(explanation: Mapping[str, Any]) -> dict[str, Any]:
    told: Mapping[str, Any] = explanation.get("slices") or {}
    found: Mapping[str, Any] = told.get("found") or {}
    worst = [item for item in found.get("worst") or () if item.get("significant")]
    return {
        "measure": told.get("measure"),
        "declared": list(told.get("declared") or ()),
        "worst": worst,
        "tested": found.get("tested"),
    }


def _explanation(explanation: Mapping[str, Any]) -> dict[str, Any]:
    importance: Mapping[str, Any] = explanation.get("importance") or {}
    contributions: Mapping[str, Any] = explanation.get("contributions") or {}
    return {
        "metric": explanation.get("metric"),
        "columns": [
            {name: item.get(name) for name in ("name", "mean", "std")}
            for item in (importance.get("columns") or ())[:_TOP]
            if numbers.is_number(item.get("mean"))
        ],
        "method": contributions.get("method"),
        "scale": contributions.get("scale"),
    }


def _limits(facts: ReportFacts, kept: Mapping[str, Any]) -> list[str]:
    """List what is known to be wrong or uncertain, in sentences."""
    found = [
        f"The criterion on {title(str(item.get('metric')))} was missed." for item in facts.criteria if not item["met"]
    ]
    found += [
        f"`{item.get('feature')}` alone predicts the target ({numbers.score(item.get('score'), 3)}): it may be a leak."
        for item in facts.suspects
    ]
    found += [_sentence(text) for text in (*_texts(kept.get("doubts")), *_texts(kept.get("notes")))]
    slices = _slices(facts.explanation or {})
    if slices["worst"]:
        names = "; ".join(item["slice"] for item in slices["worst"][:3])
        found.append(f"It is significantly worse than elsewhere where {names}.")
    for item in slices["declared"]:
        calibration: Mapping[str, Any] = item.get("calibration") or {}
        if numbers.is_number(calibration.get("q")) and calibration["q"] <= 0.05:  # noqa: PLR2004 - as the report says
            said, came = numbers.score(calibration["predicted"], 3), numbers.score(calibration["observed"], 3)
            found.append(f"Where {item['slice']}, it predicts {said}, and {came} came.")
    caution = holdout.caution(facts.evaluation or {})
    return [*found, *([caution] if caution else [])]


def _texts(value: Any) -> Sequence[str]:
    return [str(item) for item in value or ()]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
