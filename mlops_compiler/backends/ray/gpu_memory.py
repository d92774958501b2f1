"""How much memory the GPUs of a cluster have: asked of the driver on each node, as Ray does not know."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.ray.resources import NodeResources

_QUERY = ("--query-gpu=memory.total", "--format=csv,noheader,nounits")
_SECONDS = 30.0
_MIB_IN_GIB = 1024


def with_gpu_memory(nodes: Sequence[NodeResources]) -> list[NodeResources]:
    """Ask every node that has GPUs; one that does not answer, or has GPUs on paper only, stays as it was."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(smallest_gpu)
    asked = {
        node.name: ask.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.name, soft=False)
        ).remote()
        for node in nodes
        if node.gpus
    }
    ready, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_SECONDS) if asked else ([], [])
    found = {name: _answer(reference) for name, reference in asked.items() if reference in ready}
    return [replace(node, gpu_memory=found.get(node.name)) for node in nodes]


def _answer(reference: object) -> float | None:
    import ray
    from ray.exceptions import RayError

    try:
        answer: float | None = ray.get(reference)
    except RayError:
        return None
    return answer


def smallest_gpu() -> float | None:
    """Say how many GiB the smallest GPU of this machine has; None where none is found."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603 - no word of it comes from outside
    except (subprocess.SubprocessError, OSError):
        return None
    return smallest(done.stdout)


def smallest(answer: str) -> float | None:
    """Read what the driver's program wrote: MiB of each GPU, one a line."""
    sizes = [int(word) for word in answer.split() if word.isdigit()]
    return min(sizes) / _MIB_IN_GIB if sizes else None
