"""What a trial takes is decided before the engine starts, where the recipe says what the engine has.

Before::

    engine of 2 cores and no GPU; net: gpu=auto

After::

    net: gpu=0

Where the engine is somebody else's cluster, `auto` stays: it is decided when the cluster answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.budget import gpu_share
from mlops_compiler.ir.ops.lifecycle import Search

if TYPE_CHECKING:
    from mlops_compiler.ir.program import Program


def place_resources(program: Program) -> Program:
    """Give every model with ``gpu: auto`` its share of the GPUs that there are."""
    if not program.of(Search):
        return program
    node, search = program.the(Search)
    if search.gpus is None or all(item.gpu != "auto" for item in search.candidates):
        return program
    share = gpu_share(search.gpus, search.max_concurrent)
    placed = tuple(replace(item, gpu=share) if item.gpu == "auto" else item for item in search.candidates)
    made = replace(node, op=replace(search, candidates=placed))
    return program.with_nodes(made if other is node else other for other in program)
