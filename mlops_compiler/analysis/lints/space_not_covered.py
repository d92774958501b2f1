"""A search that ends before it has varied each parameter once has chosen by luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.budget import points, shares
from mlops_compiler.ir.ops.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def space_not_covered(subject: Subject) -> Iterator[Finding]:
    """Find models whose share of the trials cannot cover their search space."""
    search = subject.program.the(Search)[1]
    given = shares(search)
    for candidate in search.candidates:
        searched = len(candidate.space) + len(candidate.preparation)
        share, size = given[candidate.name], points(candidate, search.algorithm)
        wanted = int(size if search.algorithm == "grid" else min(size, searched + 1))
        if share >= wanted:
            continue
        space = f"a grid of {wanted:,} points" if search.algorithm == "grid" else f"{searched} parameters"
        trials = f"{share} trial{'s' if share != 1 else ''}"
        yield Finding(
            headline=f"model `{candidate.name}` gets {trials} for {space}",
            span=subject.at("search", "trials"),
            help=f"allow more trials ({search.trials + (wanted - share) * len(search.candidates):,} or so), "
            "search fewer parameters, or try fewer models",
        )


RULE = Rule(code="space-not-covered", check=space_not_covered, levels=ADVICE)
