"""A check for the terminal: what it comes to, what fired, and how good the answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, WARN, clean, grid, heading, line, row, styled
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_STYLES = {"quiet": GOOD, "noticed": WARN, "alert": BAD, "blind": DIM}
_WORDS = {
    "quiet": "nothing was found",
    "noticed": "something was found, and too few agree",
    "alert": "enough agree",
    "blind": "there was nothing to look at",
}
_SHOWN = 8
_METRICS = 5


def print_check(told: Mapping[str, Any], console: Console) -> None:
    """Print what a check found.

    Args:
        told: What `monitor --json` gives.
        console: Where to print.
    """
    name, status = (
        (f"{clean(told['recipe'])} release {told['release']} in {told['environment']}", STRONG),
        told["status"],
    )
    line(console, name, ": ", (status, _STYLES[status]), f", {_WORDS[status]}")
    window = told["window"]
    since = f"{told['rows']:,} rows and {told['labelled']:,} outcomes since {_minute(window['start'])} UTC"
    line(console, (f"  {since}", DIM))
    if told["votes"]:
        agree = f"  {len(told['votes'])} of {told['agree']} agree: " if status != "alert" else "  agreed: "
        line(console, agree, (clean(", ".join(told["votes"])), STRONG))
    _print_fired(told, console)
    _print_scores(told, console)
    _print_traffic(told["traffic"], console)
    _print_blind(told, console)


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _print_fired(told: Mapping[str, Any], console: Console) -> None:
    fired = [rule for rule in told["rules"] if rule["fired"]]
    if not fired:
        return
    heading(console, "found", f"{len(fired)} of {sum(rule['looked'] for rule in told['rules'])} rules")
    table = grid("left", "text")
    for rule in fired[:_SHOWN]:
        row_ = f" ({rule['in_a_row']} checks in a row)" if rule["in_a_row"] > 1 else ""
        row(table, styled(rule["rule"], WARN), styled(rule["why"] + row_))
    console.print(table)
    if len(fired) > _SHOWN:
        line(console, (f"  and {len(fired) - _SHOWN} more: --json has all", DIM))


def _print_scores(told: Mapping[str, Any], console: Console) -> None:
    sides = [(word, told[key]) for key, word in (("performance", "measured"), ("estimate", "estimated")) if told[key]]
    if not sides:
        return
    heading(console, "performance")
    table = grid("left", "right", "text")
    asked = {rule["rule"].partition(":")[2] for rule in told["rules"] if rule["kind"] in ("performance", "estimate")}
    for word, found in sides:
        names = sorted(found["metrics"], key=lambda name: name not in asked)[:_METRICS]
        for name in names:
            interval = numbers.span(found["intervals"].get(name))
            before = found["holdout"].get(name)
            beside = f"{interval}  holdout {numbers.score(before)}" if before is not None else interval
            row(table, Text(f"{name} {word}"), Text(numbers.score(found["metrics"][name])), styled(beside, DIM))
    console.print(table)


def _print_traffic(traffic: Mapping[str, Any], console: Console) -> None:
    if not traffic["requests"]:
        return
    heading(console, "traffic")
    p99 = traffic["seconds_p99"]
    slow = f", 99 of 100 within {p99 * 1000:.0f} ms" if p99 is not None else ""
    line(
        console,
        f"  {traffic['requests']:,} requests, {traffic['errors']:,} failed, {traffic['refused']:,} refused{slow}",
    )


def _print_blind(told: Mapping[str, Any], console: Console) -> None:
    """Say what could not be looked at, each reason once."""
    blind: dict[str, list[str]] = {}
    for rule in told["rules"]:
        if not rule["looked"]:
            blind.setdefault(rule["why"], []).append(rule["kind"])
    for why, kinds in blind.items():
        line(console, (f"  not looked at: {', '.join(dict.fromkeys(kinds))}: {clean(why)}", DIM))
