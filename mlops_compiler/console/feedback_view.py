"""What comes back to training, for the terminal: how much, from whom, where the release fails, what changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import ACCENT, BAD, DIM, STRONG, WARN, clean, grid, heading, line, row, styled
from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

_SHOWN = 5


def print_feedback(told: Mapping[str, Any], called: str, console: Console) -> None:
    """Print what comes back.

    Args:
        told: What `feedback --json` gives.
        called: What the command line calls the recipe.
        console: Where to.
    """
    logged = f"{numbers.count(told['predictions'])} that are logged in {told['environment']}"
    what = f"{_rows(told['rows'])} of wrong predictions come back, of {logged}"
    line(console, (clean(told["recipe"]), STRONG), f": {what}")
    table = grid("right", "text")
    for reason, count in told["dropped"].items():
        row(table, Text(numbers.count(count), style=DIM), styled(reason, DIM))
    console.print(table)
    if told["sources"]:
        _print_sources(told["sources"], console)
    if told["failings"]:
        _print_failings(told["failings"], told["release"], console)
    console.print()
    if "collection" in told:
        line(console, f"  kept as collection {told['collection']}: the next run learns from it  ")
    named = f"recipe={clean(called)}"
    line(console, ("  train on them  ", DIM), (f"mlops-compile retrain {named}", ACCENT))


def _rows(count: int) -> str:
    return f"{numbers.count(count)} row{'' if count == 1 else 's'}"


def _print_sources(sources: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    heading(console, "Labels", "by whom; wrong ones, and how many are to be expected")
    table = grid("left", "right", "right", "right", "right", "text", indent=4)
    row(table, *(Text(name, style=DIM) for name in ("source", "labels", "wrong", "expected", "return", "")))
    for name, said in sources.items():
        row(
            table,
            styled(name or "unknown", STRONG),
            Text(numbers.count(said["labels"])),
            Text(numbers.count(said["wrong"])),
            Text(f"{said['expected']:.0f}", style=DIM),
            Text(numbers.count(said["returns"])),
            styled(f"held back: {said['why']}", WARN) if said["held_back"] else styled(_times(said), DIM),
        )
    console.print(table)


def _times(said: Mapping[str, Any]) -> str:
    if said["times"] is None:
        return "nobody to compare it with"
    return f"wrong {said['times']:.2f} times as often as by others (p = {said['p']:.2g})"


def _print_failings(found: Mapping[str, Any], release: int | None, console: Console) -> None:
    if "skipped" in found:
        heading(console, f"Where release {release} fails", found["skipped"])
        return
    measure = title(str(found["measure"]))
    note = (
        f"{_rows(found['rows'])}, {numbers.percent(found['wrong'])} wrong; {measure} {numbers.score(found['overall'])}"
    )
    heading(console, f"Where release {release} fails", note)
    slices = [item for item in found["slices"]["worst"] if item["significant"]]
    if not slices:
        line(console, ("    ", ""), (f"none of {found['slices']['tested']} slices is worse than chance explains", DIM))
    for item in slices[:_SHOWN]:
        _print_slice(item, measure, console)
    _print_leaves([leaf for leaf in found["leaves"] if leaf["q"] <= 0.05], console)  # noqa: PLR2004 - as for slices


def _print_slice(item: Mapping[str, Any], measure: str, console: Console) -> None:
    inside, outside = (numbers.score(item[side], 3) for side in ("value", "rest"))
    values = f"{measure} {inside}, {outside} elsewhere; {_rows(item['rows'])}"
    line(console, ("    ", ""), (clean(item["slice"]), BAD), (f"  {values}", DIM))
    outcome = item["outcome"]
    if outcome is not None:
        said = f"came {outcome['now']:.3g}, {outcome['then']:.3g} where it learned ({numbers.chance(outcome['p'])})"
        line(console, (f"        predicted {item['calibration']['predicted']:.3g}, {said}", ""))
    for changed in item["changed"]:
        what = (
            clean(changed["column"])
            if changed["level"] is None
            else f"{clean(changed['column'])} = {clean(changed['level'])}"
        )
        kind = "in the middle " if changed["level"] is None else ""
        line(
            console, (f"        {what}: {kind}{_value(changed, 'now')}, {_value(changed, 'then')} where it learned", "")
        )


def _value(changed: Mapping[str, Any], side: str) -> str:
    value = changed[side]
    if value is None:
        return "nothing"
    return f"{value:.4g}" if changed["level"] is None else numbers.percent(value)


def _print_leaves(leaves: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not leaves:
        return
    heading(console, "In a few words", "leaves of a shallow tree, told by rows that did not grow it")
    for leaf in leaves[:_SHOWN]:
        here, likely, rest = (numbers.percent(leaf[name]) for name in ("wrong", "expected", "rest"))
        said = f"wrong {here}, {likely} expected, {rest} elsewhere"
        line(console, ("    ", ""), (clean(leaf["where"]), STRONG), (f"  {said}; {_rows(leaf['rows'])}", DIM))
