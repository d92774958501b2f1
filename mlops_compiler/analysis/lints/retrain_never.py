"""A trigger that can never fire is worse than none: people rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels
from mlops_compiler.recipe.feedback import first_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def retrain_never(subject: Subject) -> Iterator[Finding]:
    """Find triggers of retraining that nothing can fire."""
    feedback, monitor = subject.recipe.feedback, subject.recipe.monitor
    if feedback is None:
        return
    retrain = feedback.retrain
    if retrain.cron is not None and first_time(retrain.cron) is None:
        yield Finding(
            headline=f"`{retrain.cron}` is a day that no year has: the model is never trained anew",
            span=subject.at("feedback", "retrain", "cron"),
            help="minute, hour, day of the month, month, day of the week: `0 3 * * 0` is Sundays at three",
        )
    deaf = {"drift": monitor is None or monitor.drift == "none", "performance": not (monitor and monitor.performance)}
    for index, trigger in enumerate(retrain.when):
        if deaf[trigger]:
            yield Finding(
                headline=f"retraining waits for {trigger}, and nothing watches that",
                span=subject.at("feedback", "retrain", "when", index),
                help="watch it under `monitor`, or retrain by `cron`",
            )


RULE = Rule(code="retrain-never", check=retrain_never, levels=levels(WARNING, ERROR, ERROR))
