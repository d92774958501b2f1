"""Reads the rows of the snapshot beside the parts that they were dealt to; of all rows and columns, what is needed."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.evaluation.errors import naive_error
from mlops_compiler.tables.steps import HIDDEN, LABEL, NAIVE, SAMPLE_WEIGHT, change
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.deal import Dealt
    from mlops_compiler.ir.ops.preparation import NamedStep

LEARNS, JUDGES = 1, 2
"""What a row is in a part, where it is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of the snapshot.

    Attributes:
        frame: The rows, with the label in `LABEL`, and where rows weigh by a column, that in `SAMPLE_WEIGHT`.
        split: What each row is in each part, by the part's column: `LEARNS`, `JUDGES` or neither; and of a forecast
            what a seasonal naive one says, in `NAIVE`.
    """

    frame: pl.DataFrame
    split: pl.DataFrame

    @property
    def beside_naive(self) -> pl.DataFrame:
        """The rows, of a forecast with what a seasonal naive one says in `NAIVE`."""
        return self.frame.with_columns(self.split[NAIVE]) if NAIVE in self.split.columns else self.frame

    def naive_error(self, fold: int | None = None) -> float | None:
        """Say by how much seasonal naive forecasts err of the rows learned from; None where nothing lies ahead."""
        if NAIVE not in self.split.columns:
            return None
        learns = self.learns(fold)
        label, said = (rows.filter(learns).to_numpy() for rows in (self.frame[LABEL], self.split[NAIVE]))
        return naive_error(label, said)

    def learns(self, fold: int | None = None) -> pl.Series:
        """Say which rows the model of a fold learns from, or of none the final model; shape (rows,)."""
        return self.split[part_column(fold)] == LEARNS

    def judges(self, fold: int | None = None) -> pl.Series:
        """Say which rows it is judged by: those of the fold, or the holdout; shape (rows,)."""
        return self.split[part_column(fold)] == JUDGES


def part_column(fold: int | None) -> str:
    """Name the column of a split that says what rows are in a fold, or for the final model."""
    return "final" if fold is None else f"fold_{fold}"


def split_table(
    dealt: Dealt, label: pl.Series, naive: pl.Series | None = None, weight: pl.Series | None = None
) -> pl.DataFrame:
    """Write what was dealt as a table, a column for each part, beside what came and what each row weighs.

    Of a forecast also what a seasonal naive one says.
    """
    parts = {part_column(None): dealt.final} | {part_column(fold): part for fold, part in enumerate(dealt.folds)}
    roles = {
        name: pl.Series(LEARNS * part.learns + JUDGES * part.judges, dtype=pl.Int8) for name, part in parts.items()
    }
    beside = {name: column for name, column in (("weight", weight), (NAIVE, naive)) if column is not None}
    return pl.DataFrame({"label": label, **roles, **beside})


def read_rows(context: Context, columns: Iterable[str] | None, filters: Sequence[NamedStep] = ()) -> Rows:
    """Read rows of the snapshot.

    Args:
        context: The stage that reads.
        columns: The columns to keep; None for all.
        filters: Steps that drop rows.
    """
    stream, split = open_rows(context, columns, filters)
    return Rows(frame=stream.collect(), split=split)


def open_rows(
    context: Context, columns: Iterable[str] | None, filters: Sequence[NamedStep] = ()
) -> tuple[Stream, pl.DataFrame]:
    """Open the rows of the snapshot, to read them some at a time.

    Filters are part of the query that reads: columns that only they need are not kept, and parts of the file that they
    rule out by its statistics are not read.

    Args:
        context: The stage that reads.
        columns: The columns to keep; None for all.
        filters: Steps that drop rows.

    Returns:
        The rows, with the label in `LABEL`; and the split, as `Rows` has it.
    """
    table = scan_snapshot(context)
    split = read_split(context)
    kept = [change(named.step, {}).keep for named in filters]
    predicates = [condition for condition in kept if condition is not None]
    if predicates:
        keep = table.select(pl.all_horizontal(*predicates).fill_null(value=False).alias("keep")).collect()["keep"]
        split, table = split.filter(keep), table.filter(*predicates)
    if columns is not None:
        table = table.select(columns)
    beside = {LABEL: split["label"]} | ({SAMPLE_WEIGHT: split["weight"]} if "weight" in split.columns else {})
    return _beside(Stream.scan(table, split.height), beside), split.drop("label", "weight", strict=False)


def read_split(context: Context) -> pl.DataFrame:
    """Read what each row is in each part, those that came back among them."""
    return context.read_table("feedback" if "feedback" in context.inputs else "split", "split")


def scan_snapshot(context: Context) -> pl.LazyFrame:
    """Open the snapshot where it lies, with the rows below that came back; one of another machine is fetched."""
    record = context.inputs.get("feedback") or context.inputs["snapshot"]
    digest = record.outputs["snapshot"]
    path = context.store.objects.local_path(digest)
    return pl.scan_parquet(path or io.BytesIO(context.store.objects.get(digest)))


def _beside(rows: Stream, hidden: Mapping[str, pl.Series]) -> Stream:
    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        place = 0
        for part in rows.batches([name for name in names if name not in HIDDEN] or rows.columns[:1]):
            yield part.with_columns(values.slice(place, part.height).alias(name) for name, values in hidden.items())
            place += part.height

    return replace(rows, schema={**rows.schema, **{name: item.dtype for name, item in hidden.items()}}, read=read)
