"""A trial whose process is gone: whose fault that is, and whether it is tried again.

A lost node is nobody's fault. A process that died may have been ended for what its neighbours took, or by what it ran
itself: it is tried once more elsewhere, and a trial that ends two processes has failed. Ray often misses the process
before the node: so losses are judged anew, by the nodes that are left, when the next one comes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Container

    from ray.exceptions import RayActorError

Blame: TypeAlias = Literal["trial", "process", "node"]
PROCESSES = 2
"""How many processes a trial may end, before it has failed."""
LOSSES = 4
"""How many losses of any kind a trial may have, before it has failed."""
_OF_A_NODE = ("node has died", "node was terminated", "node is dead")
_OF_MEMORY = ("running low on memory",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Why a trial did not come back.

    Attributes:
        blame: What was lost: the trial, by an error of its own; its process; or the node that it ran on.
        reason: In words.
        node: Where it ran, where that is known.
    """

    blame: Blame
    reason: str
    node: str | None = None


def loss_of(error: BaseException | None) -> Loss:
    """Say what Ray's error means; None where Ray kept none."""
    from ray.exceptions import ActorUnavailableError, RayActorError, RayTaskError

    if isinstance(error, RayTaskError):
        cause = getattr(error, "cause", None) or error
        return Loss(blame="trial", reason=f"{type(cause).__name__}: {cause}")
    node = _node_of(error) if isinstance(error, RayActorError) else None
    if isinstance(error, ActorUnavailableError):
        return Loss(blame="node", reason="nothing more was heard of its process", node=node)
    text = str(error).lower()
    if isinstance(error, RayActorError) and (error.preempted or any(word in text for word in _OF_A_NODE)):
        return Loss(blame="node", reason="its node was lost", node=node)
    if any(word in text for word in _OF_MEMORY):
        return Loss(blame="process", reason="its process was ended, as its node ran out of memory", node=node)
    return Loss(blame="process", reason="its process died", node=node)


def _node_of(error: RayActorError) -> str | None:
    """Ask where an actor ran; Ray's public way to ask needs its dashboard."""
    import ray

    if error.actor_id is None or not ray.is_initialized():
        return None
    found = ray._private.state.actors(error.actor_id)  # noqa: SLF001
    return (found.get("Address") or {}).get("NodeID")


class Losses:
    """Counts what each trial of a search has lost."""

    def __init__(self) -> None:
        self._seen: defaultdict[int, list[Loss]] = defaultdict(list)

    def take(self, trial: int, loss: Loss, alive: Container[str]) -> str | None:
        """Count a loss.

        Args:
            trial: The trial.
            loss: What it lost.
            alive: The nodes that the cluster has now.

        Returns:
            Why the trial has failed; None where it is to be tried again.
        """
        if loss.blame == "trial":
            return loss.reason
        seen = self._seen[trial]
        seen.append(loss)
        own = [item for item in seen if item.blame == "process" and (item.node is None or item.node in alive)]
        if len(own) >= PROCESSES:
            return f"{own[-1].reason}, {len(own)} times"
        return f"{loss.reason}, after {len(seen) - 1} other losses" if len(seen) >= LOSSES else None
