"""A fit that can be left and taken up again: where it starts, where it pauses, and who keeps it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Checkpoint: TypeAlias = bytes
"""A fit on its way: weights, the optimizer's state, and what is random; a safetensors file, from which nothing runs."""
SECONDS = 30.0
"""How long a fit goes on at least before it is kept again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointing:
    """Where a fit starts and pauses, and how it is kept.

    Attributes:
        start: A checkpoint to go on from; None to begin.
        until: After how many steps in all, those before the checkpoint included, to pause; None to go to the end.
        keep: Is given a checkpoint after a step, at most once every so many seconds.
        every: So many seconds; 0 for each step.
    """

    start: Checkpoint | None = None
    until: int | None = None
    keep: Callable[[Checkpoint], None] | None = None
    every: float = SECONDS
