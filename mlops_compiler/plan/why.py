"""Why one stage runs: from it back to what changed, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.plan.stages import Rebuild, Reuse

if TYPE_CHECKING:
    from mlops_compiler.plan.diff import Cause
    from mlops_compiler.plan.stages import Action, Plan
    from mlops_compiler.store.records import StageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A stage on the way from an effect to its causes.

    Attributes:
        stage: Its name.
        action: ``reuse``, ``rebuild`` or ``new``.
        reason: Why, in one line.
        causes: What changed of its own ingredients.
        last: Its most recent record; None where it never ran.
    """

    stage: str
    action: str
    reason: str
    causes: tuple[Cause, ...]
    last: StageRecord | None


def chain(plan: Plan, stage: str) -> tuple[Link, ...]:
    """Follow a stage back to what changed: the stage first, then each stage before it that runs.

    Stages that would be reused are on no such way, and end it.
    """
    actions = {action.stage.name: action for action in plan.actions}
    wanted, found = [stage], []
    while wanted:
        action = actions[wanted.pop(0)]
        found.append(action)
        if not isinstance(action, Reuse):
            nearer = [name for name in reversed(action.stage.parents) if not isinstance(actions[name], Reuse)]
            wanted += [name for name in nearer if name not in wanted and actions[name] not in found]
    order = list(actions)
    found.sort(key=lambda action: -order.index(action.stage.name))
    return tuple(map(_link, found))


def _link(action: Action) -> Link:
    return Link(
        stage=action.stage.name,
        action=action.action,
        reason=action.reason,
        causes=action.causes if isinstance(action, Rebuild) else (),
        last=action.record if isinstance(action, Reuse) else action.last if isinstance(action, Rebuild) else None,
    )
