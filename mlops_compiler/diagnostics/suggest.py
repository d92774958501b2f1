"""Did you mean: the nearest right name to a wrong one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 12


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `word`, or None where none is alike.

    Case is ignored first: ``ROC_AUC`` finds ``roc_auc``.
    """
    names = list(known)
    folded = {name.casefold(): name for name in reversed(names)}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def listing(known: Iterable[str]) -> str:
    """List names for a message: ``a, b and c``, cut after a dozen."""
    names = [f"`{name}`" for name in known]
    if len(names) > _LISTED:
        return ", ".join(names[:_LISTED]) + f" and {len(names) - _LISTED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "known here") -> str | None:
    """Make the help line for an unknown name: the nearest one, else a list of them all."""
    names = list(known)
    if (found := nearest(word, names)) is not None:
        return f"did you mean `{found}`?"
    return f"{otherwise}: {listing(names)}" if names else None
