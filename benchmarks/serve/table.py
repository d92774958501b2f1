"""What was measured of a server, as numbers and as a table with the ratios to ours of the same group."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.serve.systems import System

    Spent = Mapping[tuple[int, float], tuple[str, float]]
    """Of each process, by its id and when it began: its part, and CPU seconds until now."""


@dataclass(slots=True, kw_only=True)
class Cell:
    """A server asked by so many clients at once, over all rounds.

    Attributes:
        latencies: Seconds of each request.
        wall: Seconds in all.
        cpu: CPU seconds by the part of the processes.
        wrong: Answers that were none, or not the release's.
    """

    latencies: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: Counter[str] = field(default_factory=Counter)
    wrong: int = 0

    def count(self, before: Spent, after: Spent) -> None:
        """Add what processes have taken between two readings; what has ended in between is not seen any more."""
        for process, (role, seconds) in after.items():
            self.cpu[role] += seconds - before.get(process, (role, 0.0))[1]

    def milliseconds(self, share: float) -> float:
        """Give the latency that a share of the requests does not exceed."""
        return 1000 * percentile(self.latencies, share)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.wall

    def cpu_of(self, *roles: str) -> float:
        """CPU milliseconds a request, of some parts or of all."""
        return 1000 * sum(self.cpu[role] for role in roles or self.cpu) / len(self.latencies)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest of the values that a share of them does not exceed (the nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


HEAD = ("", "clients", "p50 ms", "p99 ms", "requests/s", "CPU-ms", "of which", "p50", "p99", "rate")


def table(
    systems: Iterable[System], cells: dict[tuple[str, int], Cell], absent: dict[str, str], clients: Sequence[int]
) -> list[str]:
    """Write the lines of a Markdown table for each group.

    Args:
        systems: Those that were asked for, in their order.
        cells: What was measured, by the system's name and the number of clients.
        absent: Why a system is not there.
        clients: How many asked at once.
    """
    groups: dict[str, list[System]] = {}
    for system in systems:
        groups.setdefault(system.group, []).append(system)
    lines: list[str] = []
    for group, members in groups.items():
        lines += ["", f"{group}; the last three columns: how many times ours is better", "", _row(HEAD)]
        lines.append(_row(["---", *["---:"] * 5, "---", *["---:"] * 3]))
        for count in clients:
            ours = cells.get((members[0].name, count))
            for system in members:
                cell = cells.get((system.name, count))
                lines.append(_row(_line(system, count, cell, ours, absent.get(system.name, ""))))
    return lines


def _line(system: System, count: int, cell: Cell | None, ours: Cell | None, why: str) -> list[str]:
    name = f"{system.name}: {system.about}"
    if cell is None or not cell.latencies:
        return [name, str(count), *["-"] * 4, why or "not measured", *["-"] * 3]
    shares = (0.5, 0.99)
    parts = ", ".join(f"{role} {cell.cpu_of(role):.2f}" for role in sorted(cell.cpu)) if len(cell.cpu) > 1 else ""
    told = [*(f"{cell.milliseconds(share):.2f}" for share in shares), f"{cell.rate:,.0f}", f"{cell.cpu_of():.2f}"]
    if ours is None or not ours.latencies:
        ratios = ["-"] * 3
    else:
        ratios = [f"{cell.milliseconds(share) / ours.milliseconds(share):.1f}" for share in shares]
        ratios.append(f"{ours.rate / cell.rate:.1f}")
    wrong = f" {cell.wrong} of {len(cell.latencies)} answers wrong" if cell.wrong else ""
    return [name, str(count), *told, parts + wrong, *ratios]


def _row(values: Iterable[str]) -> str:
    return f"| {' | '.join(values)} |"
