"""A model that learns from what it caused learns itself by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject

MOST = 0.5
"""Past this share, the rows that a model chose outweigh those that it did not."""


def feedback_loop(subject: Subject) -> Iterator[Finding]:
    """Find a feedback loop that can feed itself."""
    feedback, data = subject.recipe.feedback, subject.recipe.data
    if feedback is None:
        return
    if feedback.labels is not None and feedback.labels.source.path == data.source.path:
        yield Finding(
            headline="the outcomes that are fed back are read from the very rows that the model was trained on",
            span=subject.at("feedback", "labels", "source", "path"),
            help="take them from where outcomes are recorded after a prediction",
        )
    if data.key is None:
        yield Finding(
            headline="rows come back that nobody can tell from those of the holdout: they have no key",
            span=subject.key("feedback"),
            help="name the column that names a row: `data: {key: customer_id}`",
        )
    if feedback.at_most > MOST:
        yield Finding(
            headline=f"up to {feedback.at_most:.0%} of the training rows may be rows that the model chose itself",
            span=subject.at("feedback", "at_most"),
            help="keep `at_most` low, as 10%: what was fed back may not outweigh what was observed",
        )
    if feedback.retrain.must_beat == "nothing":
        yield Finding(
            headline="a model trained on its own mistakes replaces the current one without beating it",
            span=subject.at("feedback", "retrain", "must_beat"),
            help="write `must_beat: current`: both are judged on rows that neither was trained on",
        )


RULE = Rule(code="feedback-loop", check=feedback_loop, levels=levels(WARNING, WARNING, ERROR))
