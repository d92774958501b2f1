"""Which column is what: the key, the time, the group, what to leave out; each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Span, did_you_mean, listing
from mlops_compiler.explore.exploration import About
from mlops_compiler.explore.explore import explore

if TYPE_CHECKING:
    from mlops_compiler.draft.table import Table
    from mlops_compiler.explore.exploration import Exploration
    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task

_NAMES = re.compile(r"(^|[_\W])(id|uuid|guid|key|code|no|nr|number)$", re.IGNORECASE)
_IDS = re.compile(r"(^|[_\W])(id|uuid|guid)$", re.IGNORECASE)
_FEWEST_GROUPS, _RUNS = 50, 0.8
"""Fewer different values are levels; and the share of rows that hold what the row before them holds."""
_MOST_CLASSES, _MOST_NUMBERED = 50, 12
"""More different texts are no classes, and more different whole numbers are values."""
_REPEATS = 0.9
"""A column that names something and holds the same value so often that it groups rows: fewer different values than
this share of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the columns of a table are, as far as its rows tell.

    Attributes:
        about: What an exploration is told.
        found: What it found.
        ignore: Columns to leave out, each with its reason.
        late: Columns that tell too much, each with its reason.
        task: What models are asked for.
        computed: How the target is computed, where one of several values is what counts.
    """

    about: About
    found: Exploration
    task: Task = "binary_classification"
    ignore: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    computed: str | None = None


def roles(table: Table, name: str, target: str, positive: str | None) -> Roles:
    """Find out what the columns are.

    Args:
        table: The table.
        name: What the recipe will be called.
        target: The column to predict.
        positive: Its value that counts, as a text; the rarer of two, where not given.

    Raises:
        DataError: There is no such column, or it holds one value, or texts that are too many to be classes.
    """
    if target not in table.types:
        raise DataError([_no_target(target, list(table.types))])
    task = _task(table, target, positive)
    value, computed = _positive(table, target, positive) if task == "binary_classification" else (None, None)
    key = next((column for column in table.types if column != target and _is_key(table, column)), None)
    taken = {target, key}
    time = next((column for column, kind in table.types.items() if kind in ("date", "datetime")), None)
    group = next((column for column in table.types if column not in taken and _is_group(table, column)), None)
    rows, made, counts = table.rows, target, pl.col(target)
    if task == "binary_classification" and computed is not None:
        made, counts = computed_name(value), pl.col(target) == value
    elif task != "binary_classification" and rows[target].null_count():  # a target may not be missing, a source may
        made, computed = f"{target}_known", f'"{target}"'
    if computed is not None:
        rows = rows.drop_nulls(target).with_columns(counts.alias(made))
    about = About(
        name=name,
        target=made,
        task=task,
        positive=True if computed is not None and task == "binary_classification" else value,
        key=key,
        time=time,
        groups=() if group is None else (group,),
        late=() if computed is None else (target,),
        bytes=table.bytes,
    )
    found = explore(rows, about)
    ignore, late = {}, {}
    for item in found.findings:
        if item.kind in ("constant", "id-like"):
            ignore[item.columns[0]] = item.text
        elif item.kind == "duplicate-column":
            ignore[item.columns[1]] = item.text
        elif item.kind == "leak-suspect":
            late[item.columns[0]] = item.text
    late = {name: why for name, why in late.items() if name not in ignore}
    return Roles(about=about, found=found, task=task, ignore=ignore, late=late, computed=computed)


def _task(table: Table, target: str, positive: str | None) -> Task:
    """Say what models are asked for: whether a value counts, where one is named or two are there; else by the type."""
    values = table.rows[target].drop_nulls()
    distinct = values.n_unique()
    if positive is not None or distinct <= 2:  # noqa: PLR2004
        return "binary_classification"
    if values.dtype.is_numeric() and (distinct > _MOST_NUMBERED or values.dtype.is_float()):
        return "regression"
    if distinct > _MOST_CLASSES or values.dtype.is_temporal():
        raise DataError([_which(target, [str(value) for value in values.unique(maintain_order=True)], None)])
    return "multiclass_classification"


def _positive(table: Table, target: str, positive: str | None) -> tuple[Scalar, str | None]:
    """Give the positive value; where the target has more than two values, how it is computed as well."""
    counted = table.rows[target].drop_nulls().value_counts(sort=True)
    values: list[Any] = counted[target].to_list()
    if len(values) < 2:  # noqa: PLR2004
        raise DataError([_one_value(target)])
    if positive is None:
        positive = str(values[1])
    named = [value for value in values if str(value).lower() == str(positive).lower()]
    if not named:
        raise DataError([_which(target, [str(value) for value in values], positive)])
    if len(values) == 2 and not table.rows[target].null_count():  # noqa: PLR2004
        return named[0], None
    said = named[0].replace("'", "''") if isinstance(named[0], str) else ""
    text = f"'{said}'" if said else str(named[0])
    return named[0], f'"{target}" = {text}'


def computed_name(value: Scalar) -> str:
    """Name the target that says whether a column holds a value."""
    return "is_" + re.sub(r"\W+", "_", str(value)).strip("_")


def _is_key(table: Table, column: str) -> bool:
    """A column that names each row: all values are there and differ, and its type or its name says so."""
    values = table.rows[column]
    whole = table.types[column] in ("int", "text")
    return whole and values.n_unique() == values.len() and not values.null_count() and bool(_NAMES.search(column))


def _is_group(table: Table, column: str) -> bool:
    """A column that names something to which several rows belong: by its name, or as its rows follow each other."""
    values, kind = table.rows[column], table.types[column]
    if not _FEWEST_GROUPS < values.n_unique() < _REPEATS * values.len() or values.null_count():
        return False
    named = kind in ("int", "text", "category") and bool(_IDS.search(column))
    return named or (kind in ("text", "category") and float((values == values.shift()).mean() or 0.0) > _RUNS)  # type: ignore[arg-type]


def _no_target(target: str, names: list[str]) -> Diagnostic:
    return Diagnostic(
        code="unknown-column",
        headline=f"the table has no column `{target}`",
        span=Span.of_token(f"target={target}"),
        help=did_you_mean(target, names) or f"those are: {listing(names)}",
    )


def _one_value(target: str) -> Diagnostic:
    return Diagnostic(
        code="one-class",
        headline=f"`{target}` holds one value only: there is nothing to predict",
        span=Span.of_token(f"target={target}"),
    )


def _which(target: str, values: list[str], positive: str | None) -> Diagnostic:
    said = (
        f"`{positive}` is no value of `{target}`"
        if positive
        else f"`{target}` has {len(values)} values, too many to be classes"
    )
    return Diagnostic(
        code="many-classes" if positive is None else "wrong-positive",
        headline=said,
        span=Span.of_token(f"positive={positive}" if positive else f"target={target}"),
        help=f"say which one counts: positive={values[0]!r} (those are: {listing(values[:8])})",
    )
