"""Somebody must answer for a model when it does harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import DUTY, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def no_owner(subject: Subject) -> Iterator[Finding]:
    """Find a recipe without an owner who can be reached."""
    owner = subject.recipe.owner
    if owner is None or owner.contact is None:
        what = "nobody owns this model" if owner is None else f"nothing says how to reach {owner.name}, its owner"
        yield Finding(headline=what, span=subject.key("owner"), help="add `owner: {name: ..., contact: mailto:...}`")


RULE = Rule(code="no-owner", check=no_owner, levels=DUTY)
