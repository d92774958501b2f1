"""What a trial takes of a cluster: decided before anything runs, so that no request waits for what is not there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note
from mlops_compiler.ir.budget import gpu_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.search import Candidate

_GIB = 1024**3
_KIND = "accelerator_type:"
_NEXT_TO_NOTHING = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResources:
    """What one node of a cluster has in all; memory in GiB."""

    cpus: float
    gpus: float
    memory: float
    accelerators: frozenset[str] = frozenset()
    """The kinds of its GPUs, as Ray calls them."""
    gpu_memory: float | None = None
    """GiB of each of its GPUs, where that was asked."""
    name: str = ""
    """Ray's name of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What one trial of a model takes.

    Attributes:
        cpus: Cores.
        gpus: GPUs; a part of one is shared.
        memory: GiB, 0 for none reserved.
        accelerator: The kind of GPU, where one is asked for.
        falls_back: Whether it may do without a GPU.
    """

    cpus: float
    gpus: float
    memory: float
    accelerator: str | None = None
    falls_back: bool = False

    def bundle(self) -> dict[str, float]:
        """The request as Ray wants it, in bytes; a node has 1 of its kind of GPU, of which next to nothing is taken."""
        asked = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory * _GIB}
        if self.accelerator is not None:
            asked[f"{_KIND}{self.accelerator}"] = _NEXT_TO_NOTHING
        return {name: amount for name, amount in asked.items() if amount}

    def fits(self, node: NodeResources) -> bool:
        """Whether a node could ever run it."""
        kind = self.accelerator is None or self.accelerator in node.accelerators
        return kind and self.cpus <= node.cpus and self.gpus <= node.gpus and self.memory <= node.memory


def place(candidate: Candidate, nodes: Sequence[NodeResources], concurrent: int) -> Placement:
    """Decide what a trial takes.

    ``gpu: auto`` takes a GPU where the cluster has as many as trials run at once, an even share (no
    smaller than a quarter) where it has fewer, and none where it has none. Of the kinds of GPU that a model names it
    takes the first that the cluster has; where it has none of them, ``auto`` takes a GPU of any kind.

    Args:
        candidate: The model.
        nodes: What the cluster has.
        concurrent: Most trials at once.
    """
    kinds = [kind for kind in candidate.accelerators if any(kind in node.accelerators for node in nodes)]
    asked = Placement(cpus=candidate.cpu, gpus=0.0, memory=candidate.memory or 0.0)
    if candidate.gpu != "auto":
        wishes = [
            replace(asked, gpus=float(candidate.gpu), accelerator=kind) for kind in kinds or candidate.accelerators
        ]
        wishes = wishes or [replace(asked, gpus=float(candidate.gpu))]
        return next((wish for wish in wishes if any(wish.fits(node) for node in nodes)), wishes[0])
    kind = kinds[0] if kinds else None
    gpus = gpu_share(sum(node.gpus for node in nodes if kind is None or kind in node.accelerators), concurrent)
    return replace(asked, gpus=gpus, accelerator=kind if gpus else None, falls_back=True)


def place_all(candidates: Iterable[Candidate], nodes: Sequence[NodeResources], concurrent: int) -> dict[str, Placement]:
    """Decide for all models, or refuse.

    Raises:
        EngineError: A request that no node can ever satisfy; names all of them.
    """
    placed = {candidate.name: (candidate, place(candidate, nodes, concurrent)) for candidate in candidates}
    found = [_infeasible(*item, nodes) for item in placed.values() if not any(item[1].fits(node) for node in nodes)]
    if found:
        raise EngineError(found)
    return {name: placement for name, (_, placement) in placed.items()}


def slots(placements: Iterable[Placement], nodes: Sequence[NodeResources]) -> int:
    """Count the trials that a cluster can run at once: of the model that takes least, and at least one."""
    return max(1, *(sum(_on_one(placement, node) for node in nodes) for placement in placements))


def _on_one(asked: Placement, node: NodeResources) -> int:
    if not asked.fits(node):
        return 0
    limits = [(node.cpus, asked.cpus), (node.gpus, asked.gpus), (node.memory, asked.memory)]
    return int(min(has // wants for has, wants in limits if wants))


def _infeasible(candidate: Candidate, asked: Placement, nodes: Sequence[NodeResources]) -> Diagnostic:
    has = [f"a node with {_counted(node)} and {node.memory:.1f} GiB" for node in nodes]
    memory = f", {asked.memory:g} GiB" if asked.memory else ""
    wish = f"{asked.cpus:g} CPUs, {asked.gpus:g} GPUs{_of_kinds(candidate.accelerators)}{memory}"
    return Diagnostic(
        code="infeasible-resources",
        headline=f"a trial of `{candidate.name}` asks for {wish}, and no node has that",
        span=_to_blame(candidate, asked, nodes),
        notes=tuple(Note(text=f"the cluster has {text}") for text in dict.fromkeys(has)),
        help="ask for less under `resources`, use `gpu: auto`, or join a larger cluster with `cluster.address`",
    )


def _counted(node: NodeResources) -> str:
    return f"{node.cpus:g} CPUs, {node.gpus:g} GPUs{_of_kinds(sorted(node.accelerators))}"


def _of_kinds(kinds: Sequence[str]) -> str:
    return f" ({' or '.join(kinds)})" if kinds else ""


def _to_blame(candidate: Candidate, asked: Placement, nodes: Sequence[NodeResources]) -> Span | None:
    """Find where the recipe asks for what no node has; the model where it is the sum that no node has."""
    most = {
        "cpu": (asked.cpus, max((node.cpus for node in nodes), default=0)),
        "gpu": (asked.gpus, max((node.gpus for node in nodes), default=0)),
        "memory": (asked.memory, max((node.memory for node in nodes), default=0)),
    }
    spans = dict(candidate.resource_spans)
    if asked.accelerator is not None and all(asked.accelerator not in node.accelerators for node in nodes):
        return spans.get("accelerator", candidate.span)
    return next((spans[name] for name, (wish, has) in most.items() if wish > has and name in spans), candidate.span)


def cluster_nodes() -> list[NodeResources]:
    """Ask the connected cluster what its nodes have."""
    import ray

    return [_node(item["Resources"], item["NodeID"]) for item in ray.nodes() if item["Alive"]]


def live_nodes() -> set[str]:
    """Ask the connected cluster which nodes it has, by Ray's names of them."""
    import ray

    return {item["NodeID"] for item in ray.nodes() if item["Alive"]}


def _node(resources: dict[str, Any], name: str) -> NodeResources:
    return NodeResources(
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        memory=resources.get("memory", 0.0) / _GIB,
        accelerators=frozenset(key.removeprefix(_KIND) for key in resources if key.startswith(_KIND)),
        name=name,
    )
