"""What a recipe declares and this version does not do yet must not look as if it were done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject

SECTIONS = (("monitor",),)
_HELP = "a later version will; until then, do by other means what it says"


def not_acted_on(subject: Subject) -> Iterator[Finding]:
    """Find sections that are checked, and that nothing acts on."""
    for path in SECTIONS:
        if subject.writes(*path):
            yield Finding(
                headline=f"`{'.'.join(path)}` is checked, and nothing acts on it yet",
                span=subject.key(*path),
                help=_HELP,
            )
    for index, notice in enumerate(subject.recipe.notify):
        if "drift" in notice.when:
            yield Finding(
                headline="`notify` asks for drift, and nothing watches for it yet",
                span=subject.at("notify", index, "when", notice.when.index("drift")),
                help=_HELP,
            )


RULE = Rule(code="not-acted-on", check=not_acted_on, levels=ADVICE)
