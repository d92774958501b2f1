"""`check` validates and analyses a recipe; it reads no rows and starts nothing, and what it prints needs no colours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.diagnostics import render_json
from mlops_compiler.driver import compile_recipe
from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.preparation import Matrix, Prepare, Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.printer import print_program

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.ir.program import Program


def check(composed: Composed, invocation: Invocation) -> int:
    """Validate and analyse a recipe, and say what was found; ``verbose=true`` prints the program."""
    compiled = compile_recipe(composed)
    tell_beside(compiled.warnings, invocation.style)
    facts = _facts(compiled.program)
    if invocation.as_json:
        invocation.print_json(
            {"recipe": compiled.recipe.name, "valid": True, **facts, "warnings": render_json(compiled.warnings)}
        )
        return DONE
    counts = (
        f"{facts['columns']} columns, {facts['steps']} steps, {facts['features']} features, {facts['models']} models"
    )
    searched = f", {facts['preparations']} preparations to choose from" if facts["preparations"] > 1 else ""
    sys.stdout.write(f"{compiled.recipe.name} is valid: {counts}{searched}\n")
    if guessed := sum(bool(column.inferred) for column in compiled.program.the(Check)[1].columns):
        sys.stdout.write(f"  no contract types {guessed} of the columns: the first rows do; verbose=true shows which\n")
    if invocation.arguments.get("verbose") == "true":
        sys.stdout.write(print_program(compiled.program) + "\n")
    return DONE


def _facts(program: Program) -> dict[str, int]:
    return {
        "columns": len(program.the(Check)[1].columns),
        "steps": len(program.of(Prepare)),
        "features": len(program.the(Matrix)[1].features),
        "models": len(program.the(Search)[1].candidates),
        "preparations": sum(len(vary.variants) for _, vary in program.of(Vary)) or 1,
    }
