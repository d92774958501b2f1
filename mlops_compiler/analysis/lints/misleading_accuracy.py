"""Where one class is rare, a model that never predicts it is right nearly always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def misleading_accuracy(subject: Subject) -> Iterator[Finding]:
    """Find a recipe that optimises accuracy, or ships on nothing else."""
    objective = subject.recipe.objective
    if objective.metric == "accuracy":
        yield Finding(
            headline="the search optimises accuracy, which a model that never says "
            f"`{objective.positive}` reaches where that is rare",
            span=subject.at("objective", "metric"),
            help="optimise `average_precision`, `roc_auc` or `log_loss`, and report accuracy beside it",
        )
    elif set(objective.accept) == {"accuracy"}:
        yield Finding(
            headline="a release ships on accuracy alone, which a model that never says "
            f"`{objective.positive}` reaches where that is rare",
            span=subject.key("objective", "accept", "accuracy"),
            help="bound `roc_auc`, `average_precision` or `recall` as well",
        )


RULE = Rule(code="misleading-accuracy", check=misleading_accuracy, levels=levels(WARNING, WARNING, ERROR))
