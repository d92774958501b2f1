"""A model that is not tuned is compared with models that are, and loses for no reason of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject
    from mlops_compiler.ir.ops.search import Candidate


def default_hyperparameters(subject: Subject) -> Iterator[Finding]:
    """Find models whose every parameter is fixed at the kind's default."""
    for candidate in subject.program.the(Search)[1].candidates:
        if _all_defaults(candidate):
            yield Finding(
                headline=f"model `{candidate.name}` keeps the defaults of `{candidate.kind}`: nothing is searched",
                span=subject.key("models", candidate.name),
                help="leave its parameters out to search the kind's own space, or give one a domain",
            )


def _all_defaults(candidate: Candidate) -> bool:
    defaults = MODELS[candidate.kind].defaults
    return bool(defaults) and not candidate.space and dict(candidate.parameters) == dict(defaults)


RULE = Rule(code="default-hyperparameters", check=default_hyperparameters, levels=ADVICE)
