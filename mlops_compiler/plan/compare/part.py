"""A part of a comparison knows whether it differs, and says what it could not compare; it never guesses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mlops_compiler.ir.domain import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

State: TypeAlias = Literal["same", "different", "unknown"]
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A value on both sides; None where a side has none."""

    before: Any = None
    after: Any = None

    @property
    def differs(self) -> bool:
        """Whether the sides have different values."""
        return bool(self.before != self.after)


NEITHER = Pair()
"""What neither side has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key whose value differs.

    Attributes:
        key: Dotted, in the recipe's own words where it has them.
        change: ``changed``, ``gone`` (only the first side has it) or ``new`` (only the second).
        before: The first side's value.
        after: The second side's.
    """

    key: str
    change: Literal["changed", "gone", "new"]
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(ABC):
    """The base of every part.

    Attributes:
        missing: What could not be compared, and why; a sentence each.
        remarks: What a reader must know to read the rest rightly.
    """

    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    @abstractmethod
    def differs(self) -> bool:
        """Whether anything that was compared differs."""

    @property
    def state(self) -> State:
        """``unknown`` where nothing was found to differ, and not all could be compared."""
        if self.differs:
            return "different"
        return "unknown" if self.missing else "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys(Part):
    """A part that is keys and values: recipe, code, environment, parameters."""

    changes: tuple[KeyChange, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether a key differs."""
        return bool(self.changes)


def compare_keys(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> tuple[KeyChange, ...]:
    """Compare two mappings, those in them likewise; what only one side has is one change, however much it holds.

    >>> [(item.key, item.change) for item in compare_keys({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": {"e": 4}})]
    [('a.b', 'changed'), ('a.c', 'gone'), ('d', 'new')]
    """
    found: list[KeyChange] = []
    for key in dict.fromkeys([*before, *after]):
        found += _compare(f"{prefix}{key}", before.get(key, _ABSENT), after.get(key, _ABSENT))
    return tuple(found)


def _compare(key: str, before: Any, after: Any) -> tuple[KeyChange, ...]:
    if before is _ABSENT:
        return (KeyChange(key=key, change="new", after=after),)
    if after is _ABSENT:
        return (KeyChange(key=key, change="gone", before=before),)
    if _is_mapping(before) and _is_mapping(after):
        return compare_keys(before, after, f"{key}.")
    return (KeyChange(key=key, change="changed", before=before, after=after),) if before != after else ()


def _is_mapping(value: Any) -> bool:
    """A search domain, ``{"uniform": [0, 1]}``, is a value."""
    return isinstance(value, dict) and not (len(value) == 1 and next(iter(value)) in DOMAINS)


def gained_and_lost(before: Iterable[str], after: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the names that only the second side has, and those that only the first has, each in its order."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    return tuple(name for name in new if name not in old), tuple(name for name in old if name not in new)
