"""Two runs side by side: the parts that differ in full, each of the others in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import ACCENT, BAD, DIM, GOOD, STRONG, WARN, clean, grid, heading, line, row, styled
from mlops_compiler.plan.compare.outcome import Preparation
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.table import Table

    from mlops_compiler.plan.compare.comparison import Comparison, Which
    from mlops_compiler.plan.compare.data import Data
    from mlops_compiler.plan.compare.distributions import ColumnShift
    from mlops_compiler.plan.compare.outcome import MetricChange, Metrics, StageTime, Time
    from mlops_compiler.plan.compare.part import KeyChange, Keys, Pair, Part

_KEYS, _COLUMNS, _NAMES = 30, 8, 12
"""How many of each are shown; ``--json`` lists all."""
_MUCH, _FEW = 0.01, 3
"""Columns that moved less are counted only, but for a few where none moved more."""
_LONG, _WIDE = 160, 40
_MOST_DIGITS = 9
_VERDICTS = {"better": GOOD, "worse": BAD}
_MEASURES = {"numeric": "KS", "time": "KS", "levels": "TV"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison."""
    _print_head(comparison, console)
    if not comparison.differs:
        unknown = any(part.missing for part in comparison.parts.values())
        console.print()
        line(console, ("  nothing that is recorded differs" if unknown else "  nothing differs", STRONG))
    for name, part in comparison.parts.items():
        if part.differs:
            heading(console, name.capitalize(), _note(part))
            _PRINTERS.get(name, _print_keys)(part, console)
            _print_lines(part, console)
    _print_time(comparison.time, console)
    _print_rest(comparison, console)


def _print_head(comparison: Comparison, console: Console) -> None:
    recipes = dict.fromkeys((comparison.before.recipe, comparison.after.recipe))
    line(console, (f"diff of {' and '.join(map(clean, recipes))}", STRONG))
    table = grid("left", "left", "left", "left", "left")
    for label, which in (("A", comparison.before), ("B", comparison.after)):
        row(table, Text(label, style=ACCENT), *_which(which))
    console.print(table)


def _which(which: Which) -> list[Text]:
    return [
        styled(which.run_id, STRONG),
        styled(which.status),
        Text(f"release {which.release}" if which.release is not None else ""),
        Text(f"{numbers.moment(which.started)} UTC", style=DIM),
    ]


def _note(part: Part) -> str:
    rows: Pair | None = getattr(part, "rows", None)
    what = "training rows" if isinstance(part, Preparation) else "rows"
    return f"{_arrow(*_told(rows))} {what}" if rows is not None else ""


def _print_lines(part: Part, console: Console) -> None:
    for text in (*part.remarks, *part.missing):
        console.print(Text.assemble("    ", (clean(text), WARN)))


# Keys


def _print_keys(part: Keys, console: Console) -> None:
    table = grid("left", "text", indent=4)
    for change in part.changes[:_KEYS]:
        row(table, styled(_key(change.key)), _change(change))
    console.print(table)
    _print_more(len(part.changes) - _KEYS, console)


def _key(key: str) -> str:
    """Leave out the middle of a key that would take the place of its values."""
    return key if len(key) <= _WIDE else f"{key[: _WIDE // 2]}…{key[-_WIDE // 2 + 1 :]}"


def _print_more(more: int, console: Console) -> None:
    if more > 0:
        line(console, (f"    and {more} more; --json lists all", DIM))


def _change(change: KeyChange) -> Text:
    if change.change == "changed":
        return Text(_arrow(*_distinct(change.before, change.after)))
    side, value = ("A", change.before) if change.change == "gone" else ("B", change.after)
    return Text.assemble((f"only in {side}  ", DIM), _value(value))


def _arrow(before: str, after: str) -> str:
    return f"{before} → {after}" if before != after else before


def _distinct(before: Any, after: Any) -> tuple[str, str]:
    """Write two values shortly, and in full where that would make them look the same."""
    shown = _value(before), _value(after)
    return shown if shown[0] != shown[1] else (clean(json.dumps(before)), clean(json.dumps(after)))


def _told(pair: Pair) -> tuple[str, str]:
    return _value(pair.before), _value(pair.after)


def _value(value: Any) -> str:
    """Write a value as a recipe would, shortly."""
    match value:
        case None | bool():
            text = json.dumps(value)
        case int() | float():
            text = numbers.number(value)
        case dict():
            text = f"{{{', '.join(f'{key}: {_value(item)}' for key, item in value.items() if item is not None)}}}"
        case list() | tuple():
            text = f"[{', '.join(map(_value, value))}]"
        case _:
            text = str(value)
    text = clean(text)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


# Data


def print_data(part: Data, console: Console) -> None:
    """Print how two tables differ."""
    table = grid("left", "text", indent=4)
    if part.source.differs:
        row(table, Text("source", style=DIM), Text(_arrow(*_told(part.source))))
    for change in ("gained", "lost", "retyped"):
        _name_row(table, change, [_column(item) for item in part.columns if item.change == change])
    if table.row_count:
        console.print(table)
    _print_shifts(part.shifts, console)


def _column(item: Any) -> str:
    return f"{item.name} {_arrow(item.before or item.after, item.after or item.before)}"


def _name_row(table: Table, title: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        row(table, Text(title, style=DIM), Text(", ".join(map(clean, names[:_NAMES])) + more))


def _print_shifts(shifts: Sequence[ColumnShift], console: Console) -> None:
    moved = [item for item in shifts if item.moved > 0]
    shown = [item for item in moved if item.moved >= _MUCH][:_COLUMNS] or moved[:_FEW]
    if shown:
        said = "columns that moved most; KS and TV are distances from 0, the same, to 1"
        console.print(Text(f"    {said}", style=DIM))
        table = grid("left", "left", "text", indent=4)
        for item in shown:
            distance = f"{_MEASURES[item.kind]} {numbers.score(item.distance, 3)}" if item.distance is not None else ""
            row(table, styled(item.name), Text(distance, style=STRONG), Text(_figures(item)))
        console.print(table)
    counts = [(len(moved) - len(shown), "moved less"), (len(shifts) - len(moved), "did not move")]
    told = ", ".join(f"{count} {words}" for count, words in counts if count > 0)
    if told:
        line(console, (f"    {told}", DIM))


def _figures(item: ColumnShift) -> str:
    told = [
        f"{name} {_arrow(*_distinct(pair.before, pair.after))}" for name, pair in item.figures.items() if pair.differs
    ]
    told += [f"{_value(item.level)} {_percents(item.share)}"] if item.level is not None else []
    told += [f"missing {_percents(item.missing)}"] if item.missing.differs else []
    return ", ".join(told)


def _percents(pair: Pair) -> str:
    """Write two shares with as many digits as show that they differ."""
    told = ((numbers.percent(pair.before, digits), numbers.percent(pair.after, digits)) for digits in range(1, 6))
    return _arrow(*next((two for two in told if two[0] != two[1]), ("0 %", "0 %")))


# What came of it


def _print_preparation(part: Preparation, console: Console) -> None:
    table = grid("left", "text", indent=4)
    row(table, Text("features", style=DIM), Text(_arrow(*_told(part.features))))
    _name_row(table, "gained", part.gained)
    _name_row(table, "lost", part.lost)
    if not part.features.differs and not part.gained and not part.lost and not part.missing:
        row(table, Text("learned", style=DIM), Text("other numbers for the same features"))
    console.print(table)


def _print_metrics(part: Metrics, console: Console) -> None:
    table = grid("left", "left", "right", "left", indent=4)
    for item in part.metrics:
        row(table, styled(item.name), Text(_scores(item)), Text(_difference(item)), _verdict(item))
    console.print(table)


def _digits(item: MetricChange) -> int:
    """As many digits as show that two scores differ."""
    wanted = range(4, _MOST_DIGITS)
    return next((it for it in wanted if numbers.score(item.difference, it).strip("-0.")), _MOST_DIGITS)


def _scores(item: MetricChange) -> str:
    digits = _digits(item) if item.difference else 4
    return _arrow(numbers.score(item.before, digits), numbers.score(item.after, digits))


def _difference(item: MetricChange) -> str:
    return numbers.signed(item.difference, _digits(item)) if item.difference else ""


def _verdict(item: MetricChange) -> Text:
    word = item.verdict or ""
    return Text(word, style=_VERDICTS.get(word, DIM))


def _print_time(part: Time, console: Console) -> None:
    """Print the stages whose time differs; two runs that reused the same all the same are told in the head."""
    stages = [item for item in part.stages if _took(item, "before") != _took(item, "after")]
    total = _arrow(numbers.seconds(part.total.before), numbers.seconds(part.total.after))
    if not stages:
        return
    heading(console, "Time", total)
    table = grid("left", "left", indent=4)
    for item in stages:
        row(table, styled(item.stage), Text(_arrow(_took(item, "before"), _took(item, "after")), style=DIM))
    console.print(table)


def _took(item: StageTime, side: str) -> str:
    return "reused" if getattr(item.reused, side) else numbers.seconds(getattr(item.seconds, side))


# What does not differ


def _print_rest(comparison: Comparison, console: Console) -> None:
    rest = {name: part for name, part in comparison.parts.items() if not part.differs and name != "time"}
    if not rest:
        return
    console.print()
    for name, part in rest.items():
        style = DIM if part.state == "same" else WARN
        console.print(Text.assemble(f"  {name}: ", (clean(_rest(name, part)), style)))


def _rest(name: str, part: Part) -> str:
    if part.missing:
        return "; ".join(part.missing)
    said = "the same snapshot" if name == "data" else "the same"
    rows: Pair | None = getattr(part, "rows", None)
    facts = [f"{_value(rows.after)} rows"] if rows is not None and name == "data" else []
    return ", ".join([said, *facts, *part.remarks])


_PRINTERS: dict[str, Callable[[Any, Console], None]] = {
    "data": print_data,
    "preparation": _print_preparation,
    "metrics": _print_metrics,
}
