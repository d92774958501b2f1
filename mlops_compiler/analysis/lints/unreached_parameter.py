"""A hyperparameter that nothing reads looks like a choice and is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def unreached_parameter(subject: Subject) -> Iterator[Finding]:
    """Find parameters that the others, or the task, put out of reach."""
    search = subject.program.the(Search)[1]
    for candidate in search.candidates:
        parameters = dict(candidate.parameters)
        for name, why in MODELS[candidate.kind].unread(parameters, search.task).items():
            if subject.writes("models", candidate.name, name):
                yield Finding(
                    headline=f"`{name}` of model `{candidate.name}` is never reached: {why}",
                    span=subject.at("models", candidate.name, name),
                    help=f"remove `{name}`, or change what keeps it from being used",
                )


RULE = Rule(code="unreached-parameter", check=unreached_parameter, levels=ADVICE)
