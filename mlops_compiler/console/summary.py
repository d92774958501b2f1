"""The last screen of a run: what happened, whether it is good enough, and what to read and type next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from mlops_compiler.console.criteria import count_criteria, criteria_table
from mlops_compiler.console.explained import print_explained
from mlops_compiler.console.leaderboard import hidden_line, leaderboard_table
from mlops_compiler.console.metrics import print_metrics, print_nested, print_rival
from mlops_compiler.console.text import (
    ACCENT,
    BAD,
    CROSS,
    DIM,
    GOOD,
    STRONG,
    TICK,
    clean,
    heading,
    line,
    styled,
)
from mlops_compiler.ir.space import shown_point
from mlops_compiler.report import numbers
from mlops_compiler.report.search_end import ended_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run that has ended.

    Attributes:
        recipe: Name of the recipe.
        run_id: Name of the run.
        status: ``succeeded``, ``rejected``, ``failed`` or ``interrupted``.
        seconds: How long the command took.
        ran: Stages that ran.
        reused: Stages that were taken from earlier runs.
        release: Number of the release, if there is one.
        criteria: ``metric``, ``at_least``, ``at_most``, ``value``, ``met`` of each criterion.
        leaderboard: The recorded leaderboard.
        selection: The recorded choice.
        evaluation: The recorded scores on the holdout.
        rival: How the new model compares with the release in place.
        explained: What matters most to the model, and where it is worst.
        nested: What outer folds say of the whole procedure.
        report: Where the report lies, as the user would open it.
        next_commands: Label and command, for each thing to do next.
    """

    recipe: str
    run_id: str
    status: str
    seconds: float
    ran: Sequence[str] = ()
    reused: Sequence[str] = ()
    release: int | None = None
    criteria: Sequence[Mapping[str, Any]] = ()
    leaderboard: Mapping[str, Any] | None = None
    selection: Mapping[str, Any] | None = None
    evaluation: Mapping[str, Any] | None = None
    rival: Mapping[str, Any] | None = None
    nested: Mapping[str, Any] | None = None
    explained: Mapping[str, Any] = field(default_factory=dict)
    report: str | None = None
    next_commands: Sequence[tuple[str, str]] = field(default_factory=tuple)


def print_summary(summary: RunSummary, console: Console) -> None:
    """Print the last screen of a run."""
    line(console, *_headline(summary))
    if not summary.ran and summary.reused:
        line(console, ("  Nothing had to run: this is the result of earlier runs.", DIM))
    evaluation: Mapping[str, Any] = summary.evaluation or {}
    if summary.criteria:
        heading(console, "Criteria", _holdout(evaluation))
        console.print(criteria_table(summary.criteria, evaluation.get("baseline") or {}))
    if evaluation.get("intervals"):
        _print_metrics(summary, evaluation, console)
    if summary.nested:
        print_nested(summary.nested, console)
    if summary.rival:
        print_rival(summary.rival, console, evaluation.get("reported"))
    if summary.leaderboard is not None:
        _print_leaderboard(summary, summary.leaderboard, console)
    if evaluation.get("value"):
        _print_value(evaluation, console)
    print_explained(summary.explained, console)
    _print_places(summary, console)
    _print_next(summary, console)


def _headline(summary: RunSummary) -> list[Text]:
    released = summary.release is not None
    mark, style = (TICK, f"bold {GOOD}") if summary.status == "succeeded" else (CROSS, BAD)
    outcome = (
        f"release {summary.release}" if released else {"rejected": "not released"}.get(summary.status, summary.status)
    )
    said = f", {count_criteria(summary.criteria)}" if summary.status in {"succeeded", "rejected"} else ""
    return [
        Text(f"{mark} ", style=style),
        Text(clean(summary.recipe), style=STRONG),
        Text(f": {outcome}{said}", style=style),
        Text(f"  {numbers.seconds(summary.seconds)}", style=DIM),
    ]


def _holdout(evaluation: Mapping[str, Any]) -> str:
    rows = evaluation.get("rows")
    return f"on {numbers.count(rows)} rows that no model had seen" if numbers.is_number(rows) else ""


def _print_metrics(summary: RunSummary, evaluation: Mapping[str, Any], console: Console) -> None:
    about = evaluation.get("interval") or {}
    samples, units = numbers.count(about.get("samples")), f"{numbers.count(about.get('units'))} {about.get('drawn')}"
    heading(console, "Metrics", f"on the holdout; {samples} bootstrap samples of {units}")
    validation = (summary.selection or {}).get("validation")
    print_metrics(evaluation, console, validation, evaluation.get("reported"))


def _print_leaderboard(summary: RunSummary, leaderboard: Mapping[str, Any], console: Console) -> None:
    selection: Mapping[str, Any] = summary.selection or {}
    chosen = selection.get("trial")
    metric, folds = leaderboard.get("metric"), leaderboard.get("folds")
    heading(console, "Leaderboard", f"{metric}, mean ± std over {folds} folds")
    console.print(leaderboard_table(leaderboard, chosen=chosen, width=console.width))
    if hidden := hidden_line(leaderboard, chosen):
        line(console, (f"    {hidden}", DIM))
    if said := ended_text(leaderboard.get("ended")):
        line(console, (f"    {said}", DIM))
    if chosen_preparation := selection.get("preparation"):
        told = f"prepared with {', '.join(shown_point(chosen_preparation))}"
        console.print(Padding(styled(told), (0, 0, 0, 4)))
    if selection.get("reason"):
        console.print(Padding(styled(selection["reason"], DIM), (0, 0, 0, 4)))


def _print_value(evaluation: Mapping[str, Any], console: Console) -> None:
    value = evaluation["value"]
    heading(console, "Value", f"of the decisions at threshold {numbers.score(evaluation.get('threshold'))}")
    line(
        console,
        (f"    {numbers.amount(value.get('total'))}", STRONG),
        "  with the model",
        (f"  {numbers.amount(value.get('all_positive'))} calling everyone", DIM),
        (f"  {numbers.amount(value.get('all_negative'))} calling no one", DIM),
    )


def _print_places(summary: RunSummary, console: Console) -> None:
    console.print()
    if summary.report is not None:
        line(console, ("  Report  ", STRONG), (clean(summary.report), ACCENT))
    stages = f"{len(summary.ran)} ran, {len(summary.reused)} reused"
    line(console, ("  Run     ", STRONG), clean(summary.run_id), (f"  {stages}", DIM))


def _print_next(summary: RunSummary, console: Console) -> None:
    if not summary.next_commands:
        return
    heading(console, "Next")
    width = max(len(clean(label)) for label, _ in summary.next_commands)
    for label, command in summary.next_commands:
        line(console, (f"    {clean(label):<{width}}  ", DIM), (clean(command), ACCENT))
