"""A pipeline that fails in silence is found by its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import DUTY, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def no_notification(subject: Subject) -> Iterator[Finding]:
    """Find a recipe whose failures nobody is told of."""
    if not any("failure" in notice.when for notice in subject.recipe.notify):
        yield Finding(
            headline="nobody is told when this recipe fails",
            span=subject.key("notify"),
            help="add `notify: [{when: [failure], to: {secret: NAME}}]`",
        )


RULE = Rule(code="no-notification", check=no_notification, levels=DUTY)
