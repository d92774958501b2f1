"""The work that a program asks for, counted without running it: what passes save is the difference of two counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.preparation import FusedPrepare, Prepare, Project
from mlops_compiler.ir.ops.prepare import Derive, is_fitted
from mlops_compiler.ir.ops.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.ir.ops.preparation import Scope
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run of a program does.

    Attributes:
        columns: Columns of the snapshot that are read.
        filters: Filters that are done by the reading, so that the rows they drop are never held.
        scans: Scans of training rows to fit the preparation, over all folds and the release.
        fits: Times that a step is fitted or applied, over all folds, what they are judged by, and the release.
        expressions: Expressions that are computed each time, among those that steps derive.
        undecided: Models whose place is decided when the engine answers.
    """

    columns: int
    filters: int
    scans: int
    fits: int
    expressions: int
    undecided: int


def work(program: Program) -> Work:
    """Count the work of a program."""
    folds = program.the(Split)[1].parts
    project = next((op for _, op in program.of(Project)), None)
    schema = program["snapshot"].schema
    groups = list(_groups(program))
    scans = sum(any(map(is_fitted, steps)) for scope, steps in groups if scope == "fold")
    runs = sum(len(steps) * (1 if scope == "table" else 2 * folds + 1) for scope, steps in groups)
    searches = [op for _, op in program.of(Search)]
    return Work(
        columns=len(project.columns) if project is not None else len(schema or ()),
        filters=len(project.filters) if project is not None else 0,
        scans=scans * (folds + 1),
        fits=runs,
        expressions=sum(_computed(step) for _, steps in groups for step in steps),
        undecided=sum(item.gpu == "auto" for search in searches for item in search.candidates),
    )


def _groups(program: Program) -> Iterator[tuple[Scope, list[StepOp]]]:
    for node in program:
        if isinstance(node.op, FusedPrepare):
            yield node.op.scope, [named.step for named in node.op.steps]
        elif isinstance(node.op, Prepare):
            yield node.op.scope, [node.op.step]


def _computed(step: StepOp) -> int:
    from mlops_compiler.tables.expressions import parse_expression

    if not isinstance(step, Derive):
        return 0
    return sum(not parse_expression(text)[0].meta.is_column() for _, text in step.expressions)
