"""Puts the rows of tables below each other: columns by name, of a type that holds the values of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.tables.stream import Stream, stacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.ir.ops.intake import Stack


def stack(upper: Stream, op: Stack, lower: Stream) -> Stream:
    """Put the rows of `lower` below those of `upper`, as its columns are called and ordered.

    Where one side holds texts, which nobody has read as numbers or dates yet, both do: the contract reads all of them
    alike, and counts what does not survive.
    """
    theirs = {ours: theirs for theirs, ours in op.columns}
    named = _renamed(lower, theirs)
    texts = {name for name in upper.schema if pl.String() in (upper.schema[name], named.schema[name])}
    return stacked([_as_texts(upper, texts), _as_texts(named, texts)], list(upper.schema))


def counted(rows: Stream, name: str, heights: dict[str, int]) -> Stream:
    """Count the rows of a table as they go by, anew at each reading, under its name in `heights`."""

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        heights[name] = 0
        for part in rows.batches(names):
            heights[name] += part.height
            yield part

    return Stream(schema=rows.schema, read=read)


def _renamed(rows: Stream, theirs: dict[str, str]) -> Stream:
    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        for part in rows.batches(dict.fromkeys(theirs[name] for name in names)):
            yield part.select(pl.col(theirs[name]).alias(name) for name in names)

    return Stream(schema={ours: rows.schema[name] for ours, name in theirs.items()}, read=read)


def _as_texts(rows: Stream, texts: set[str]) -> Stream:
    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        for part in rows.batches(names):
            yield part.cast({name: pl.String() for name in names if name in texts})

    schema = {name: pl.String() if name in texts else dtype for name, dtype in rows.schema.items()}
    return Stream(schema=schema, read=read)
