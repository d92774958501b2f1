"""Put the bucket of each level, which follows from its own bytes: no level is new, and nothing is learned."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import HashEncode
from mlops_compiler.tables.steps.base import Change, as_level, change, makes, removes

if TYPE_CHECKING:
    from mlops_compiler.tables.steps.base import Learned

_BYTES = 8


@makes.register(HashEncode)
def _(step: HashEncode) -> dict[str, tuple[str, ...]]:
    return {made: (name,) for name in step.columns for made in _names(name, step.buckets)}


@removes.register(HashEncode)
def _(step: HashEncode) -> tuple[str, ...]:
    return step.columns


def _names(column: str, buckets: int) -> list[str]:
    return [f"{column}#{bucket}" for bucket in range(buckets)]


def bucket_of(level: str, buckets: int) -> int:
    """Give the bucket of a level: BLAKE2b of its UTF-8 bytes, the same on every machine and in every version."""
    return int.from_bytes(hashlib.blake2b(level.encode(), digest_size=_BYTES).digest()) % buckets


@change.register(HashEncode)
def _(step: HashEncode, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(_buckets(name, step.buckets) for name in step.columns), remove=step.columns)


def _buckets(name: str, buckets: int) -> pl.Expr:
    """Make the indicators of a column; what is missing has none."""
    names = _names(name, buckets)

    def indicators(levels: pl.Series) -> pl.Series:
        known = levels.unique().drop_nulls().to_list()
        bucket = levels.replace_strict(known, [bucket_of(level, buckets) for level in known], return_dtype=pl.Int64)
        made = {made: (bucket == place).fill_null(value=False).cast(pl.UInt8) for place, made in enumerate(names)}
        return pl.DataFrame(made).to_struct(levels.name)

    dtype = pl.Struct(dict.fromkeys(names, pl.UInt8()))
    return as_level(pl.col(name)).map_batches(indicators, return_dtype=dtype, is_elementwise=True).struct.unnest()
