"""What a SELECT over one row chooses: its list is taken apart, and each expression goes the way of `derive`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELECT = re.compile(r"\s*SELECT\s+", re.IGNORECASE)
_FROM = re.compile(r"\bFROM\b", re.IGNORECASE)
_ROWS = re.compile(r"\s*rows\s*;?\s*", re.IGNORECASE)
_STAR = re.compile(r"\*(?:\s+(?:EXCLUDE|EXCEPT)\s*\((?P<without>[^)]*)\))?", re.IGNORECASE)
_NAME = r"(?:[^\W\d]\w*|\"(?:[^\"]|\"\")+\")"
_PLAIN = re.compile(_NAME)
_AS = re.compile(rf"(?P<text>.+?)\s+AS\s+(?P<name>{_NAME})", re.IGNORECASE | re.DOTALL)
_COVERED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectList:
    """What a SELECT chooses.

    Attributes:
        star: Whether it takes all columns.
        without: Those that it leaves out of all.
        plain: Columns that it takes as they are.
        made: New columns, each with its expression.
    """

    star: bool
    without: tuple[str, ...]
    plain: tuple[str, ...]
    made: tuple[tuple[str, str], ...]


def select_list(query: str) -> SelectList:
    """Take a SELECT apart.

    Raises:
        ValueError: It is none over ``rows`` alone, or a part of it has no name.
    """
    if not (begin := _SELECT.match(query)):
        raise ValueError("a step's query begins with SELECT")
    covered = _cover(query)
    if not (found := _FROM.search(covered, begin.end())):
        raise ValueError("a step's query reads `FROM rows`")
    if not _ROWS.fullmatch(query, found.end()):
        raise ValueError(
            "it may say nothing after `FROM rows`: a row is computed from itself alone; use `filter` for WHERE"
        )
    star, without, plain, made = False, list[str](), list[str](), list[tuple[str, str]]()
    for item in _items(query, covered, begin.end(), found.start()):
        if all_but := _STAR.fullmatch(item):
            star = True
            without += [_unquoted(name.strip()) for name in (all_but["without"] or "").split(",") if name.strip()]
        elif _PLAIN.fullmatch(item):
            plain.append(_unquoted(item))
        elif named := _AS.fullmatch(item):
            made.append((_unquoted(named["name"]), named["text"]))
        else:
            raise ValueError(
                f"`{item}` has no name: write `{item} AS name`" if item else "it has an empty place in its list"
            )
    if len({name for name, _ in made}) != len(made):
        raise ValueError("it makes two columns of one name")
    return SelectList(star=star, without=tuple(without), plain=tuple(plain), made=tuple(made))


def _cover(query: str) -> str:
    """Put blanks over texts, quoted names and what stands in parentheses; lengths stay."""
    text = _COVERED.sub(lambda found: " " * len(found[0]), query)
    depth, covered = 0, []
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        covered.append(" " if depth > 0 or sign == ")" else sign)
    return "".join(covered)


def _items(query: str, covered: str, start: int, end: int) -> Iterator[str]:
    cuts = [start - 1, *(at for at in range(start, end) if covered[at] == ","), end]
    for before, after in pairwise(cuts):
        yield query[before + 1 : after].strip()


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
