"""The way through: each line makes one immutable value from the one before. Nothing flows back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.analysis.algorithms import require_suited
from mlops_compiler.analysis.alternatives import with_alternatives
from mlops_compiler.analysis.build import analyse
from mlops_compiler.analysis.categories import settled
from mlops_compiler.analysis.lints.engine import lint
from mlops_compiler.analysis.lints.rule import Subject
from mlops_compiler.analysis.source import absence, is_absent
from mlops_compiler.diagnostics import DataError
from mlops_compiler.frontend.alternatives import alternatives
from mlops_compiler.frontend.validate import validate
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.passes.manager import optimise
from mlops_compiler.plan.build import build_plan
from mlops_compiler.plan.pinned import pinned
from mlops_compiler.plan.taken import nothing_taken, taken
from mlops_compiler.store.intakes import last_intake
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import StoreReader, open_reader

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Diagnostic
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Plan
    from mlops_compiler.recipe.recipe import Recipe, Store
    from mlops_compiler.store.intakes import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A recipe on its way, as far as `check` takes it."""

    composed: Composed
    recipe: Recipe
    program: Program
    optimised: Program
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A compiled recipe beside what is recorded of it."""

    compiled: Compiled
    location: StoreLocation
    store: StoreReader
    plan: Plan


def compile_recipe(composed: Composed, state: State | None = None) -> Compiled:
    """Validate, analyse and optimise a composed recipe.

    Args:
        composed: The recipe.
        state: What intakes took, where the recipe takes its source in piece by piece; what is recorded, if not given.

    Raises:
        RecipeError: Everything that is wrong with it, phase by phase; what its environment does not forgive, too.
        DataError: The source's metadata cannot be read.
    """
    found = alternatives(composed)
    base = found.base
    recipe = validate(base)
    if recipe.data.version is not None:
        place = composed.provenance.value_span(("data", "version"))
        recipe = pinned(recipe, open_reader(store_location(recipe.store)), place)
    read = _as_taken(recipe, composed, state)
    program = settled(with_alternatives(analyse(read, base.provenance, composed.root), recipe, found))
    require_suited(program, base.provenance)
    warnings = lint(Subject(recipe=recipe, program=program, places=base.provenance, environ=os.environ))
    if is_absent(read, composed.root):
        warnings = (absence(recipe, composed.provenance), *warnings)
    optimised = optimise(program)
    return Compiled(composed=composed, recipe=recipe, program=program, optimised=optimised, warnings=warnings)


def _as_taken(recipe: Recipe, composed: Composed, state: State | None) -> Recipe:
    """Put what intakes took in place of a source that is taken in piece by piece; before the first, it stays."""
    if recipe.data.intake is None:
        return recipe
    store = open_reader(store_location(recipe.store))
    if state is None and (last := last_intake(store, recipe.name)) is not None:
        state = last.state
    return recipe if state is None else taken(recipe, state, store, composed.provenance.key_span(("data", "intake")))


def plan_recipe(composed: Composed, state: State | None = None, *, retrained: bool = False) -> Planned:
    """Compile a recipe and compare it with the store; reads, and writes nothing.

    Args:
        composed: The recipe.
        state: As for `compile_recipe`.
        retrained: Whether a model is trained anew without anybody asking: it must beat what `feedback.retrain` says.

    Raises:
        RecipeError: As `compile_recipe`.
        DataError: As `compile_recipe`; or nothing was taken in of a source that is taken in piece by piece.
    """
    compiled = compile_recipe(composed, state)
    location = store_location(compiled.recipe.store)
    store = open_reader(location)
    if compiled.recipe.data.intake is not None and not _reads_taken(compiled.program):
        place = composed.provenance.key_span(("data", "intake"))
        raise DataError([nothing_taken(compiled.recipe.name, composed.recipe_name, place)])
    plan = build_plan(compiled.optimised, composed.root, store, retrained=retrained)
    return Planned(compiled=compiled, location=location, store=store, plan=plan)


def _reads_taken(program: Program) -> bool:
    return any(read.origin is not None for _, read in program.of(Read))


def store_location(store: Store) -> StoreLocation:
    """Say where a recipe's store is; a folder is relative to the working directory."""
    url = store.url if "://" in store.url else str(Path(store.url).absolute())
    return StoreLocation(url=url, database=store.database)
