"""A model that is trained once grows old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, OFF, Finding, Rule, levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def no_time_trigger(subject: Subject) -> Iterator[Finding]:
    """Find a model that no clock ever trains anew."""
    feedback = subject.recipe.feedback
    if feedback is None or feedback.retrain.cron is None:
        what = "outcomes never come back to this model" if feedback is None else "no clock trains this model anew"
        yield Finding(
            headline=what,
            span=subject.key("feedback", "retrain"),
            help='say when: `feedback: {labels: ..., retrain: {cron: "0 3 * * 0"}}`',
        )


RULE = Rule(code="no-time-trigger", check=no_time_trigger, levels=levels(OFF, OFF, ERROR))
