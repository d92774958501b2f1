"""What the model looks at and where it is worst, in a few lines of the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import BAD, DIM, STRONG, clean, grid, heading, line, row, styled
from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_SHOWN = 5


def print_explained(told: Mapping[str, Any], console: Console) -> None:
    """Print the columns that matter most and the slice that is worst; nothing where neither is known.

    Args:
        told: ``metric``; ``top``: ``name``, ``mean`` and ``std`` of columns; ``worst``: a slice, or None.
        console: Where to.
    """
    top, worst = told.get("top") or (), told.get("worst")
    if not top and not worst:
        return
    heading(console, "Explained", f"what {told.get('metric')} loses where a column is shuffled")
    table = grid("left", "right", "left", indent=4)
    for item in top[:_SHOWN]:
        spread = f"± {numbers.score(item.get('std'))}"
        row(table, styled(item["name"]), Text(numbers.score(item.get("mean")), style=STRONG), Text(spread, style=DIM))
    if top:
        console.print(table)
    if worst:
        values = f"{numbers.score(worst.get('value'), 3)} against {numbers.score(worst.get('rest'), 3)}"
        measure = title(str(told.get("measure")))
        line(
            console,
            ("    worst  ", BAD),
            (clean(worst["slice"]), STRONG),
            (f"  {measure} {values} elsewhere, {numbers.count(worst.get('rows'))} rows", DIM),
        )
