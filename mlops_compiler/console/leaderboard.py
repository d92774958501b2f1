"""The top of a leaderboard with the baseline under it, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, WARN, clean, grid, row, styled
from mlops_compiler.report.leaderboard import TrialRow, trial_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

_SHOWN = 8
_WIDE = 110


def leaderboard_table(leaderboard: Mapping[str, Any], *, chosen: object, width: int) -> Table:
    """Make a line of each of the best trials, of the chosen one and of the baseline.

    Args:
        leaderboard: The recorded leaderboard.
        chosen: Number of the trial that was selected.
        width: Columns of the terminal; a wide one shows the parameters.
    """
    return trials_table(shown_rows(leaderboard, chosen), width=width)


def trials_table(rows: Iterable[TrialRow], *, width: int) -> Table:
    """Make a line of each of some trials; a wide terminal shows the parameters."""
    wide = width >= _WIDE
    table = grid("right", "left", "left", "text", "right", *(["text"] if wide else []), indent=4)
    for item in rows:
        style = STRONG if item.mark == "chosen" else DIM if item.mark == "baseline" else ""
        cells = [
            Text(item.place, style=DIM),
            styled(item.model, style),
            Text.assemble((item.mean, style), (f" ± {item.spread}" if item.spread else "", DIM)),
            _remark(item),
            Text(item.seconds, style=DIM),
        ]
        parameters = " ".join(f"{name}={value}" for name, value in item.parameters)
        row(table, *cells, *([styled(parameters, DIM)] if wide else []))
    return table


def shown_rows(leaderboard: Mapping[str, Any], chosen: object) -> list[TrialRow]:
    """Return the rows that are shown: the first few, the chosen one and the baseline, in their order."""
    rows = trial_rows(leaderboard, chosen)
    best = [item for item in rows if item.mark != "baseline"][:_SHOWN]
    return [item for item in rows if item in best or item.mark]


def hidden_line(leaderboard: Mapping[str, Any], chosen: object) -> str:
    """Count the trials that are not shown, by how they ended; empty where there are none."""
    shown = shown_rows(leaderboard, chosen)
    ends = [item.status.split()[0].rstrip(";") for item in trial_rows(leaderboard, chosen) if item not in shown]
    words = {"complete": "complete", "stopped": "stopped early", "failed": "failed"}
    counts = ", ".join(f"{ends.count(end)} {word}" for end, word in words.items() if end in ends)
    return f"and {len(ends)} more: {counts}" if ends else ""


def _remark(item: TrialRow) -> Text:
    """Say what is special of a trial; a complete one that was not chosen needs no word."""
    if item.status == "failed":
        return Text(f"failed: {clean(item.error or 'no reason was recorded')}", style=BAD)
    if item.status.startswith("complete; may not"):
        return Text(f"trial {clean(item.trial)}, {clean(item.status.removeprefix('complete; '))}", style=WARN)
    status = item.status.removeprefix("complete; ")
    tail = f", {status}" if status != "complete" else ""
    where = f"trial {clean(item.trial)}{tail}"
    if item.mark == "chosen":
        return Text.assemble((f"{where}, ", DIM), ("chosen", GOOD))
    return Text(f"{where}, {clean(item.mark)}" if item.mark else where, style=DIM)
