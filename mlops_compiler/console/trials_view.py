"""The trials of one search, whole: each with its way to the end, and what made the difference between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from mlops_compiler.console.leaderboard import trials_table
from mlops_compiler.console.text import DIM, STRONG, clean, grid, heading, line, row, styled
from mlops_compiler.report import numbers
from mlops_compiler.report.leaderboard import trial_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from mlops_compiler.store.records import RunRecord


def print_trials(run: RunRecord, search: Mapping[str, Any], console: Console) -> None:
    """Print every trial, the best first, and the importance of what was searched.

    Args:
        run: The run that they are of.
        search: The leaderboard, with ``chosen`` and ``importance``.
        console: Where to.
    """
    line(console, (clean(run.recipe), STRONG), " ", clean(run.run_id))
    rows = trial_rows(search, search.get("chosen"))
    note = f"{search.get('metric')}, mean ± std over {search.get('folds')} folds"
    heading(console, f"{len(rows)} trials", note)
    console.print(trials_table(rows, width=console.width))
    _print_importance(search.get("importance") or {}, console)


def _print_importance(importance: Mapping[str, Any], console: Console) -> None:
    if not importance:
        return
    heading(console, "Importance", "share of the difference between a model's trials")
    table = grid("left", "left", "right", "left", indent=4)
    for model, judged in importance.items():
        for place, item in enumerate(judged["parameters"]):
            name, spread = styled(model if place == 0 else "", STRONG), f"± {100 * item['spread']:.0f}"
            row(table, name, styled(item["name"]), numbers.percent(item["share"], 0), Text(spread, style=DIM))
        if judged["why_not"]:
            row(table, styled(model, STRONG), styled(judged["why_not"], DIM), "", "")
    console.print(table)
    for model, judged in importance.items():
        for item in judged["conditional"]:
            told = f"{model}: {item['name']} stands in {item['trials']} of {judged['trials']} trials, and is not judged"
            console.print(Padding(styled(told, DIM), (0, 0, 0, 4)))
