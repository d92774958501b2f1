"""The thread pools beneath scikit-learn take no more threads than a fit was given.

Pools that fight for the same cores can take ten times as long as one thread each.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def limited_threads(threads: int) -> AbstractContextManager[object]:
    """Limit OpenMP and BLAS to `threads` within a ``with``."""
    limit: AbstractContextManager[object] = _controller().limit(limits=threads)
    return limit


@cache
def _controller() -> Any:
    """Find the pools, once: the search takes 10 ms, and these imports load all that scikit-learn uses."""
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401 - loads its BLAS
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
