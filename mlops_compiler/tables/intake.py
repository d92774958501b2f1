"""Intake: read the sources, join them, give types, check the contract, keep the rows that the recipe is about.

Rows are taken in some at a time. A rule that each row keeps or breaks alone is checked as it goes by; where one breaks,
its column is read once more, whole, to tell which rows and how many.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Severity, Sink
from mlops_compiler.ir.ops.intake import Check, ColumnCheck, History, Join, Population, References, Stack
from mlops_compiler.tables.casts import cast_frame
from mlops_compiler.tables.contract import doubts, suspects, take_in
from mlops_compiler.tables.expectations import expectations
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.history import looking_back
from mlops_compiler.tables.joins import Joiner
from mlops_compiler.tables.parquet import ParquetWriter
from mlops_compiler.tables.population import judge, selected
from mlops_compiler.tables.references import refer
from mlops_compiler.tables.stacks import counted, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Diagnostic, Span
    from mlops_compiler.ir.program import Node
    from mlops_compiler.tables.stream import Stream

_BY_ROW = frozenset(ColumnCheck.__dataclass_fields__) & {
    *(
        "name",
        "type",
        "nullable",
        "unique",
        "range",
        "one_of",
        "pattern",
        "severity",
        "description",
        "inferred",
        "span",
    ),
    "like",  # by the stage, which has the version that a column must be like
}
"""What of a column's contract is a matter of single rows, or of no row; all else is one of the whole column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What intake gives.

    Attributes:
        rows: A Parquet file of the rows, typed and checked; the target is computed where the recipe says so.
        left_out: A file of those that the recipe is not about, each with the step and what that asks for.
        height: How many rows there are.
        columns: Their columns.
        nulls: Of each column, how many values are missing.
        width: How many columns the source has.
        joined: For each join, how many rows it matched.
        stacked: For each table that was put below, how many rows it has.
        referred: For each table in which values must stand, how many rows have them, and of how many they do not.
        lost: For each column, how many values did not survive their cast.
        left: How many rows were left out.
        doubts: What the rows break of the contract's parts that only warn.
    """

    rows: Path
    left_out: Path
    height: int
    columns: tuple[str, ...]
    nulls: dict[str, int]
    width: int
    joined: list[dict[str, Any]]
    stacked: list[dict[str, Any]]
    referred: list[dict[str, Any]]
    lost: dict[str, int]
    left: int
    doubts: tuple[Diagnostic, ...]


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What was seen of the rows that went by; columns that may break the contract are looked at again."""

    lost: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    nulls: dict[str, int] = field(default_factory=dict)
    unique: dict[str, list[pl.Series]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is asked of the rows."""

    check: Check
    population: Population
    span: Span | None

    @classmethod
    def of(cls, nodes: Mapping[str, Node]) -> _Wanted:
        (check,) = (node.op for node in nodes.values() if isinstance(node.op, Check))
        for node in nodes.values():
            if isinstance(node.op, Population):
                return cls(check=check, population=node.op, span=node.span)
        return cls(check=check, population=Population(where=None, target=None), span=None)

    def schema(self, types: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """Say what the rows are like, by giving none."""
        empty = pl.DataFrame(schema={column.name: types[column.name] for column in self.check.columns})
        return dict(self.typed(empty)[0].schema)

    def typed(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
        """Cast the columns of the contract; and mark by column the values that are lost."""
        types = {column.name: column.type for column in self.check.columns}
        return cast_frame(rows.select(list(types)), types)

    @property
    def told(self) -> tuple[pl.Expr, pl.Expr]:
        """What is said of each row that is left out."""
        return pl.lit("data.where").alias("step"), pl.lit(self.population.where, dtype=pl.String).alias("reason")

    def left_out(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give the rows that the recipe is not about."""
        where = self.population.where
        kept = parse_expression(where)[0].fill_null(value=False) if where is not None else pl.lit(value=True)
        return rows.filter(~kept).select(*self.told, pl.all())


def assemble(nodes: Mapping[str, Node], read: Callable[[Node], Stream], folder: Path) -> Taken:
    """Take the rows of a recipe in.

    Args:
        nodes: The nodes of intake by name: ``source``, ``source.NAME`` and ``join.NAME``, ``stacked.NAME`` and
            ``stack.NAME``, ``check``, ``rows``.
        read: Opens the table of a source.
        folder: Where the files are written.

    Raises:
        DataError: A source cannot be read, a join does not fit, or rows break their contract.
    """
    source = read(nodes["source"])
    heights: dict[str, int] = {}
    table, joiners = _table(nodes, source, read, heights)
    wanted, seen = _Wanted.of(nodes), _Seen()
    typed = wanted.schema(table.schema)
    kept = selected(wanted.population, pl.DataFrame(schema=typed)).schema
    out = wanted.left_out(pl.DataFrame(schema=typed)).schema
    with (
        ParquetWriter(folder / "rows.parquet", kept) as rows,
        ParquetWriter(folder / "left_out.parquet", out) as left_out,
    ):
        for part in table.batches(typed):
            found = _checked(wanted, part, seen)
            left_out.add(wanted.left_out(found))
            rows.add(_counted(wanted, selected(wanted.population, found), seen))
    _refuse(wanted, table, seen, rows.height + left_out.height)
    missing = seen.nulls[wanted.population.target[0]] if wanted.population.target is not None else 0
    judge(wanted.population, rows.height, missing, wanted.span)
    referred, unmatched = _look_up(nodes, folder / "rows.parquet", read)
    return Taken(
        rows=folder / "rows.parquet",
        left_out=folder / "left_out.parquet",
        height=rows.height,
        columns=tuple(kept),
        nulls={name: count for name, count in seen.nulls.items() if count},
        width=len(source.schema),
        joined=[
            {"join": item.name, "matched": item.tally.matched, "unmatched": item.tally.unmatched} for item in joiners
        ],
        stacked=[{"stack": name, "rows": count} for name, count in heights.items()],
        referred=referred,
        lost={name: seen.lost[name] for name in typed if name in seen.lost},
        left=left_out.height,
        doubts=_kept_promises(wanted.check, folder / "rows.parquet", rows.height, seen.doubtful, unmatched),
    )


def _table(
    nodes: Mapping[str, Node], table: Stream, read: Callable[[Node], Stream], heights: dict[str, int]
) -> tuple[Stream, list[Joiner]]:
    """Put stacks, joins and histories on their way, in order; `heights` counts the rows of each stack as they go by."""
    joiners: list[Joiner] = []
    for name, node in nodes.items():
        if isinstance(node.op, Stack):
            short = name.removeprefix("stack.")
            table = stack(table, node.op, counted(read(nodes[f"stacked.{short}"]), short, heights))
        elif isinstance(node.op, Join):
            short = name.removeprefix("join.")
            other = read(nodes[f"source.{short}"]).collect(Joiner.reads(node.op))
            joiner = Joiner.of(short, node.op, other, node.span)
            table = joiner.join(table)
            joiners.append(joiner)
        elif isinstance(node.op, History):
            table = looking_back(name.removeprefix("history."), node.op, table, node.span)
    return table, joiners


def _checked(wanted: _Wanted, part: pl.DataFrame, seen: _Seen) -> pl.DataFrame:
    """Type some rows, and note what they lose and break."""
    typed, losses = wanted.typed(part)
    for name, lost in losses.items():
        seen.lost[name] = seen.lost.get(name, 0) + int(lost.sum())
    seen.broken |= suspects(wanted.check, typed, losses, "error")
    _keep_unique(wanted.check, typed, seen, "error")
    return typed


def _counted(wanted: _Wanted, rows: pl.DataFrame, seen: _Seen) -> pl.DataFrame:
    """Count what is missing in the rows that are kept, and note what they may be warned of."""
    for name, count in rows.null_count().row(0, named=True).items():
        seen.nulls[name] = seen.nulls.get(name, 0) + count
    seen.doubtful |= suspects(wanted.check, rows, (), "warn")
    _keep_unique(wanted.check, rows, seen, "warn")
    return rows


def _keep_unique(check: Check, rows: pl.DataFrame, seen: _Seen, severity: str) -> None:
    for column in check.columns:
        if column.unique and column.severity == severity:
            seen.unique.setdefault(column.name, []).append(rows[column.name])


def _refuse(wanted: _Wanted, table: Stream, seen: _Seen, height: int) -> None:
    """Look at columns again that may break the contract, whole.

    Raises:
        DataError: They do; all that they break.
    """
    for column in wanted.check.columns:
        if column.unique and pl.concat(seen.unique.pop(column.name)).is_duplicated().any():
            (seen.broken if column.severity == "error" else seen.doubtful).add(column.name)
    lossy = {name for name, lost in seen.lost.items() if lost / height > wanted.check.max_loss}
    columns = _among(wanted.check, seen.broken | lossy)
    if columns:
        take_in(replace(wanted.check, columns=columns), table.collect(column.name for column in columns))


def _among(check: Check, names: Collection[str]) -> tuple[ColumnCheck, ...]:
    return tuple(column for column in check.columns if column.name in names)


def _look_up(
    nodes: Mapping[str, Node], path: Path, read: Callable[[Node], Stream]
) -> tuple[list[dict[str, Any]], list[tuple[Diagnostic, str]]]:
    """Look for values in other tables; gives what to record, and each breach with its severity."""
    told: list[dict[str, Any]] = []
    broken: list[tuple[Diagnostic, str]] = []
    for name, node in nodes.items():
        if isinstance(node.op, References):
            short = name.removeprefix("references.")
            other = read(nodes[f"referenced.{short}"]).collect(dict.fromkeys(theirs for _, theirs in node.op.on))
            found = refer(short, node.op, pl.scan_parquet(path), other, node.span)
            told.append({"references": short, "rows": found.rows, "unmatched": found.unmatched})
            broken += [(found.finding, node.op.severity)] if found.finding is not None else []
    return told, broken


def _kept_promises(
    check: Check, path: Path, height: int, doubtful: Collection[str], unmatched: Collection[tuple[Diagnostic, str]]
) -> tuple[Diagnostic, ...]:
    """Check what is promised of all rows, a column at a time; gives what only warns, what found no match as well.

    Raises:
        DataError: Promises that must be kept are broken.
    """
    suspected = _among(check, doubtful)
    warned = list(doubts(replace(check, columns=suspected), _read(path, suspected))) if suspected else []
    found = list(
        expectations(replace(check, columns=(), fresh=None), pl.DataFrame({"": pl.repeat(0, height, eager=True)}))
    )
    for column in check.columns:
        if any(getattr(column, name) is not None for name in column.__dataclass_fields__ if name not in _BY_ROW):
            found += expectations(
                replace(check, columns=(column,), rows=(None, None), fresh=None), _read(path, [column])
            )
    if check.fresh is not None:
        time = pl.read_parquet(path, columns=[check.fresh[0]])
        found += expectations(replace(check, columns=(), rows=(None, None)), time)
    sink = Sink()
    for finding, severity in (*found, *unmatched):
        if severity == "error":
            sink.add(finding)
        else:
            warned.append(replace(finding, severity=Severity.WARNING))
    sink.raise_errors(DataError)
    return tuple(warned)


def _read(path: Path, columns: Collection[ColumnCheck]) -> pl.DataFrame:
    return pl.read_parquet(path, columns=[column.name for column in columns])
