"""A request and what was answered to it, as they pass from the gate to the log."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.store.served import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ARROW = b"\xff\xff\xff\xff"
"""What an Arrow stream begins with, and no JSON does."""
ARROW_TYPE = "application/vnd.apache.arrow.stream"


def is_arrow(body: bytes) -> bool:
    """Say whether a body is an Arrow stream, and no JSON."""
    return body.startswith(ARROW)


def media_type(body: bytes) -> str:
    """Name the type of a body."""
    return ARROW_TYPE if is_arrow(body) else "application/json"


def new_id(now: float | None = None) -> str:
    """Make the name of a prediction: 32 hexadecimal digits that sort by the millisecond, as of UUIDs of version 7."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(10)}"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request, as far as it has come.

    Attributes:
        id: Its name; of a list each row is named ``ID-INDEX``.
        came: When, in seconds since 1970.
        clock: The same by `time.perf_counter`.
        client: The name of the API key; empty without.
        role: The part that this release has in it.
        rows: How many rows were scored.
        code: Why it was refused; None where it was not.
    """

    id: str = field(default_factory=new_id)
    came: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    client: str = ""
    role: str = ANSWER
    rows: int = 0
    code: str | None = None

    def names(self, rows: int, *, single: bool) -> list[str]:
        """Name each row."""
        return [self.id] if single else [f"{self.id}-{index}" for index in range(rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row that is no table yet.

    Attributes:
        values: Its values, by column.
        schema: Their types.
    """

    values: Mapping[str, Any]
    schema: Mapping[str, pl.DataType]


def stacked(tables: Iterable[pl.DataFrame | Line]) -> pl.DataFrame:
    """Put tables of the same columns below each other; lines that follow each other become one of them."""
    made: list[pl.DataFrame] = []
    lines: list[Line] = []
    for table in tables:
        if isinstance(table, Line):
            lines.append(table)
            continue
        made += _together(lines)
        lines = []
        made.append(table)
    return pl.concat([*made, *_together(lines)])


def _together(lines: list[Line]) -> list[pl.DataFrame]:
    if not lines:
        return []
    values, schema = [line.values for line in lines], lines[0].schema
    return [pl.DataFrame(values, schema=schema) if schema else pl.DataFrame(height=len(values))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Rows that were scored.

    Attributes:
        exchange: What they came with.
        ids: The name of each.
        keys: The recipe's key of those that came with one, by index.
        inputs: The columns of the contract, typed.
        outputs: What the predictor said.
        seconds: How long the request took until then.
    """

    exchange: Exchange
    ids: list[str]
    keys: Mapping[int, Any]
    inputs: pl.DataFrame | Line
    outputs: pl.DataFrame | Line
    seconds: float
