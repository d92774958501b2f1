"""Where one class is rare, a model that never predicts it is right nearly always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels
from mlops_compiler.recipe.objective import BinaryClassification

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def misleading_accuracy(subject: Subject) -> Iterator[Finding]:
    """Find a recipe that optimises accuracy, or ships on nothing else."""
    objective = subject.recipe.objective
    rare, advised, bounded = "the rarer classes", "`log_loss` or `f1_macro`", "`log_loss` or `balanced_accuracy`"
    if isinstance(objective, BinaryClassification):
        rare = f"`{objective.positive}`"
        advised = "`average_precision`, `roc_auc` or `log_loss`"
        bounded = "`roc_auc`, `average_precision` or `recall`"
    if objective.metric == "accuracy":
        yield Finding(
            headline=f"the search optimises accuracy, which a model that never says {rare} reaches where that is rare",
            span=subject.at("objective", "metric"),
            help=f"optimise {advised}, and report accuracy beside it",
        )
    elif set(objective.accept) == {"accuracy"}:
        yield Finding(
            headline=f"a release ships on accuracy alone, and a model that never says {rare} may reach that",
            span=subject.key("objective", "accept", "accuracy"),
            help=f"bound {bounded} as well",
        )


RULE = Rule(code="misleading-accuracy", check=misleading_accuracy, levels=levels(WARNING, WARNING, ERROR))
