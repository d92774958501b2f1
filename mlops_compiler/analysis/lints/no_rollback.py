"""A release that fails must have somewhere to go back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, OFF, Finding, Rule, levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def no_rollback(subject: Subject) -> Iterator[Finding]:
    """Find a service that nothing would take back."""
    if subject.recipe.deploy.rollout.roll_back_if is None:
        yield Finding(
            headline="nothing says when a release is rolled back, and to which",
            span=subject.key("deploy", "rollout"),
            help="add `rollout: {roll_back_if: {error_rate: '> 1%'}, roll_back_to: previous}` under `deploy`",
        )


RULE = Rule(code="no-rollback", check=no_rollback, levels=levels(OFF, OFF, ERROR))
