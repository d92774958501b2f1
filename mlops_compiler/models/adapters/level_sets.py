"""Columns that hold numbers of levels, and the sets of levels that trees split them by: bits, as in scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.files import corrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

    Sets = NDArray[np.uint32]
    """Shape (sets, 8): level k is in a set where bit k % 32 of word k // 32 is on."""

WORDS, BITS = 8, 32
MOST = WORDS * BITS
"""Most levels that a set can tell apart."""


def known_of(X: Matrix, categories: Sequence[int]) -> tuple[int, ...]:
    """Count for each column the numbers of levels that the rows teach something of: that of all others where it occurs.

    Args:
        X: The rows to learn from, shape (rows, features).
        categories: As `FitOptions.categories`.
    """
    return tuple(
        count + int(bool((X[:, place] == count).any())) if count else 0 for place, count in enumerate(categories)
    )


def unknown_as_missing(X: Matrix, known: Sequence[int]) -> Matrix:
    """Give rows in which a level that nothing was learned of is NaN, as one that is missing."""
    if not any(known):
        return X
    limits = np.array([count or np.inf for count in known])
    return np.where(limits <= X, np.nan, X)


def read_known(kind: str, config: Mapping[str, Any], width: int) -> tuple[int, ...]:
    """Read how many levels of each column are known; a model of numbers does not say it.

    Raises:
        EngineError: The settings say something else.
    """
    found = config.get("known", [])
    if not isinstance(found, list) or len(found) not in (0, width):
        raise corrupt(kind, "its categories are not those of its columns")
    if not all(type(count) is int and 0 <= count <= MOST for count in found):
        raise corrupt(kind, "its categories cannot be counted")
    return tuple(found)


def said_of(known: Sequence[int]) -> dict[str, list[int]]:
    """Write how many levels are known into the settings of a model, where there are any."""
    return {"known": list(known)} if any(known) else {}


def set_of(levels: Iterable[int]) -> Sets:
    """Make the set of some levels, shape (8,).

    Raises:
        ValueError: A level is none.
    """
    made = np.zeros(WORDS, dtype=np.uint32)
    for level in levels:
        if not 0 <= level < MOST:
            raise ValueError(f"{level} is no level")
        made[level // BITS] |= np.uint32(1 << (level % BITS))
    return made


def levels_of(bits: Sets) -> list[int]:
    """List the levels of a set of shape (8,)."""
    return [level for level in range(MOST) if int(bits[level // BITS]) >> (level % BITS) & 1]


def has(sets: Sets, which: NDArray[np.integer], levels: Matrix) -> NDArray[np.bool_]:
    """Say whether levels are in sets; what is no number of a level is in none.

    Args:
        sets: Shape (sets, 8).
        which: The set that is asked, any shape.
        levels: Of the same shape.
    """
    inside = (levels >= 0) & (levels < MOST)
    level = np.where(inside, levels, 0).astype(np.int64)
    bits = sets[which, level // BITS] >> (level % BITS).astype(np.uint32)
    found: NDArray[np.bool_] = inside & ((bits & 1) == 1)
    return found
