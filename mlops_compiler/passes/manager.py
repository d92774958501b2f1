"""Passes are pure functions from program to program that keep its meaning; they run in one fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.passes.fuse_frames import fuse_frames
from mlops_compiler.passes.hoist_invariants import hoist_invariants
from mlops_compiler.passes.place_resources import place_resources
from mlops_compiler.passes.prune_columns import prune_columns
from mlops_compiler.passes.push_filters import push_filters
from mlops_compiler.passes.share_steps import share_steps
from mlops_compiler.passes.verify import verify
from mlops_compiler.passes.work import Work, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.ir.program import Program

    Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    share_steps,
    prune_columns,
    push_filters,
    hoist_invariants,
    fuse_frames,
    place_resources,
)
"""What is shared needs no column of its own, a step that falls away no scan; steps are fused once each is in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEffect:
    """What one pass did, for people.

    Attributes:
        name: The pass.
        program: The program after it.
    """

    name: str
    program: Program

    @property
    def work(self) -> Work:
        """The work that is left after it."""
        return work(self.program)


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
