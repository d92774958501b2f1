"""A secret that is not there is missed at the worst time: when somebody should be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels
from mlops_compiler.recipe.governance import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def missing_secret(subject: Subject) -> Iterator[Finding]:
    """Find secrets that the environment does not hold."""
    for index, notice in enumerate(subject.recipe.notify):
        several = isinstance(notice.to, tuple)
        for number, target in enumerate(notice.targets):
            if isinstance(target, Secret) and not subject.environ.get(target.secret):
                place = ("notify", index, "to", *((number,) if several else ()), "secret")
                yield Finding(
                    headline=f"the secret `{target.secret}` is not in the environment",
                    span=subject.at(*place),
                    help=f"set it where the recipe runs: export {target.secret}=...",
                )


RULE = Rule(code="missing-secret", check=missing_secret, levels=levels(WARNING, WARNING, ERROR))
