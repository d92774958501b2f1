"""What an exploration found that speaks against a step of the recipe."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

from mlops_compiler.diagnostics import Diagnostic, Note, Severity
from mlops_compiler.explore.exploration import VERSION, About, Finding
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.ops.prepare import Drop, Impute
from mlops_compiler.tables.steps import writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Plan
    from mlops_compiler.store.reader import StoreReader

STAGE = "explore"
"""Under which name an exploration is recorded."""
Told: TypeAlias = "Callable[[str, str, Finding, str, Span | None], Diagnostic]"
_GAPS = ("missing-tells", "missing-not-at-random")


def exploration_fingerprint(snapshot: str, about: About) -> str:
    """Name an exploration by all that could change it."""
    return fingerprint({"snapshot": snapshot, "version": VERSION, **asdict(about)})


def evidence(plan: Plan, program: Program, store: StoreReader) -> tuple[Diagnostic, ...]:
    """Cite what the last exploration of these very rows found against steps of the preparation.

    Args:
        plan: Names the rows.
        program: As the recipe says it, before any pass.
        store: Where explorations are recorded.

    Returns:
        A warning for each step that drops a column that tells, or fills one whose gaps are not at random.
    """
    rows = plan.stage("snapshot").fingerprint
    records = [item for item in store.stages(plan.recipe, STAGE) if item.ingredients.get("snapshot") == rows]
    if not records:
        return ()
    record = records[-1]
    findings = [Finding(**{**item, "columns": tuple(item["columns"])}) for item in record.summary["findings"]]
    return tuple(_against(program, findings, record.summary["page"]))


def _against(program: Program, findings: Iterable[Finding], page: str) -> Iterator[Diagnostic]:
    known = {("gaps" if item.kind in _GAPS else item.kind, item.columns[0]): item for item in _gravest_last(findings)}
    made: set[str] = set()
    for node, op in program.of(Prepare):
        for kind, column, told in _contested(op.step, op.because, made):
            if (found := known.get((kind, column))) is not None:
                yield told(node.name.removeprefix("prepare."), column, found, page, node.span)
        made |= set(writes(op.step))


def _gravest_last(findings: Iterable[Finding]) -> list[Finding]:
    return [item for item in reversed(list(findings)) if item.columns]


def _contested(step: StepOp, because: str | None, made: set[str]) -> Iterator[tuple[str, str, Told]]:
    """Name the findings that would speak against a step: kind, column, and how to tell it."""
    if because:
        return
    if isinstance(step, Drop):
        yield from (("informative", name, _drops) for name in step.columns if name not in made)
    if isinstance(step, Impute) and not step.by and not step.indicator:
        yield from (("gaps", name, _fills) for name in step.columns if name not in made)


def _drops(step: str, column: str, found: Finding, page: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="drops-informative",
        headline=f"step `{step}` drops `{column}`, which tells something of the target",
        span=span,
        notes=(Note(text=found.text), Note(text=f"found in {page}")),
        help="keep the column, or say what shows that the others know it too: `because: ...`",
        severity=Severity.WARNING,
    )


def _fills(step: str, column: str, found: Finding, page: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="imputes-not-at-random",
        headline=f"step `{step}` fills `{column}`, which is not missing at random",
        span=span,
        notes=(Note(text=found.text), Note(text=f"found in {page}")),
        help=f"{found.advice}; or say why this is right: `because: ...`",
        severity=Severity.WARNING,
    )
