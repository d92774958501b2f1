"""Overrides of one command line that contradict each other: Hydra would let the last one win, and say nothing."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import OverrideType

from mlops_compiler.diagnostics import Diagnostic, Note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_compiler.frontend.tokens import Token

_SETS = (OverrideType.CHANGE, OverrideType.ADD, OverrideType.FORCE_ADD)


def contradictions(tokens: Sequence[Token]) -> Iterator[Diagnostic]:
    """Find overrides of which one undoes another.

    A key that is removed and then added anew is none: so a whole section is replaced. Neither are a section and then
    a key of it.
    """
    for first, second in combinations((token for token in tokens if not token.is_hydras), 2):
        if first.override.type not in _SETS:
            continue
        if second.override.is_delete() and _within(first.key, second.key):
            yield _finding(first, second, f"`{first.key}` is set, and then removed")
        elif second.override.type in _SETS and first.key == second.key and first.value_text != second.value_text:
            yield _finding(first, second, f"`{first.key}` is set twice, to different values")


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith(f"{section}.")


def _finding(first: Token, second: Token, headline: str) -> Diagnostic:
    return Diagnostic(
        code="contradictory-overrides",
        headline=headline,
        span=second.span,
        notes=(Note(text="it was set here", span=first.span),),
        help="remove one of the two",
    )
