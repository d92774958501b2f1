"""Types before data: a step's output schema, found by running its very expressions on a table of no rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import Derive, Selection, StepOp, is_fitted
from mlops_compiler.ir.schema import Column, Known, Role, Schema
from mlops_compiler.tables.expressions import infer_expression
from mlops_compiler.tables.steps import LABEL, PLACE, WEIGHT, change, makes, neutral, opens, statistics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.tables.steps import Mode

_MODES: tuple[Mode, ...] = ("training", "serving")


_MOST = 1024
_seen: dict[tuple[str, Schema], Schema] = {}
"""What was inferred before, by the text of a step (1, 1.0 and true are equal): passes ask for the same steps again."""


def infer(step: StepOp, schema: Schema) -> Schema:
    """Infer the schema that a step gives for one that reaches it.

    Roles and lineage travel with the columns: what is computed from a column that is known only after
    the outcome is itself known only then.

    Raises:
        polars.exceptions.PolarsError: The step's expressions do not fit the columns' types.
        NotRowWiseError: An expression looks at other rows.
    """
    key = (repr(step), schema)
    if (known := _seen.get(key)) is not None:
        return known
    if len(_seen) >= _MOST:
        _seen.clear()
    _seen[key] = found = _infer(step, schema)
    return found


def _infer(step: StepOp, schema: Schema) -> Schema:
    empty = schema.empty_frame()
    taught = empty.lazy().with_columns(pl.lit(None, dtype=pl.Int8).alias(LABEL))
    if is_fitted(step) and not isinstance(step, Selection):  # those ask of open columns as well, which none is yet
        taught.with_row_index(PLACE).select(**statistics(step, pl.col)).collect()
    if isinstance(step, Derive):
        for _, text in step.expressions:
            infer_expression(text, empty.schema)
    how = change(step, neutral(step, schema))
    after = {mode: how.apply(taught, mode).drop(LABEL, WEIGHT, strict=False).collect_schema() for mode in _MODES}
    if after["training"] != after["serving"]:
        raise pl.exceptions.SchemaError("it gives a request other columns than the rows to learn from")
    made = {name: derived(name, [schema[parent] for parent in parents]) for name, parents in makes(step).items()}
    columns = [_carry(schema, made, name, dtype) for name, dtype in after["serving"].items()]
    opened = [column for column in schema if column.is_open]
    return Schema((*columns, *opened, *_opened(step, schema)))


def _carry(schema: Schema, made: dict[str, Column], name: str, dtype: pl.DataType) -> Column:
    if name in made:
        return replace(made[name], dtype=dtype)
    return replace(schema[name], dtype=dtype)


def derived(name: str, parents: Iterable[Column]) -> Column:
    """Make a column computed from others: a feature, known when the last of them is."""
    parents = tuple(parents)
    late = any(parent.known is Known.AFTER_OUTCOME for parent in parents)
    return Column(
        name=name,
        dtype=pl.Null(),
        role=Role.FEATURE,
        known=Known.AFTER_OUTCOME if late else Known.BEFORE_PREDICTION,
        origins=tuple(sorted({origin for parent in parents for origin in parent.origins})),
    )


def _opened(step: StepOp, schema: Schema) -> tuple[Column, ...]:
    return tuple(
        replace(derived(name, [schema[parent] for parent in parents]), dtype=pl.UInt8())
        for name, parents in opens(step).items()
    )
