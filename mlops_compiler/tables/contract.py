"""The contract of a source, checked on real rows with Pandera; every breach names column, rule, count and rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, Severity, Sink
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.tables.casts import SAMPLES, cast_frame

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pandera.errors import SchemaErrors

    from mlops_compiler.ir.ops.intake import Check, ColumnCheck


def take_in(check: Check, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Give every column its type, and check the contract.

    Args:
        check: The contract.
        rows: The source's rows, as it gives them.

    Returns:
        The typed columns of the contract, in its order, and the values lost by each cast that the
        recipe allows to lose some.

    Raises:
        DataError: Columns are missing, casts lose more than is allowed, or rules are broken; all of it.
    """
    wanted = [column.name for column in check.columns]
    typed, losses = cast_frame(rows.select(wanted), {column.name: column.type for column in check.columns})
    sink = Sink()
    for column in check.columns:
        if column.name in losses and losses[column.name].mean() > check.max_loss:  # type: ignore[operator]
            sink.add(_lossy(column, rows[column.name], losses[column.name]))
    for finding in _breaches(check, typed, losses, "error"):
        sink.add(finding)
    sink.raise_errors(DataError)
    return typed, {name: int(lost.sum()) for name, lost in losses.items()}


def breaches_by_row(check: Check, rows: pl.DataFrame) -> pl.DataFrame:
    """Find the rows that break the contract, each with all that it breaks; uniqueness is not looked at.

    Args:
        check: The contract.
        rows: The rows, as a source or a file gives them.

    Returns:
        ``row``, its index from 0, and ``refused``, what it breaks in words; by row, those alone that break something.
    """
    typed, losses = cast_frame(
        rows.select(column.name for column in check.columns), {column.name: column.type for column in check.columns}
    )
    found: dict[int, list[str]] = {}
    for column in check.columns:
        lost = set(losses[column.name].arg_true().to_list()) if column.name in losses else set[int]()
        for row in lost:
            found.setdefault(row, []).append(f"`{column.name}` must be {column.type}")
        for rule in ("not_nullable", "range", "one_of", "pattern"):
            if rule == "not_nullable" and column.nullable:
                continue
            for row in set(_rows_that_fail(column, rule, typed)) - lost:
                found.setdefault(row, []).append(f"`{column.name}` {_wish(column, rule)[1]}")
        if column.type == "float":
            for row in typed[column.name].is_infinite().arg_true().to_list():
                found.setdefault(row, []).append(f"`{column.name}` must be finite")
    told = sorted((row, "; ".join(reasons)) for row, reasons in found.items())
    return pl.DataFrame(told, schema={"row": pl.UInt32, "refused": pl.String}, orient="row")


def suspects(check: Check, rows: pl.DataFrame, losses: Collection[str], severity: str) -> set[str]:
    """Name the columns that break a rule in some of the rows; uniqueness is not looked at, which takes all rows.

    A column that is not named here breaks none in all rows either. One that is may be allowed to: a value lost in
    another batch is missing by permission, and so are then those that were missing before.

    Args:
        check: The contract.
        rows: Some rows, typed.
        losses: The columns whose cast lost values in them.
        severity: Of the columns to look at: ``error`` or ``warn``.
    """
    alone = tuple(replace(column, unique=False) for column in check.columns)
    error = _validated(replace(check, columns=alone), rows, losses, severity)
    return set() if error is None else set(error.failure_cases["column"])


def doubts(check: Check, typed: pl.DataFrame) -> tuple[Diagnostic, ...]:
    """Find what typed rows break of the parts of the contract that only warn."""
    found = _breaches(check, typed, {}, "warn")
    return tuple(replace(finding, severity=Severity.WARNING) for finding in found)


def _breaches(check: Check, rows: pl.DataFrame, losses: Collection[str], severity: str) -> list[Diagnostic]:
    error = _validated(check, rows, losses, severity)
    return [] if error is None else _explain(check, rows, error.failure_cases)


def _validated(check: Check, rows: pl.DataFrame, losses: Collection[str], severity: str) -> SchemaErrors | None:
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

    columns = [column for column in check.columns if column.severity == severity]
    schema = pa.DataFrameSchema({column.name: _pandera(column, tolerated=column.name in losses) for column in columns})
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as error:
        return error
    return None


def _pandera(column: ColumnCheck, *, tolerated: bool) -> Any:
    """Make a Pandera column; a value lost by a tolerated cast is missing by permission."""
    import pandera.polars as pa

    checks = []
    allowed = _allowed(column)
    if column.range is not None:
        checks.append(pa.Check.in_range(*column.range, name="range"))
    if allowed is not None:
        checks.append(pa.Check.isin(allowed, name="one_of"))
    if column.weighs:
        bounds = {"include_min": False, "include_max": False}
        checks.append(pa.Check.in_range(0, math.inf, **bounds, error="weight"))
    if column.pattern is not None:
        checks.append(pa.Check.str_matches(_whole(column.pattern), name="pattern"))
    return pa.Column(
        type(DTYPES[column.type]) if column.type != "datetime" else DTYPES["datetime"],
        checks,
        nullable=column.nullable or tolerated,
        unique=column.unique,
    )


def _whole(pattern: str) -> str:
    """A pattern that a value matches as a whole."""
    return f"^(?:{pattern})$"


def _allowed(column: ColumnCheck) -> list[Any] | None:
    """The values allowed, as the column holds them: Polars compares no fractions with whole numbers."""
    if column.one_of is None:
        return None
    return [float(value) if column.type == "float" else value for value in column.one_of]  # type: ignore[arg-type]


def _explain(check: Check, rows: pl.DataFrame, cases: pl.DataFrame) -> list[Diagnostic]:
    contract = {column.name: column for column in check.columns}
    found: list[Diagnostic] = []
    for (name, rule), group in cases.group_by(["column", "check"], maintain_order=True):
        column = contract[str(name)]
        indices = _rows_that_fail(column, str(rule), rows)
        found.append(_breach(column, str(rule), rows[column.name], indices or group["index"].drop_nulls().to_list()))
    return found


def _rows_that_fail(column: ColumnCheck, rule: str, rows: pl.DataFrame) -> list[int]:
    """Find the rows that break a rule; Pandera's own index counts only the rows that it looked at."""
    values = rows[column.name]
    if rule == "not_nullable":
        return values.is_null().arg_true().to_list()
    if rule == "field_uniqueness":
        return values.is_duplicated().arg_true().to_list()
    if column.range is not None and rule.startswith(("range", "in_range")):
        return (~values.is_between(*column.range)).arg_true().to_list()
    if column.weighs and rule == "weight":
        return (~((values > 0) & (values < math.inf))).arg_true().to_list()
    if column.one_of is not None and rule.startswith(("one_of", "isin")):
        return (~values.is_in(_allowed(column) or []) & values.is_not_null()).arg_true().to_list()
    if column.pattern is not None and rule.startswith(("pattern", "str_matches")):
        return (~values.str.contains(_whole(column.pattern))).arg_true().to_list()
    return []


def _breach(column: ColumnCheck, rule: str, values: pl.Series, indices: Sequence[int]) -> Diagnostic:
    code, wish = _wish(column, rule)
    seen = list(dict.fromkeys(repr(values[index]) for index in indices))[:SAMPLES]
    shown = ", ".join(str(index + 1) for index in indices[:SAMPLES])
    return Diagnostic(
        code=code,
        headline=f"column `{column.name}` {wish}: {len(indices)} of {len(values)} rows break that",
        span=column.span,
        notes=(Note(text=f"data rows {shown}{', …' if len(indices) > SAMPLES else ''}; values {', '.join(seen)}"),),
        help=_mend(code, column.name, weighs=bool(column.weighs)),
    )


def _wish(column: ColumnCheck, rule: str) -> tuple[str, str]:
    if rule == "not_nullable":
        return "contract-null", "may not be missing"
    if rule == "field_uniqueness":
        return "contract-repeated", "must be unique"
    if column.weighs and rule == "weight":
        return "contract-weight", "weighs the rows, and each must be a finite number above 0"
    if column.range is not None and rule != "one_of":
        return "contract-range", f"must lie between {column.range[0]:g} and {column.range[1]:g}"
    if column.one_of is not None:
        return "contract-values", f"must be one of {', '.join(map(repr, column.one_of))}"
    if column.pattern is not None:
        return "contract-pattern", f"must match `{column.pattern}`"
    return "contract-type", f"must be {column.type}"


def _mend(code: str, name: str, *, weighs: bool) -> str | None:
    if code == "contract-weight":
        return "mend the data, or leave those rows out by `data.where`"
    if code == "contract-null":
        if weighs:
            return "mend the data, or leave those rows out by `data.where`"
        return f"mend the data, or declare `{name}: {{nullable: true}}` under data.columns"
    if code in ("contract-range", "contract-values", "contract-pattern"):
        return "mend the data, or widen the contract"
    return None


def _lossy(column: ColumnCheck, before: pl.Series, lost: pl.Series) -> Diagnostic:
    indices = lost.arg_true().to_list()
    samples = "; ".join(f"row {index + 1}: {before[index]!r}" for index in indices[:SAMPLES])
    return Diagnostic(
        code="lossy-cast",
        headline=f"column `{column.name}` is {column.type}: {len(indices)} of {len(before)} values do not survive that",
        span=column.span,
        notes=(Note(text=f"data {samples}{'; …' if len(indices) > SAMPLES else ''}"),),
        help="declare another type, name the text under `null_values`, or allow it with `data.max_loss`",
    )
