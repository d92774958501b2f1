"""Segments are tended by whoever writes them: many small ones become a large one, and old ones go.

Nothing is lost whenever that ends, and several may tend at once: a large segment is there before the small ones go. Who
reads meanwhile may find rows twice, and lists each once.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.store.segments import Segments

_SETTLED = timedelta(minutes=15)
"""Segments that are younger are left alone."""
_FEWEST = 32
"""Fewer small segments of a day are not worth it."""
_MOST = 512
"""Most segments that are put together at once."""
_SMALL_BYTES = 256 * 1024


def tend(segments: Segments, *, keep: float | None, now: float) -> tuple[int, int]:
    """Remove old segments, and put small ones of a day together.

    Args:
        segments: Of one kind, in Parquet.
        keep: Seconds after which they go; None for never.
        now: The time, in seconds since 1970.

    Returns:
        How many were removed because they were old, and how many were put together.

    Raises:
        EngineError: The store cannot be read or written.
    """
    time = datetime.fromtimestamp(now, UTC)
    sizes = segments.sizes()
    old = [name for name in sizes if keep is not None and segments.time(name) < time - timedelta(seconds=keep)]
    for name in old:
        segments.remove(name)
    small = [
        name
        for name, size in list(sizes.items())[len(old) :]
        if size < _SMALL_BYTES and segments.time(name) < time - _SETTLED
    ]
    together = 0
    for _, part in groupby(small, key=lambda name: segments.time(name).date()):
        names = list(part)
        for start in range(0, len(names) - _FEWEST + 1, _MOST):
            together += _put_together(segments, names[start : start + _MOST])
    return len(old), together


def _put_together(segments: Segments, names: Sequence[str]) -> int:
    """Put segments together, those of one shape at a time; returns how many there were of them."""
    shapes: dict[str, list[str]] = {}
    tables = {name: pl.read_parquet(io.BytesIO(segments.read(name))) for name in names}
    for name, table in tables.items():
        shapes.setdefault(repr(table.schema), []).append(name)
    alike = [chosen for chosen in shapes.values() if len(chosen) > 1]
    for chosen in alike:
        buffer = io.BytesIO()
        pl.concat(tables[name] for name in chosen).unique(maintain_order=True).write_parquet(buffer)
        segments.append(buffer.getvalue(), at=segments.time(chosen[-1]))
        for name in chosen:
            segments.remove(name)
    return sum(map(len, alike))
