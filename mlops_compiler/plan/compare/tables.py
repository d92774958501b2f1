"""Compare two tables that were kept: rows, columns, and how each column is distributed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mlops_compiler.plan.compare.data import Data, opened
from mlops_compiler.plan.compare.part import Pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord


def compare_tables(before: StageRecord, after: StageRecord, store: StoreReader) -> Data:
    """Compare the tables of two records of the stage `snapshot`.

    Raises:
        EngineError: One of them is missing or damaged.
    """
    found = Data(
        source=Pair(before=before.summary["source"], after=after.summary["source"]),
        rows=Pair(before=before.summary["rows"], after=after.summary["rows"]),
        width=Pair(before=before.summary["columns"], after=after.summary["columns"]),
        snapshot=Pair(before=before.outputs["snapshot"], after=after.outputs["snapshot"]),
    )
    return opened(found, _reader(before, store), _reader(after, store)) if found.snapshot.differs else found


def _reader(record: StageRecord, store: StoreReader) -> Callable[[], io.BytesIO]:
    content = store.objects.get(record.outputs["snapshot"])
    return lambda: io.BytesIO(content)
