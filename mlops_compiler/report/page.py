"""One run becomes one page: a single file that needs nothing else, and the same bytes for the same facts.

The recipe's texts are not trusted: every one of them is escaped by the templates, and the page forbids itself
every load from elsewhere and every script but its own one, which it names by its hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.space import shown_point
from mlops_compiler.report import charts, dag, explained, holdout, numbers, parallel, search_charts
from mlops_compiler.report.leaderboard import STRIP, TrialRow, trial_rows
from mlops_compiler.report.palette import PALETTE
from mlops_compiler.report.purpose import shown_purpose
from mlops_compiler.report.search_end import ended_text, spent_text
from mlops_compiler.report.svg import inline_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from markupsafe import Markup

    from mlops_compiler.report.facts import ReportFacts

_SHOWN_TRIALS = 15
_FILTERS = ("count", "digest", "moment", "number", "percent", "score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its title and caption; a broad one scrolls on a phone, where it would shrink too far."""

    title: str
    caption: str
    svg: Markup
    broad: bool = False


def render_report(facts: ReportFacts) -> str:
    """Render a run as one self-contained HTML file."""
    template = environment().get_template("report.html.j2")
    return template.render(
        facts=facts,
        palette=PALETTE,
        strip=STRIP,
        criteria=holdout.criterion_rows(facts.criteria),
        verdict=_verdict(facts),
        lifecycle=_lifecycle(facts),
        prepared=tuple(shown_point((facts.selection or {}).get("preparation") or {})),
        **shown_purpose(facts.purpose, facts.started),
        **_search(facts),
        **_holdout(facts),
        **_explained(facts),
    )


@cache
def environment() -> Environment:
    """Give the templates, which escape every text that they are given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mlops_compiler.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({name: getattr(numbers, name) for name in _FILTERS})
    return environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The one script of the page, and the seal by which the page allows it and no other."""

    text: Markup
    seal: str


@cache
def script() -> Script:
    """Give the script that marks stretches of axes; what it shows is all in the page without it."""
    import base64
    import hashlib

    from markupsafe import Markup

    loader = environment().loader
    text = loader.get_source(environment(), "parallel.js")[0] if loader else ""
    seal = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(text=Markup(text), seal=f"sha256-{seal}")  # noqa: S704 - our own file


def _verdict(facts: ReportFacts) -> tuple[str, str]:
    """Say in a word and a tone how the run ended."""
    if facts.release is not None:
        return f"Release {facts.release}", "good"
    if facts.accepted is False or any(not item.get("met") for item in facts.criteria):
        return "Not released: a criterion was missed", "bad"
    return "Not released", "muted"


def _lifecycle(facts: ReportFacts) -> dict[str, Any]:
    return {
        "text": dag.describe(facts.stages),
        "across": dag.draw_across(facts.stages, facts.steps),
        "down": dag.draw_down(facts.stages, facts.steps),
        "actions": [action for action in dag.ACTIONS if any(row.get("action") == action for row in facts.stages)],
    }


def _search(facts: ReportFacts) -> dict[str, Any]:
    chosen = (facts.selection or {}).get("trial")
    rows = trial_rows(facts.leaderboard, chosen)
    shown = [row for place, row in enumerate(rows) if place < _SHOWN_TRIALS or row.mark]
    figure = None
    if facts.leaderboard is not None:
        figure = _figure(
            charts.models(facts.leaderboard, chosen),
            "What each model reached",
            "Each dot is a complete trial; the diamond is the one that was chosen.",
            broad=True,
        )
    return {
        "trials": shown,
        "more_trials": [row for row in rows if row not in shown],
        "models_figure": figure,
        "history_figure": _figure(
            search_charts.history(facts.leaderboard or {}),
            "Score by trial",
            "The line is the best complete trial so far. Hollow marks were stopped early, and stand where their folds "
            "are beside the same folds of the others; what is far behind lies on the edge.",
            broad=True,
        ),
        "learning_figures": _learning(facts),
        "parallels": parallel.drawings(facts.leaderboard, facts.importance, chosen),
        "parallel": parallel,
        "script": script(),
        "outcome": _outcome(rows),
        "ended": ended_text((facts.leaderboard or {}).get("ended")),
        "spent": spent_text((facts.leaderboard or {}).get("spent")),
    }


def _learning(facts: ReportFacts) -> list[Figure]:
    """Draw how the fits of what was chosen went, where its kind tells it."""
    models = {str(row.get("trial")): row.get("model") for row in (facts.leaderboard or {}).get("trials") or ()}
    made = (
        _figure(
            search_charts.epochs(folds),
            f"How {models.get(trial, 'the model')} learned",
            f"Trial {trial}: a line for each fold. Dashed: the step that each fit kept.",
            broad=True,
        )
        for trial, folds in facts.histories.items()
    )
    return [figure for figure in made if figure is not None]


def _outcome(rows: tuple[TrialRow, ...]) -> str:
    """Count the trials by how they ended: ``60 trials: 41 complete, 19 stopped early``."""
    ends = [row.status.split()[0].rstrip(";") for row in rows if row.mark != "baseline"]
    words = {"complete": "complete", "stopped": "stopped early", "failed": "failed"}
    counts = [f"{ends.count(end)} {word}" for end, word in words.items() if end in ends]
    return f"{len(ends)} trial{'s' if len(ends) != 1 else ''}: {', '.join(counts)}" if ends else "No trials"


def _holdout(facts: ReportFacts) -> dict[str, Any]:
    evaluation = facts.evaluation or {}
    curves: Mapping[str, Any] = evaluation.get("curves") or {}
    uncalibrated: Mapping[str, Any] = evaluation.get("uncalibrated") or {}
    share = holdout.positive_share(evaluation)
    threshold = evaluation.get("threshold")
    figures = [
        _figure(
            charts.roc(curves.get("roc") or {}),
            "ROC",
            "How many positives are found for how many false alarms. Dashed: chance.",
        ),
        _figure(
            charts.precision_recall(curves.get("precision_recall") or {}, share),
            "Precision and recall",
            "How many of those called positive are. Dashed: the share of positives.",
        ),
        _figure(
            charts.calibration(curves.get("calibration") or {}, uncalibrated.get("curve")),
            "Calibration",
            "Whether 30 % means 30 %. Dots grow with their rows. Dashed: perfect."
            + (" Without dots: before the calibration." if uncalibrated.get("curve") else ""),
        ),
    ]
    figures += [
        _figure(
            charts.scatter(curves.get("scatter") or {}),
            "Predicted and observed",
            "Each dot is a row. Dashed: perfect.",
        ),
        _figure(
            charts.errors(curves.get("errors") or {}),
            "Errors",
            "Predicted less observed; the outermost rows are in the bars at the ends. Dashed: no error.",
        ),
    ]
    figures.append(
        _figure(
            charts.projection(curves.get("projection") or {}),
            "Clusters",
            "The rows of the holdout on the plane that keeps most of their variance; a colour and a shape each.",
        )
    )
    figures.append(
        _figure(
            charts.scores(curves.get("scores") or {}, threshold if numbers.is_number(threshold) else None),
            "Scores",
            "How odd the rows of the holdout are. Dashed: the threshold.",
        )
    )
    value_chart = charts.value(curves.get("value") or {}, threshold if numbers.is_number(threshold) else None)
    return {
        "metrics": holdout.metric_rows(evaluation, facts.selection),
        "uncalibrated": uncalibrated.get("metrics") or {},
        "certainty": holdout.certainty(evaluation),
        "rivals": holdout.rival_rows(facts.rival, evaluation.get("metric")),
        "caution": holdout.caution(evaluation),
        "policies": holdout.policy_rows(evaluation),
        "classes": evaluation.get("classes") or (),
        "clusters": holdout.cluster_rows(evaluation),
        "flagged": holdout.flagged(evaluation),
        "confused": holdout.confused_rows(evaluation),
        "errors": evaluation.get("errors") or {},
        "shades": holdout.shades(evaluation),
        "positive_share": share,
        "acts_on_none": threshold is not None and numbers.is_number(threshold) and threshold > 1,
        "figures": [figure for figure in figures if figure is not None],
        "value_figure": _figure(value_chart, "Value by threshold", "What the decisions on the holdout are worth."),
    }


def _explained(facts: ReportFacts) -> dict[str, Any]:
    positive = None if facts.data is None else facts.data.positive
    drawn = explained.charts_of(facts.explanation, positive)
    made = [
        (
            _figure(
                chart,
                column,
                "The mean, and single rows."
                if item.get("kind") == "number" and item.get("lines")
                else "The mean at each level.",
            ),
            outputs,
        )
        for (column, chart, outputs), item in zip(
            drawn["dependence"], (facts.explanation or {}).get("dependence") or (), strict=False
        )
    ]
    return {
        "explained": explained.facts_of(facts.explanation),
        "interval_width": explained.STRIP,
        "importance_figure": _figure(
            drawn["importance"], "Importance of the columns", "Mean loss, and its spread over the shuffles.", broad=True
        ),
        "contributions_figure": _figure(
            drawn["contributions"], "Contributions", "To the right: towards a higher answer.", broad=True
        ),
        "dependence_figures": [(figure, outputs) for figure, outputs in made if figure is not None],
    }


def _figure(chart: Any, title: str, caption: str, *, broad: bool = False) -> Figure | None:
    if chart is None:
        return None
    return Figure(title=title, caption=caption, svg=inline_svg(chart, f"{title}. {caption}"), broad=broad)
