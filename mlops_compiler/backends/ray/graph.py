"""A plan lowered: the tasks of a Ray DAG as data. Lowering acts on nothing; binding makes Ray's nodes of it.

Every task returns the record of its stage, a few kilobytes of digests: tables and models stay in the store,
so that a lost worker loses no work and nothing large travels through the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.printer import print_gpus
from mlops_compiler.plan.stages import Plan, Reuse

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.records import StageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DagTask:
    """One task of the DAG.

    Attributes:
        stage: The stage that it runs.
        after: The tasks whose records it takes.
        recorded: The stages whose records it takes from the store.
        cpus: What it reserves; the search reserves nothing, as its trials do.
        runs: The remote function, by name.
        trials: What its trials ask for, by model; empty but for the search.
    """

    stage: str
    after: tuple[str, ...]
    recorded: tuple[str, ...]
    cpus: float
    runs: str
    trials: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """The tasks to run on Ray, in an order in which each comes after what it takes."""

    tasks: tuple[DagTask, ...]

    @property
    def warms_up(self) -> bool:
        """Whether workers should import estimators while the first tasks read data."""
        return any(task.stage == "search" for task in self.tasks)


def lower(plan: Plan) -> Dag:
    """Lower the stages of a plan that would run and need the engine."""
    reused = {action.stage.name for action in plan.actions if isinstance(action, Reuse)}
    return Dag(tasks=tuple(_task(stage, reused) for stage in plan.to_run if stage.needs_engine))


def _task(stage: Stage, reused: set[str]) -> DagTask:
    searching = stage.name in ("search", "nested")
    search = next((node.op for node in stage.nodes if isinstance(node.op, Search)), None)
    return DagTask(
        stage=stage.name,
        after=tuple(name for name in stage.parents if name not in reused),
        recorded=tuple(name for name in stage.parents if name in reused),
        cpus=0.0 if searching else 1.0,
        runs="search_remotely" if searching else "run_remotely",
        trials=_asked(search) if searching and search else (),
    )


def _asked(search: Search) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            item.name,
            f"cpu={item.cpu} gpu={item.gpu}{print_gpus(item)}" + (f" memory={item.memory:g}GiB" if item.memory else ""),
        )
        for item in search.candidates
    )


def print_dag(dag: Dag) -> str:
    """Print a DAG as stable text, a line for each task."""
    lines = []
    for task in dag.tasks:
        takes = [*task.after, *(f"{name} (recorded)" for name in task.recorded)]
        arrow = f" <- {', '.join(takes)}" if takes else ""
        lines.append(f"{task.stage}: {task.runs} num_cpus={task.cpus:g}{arrow}")
        lines += [f"    trial of {name}: {asked}" for name, asked in task.trials]
    return "\n".join(lines) + "\n" if lines else "nothing to run on Ray\n"


def bind(dag: Dag, tasks: dict[str, StageTask], done: dict[str, StageRecord]) -> Any:
    """Bind the remote functions into a Ray DAG.

    Args:
        dag: What to bind.
        tasks: The stages as they travel.
        done: The records of the reused stages.

    Returns:
        A `ray.dag.MultiOutputNode` with one output for each task, in order.
    """
    from ray.dag import MultiOutputNode

    from mlops_compiler.backends.ray.remote import remote_functions

    functions = remote_functions()
    nodes: dict[str, Any] = {}
    for item in dag.tasks:
        recorded = {name: done[name] for name in item.recorded}
        own = _beside_the_driver() if item.runs == "search_remotely" else {}
        function = functions[item.runs].options(num_cpus=item.cpus, name=item.stage, max_retries=1, **own)
        taken = [nodes[name] for name in item.after]
        nodes[item.stage] = function.bind(tasks[item.stage], recorded, list(item.after), *taken)
    return MultiOutputNode(list(nodes.values()))


def _beside_the_driver() -> dict[str, Any]:
    """Let a search run on the node of the driver, whose end is the end of the run.

    Were it lost with another node, it would be run again, and wait for what it had asked for before: Ray keeps that
    until the run ends.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from mlops_compiler.backends.ray.prestart import search_runtime_env

    node = ray.get_runtime_context().get_node_id()
    return {
        "runtime_env": search_runtime_env(),
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True),
    }
