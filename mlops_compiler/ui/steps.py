"""The steps by which a release took the place of another, as the audit log tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.store.operations import AuditEntry

ROLLOUT_STEPS = frozenset({"replay", "shadow", "canary", "blue_green"})
"""What the audit log calls them."""


def steps_of_rollout(entries: Sequence[AuditEntry], environment: str) -> list[AuditEntry]:
    """Give the steps of the last rollout in an environment, the first step first.

    Args:
        entries: The audit log, the newest entry first; older ones do not say in which environment they were.
        environment: Which.
    """
    here = [entry for entry in entries if entry.environment in (None, environment)]
    steps = [entry for entry in here if entry.action in ROLLOUT_STEPS]
    found: list[AuditEntry] = []
    for entry in steps:
        if entry.release != steps[0].release or (found and found[-1].action == "replay"):
            break
        found.append(entry)
    return found[::-1]
