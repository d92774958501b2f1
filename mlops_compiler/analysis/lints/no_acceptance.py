"""Without a bar, every model ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import DUTY, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def no_acceptance(subject: Subject) -> Iterator[Finding]:
    """Find a recipe without acceptance criteria."""
    if not subject.recipe.objective.accept:
        yield Finding(
            headline="every model ships: there are no acceptance criteria",
            span=subject.key("objective"),
            help=f"add them: `accept: {{{subject.recipe.objective.metric}: {{at_least: ...}}}}`",
        )


RULE = Rule(code="no-acceptance", check=no_acceptance, levels=DUTY)
