"""A schedule says what a fit is done with until which step; it stands among the parameters of a model that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEDULE = "schedule"
"""The key of a schedule among parameters; no kind may have a parameter of this name."""
UNTIL = "until"
"""The key of a segment that says after how many steps in all it ends; the others are parameters."""


def segments_of(parameters: Mapping[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Give all parameters of each segment of a schedule, and the step that it goes to; none where there is none."""
    fixed = {name: value for name, value in parameters.items() if name != SCHEDULE}
    return [
        ({**fixed, **{name: value for name, value in segment.items() if name != UNTIL}}, segment[UNTIL])
        for segment in parameters.get(SCHEDULE, ())
    ]


def schedule_text(schedule: Sequence[Mapping[str, Any]]) -> str:
    """Write a schedule for people: ``0 to 5: learning_rate 0.01; 5 to 10: learning_rate 0.008``."""
    told, begins = [], 0
    for segment in schedule:
        values = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in segment.items()
            if name != UNTIL
        )
        told.append(f"{begins} to {segment[UNTIL]}: {values}")
        begins = segment[UNTIL]
    return "; ".join(told)
