"""Types before data: a step's output schema, found by running its very expressions on a table of no rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import Derive, OneHot, StepOp, is_fitted
from mlops_compiler.ir.schema import Column, Known, Role, Schema
from mlops_compiler.tables.expressions import infer_expression, parse_expression
from mlops_compiler.tables.steps import change, neutral, statistics

if TYPE_CHECKING:
    from collections.abc import Iterable


def infer(step: StepOp, schema: Schema) -> Schema:
    """Infer the schema that a step gives for one that reaches it.

    Roles and lineage travel with the columns: what is computed from a column that is known only after
    the outcome is itself known only then.

    Raises:
        polars.exceptions.PolarsError: The step's expressions do not fit the columns' types.
        NotRowWiseError: An expression looks at other rows.
    """
    empty = schema.empty_frame()
    if is_fitted(step):
        empty.lazy().select(**statistics(step, pl.col)).collect()
    if isinstance(step, Derive):
        for _, text in step.expressions:
            infer_expression(text, empty.schema)
    after = change(step, neutral(step, schema)).apply(empty.lazy(), filter_rows=True).collect_schema()
    made = dict(_new_columns(step, schema))
    columns = [_carry(schema, made, name, dtype) for name, dtype in after.items()]
    opened = [column for column in schema if column.is_open]
    return Schema((*columns, *opened, *_opened(step, schema)))


def _carry(schema: Schema, made: dict[str, Column], name: str, dtype: pl.DataType) -> Column:
    if name in made:
        return replace(made[name], dtype=dtype)
    return replace(schema[name], dtype=dtype)


def _new_columns(step: StepOp, schema: Schema) -> Iterable[tuple[str, Column]]:
    """The columns that a step derives from several others; a step that rewrites one in place keeps its lineage."""
    if isinstance(step, Derive):
        for name, text in step.expressions:
            yield name, derived(name, [schema[root] for root in parse_expression(text)[1]])


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
    if not isinstance(step, OneHot):
        return ()
    return tuple(replace(derived(f"{name}=*", [schema[name]]), dtype=pl.UInt8()) for name in step.columns)
