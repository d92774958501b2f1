"""Intake: read the sources, join them, give types, check the contract, keep the rows that the recipe is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Severity, Sink
from mlops_compiler.ir.ops.intake import Check, History, Join, Population, Stack
from mlops_compiler.tables.contract import doubts, take_in
from mlops_compiler.tables.expectations import expectations
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.history import look_back
from mlops_compiler.tables.joins import join
from mlops_compiler.tables.population import select
from mlops_compiler.tables.stacks import stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.diagnostics import Diagnostic
    from mlops_compiler.ir.program import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What intake gives.

    Attributes:
        rows: Typed and checked; the target is computed where the recipe says so.
        width: How many columns the source has.
        joined: For each join, how many rows it matched.
        lost: For each column, how many values did not survive their cast.
        left_out: The rows that the recipe is not about, each with the step and what that asks for.
        doubts: What the rows break of the contract's parts that only warn.
    """

    rows: pl.DataFrame
    width: int
    joined: list[dict[str, Any]]
    lost: dict[str, int]
    left_out: pl.DataFrame
    doubts: tuple[Diagnostic, ...]


def assemble(nodes: Mapping[str, Node], read: Callable[[Node], pl.DataFrame]) -> Taken:
    """Take the rows of a recipe in.

    Args:
        nodes: The nodes of intake by name: ``source``, ``source.NAME`` and ``join.NAME``, ``stacked.NAME`` and
            ``stack.NAME``, ``check``, ``rows``.
        read: Reads the table of a source.

    Raises:
        DataError: A source cannot be read, a join does not fit, or rows break their contract.
    """
    table = read(nodes["source"])
    width, joined = table.width, list[dict[str, Any]]()
    for name, node in nodes.items():
        if isinstance(node.op, Stack):
            table = stack(table, node.op, read(nodes[name.replace("stack.", "stacked.", 1)]))
        elif isinstance(node.op, Join):
            short = name.removeprefix("join.")
            found = join(short, node.op, table, read(nodes[f"source.{short}"]), node.span)
            table = found.rows
            joined.append({"join": short, "matched": found.matched, "unmatched": found.unmatched})
        elif isinstance(node.op, History):
            table = look_back(name.removeprefix("history."), node.op, table, node.span)
    (check,) = (node.op for node in nodes.values() if isinstance(node.op, Check))
    typed, lost = take_in(check, table)
    left_out = _left_out(None, typed)
    for node in nodes.values():
        if isinstance(node.op, Population):
            left_out = _left_out(node.op.where, typed)
            typed = select(node.op, typed, node.span)
    sink = Sink()
    warned = list(doubts(check, typed))
    for finding, severity in expectations(check, typed):
        if severity == "error":
            sink.add(finding)
        else:
            warned.append(replace(finding, severity=Severity.WARNING))
    sink.raise_errors(DataError)
    return Taken(rows=typed, width=width, joined=joined, lost=lost, left_out=left_out, doubts=tuple(warned))


def _left_out(where: str | None, rows: pl.DataFrame) -> pl.DataFrame:
    kept = parse_expression(where)[0].fill_null(value=False) if where is not None else pl.lit(value=True)
    told = (pl.lit("data.where").alias("step"), pl.lit(where, dtype=pl.String).alias("reason"))
    return rows.filter(~kept).select(*told, pl.all())
