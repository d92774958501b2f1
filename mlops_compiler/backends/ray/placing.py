"""What each trial of a search takes, decided when it is proposed: a cluster may lose what it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.backends.ray.resources import place_all, slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.ray.resources import NodeResources, Placement
    from mlops_compiler.backends.search.trial import TrialSpec
    from mlops_compiler.ir.ops.lifecycle import Search


class Places:
    """Places the trials of a search.

    Args:
        search: The search.
        nodes: What the cluster has.

    Raises:
        EngineError: A request that no node can ever satisfy; names all of them.
    """

    def __init__(self, search: Search, nodes: Sequence[NodeResources]) -> None:
        self._search = search
        self.refresh(nodes)

    def refresh(self, nodes: Sequence[NodeResources]) -> None:
        """Place all models anew, on what the cluster has now.

        Raises:
            EngineError: As above.
        """
        self._placed = place_all(self._search.candidates, nodes, self._search.max_concurrent)
        self.slots = slots(self._placed.values(), nodes)
        """How many trials the cluster can run at once."""

    def of(self, spec: TrialSpec) -> Placement:
        """Say what a trial takes."""
        return self._placed[spec.model]
