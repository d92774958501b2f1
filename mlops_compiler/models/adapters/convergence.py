"""A solver that ran out of steps leaves a note, not a warning: a worse model shows in its score."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def converges(fit: Callable[[], object]) -> bool:
    """Run a fit of scikit-learn; say whether its solver came to an end. Other warnings pass on."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fit()
    unconverged = False
    for item in caught:
        if issubclass(item.category, ConvergenceWarning):
            unconverged = True
        else:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
    return not unconverged
