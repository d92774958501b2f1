"""A file is scored by the very predictor that answers requests, to the same bits."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, did_you_mean, listing
from mlops_compiler.ir.ops.intake import Check, ColumnCheck
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.serving.explaining import contribution_columns
from mlops_compiler.serving.files import input_format, output_format, read_rows, write_rows
from mlops_compiler.tables.contract import breaches_by_row, take_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_compiler.explain.release import Explainer
    from mlops_compiler.serving.assembly import Assembly
    from mlops_compiler.serving.predictor import Predictor

_AT_ONCE = 65_536
"""Rows scored together: bounds the memory, changes no bit."""
_EXPLAINED_AT_ONCE = 4096
_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """What was scored.

    Attributes:
        rows: How many rows.
        decisions: Rows by decision, as text: of anomalies whether a row is one; none of a regression.
        clusters: Rows by cluster, as text; of a clustering alone.
        prediction: Least, mean and most of what a regression predicted.
        ignored: Columns of the input that the release does not ask for.
        output: The file written.
        joins: For each join that was done, how many rows it matched.
        refused: Rows that got no prediction; None where one such row would have refused the whole file.
    """

    rows: int
    decisions: dict[str, int]
    ignored: tuple[str, ...]
    output: str
    prediction: dict[str, float] | None = None
    clusters: dict[str, int] = field(default_factory=dict)
    joins: tuple[dict[str, Any], ...] = ()
    refused: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Write the summary as a JSON object, without what the task does not have."""
        told = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        return told if self.joins else {name: value for name, value in told.items() if name != "joins"}


def predict_file(
    predictor: Predictor,
    source: Path,
    output: Path,
    assembly: Assembly | None = None,
    explainer: Explainer | None = None,
    *,
    partial: bool = False,
) -> BatchSummary:
    """Score the rows of a CSV, Parquet or newline-delimited JSON file.

    Args:
        predictor: The release.
        source: The file with the columns that the release asks for; others are ignored.
        output: The file to write: the key, where the input has it, and what `Predictor.predict` gives; the
            probabilities of several classes each in a column ``probability_CLASS``.
        assembly: Adds what the recipe's joins and looks back add; without it the file must hold all columns.
        explainer: Adds what each feature contributes to a row's answer, as `contribution_columns` gives it.
        partial: Whether rows that break the contract are let through without a prediction; the column ``refused``
            then says what each of them breaks.

    Raises:
        UsageError: A suffix is of no format known here, or the output cannot be written there.
        DataError: The input is missing, unreadable, lacks columns or breaks the contract: all of it.
    """
    manifest = predictor.manifest
    given, wanted = input_format(source), output_format(output, source)
    frame = read_rows(source, given, assembly.source if assembly is not None else {})
    whole = frame if assembly is None else assembly.complete(frame, source.name)
    check, whole = _asked_for(whole, manifest, source.name)
    broken = _broken(check, whole) if partial else None
    typed = _typed(check, whole if broken is None else whole.filter(broken["refused"].is_null()))
    scored = pl.concat(predictor.predict(part) for part in typed.iter_slices(_AT_ONCE))
    key = manifest.get("key")
    if "probabilities" in scored.columns:
        scored = scored.with_columns(pl.col("probabilities").name.prefix_fields("probability_")).unnest("probabilities")
    if explainer is not None:
        told = [contribution_columns(explainer, part) for part in typed.iter_slices(_EXPLAINED_AT_ONCE)]
        scored = scored.hstack(pl.concat(told))
    if broken is not None:
        scored = _with_gaps(scored, broken)
    if key in frame.columns:
        scored.insert_column(0, frame[key])
    write_rows(scored, output, wanted)
    return BatchSummary(
        rows=scored.height,
        decisions=_counted(scored, "anomaly" if "anomaly" in scored.columns else "decision"),
        clusters=_counted(scored, "cluster"),
        prediction=_spread(scored),
        ignored=tuple(name for name in frame.columns if name not in typed.columns and name != key),
        output=str(output),
        joins=tuple(assembly.joined) if assembly is not None else (),
        refused=None if broken is None else broken["refused"].count(),
    )


def read_file(
    manifest: Mapping[str, Any], source: Path, assembly: Assembly | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the rows of a file: all of its columns, and the fields of a request, typed.

    Args:
        manifest: That of the release.
        source: The file.
        assembly: As for `predict_file`.

    Raises:
        UsageError: Its suffix is of no format known here.
        DataError: It is missing, unreadable, lacks columns or breaks the contract: all of it.
    """
    frame = read_rows(source, input_format(source), assembly.source if assembly is not None else {})
    whole = frame if assembly is None else assembly.complete(frame, source.name)
    check, asked = _asked_for(whole, manifest, source.name)
    return whole, _typed(check, asked)


def _counted(scored: pl.DataFrame, column: str) -> dict[str, int]:
    if column not in scored.columns:
        return {}
    counts = scored[column].value_counts(sort=True)
    return dict(counts.select(pl.col(column).cast(pl.String), pl.col("count")).iter_rows())


def _spread(scored: pl.DataFrame) -> dict[str, float] | None:
    if "prediction" not in scored.columns or not scored.height:
        return None
    values = pl.col("prediction")
    return scored.select(least=values.min(), mean=values.mean(), most=values.max()).row(0, named=True)


def _asked_for(frame: pl.DataFrame, manifest: Mapping[str, Any], name: str) -> tuple[Check, pl.DataFrame]:
    """Give the contract of a request as that of a source, and the file with all of its columns.

    Raises:
        DataError: The file lacks some.
    """
    fields = [field for field in manifest["request"] if field["name"] != manifest.get("key")]
    lacking = [field for field in fields if field["name"] not in frame.columns]
    if missing := [field["name"] for field in lacking if field["required"]]:
        raise DataError(_missing_column(column, frame.columns, name) for column in missing)
    frame = frame.with_columns(
        pl.lit(None, dtype=DTYPES[field["type"]]).alias(field["name"]) for field in lacking
    ).with_columns(_without_blanks(field, frame.schema.get(field["name"])) for field in fields)
    return Check(columns=tuple(map(_check, fields)), max_loss=0.0), frame


def _typed(check: Check, frame: pl.DataFrame) -> pl.DataFrame:
    """Give the rows the types of the request contract, and check it as a source's contract is checked."""
    typed, _ = take_in(check, frame)
    _refuse_infinite(typed)
    return typed


def _broken(check: Check, frame: pl.DataFrame) -> pl.DataFrame:
    """Say for each row what it breaks of the contract: ``refused``, null where it breaks nothing."""
    rows = pl.DataFrame({"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True)})
    return rows.join(breaches_by_row(check, frame), on="row", how="left", maintain_order="left").drop("row")


def _with_gaps(scored: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """Put rows without answers in between, where the file has rows that were refused."""
    place = pl.when(pl.col("refused").is_null()).then(pl.col("refused").is_null().cum_sum() - 1)
    places = broken.with_columns(place=place.cast(pl.UInt32))
    answers = scored.with_row_index("place")
    return places.join(answers, on="place", how="left", maintain_order="left").select(*scored.columns, "refused")


def _check(field: Mapping[str, Any]) -> ColumnCheck:
    return ColumnCheck(
        name=field["name"],
        type=field["type"],
        nullable=field["nullable"],
        range=tuple(field["range"]) if field.get("range") else None,
        one_of=tuple(field["one_of"]) if field.get("one_of") else None,
        pattern=field.get("pattern"),
    )


def _without_blanks(field: Mapping[str, Any], given: pl.DataType | None) -> pl.Expr:
    """Make missing what a request would send as null: blank cells of columns that hold no text, and NaNs."""
    values = pl.col(field["name"])
    if given == pl.String and field["type"] not in ("text", "category"):
        return pl.when(values.str.strip_chars() != "").then(values).alias(field["name"])
    return values.fill_nan(None) if given is not None and given.is_float() else values


def _refuse_infinite(rows: pl.DataFrame) -> None:
    """Refuse what no JSON request can hold."""
    found = []
    for column in rows.select(pl.col(pl.Float64)):
        if indices := column.is_infinite().arg_true().to_list():
            shown = ", ".join(str(index + 1) for index in indices[:_ROWS_SHOWN])
            found.append(
                Diagnostic(
                    code="contract-infinite",
                    headline=f"column `{column.name}` must be finite: {len(indices)} rows break that",
                    notes=(Note(text=f"data rows {shown}{', …' if len(indices) > _ROWS_SHOWN else ''}"),),
                )
            )
    if found:
        raise DataError(found)


def _missing_column(column: str, known: list[str], name: str) -> Diagnostic:
    return Diagnostic(
        code="missing-column",
        headline=f"{name} has no column `{column}`, which the release asks for",
        help=did_you_mean(column, known, otherwise="its columns are") or f"its columns are {listing(known)}",
    )
