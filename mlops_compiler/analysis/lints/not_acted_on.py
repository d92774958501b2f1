"""What a recipe asks to be told and nothing looks for must not look as if it were watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def not_acted_on(subject: Subject) -> Iterator[Finding]:
    """Find notices of what nothing watches for."""
    monitor = subject.recipe.monitor
    deaf = {"alert": monitor is None, "drift": monitor is None or monitor.drifts is None}
    for index, notice in enumerate(subject.recipe.notify):
        for place, kind in enumerate(notice.when):
            if deaf.get(kind):
                yield Finding(
                    headline=f"`notify` asks for {kind}, and nothing watches for it",
                    span=subject.at("notify", index, "when", place),
                    help="say what is watched under `monitor`, and let `mlops-compile monitor --watch` look",
                )


RULE = Rule(code="not-acted-on", check=not_acted_on, levels=ADVICE)
"""A warning: the notice is sound, and waits for something that is not there."""
