"""What came of a replay, as text: whether the service answers as it does offline, and how right it was over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.console.text import BAD, DIM, GOOD, grid, heading, line, row, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def print_verified(told: Mapping[str, Any], console: Console) -> None:
    """Print what `verify` found.

    Args:
        told: As the command gives it with ``--json``.
        console: Where to.
    """
    rows, differing = told["rows"], told["differing"]
    equal = "all equal to the offline predictions, to the last bit"
    came = (equal, GOOD) if not differing else (f"{differing:,} answered otherwise than offline", BAD)
    served = f"{told['recipe']} release {told['release']} in {told['environment']}"
    line(console, f"{served}: {rows:,} rows of {told['source']} sent, ", came)
    for example in told["examples"]:
        line(console, ("  " + example, DIM))
    if (found := told["correctness"]) is None:
        return
    line(console, f"{found['metric']} {_shown(found['value'])} of {found['rows']:,} rows with an outcome")
    if found["over_time"]:
        heading(console, "Over time")
        table = grid("left", "right", "right")
        for item in found["over_time"]:
            row(
                table, item["period"].removesuffix("T00:00:00"), f"{item['rows']:,} rows", styled(_shown(item["value"]))
            )
        console.print(table)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
