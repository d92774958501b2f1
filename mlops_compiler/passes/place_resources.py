"""What a trial takes is decided before the engine starts, where the recipe says what the engine has.

Before::

    engine of 2 cores and no GPU; net: gpu=auto

After::

    net: gpu=0

Where there is a GPU, `auto` stays: how many trials share one is decided by the memory that the first of them take. So
it does where the engine is somebody else's cluster: it is decided when the cluster answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.search import Search

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.program import Program


def place_resources(program: Program) -> Program:
    """Give every model with ``gpu: auto`` no GPU, where there is none."""
    if not program.of(Search):
        return program
    node, search = program.the(Search)
    if search.gpus != 0 or all(item.gpu != "auto" for item in search.candidates):
        return program
    placed = tuple(_without_gpu(item) if item.gpu == "auto" else item for item in search.candidates)
    made = replace(node, op=replace(search, candidates=placed))
    return program.with_nodes(made if other is node else other for other in program)


def _without_gpu(candidate: Candidate) -> Candidate:
    return replace(candidate, gpu=0.0, gpu_memory=None, accelerators=())
