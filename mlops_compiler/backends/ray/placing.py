"""What each trial of a search takes, decided when it is proposed: by what there is, and what earlier trials took.

Where more trials than GPUs may run, those of a model with ``gpu: auto`` share a GPU: evenly at first, and as its memory
allows once a fold was measured. Which trials there are, and what they come to, does not depend on it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_compiler.backends.ray.resources import place_all, slots
from mlops_compiler.ir.budget import packed_share
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.backends.ray.resources import NodeResources, Placement
    from mlops_compiler.backends.search.race import Trial
    from mlops_compiler.backends.search.trial import TrialSpec
    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.ops.search import Candidate, Search
    from mlops_compiler.store.records import FoldRecord

MARGIN = 1.25
"""What a trial is given beyond what was measured: its allocator's fragments, and the next fold's few more rows."""
CONTEXT_GIB = 0.75
"""What a process takes of a GPU before it puts anything there: CUDA's context and its libraries' kernels."""
STEEPNESS = 2.0
"""How much faster than estimated memory may grow with a larger model than any that was measured."""
_GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A fold that was measured: its estimated and its real GiB, and how many rows and columns it had."""

    estimated: float
    memory: float
    rows: int
    columns: int


class Places:
    """Places the trials of a search.

    Args:
        search: The search.
        nodes: What the cluster has.
        note: Is told what the one who waits for the search wants to know.

    Raises:
        EngineError: A request that no node can ever satisfy; names all of them.
    """

    def __init__(
        self, search: Search, nodes: Sequence[NodeResources], note: Callable[[str], None] = lambda _text: None
    ) -> None:
        self.note = note
        self._search = search
        self._candidates = {item.name: item for item in search.candidates}
        self._seen: defaultdict[str, list[_Seen]] = defaultdict(list)
        self._of: float | None = min((node.gpu_memory for node in nodes if node.gpu_memory), default=None)
        self._given: dict[str, Placement] = {}
        self.refresh(nodes)

    def refresh(self, nodes: Sequence[NodeResources]) -> None:
        """Place all models anew, on what the cluster has now.

        Raises:
            EngineError: As above.
        """
        before = self._given
        self._nodes = nodes
        self._given = dict(place_all(self._search.candidates, nodes, self._search.max_concurrent))
        for name, placement in before.items():
            if placement.gpus and not self._given[name].gpus:
                self.note(f"the cluster has no GPU any more: trials of `{name}` go on on the CPU")

    def tell(self) -> None:
        """Tell of each model that does without the kind of GPU that it names."""
        for name, placement in self._given.items():
            kinds = self._candidates[name].accelerators
            if kinds and placement.accelerator is None:
                instead = "take another GPU" if placement.gpus else "run on the CPU"
                self.note(f"no node has a GPU of kind {' or '.join(kinds)}: trials of `{name}` {instead}")
            if self._candidates[name].gpu_memory and placement.gpus and self._of is None:
                self.note(f"no node tells how much memory its GPUs have: trials of `{name}` share them evenly")

    @property
    def gpus(self) -> float:
        """How many GPUs the cluster has."""
        return sum(node.gpus for node in self._nodes)

    @property
    def slots(self) -> int:
        """How many trials the cluster can run at once, as they were placed last."""
        return slots(self._given.values(), self._nodes)

    @property
    def most(self) -> int:
        """How many it could run at once if GPUs were shared by any number."""
        return slots([replace(item, gpus=0.0, accelerator=None) for item in self._given.values()], self._nodes)

    def observe(self, trial: Trial, record: FoldRecord) -> None:
        """Learn from what a fold took of a GPU, in this run or an earlier one."""
        cost = record.cost
        if "gpu_gib" not in cost:
            return
        rows, columns = int(cost["rows"]), int(cost["columns"])
        estimated = _estimated(trial.candidate, trial.parameters, rows, columns)
        seen = _Seen(estimated=estimated, memory=cost["gpu_gib"], rows=rows, columns=columns)
        self._seen[trial.candidate.name].append(seen)
        self._of = min(self._of or cost["gpu_of_gib"], cost["gpu_of_gib"])

    def of(self, spec: TrialSpec) -> Placement:
        """Say what a trial takes."""
        candidate, placement = self._candidates[spec.model], self._given[spec.model]
        each = self._memory(candidate, spec.parameters)
        if candidate.gpu == "auto" and placement.gpus and each is not None and self._of is not None:
            share = packed_share(self._of, each, at_most=self._sharers(placement))
            self._given[spec.model] = placement = replace(placement, gpus=share)
        return placement

    def _memory(self, candidate: Candidate, parameters: Mapping[str, Scalar]) -> float | None:
        """Say how many GiB of a GPU a trial takes with its process; None where nothing is known.

        Memory grows with a model: one that is estimated smaller than a measured one takes no more than that did.
        """
        if candidate.gpu_memory is not None:
            return candidate.gpu_memory
        seen = self._seen[candidate.name]
        if not seen:
            return None
        estimated = max(_estimated(candidate, parameters, item.rows, item.columns) for item in seen)
        larger = [item.memory for item in seen if item.estimated >= estimated]
        grown = [item.memory + STEEPNESS * (estimated - item.estimated) for item in seen]
        return MARGIN * (min(larger) if larger else max(grown)) + CONTEXT_GIB

    def _sharers(self, placement: Placement) -> int:
        """Count the trials that could share a GPU: those that run at once, where there are cores beside it."""
        kind = placement.accelerator
        fitting = [node for node in self._nodes if node.gpus and (kind is None or kind in node.accelerators)]
        gpus = sum(node.gpus for node in fitting)
        beside = max(int(node.cpus // placement.cpus // node.gpus) for node in fitting)
        return max(1, min(-(-self._search.max_concurrent // int(gpus)), beside))


def _estimated(candidate: Candidate, parameters: Mapping[str, Scalar], rows: int, columns: int) -> float:
    return MODELS[candidate.kind].gpu_bytes(rows, columns, parameters) / _GIB
