"""Versions of data for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.diff_view import print_data
from mlops_compiler.console.intake_view import in_short, intake_rows
from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, WARN, clean, grid, heading, line, row, styled
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from rich.console import Console

    from mlops_compiler.plan.compare.data import Data

_WIDE, _ROWS = 6, 3
_STATES = {"whole": GOOD, "missing": WARN, "damaged": BAD}


def print_versions(recipe: str, rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the versions of a recipe's data, the oldest first."""
    if not rows:
        line(console, f"no data of {clean(recipe)} are kept yet")
        return
    line(console, (f"data of {clean(recipe)}", STRONG))
    table = grid("right", "left", "right", "left", "left", "text")
    for item in rows:
        marks = [*([] if item["here"] else ["missing"]), *(["older than its retention"] if item["expired"] else [])]
        row(
            table,
            Text(str(item["version"])),
            Text(f"{numbers.moment(item['taken'])} UTC", style=DIM),
            Text(f"{item['rows']:,} rows"),
            Text(f"{item['columns']} columns"),
            styled(item["snapshot"][:12], DIM),
            Text.assemble(in_short(item["intake"]) if item["intake"] else "", (" ".join(["", *marks]), WARN)),
        )
    console.print(table)


def print_version(recipe: str, told: Mapping[str, Any], console: Console) -> None:
    """Print one version: where it came from, what was said of it, its columns."""
    line(console, (f"data of {clean(recipe)}, version {told['version']}", STRONG))
    owner = told.get("owner") or {}
    retention = told.get("retention")
    facts = {
        "taken in": f"{numbers.moment(told['taken'])} UTC",
        "source": told["source"],
        "rows": f"{told['rows']:,}" + (f", {told['left_out']:,} left out" if told["left_out"] else ""),
        "snapshot": told["snapshot"],
        "owner": " ".join(str(value) for value in owner.values() if value),
        "licence": told.get("licence") or "",
        "personal": ", ".join(told.get("personal") or ()),
        "retention": f"{retention / 86_400:g} days" if retention else "",
    }
    table = grid("left", "text")
    for name, value in facts.items():
        if value:
            row(table, Text(name, style=DIM), styled(value))
    console.print(table)
    if taken := told["intake"]:
        heading(console, f"intake {taken['number']}", taken["by"].replace("_", " "))
        table = grid("left", "right", "text", indent=4)
        for what, count, text in intake_rows(taken):
            row(table, Text(what, style=DIM), Text(count), styled(text))
        console.print(table)
    console.print()
    columns = grid("left", "left", "right", "text")
    for column in told["contract"]:
        gone = f"{column['missing']:,} missing" if column["missing"] else ""
        mark = "personal" if column["column"] in (told.get("personal") or ()) else ""
        row(
            columns,
            styled(column["column"]),
            styled(column["type"], DIM),
            Text(gone, style=WARN),
            Text(mark, style=DIM),
        )
    console.print(columns)


def print_difference(before: int, after: int, found: Data, console: Console) -> None:
    """Print how two versions differ."""
    rows = f"{found.rows.before:,} → {found.rows.after:,} rows"
    line(console, (f"version {before} → {after}", STRONG), f"  {rows if found.differs else 'the same table'}")
    if found.differs:
        print_data(found, console)


def print_states(recipe: str, rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print for each version and place whether its content is what its name is the hash of."""
    line(console, (f"data of {clean(recipe)}", STRONG), f"  {len(rows)} copies hashed anew")
    table = grid("right", "left", "left", "text")
    for item in rows:
        state = Text(item["state"], style=_STATES[item["state"]])
        row(table, Text(str(item["version"])), state, styled(item["snapshot"][:12], DIM), styled(item["place"]))
    console.print(table)


def print_copies(recipe: str, made: Mapping[int, Sequence[str]], console: Console) -> None:
    """Print which versions were copied where."""
    count = sum(map(len, made.values()))
    line(console, f"{clean(recipe)}: {count} copies made" + ("" if count else ", nothing was missing"))
    table = grid("right", "text")
    for number, places in made.items():
        for place in places:
            row(table, Text(str(number)), styled(place))
    console.print(table)


def print_restored(recipe: str, count: int, console: Console) -> None:
    """Print how much came back."""
    line(console, f"{clean(recipe)}: " + (f"{count} versions are back" if count else "nothing was missing"))


def print_quarantine(
    recipe: str,
    counts: Sequence[Mapping[str, Any]],
    tables: Sequence[pl.DataFrame],
    out: str | None,
    console: Console,
) -> None:
    """Print how many rows each step dropped, and the first of them."""
    total = sum(item["rows"] for item in counts)
    line(console, (f"rows that {clean(recipe)} dropped", STRONG), f"  {total:,}")
    table = grid("left", "right", "text")
    for item in counts:
        row(table, styled(item["step"], STRONG), Text(f"{item['rows']:,}"), styled(item["reason"], DIM))
    console.print(table)
    for dropped in tables:
        heading(console, str(dropped["step"][0]), "the first of its rows")
        samples = grid(*["left"] * min(dropped.width - 2, _WIDE), indent=4)
        names = dropped.columns[2 : 2 + _WIDE]
        row(samples, *(styled(name, DIM) for name in names))
        for values in dropped.select(names).head(_ROWS).iter_rows():
            row(samples, *(styled("" if value is None else value) for value in values))
        console.print(samples)
    if out is not None:
        line(console, f"written to {clean(out)}")
