"""A random split of rows that belong together, or follow one another, lets the answer into the training rows.

Kaufman, Rosset and Perlich, "Leakage in Data Mining" (2011), call the first a leak of training examples, and the
second one a violation of no-time-machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import LAW, Finding, Rule
from mlops_compiler.diagnostics import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def random_split(subject: Subject) -> Iterator[Finding]:
    """Find a split that deals rows of one group, or of one course of time, to both sides."""
    data, validation = subject.recipe.data, subject.recipe.validate_
    for part, kind in (("holdout", validation.holdout.kind), ("folds", validation.folds.kind)):
        if data.time is not None and kind != "time_ordered":
            yield _finding(subject, part, kind, "time", data.time, "later rows would predict earlier ones")
        elif data.groups and kind not in ("grouped", "time_ordered"):
            yield _finding(
                subject, part, kind, "group", " and ".join(data.groups), "rows of one group would be on both sides"
            )


def _finding(subject: Subject, part: str, kind: str, role: str, column: str, why: str) -> Finding:
    better = "time_ordered" if role == "time" else "grouped"
    return Finding(
        headline=f"`validate.{part}` deals rows by a {kind} split, and `{column}` is their {role}: {why}",
        span=subject.at("validate", part, "kind"),
        notes=(Note(text=f"the {role} is named here", span=subject.at("data", role)),),
        help=f"write `{part}: {{kind: {better}}}` under `validate`",
    )


RULE = Rule(code="random-split", check=random_split, levels=LAW)
