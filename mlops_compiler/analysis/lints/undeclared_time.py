"""Rows with a date mostly have a history, and a random split of history is a leak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.schema import Known, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def undeclared_time(subject: Subject) -> Iterator[Finding]:
    """Find dates in a recipe that names no time."""
    schema = subject.program["snapshot"].schema
    if subject.recipe.data.time is not None or schema is None:
        return
    dates = [
        column.name
        for column in schema
        if column.dtype.is_temporal() and column.role is Role.FEATURE and column.known is Known.BEFORE_PREDICTION
    ]
    if dates:
        yield Finding(
            headline=f"column `{dates[0]}` is a date, and the rows are split as if they had no order in time",
            span=subject.key("data", "columns", dates[0]),
            help=f"if rows follow one another, write `time: {dates[0]}` under `data` and split `time_ordered`",
        )


RULE = Rule(code="undeclared-time", check=undeclared_time, levels=ADVICE)
