"""Selectors become names at compile time: ``numeric``, ``/regex/``, ``all_except``, a name, a list of these.

A selector by type or pattern finds features only; the key, the target and what is ignored must be named to
be found, and are refused then. Indicators that only the data can name (``contract=*``) are never found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mlops_compiler.ir.schema import Column, Schema
    from mlops_compiler.recipe.prepare import Selector

GROUPS: dict[str, Callable[[Column], bool]] = {
    "numeric": lambda column: column.is_numeric,
    "categorical": lambda column: column.is_categorical,
    "temporal": lambda column: column.dtype.is_temporal(),
    "boolean": lambda column: str(column.dtype) == "Boolean",
    "all": lambda _: True,
}


class UnknownNameError(LookupError):
    """A selector names columns that do not reach the step."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(*self.names)


def select(selector: Selector, schema: Schema) -> tuple[str, ...]:
    """Resolve a selector against the columns that reach a step.

    Returns:
        The names that match, each once, in the schema's order for groups and patterns and as written
        for names.

    Raises:
        UnknownNameError: It names columns that are not there; has them all.
        re.error: A pattern is no regular expression.
    """
    if isinstance(selector, dict):
        left_out = set(selector["all_except"])
        if missing := [name for name in selector["all_except"] if name not in schema]:
            raise UnknownNameError(missing)
        return tuple(column.name for column in _features(schema) if column.name not in left_out)
    terms = (selector,) if isinstance(selector, str) else selector
    if unknown := [term for term in terms if not _is_known(term, schema)]:
        raise UnknownNameError(unknown)
    return tuple(dict.fromkeys(name for term in terms for name in _term(term, schema)))


def _is_known(term: str, schema: Schema) -> bool:
    return term in schema or term in GROUPS or is_pattern(term)


def is_pattern(term: str) -> bool:
    """Whether a term is a regular expression between slashes."""
    return len(term) > 1 and term.startswith("/") and term.endswith("/")


def _term(term: str, schema: Schema) -> Iterator[str]:
    if term in schema:
        yield term
    elif term in GROUPS:
        yield from (column.name for column in _features(schema) if GROUPS[term](column))
    else:
        pattern = re.compile(term[1:-1])
        yield from (column.name for column in _features(schema) if pattern.search(column.name))


def _features(schema: Schema) -> tuple[Column, ...]:
    return tuple(column for column in schema.features if not column.is_open)
