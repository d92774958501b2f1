"""Taking in what is new: from the source and what was taken before to all rows taken by now. Nothing is recorded here.

Where this ends early, by an error or a signal, an object that no record names may be left; what was taken before
is as it was, and the next intake begins from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.analysis.increments import key_columns
from mlops_compiler.backends.stages.delivery import delivered, other_columns, other_types
from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.recipe.intake import ByWatermark
from mlops_compiler.store.intakes import State
from mlops_compiler.tables.accumulate import PART, Rules, accumulate, put_together
from mlops_compiler.tables.beyond import Mark
from mlops_compiler.tables.parquet import ParquetWriter
from mlops_compiler.tables.sources import open_file
from mlops_compiler.tables.table import head

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.backends.stages.delivery import Delivery
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.store.writer import StoreWriter
    from mlops_compiler.tables.accumulate import Accumulated
    from mlops_compiler.tables.beyond import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All rows taken by now, not recorded yet.

    Attributes:
        state: What the next intake must know.
        summary: What became of the delivery.
        is_new: Whether there is anything to record: other rows, or a file that need not be read again.
    """

    state: State
    summary: dict[str, Any]
    is_new: bool


def take_new(delivery: Delivery, last: State | None, store: StoreWriter, now: datetime | None = None) -> Taken:
    """Read what is new and add it to what was taken before.

    Args:
        delivery: The source.
        last: What the last intake knew; None where this is the first.
        store: Keeps the rows.
        now: What time it is, in UTC.

    Raises:
        DataError: The source cannot be read, or does not go on from what was taken.
        EngineError: The store cannot be read or written.
    """
    settings = _settings(delivery)
    if last is not None and last.settings != settings:
        raise DataError([_other_settings(last.settings, settings, delivery.place)])
    types = _types(delivery, last)
    rules = _rules(delivery, last, types)
    came = delivered(delivery, rules.mark, last.files if last is not None else {}, types, store)
    with store.objects.workspace() as folder:
        before = None if last is None else _file(store, last.table, folder)
        found, stored = _alike(came.rows, None if before is None else pl.scan_parquet(before), delivery.span)
        result = accumulate(stored, found, rules, now or datetime.now(UTC))
        if last is None or before is None or result.added.height:
            table, height = _kept(result, before, found.drop(PART).schema, folder, store)
        else:
            table, height = last.table, int(pl.scan_parquet(before).select(pl.len()).collect().item())
    state = State(
        table=table,
        settings=settings,
        types=types,
        mark=_written(result.mark),
        files={**(last.files if last is not None else {}), **came.files},
    )
    summary = {
        "source": delivery.read.path,
        "rows": height,
        **_counts(result, state),
        "files": sorted(came.files.values()),
        "changed_files": list(came.changed),
    }
    return Taken(state=state, summary=summary, is_new=last is None or table != last.table or bool(came.files))


def _settings(delivery: Delivery) -> dict[str, Any]:
    """What rows were taken by; another of these would take other ones."""
    intake, read = delivery.recipe.data.intake, delivery.read
    assert intake is not None  # noqa: S101 - asked before
    return {
        "by": intake.by,
        "column": intake.column if isinstance(intake, ByWatermark) else None,
        "key": list(key_columns(delivery.recipe)),
        "kind": read.kind,
        "table": read.table or read.query,
    }


def _types(delivery: Delivery, last: State | None) -> dict[str, str]:
    """Find the columns of the source, which must be those that were taken before."""
    known = {name: column.type for name, column in delivery.recipe.data.columns.items() if column.type}
    if last is not None and last.settings["by"] == "new_files":  # each file that is read is looked at by itself
        return last.types
    found = head(delivery.read, delivery.root, delivery.span, known)
    if last is None:
        return found
    if found.keys() != last.types.keys():
        raise DataError([other_columns(set(last.types), set(found), delivery.span)])
    return last.types


def _rules(delivery: Delivery, last: State | None, types: dict[str, str]) -> Rules:
    intake = delivery.recipe.data.intake
    assert intake is not None  # noqa: S101 - asked before
    mark = None
    if isinstance(intake, ByWatermark):
        declared = delivery.recipe.data.columns.get(intake.column)
        kind = (declared.type if declared is not None else None) or types[intake.column]
        value = None if last is None or last.mark is None else _read(last.mark, kind)
        mark = Mark(column=intake.column, kind=kind, value=value, late=intake.late)
    return Rules(key=key_columns(delivery.recipe), keep=intake.keep, mark=mark)


def _file(store: StoreWriter, digest: str, folder: Path) -> Path:
    """Find the file of what was taken; from a store elsewhere it is brought here."""
    if (path := store.objects.local_path(digest)) is not None:
        return path
    path = folder / "taken.parquet"
    path.write_bytes(store.objects.get(digest))
    return path


def _alike(
    found: pl.DataFrame, stored: pl.LazyFrame | None, span: Span | None
) -> tuple[pl.DataFrame, pl.LazyFrame | None]:
    """Give what came and what was taken the same columns, of types that hold the values of both."""
    if stored is None:
        return found, None
    schema = stored.collect_schema()
    if found.width <= 1:
        return pl.DataFrame(schema=schema).with_columns(pl.lit(0).alias(PART)), stored
    names = schema.names()
    try:
        heads = [pl.DataFrame(schema=schema), found.select(names).clear()]
        both = pl.concat(heads, how="vertical_relaxed").schema
        return found.select([*names, PART]).cast(dict(both)), stored.cast(dict(both))  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        raise DataError([other_types(error, span)]) from error


def _kept(
    result: Accumulated, before: Path | None, schema: pl.Schema, folder: Path, store: StoreWriter
) -> tuple[str, int]:
    """Write all rows taken by now, and keep them; gives their digest and their number."""
    file = folder / "now.parquet"
    read = Read(kind="parquet", path=str(before))
    parts = open_file(read, before).batches() if before is not None else ()
    with ParquetWriter(file, schema) as writer:
        for part in put_together(parts, result):
            writer.add(part.cast(dict(schema)))  # type: ignore[arg-type]
    return store.objects.take(file), writer.height


def _counts(result: Accumulated, state: State) -> dict[str, Any]:
    return {
        "by": state.settings["by"],
        "new": result.new,
        "late": result.late,
        "changed": result.changed,
        "superseded": result.superseded,
        "repeated": result.repeated,
        "refused": result.unmarked + result.too_late,
        "unmarked": result.unmarked,
        "too_late": result.too_late,
        "watermark": state.mark,
        "column": state.settings["column"],
    }


def _written(mark: Value | None) -> int | float | str | None:
    return mark.isoformat() if isinstance(mark, date) else mark


def _read(mark: float | str, kind: str) -> Value:
    if kind == "date":
        return date.fromisoformat(str(mark)[:10])
    return datetime.fromisoformat(str(mark)) if kind == "datetime" else mark  # type: ignore[return-value]


def _other_settings(before: dict[str, Any], now: dict[str, Any], span: Span | None) -> Diagnostic:
    names = {"kind": "data.source.kind", "table": "data.source"}
    other = [names.get(name, f"data.intake.{name}") for name, value in now.items() if before.get(name) != value]
    return Diagnostic(
        code="intake-changed",
        headline=f"{listing(other)} changed since rows were taken in, and would take others",
        span=span,
        notes=tuple(
            Note(text=f"{name}: {before.get(name)} → {value}")
            for name, value in now.items()
            if before.get(name) != value
        ),
        help="begin anew with all that the source has now: mlops-compile intake --anew",
    )
