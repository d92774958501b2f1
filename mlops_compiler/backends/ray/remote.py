"""The remote functions of the DAG: each runs one stage and gives its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.bodies import run_stage

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.store.records import StageRecord


def remote_functions() -> dict[str, Any]:
    """Make the remote functions; Ray is imported here and not before."""
    import ray

    return {
        "run_remotely": ray.remote(run_remotely),
        "search_remotely": ray.remote(search_remotely),
    }


def run_remotely(
    task: StageTask, recorded: dict[str, StageRecord], names: list[str], *records: StageRecord
) -> StageRecord:
    """Run a stage in a worker.

    Args:
        task: The stage.
        recorded: Records of reused stages.
        names: The stages whose records follow.
        records: Those records, as their tasks gave them.
    """
    return run_stage(task, {**recorded, **dict(zip(names, records, strict=True))})


def search_remotely(
    task: StageTask, recorded: dict[str, StageRecord], names: list[str], *records: StageRecord
) -> StageRecord:
    """Run the search in a worker; its trials take the cluster's resources, it takes none."""
    from mlops_compiler.backends.ray.gpu_memory import with_gpu_memory
    from mlops_compiler.backends.ray.placing import Places
    from mlops_compiler.backends.ray.resources import cluster_nodes
    from mlops_compiler.backends.ray.tune import tune_engine
    from mlops_compiler.ir.ops.search import Search

    search = next(node.op for node in task.stage.nodes if isinstance(node.op, Search))
    nodes = cluster_nodes()
    if any(item.gpu_memory for item in search.candidates):
        nodes = with_gpu_memory(nodes)
    engine = tune_engine(Places(search, nodes))
    return run_stage(task, {**recorded, **dict(zip(names, records, strict=True))}, engine)
