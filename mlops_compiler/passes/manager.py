"""Passes are pure functions from program to program that keep its meaning; they run in one fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.passes.fuse_frames import fuse_frames
from mlops_compiler.passes.prune_columns import prune_columns
from mlops_compiler.passes.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.ir.program import Program

    Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (prune_columns, fuse_frames)
"""Columns go first: a step that falls away needs no scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEffect:
    """What one pass did, for people.

    Attributes:
        name: The pass.
        program: The program after it.
    """

    name: str
    program: Program


def optimise(program: Program) -> Program:
    """Run all passes; each result is verified."""
    effects = trace(program)
    return effects[-1].program if effects else program


def trace(program: Program) -> list[PassEffect]:
    """Run all passes and keep the program after each.

    Raises:
        ValueError: A pass broke the program; a defect of the compiler, never of a recipe.
    """
    effects = []
    for run in PASSES:
        program = run(program)
        verify(program)
        effects.append(PassEffect(name=run.__name__, program=program))
    return effects
