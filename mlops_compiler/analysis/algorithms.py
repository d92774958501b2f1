"""An algorithm or a scheduler that suits no model is refused: anything in its place would be another search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording
from mlops_compiler.diagnostics import RecipeError, Sink
from mlops_compiler.ir.budget import points, shares
from mlops_compiler.ir.domain import Choice
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.resumable import ResumableKind, trains_on

if TYPE_CHECKING:
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.program import Program

_LEAST = 2
"""Numbers that a covariance needs."""


def require_suited(program: Program, places: Provenance) -> None:
    """Check that the algorithm can search the space of each model, and the scheduler one model at least.

    Raises:
        RecipeError: ``cma_es`` and a space with choices, or with one number alone; ``population`` and no model that
            can be trained on and is searched, or too few trials for a second generation of one.
    """
    search, sink = program.the(Search)[1], Sink()
    if search.population is not None:
        _need_members(search, search.population[0], places, sink)
    if search.algorithm == "cma_es":
        _need_numbers(search, places, sink)
    sink.raise_errors(RecipeError)


def _need_members(search: Search, size: int, places: Provenance, sink: Sink) -> None:
    """A population needs models that can be trained on, and trials for a generation that follows the first."""
    found = [item for item in search.candidates if trains_on(MODELS[item.kind], item)]
    if not found:
        kinds = [name for name in MODELS if isinstance(MODELS[name], ResumableKind)]
        sink.add(wording.no_population(kinds, places.value_span(("search", "scheduler"))))
    given = shares(search)
    for item in found:
        if given[item.name] < min(2 * size, points(item, search.algorithm)):
            span = places.value_span(("search", "trials"))
            sink.add(wording.one_generation(item.name, given[item.name], size, span))


def _need_numbers(search: Search, places: Provenance, sink: Sink) -> None:
    span = places.value_span(("search", "algorithm"))
    for item in search.candidates:
        opened = [*item.space.items(), *((dimension.name, dimension.domain) for dimension in item.preparation)]
        choices = [name for name, domain in opened if isinstance(domain, Choice)]
        numbers = [name for name, domain in opened if not isinstance(domain, Choice) and domain.low < domain.high]
        if choices or (opened and len(numbers) < _LEAST):
            sink.add(wording.unsuited_algorithm(search.algorithm, item.name, choices, numbers, span))
