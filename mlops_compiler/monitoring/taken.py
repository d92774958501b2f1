"""Outcomes from a table: what is new of it goes to the others; said again it changes nothing, whoever says it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.monitoring.observed import outcomes, predictions, resolved
from mlops_compiler.store.segments import LABELS, Segments
from mlops_compiler.store.served import LABEL
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the rows of a table.

    Attributes:
        rows: How many it has.
        new: Outcomes that were not known.
        known: Those that were told before, the same.
        contradicting: Those of predictions of which another outcome was told before, which counts.
        unmatched: New ones that no prediction was found for; they are kept, and wait for it.
        empty: Rows without an outcome yet.
    """

    rows: int
    new: int
    known: int
    contradicting: int
    unmatched: int
    empty: int


def take(
    location: StoreLocation,
    manifest: Mapping[str, Any],
    service: ServiceName,
    table: pl.DataFrame,
    *,
    key: str,
    source: str,
) -> Taken:
    """Take in outcomes from a table.

    Args:
        location: The store.
        manifest: That of the release in service; says what an outcome is.
        service: Whose predictions they are outcomes of.
        table: Has ``id`` or the key, and the outcome under the name of the target, or as ``outcome``.
        key: The column that holds the recipe's key.
        source: What is written down as who told them.

    Raises:
        DataError: The table lacks those columns, or an outcome is none.
        EngineError: They cannot be written.
    """
    told = _told(manifest, table, key).with_columns(
        pl.lit(datetime.now(UTC)).cast(LABEL["time"]).alias("time"), pl.lit(source).alias("source")
    )
    empty = told.filter(pl.col("outcome").is_null()).height
    told = told.drop_nulls("outcome").unique(["id", "key", "outcome"], keep="first", maintain_order=True)
    before, answered = outcomes(location, service), predictions(location, service)
    same = ["id", "key", "outcome"]
    fresh = told.join(before.select(same).unique(), on=same, how="anti", nulls_equal=True).select(list(LABEL))
    if fresh.height:
        buffer = io.BytesIO()
        fresh.write_parquet(buffer)
        Segments(location, LABELS, service).append(buffer.getvalue())
    found, earlier = resolved(answered, fresh), resolved(answered, before).drop_nulls("id")
    matched = found.drop_nulls("id")
    first = pl.concat([earlier, matched]).unique("id", keep="first", maintain_order=True)
    other = matched.join(first.select("id", first="outcome"), on="id").filter(pl.col("outcome") != pl.col("first"))
    again = matched.join(earlier.select("id", "outcome").unique(), on=["id", "outcome"], how="semi")
    return Taken(
        rows=table.height,
        new=fresh.height - again.height,
        known=told.height - fresh.height + again.height,
        contradicting=other.height,
        unmatched=found["id"].null_count(),
        empty=empty,
    )


def _told(manifest: Mapping[str, Any], table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give ``id``, ``key`` and ``outcome`` as texts.

    Raises:
        DataError: A column is not there, or an outcome is none.
    """
    target = manifest.get("target")
    if target is None:
        raise DataError([_no_outcomes(str(manifest["recipe"]))])
    named = next((name for name in ("id", key) if name in table.columns), None)
    came = next((name for name in (str(target), "outcome") if name in table.columns), None)
    if named is None or came is None:
        raise DataError([_lacking(key, str(target), named, table.columns)])
    texts = table.select(
        id=pl.col(named).cast(pl.String) if named == "id" else pl.lit(None, dtype=pl.String),
        key=pl.col(named).cast(pl.String) if named != "id" else pl.lit(None, dtype=pl.String),
        outcome=pl.col(came).cast(pl.String),
    )
    classes = list(manifest.get("classes") or ())
    read = texts.with_columns(outcome=spelled(texts["outcome"], classes))
    wrong = texts["outcome"].filter(texts["outcome"].is_not_null() & read["outcome"].is_null())
    if wrong.len():
        raise DataError([_wrong(came, wrong, [str(label) for label in classes])])
    return read


def spelled(texts: pl.Series, classes: Sequence[Any]) -> pl.Series:
    """Write outcomes as `LabelContract` does, however a table writes them; null of what is none.

    Args:
        texts: Outcomes as texts: ``1.0`` may be the class 1, and ``true`` the class True.
        classes: Those of the task; none where it predicts numbers.
    """
    numbers = texts.cast(pl.Float64, strict=False)
    if not classes:
        told = [repr(value) if value is not None and isfinite(value) else None for value in numbers]
    elif all(isinstance(label, bool) for label in classes):
        read = texts.to_frame("outcome").select(
            cast_expression(pl.col("outcome"), "bool", strict=False, given=pl.String())
        )
        told = [None if value is None else str(value) for value in read.to_series()]
    else:
        names = {str(label): str(label) for label in classes}
        values = {float(label): str(label) for label in classes if isinstance(label, int | float)}
        told = [
            None if text is None else names.get(text, values.get(number)) if number is not None else names.get(text)
            for text, number in zip(texts, numbers, strict=True)
        ]
    return pl.Series(texts.name, told, dtype=pl.String)


def _no_outcomes(recipe: str) -> Diagnostic:
    return Diagnostic(code="no-outcomes", headline=f"`{recipe}` has no target, and so no outcomes")


def _lacking(key: str, target: str, named: str | None, columns: list[str]) -> Diagnostic:
    what = f"`id` nor `{key}`" if named is None else f"`{target}` nor `outcome`"
    return Diagnostic(
        code="missing-column",
        headline=f"the outcomes have neither {what}",
        notes=(Note(text=f"the columns are {listing(columns)}"),),
        help="an outcome names its prediction by the `id` that was answered, or by the recipe's key",
    )


def _wrong(column: str, values: pl.Series, classes: list[str]) -> Diagnostic:
    shown = [repr(value) for value in values.unique(maintain_order=True).head(_SHOWN)]
    expected = f"one of {listing(classes[:20])}" if classes else "finite numbers"
    return Diagnostic(
        code="wrong-outcome",
        headline=f"`{column}` holds outcomes that are none: {values.len():,} rows have {listing(shown)}",
        help=f"outcomes are {expected}",
    )
