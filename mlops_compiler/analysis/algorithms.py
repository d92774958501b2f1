"""An algorithm that cannot search a space is refused: drawing at random in its place would be another search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording
from mlops_compiler.diagnostics import RecipeError, Sink
from mlops_compiler.ir.domain import Choice
from mlops_compiler.ir.ops.lifecycle import Search

if TYPE_CHECKING:
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.program import Program

_LEAST = 2
"""Numbers that a covariance needs."""


def require_suited(program: Program, places: Provenance) -> None:
    """Check that the algorithm can search the space of each model.

    Raises:
        RecipeError: ``cma_es`` and a space with choices, or with one number alone.
    """
    search, sink = program.the(Search)[1], Sink()
    if search.algorithm != "cma_es":
        return
    span = places.value_span(("search", "algorithm"))
    for item in search.candidates:
        opened = [*item.space.items(), *((dimension.name, dimension.domain) for dimension in item.preparation)]
        choices = [name for name, domain in opened if isinstance(domain, Choice)]
        numbers = [name for name, domain in opened if not isinstance(domain, Choice) and domain.low < domain.high]
        if choices or (opened and len(numbers) < _LEAST):
            sink.add(wording.unsuited_algorithm(search.algorithm, item.name, choices, numbers, span))
    sink.raise_errors(RecipeError)
