"""The metrics on the holdout as lines: each with its interval, beside the validation and the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, WARN, grid, heading, line, row, styled
from mlops_compiler.report import numbers
from mlops_compiler.report.holdout import beats, rival_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

_WIDE = 100
"""Columns from which the probability of chance stands beside a gain."""


def print_metrics(
    evaluation: Mapping[str, Any],
    console: Console,
    validation: Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Print a line of each metric, with a column for whatever is known.

    Args:
        evaluation: ``metrics``, and where they are known ``baseline``, ``intervals`` and ``against``.
        console: Where to.
        validation: Of each metric the ``mean`` and ``std`` over the folds.
        names: The metrics to show; all of them by default.
    """
    shown = [name for name in names or evaluation["metrics"] if name in evaluation["metrics"]]
    console.print(_table(evaluation, validation or {}, shown))
    if any(beats(evaluation, "baseline", name) is False for name in shown):
        line(console, ("    * no better than the baseline, as far as these rows can tell", DIM))


def print_rival(rival: Mapping[str, Any], console: Console, names: Sequence[str] | None = None) -> None:
    """Print by how much the new model is better than the release in place, or why that is not known.

    Args:
        rival: What the stage `release` recorded of it.
        console: Where to.
        names: The metrics to show; all of them by default.
    """
    heading(console, f"Beside release {rival['release']}", "on the same rows, gains with 95 % intervals")
    rows = [item for item in rival_rows(rival) if names is None or item.name in names]
    if not rows:
        line(console, (f"    they cannot be compared: {rival.get('why_not') or 'too few rows to tell'}", DIM))
        return
    table = grid("left", "right", "left", "left", indent=4)
    styles = {"better": GOOD, "worse": BAD}
    for item in rows:
        row(
            table,
            styled(item.name),
            Text(item.value),
            Text(item.gain if console.width >= _WIDE else item.gain.partition(", p ")[0]),
            styled(item.verdict, styles.get(item.verdict, DIM)),
        )
    console.print(table)
    if not rival.get("fair"):
        line(console, ("    it was made with another split, and may have learned from some of these rows", WARN))


def print_nested(nested: Mapping[str, Any], console: Console) -> None:
    """Print what outer folds say of the whole procedure, search and selection included."""
    metric = str(nested["metric"])
    heading(console, "Nested", f"{metric} of the whole procedure, on rows that no part of it saw")
    line(
        console,
        (f"    {numbers.spread(nested['metrics'][metric])}", STRONG),
        (f"  where its searches took themselves for {numbers.score(nested['inner'])}", DIM),
    )
    for place, fold in enumerate(nested["folds"], start=1):
        line(console, (f"    fold {place}: {fold['model']} {numbers.score(fold['metrics'][metric])}", DIM))


def _table(evaluation: Mapping[str, Any], known: Mapping[str, Any], names: Sequence[str]) -> Table:
    intervals: Mapping[str, Any] = evaluation.get("intervals") or {}
    table = grid("left", "right", *_columns(intervals, known), "left", indent=4)
    if intervals or known:
        titles = ["", "", *(["95 % interval"] if intervals else []), *(["in validation"] if known else []), "baseline"]
        row(table, *(Text(title, style=DIM) for title in titles))
    for name in names:
        row(table, *_cells(name, evaluation, intervals, known))
    return table


def _columns(intervals: Mapping[str, Any], validation: Mapping[str, Any]) -> list[str]:
    return [*(["right"] if intervals else []), *(["right"] if validation else [])]


def _cells(
    name: str, evaluation: Mapping[str, Any], intervals: Mapping[str, Any], validation: Mapping[str, Any]
) -> list[Text]:
    baseline = (evaluation.get("baseline") or {}).get(name)
    cells = [styled(name), Text(numbers.score(evaluation["metrics"][name]), style=STRONG)]
    cells += [Text(numbers.span(intervals.get(name)))] if intervals else []
    cells += [Text(numbers.spread(validation.get(name)), style=DIM)] if validation else []
    unbeaten = beats(evaluation, "baseline", name) is False
    return [*cells, Text(numbers.score(baseline) + (" *" if unbeaten else ""), style=WARN if unbeaten else DIM)]
