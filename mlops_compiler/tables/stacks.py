"""Puts the rows of tables below each other: columns by name, of a type that holds the values of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.intake import Stack


def stack(upper: pl.DataFrame, op: Stack, lower: pl.DataFrame) -> pl.DataFrame:
    """Put the rows of `lower` below those of `upper`, as its columns are called and ordered.

    Where one side holds texts, which nobody has read as numbers or dates yet, both do: the contract reads all of them
    alike, and counts what does not survive.
    """
    named = lower.select(pl.col(theirs).alias(ours) for theirs, ours in op.columns).select(upper.columns)
    texts = [name for name in upper.columns if pl.String in (upper.schema[name], named.schema[name])]
    as_texts = [pl.col(name).cast(pl.String) for name in texts]
    return pl.concat([upper.with_columns(as_texts), named.with_columns(as_texts)], how="vertical_relaxed")
