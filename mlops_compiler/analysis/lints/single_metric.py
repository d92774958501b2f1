"""One metric sees one side of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def single_metric(subject: Subject) -> Iterator[Finding]:
    """Find a recipe that looks at a single metric."""
    objective = subject.recipe.objective
    if {objective.metric, *objective.report, *objective.accept} == {objective.metric}:
        yield Finding(
            headline=f"`{objective.metric}` is the only metric that is looked at",
            span=subject.at("objective", "report"),
            help="name others under `objective.report`, or leave it out to see all of the task's",
        )


RULE = Rule(code="single-metric", check=single_metric, levels=ADVICE)
