"""A column that is dropped by habit may be the one that knew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.diagnostics import listing
from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.ops.prepare import Drop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def unexplained_drop(subject: Subject) -> Iterator[Finding]:
    """Find steps that drop columns and do not say why."""
    for node, op in subject.program.of(Prepare):
        if isinstance(op.step, Drop) and not op.because:
            name = node.name.removeprefix("prepare.")
            yield Finding(
                headline=f"step `{name}` drops {listing(op.step.columns)} and does not say why",
                span=subject.at("prepare", name, "columns"),
                help="say what shows that they carry nothing: `because: ...`",
            )


RULE = Rule(code="unexplained-drop", check=unexplained_drop, levels=ADVICE)
