"""Amounts as people write them: ``5m``, ``10%``, ``"> 0.5"``; inside, seconds, shares and comparisons."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.config import JsonDict

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*(%?)")


def parse_duration(value: object) -> object:
    """Turn ``"90s"``, ``"5m"``, ``"1.5h"`` into seconds; numbers are seconds already.

    Raises:
        ValueError: The text is no duration.
    """
    if not isinstance(value, str):
        return value
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|[smhd])", value.strip())) is None:
        raise ValueError(f"a duration is a number and ms, s, m, h or d, like 5m; not {value!r}")
    return float(found[1]) * _UNITS[found[2]]


def parse_size(value: object) -> object:
    """Turn ``"1MiB"``, ``"500 KB"`` into bytes; numbers are bytes already.

    Raises:
        ValueError: The text is no size.
    """
    if not isinstance(value, str):
        return value
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]i?B|B)", value.strip())) is None:
        raise ValueError(f"a size is a number and B, KiB, MiB, GiB, KB, MB or GB, like 1MiB; not {value!r}")
    return int(float(found[1]) * _BYTES[found[2]])


def parse_share(value: object) -> object:
    """Turn ``"10%"`` into 0.1; numbers are shares already.

    Raises:
        ValueError: The text is no percentage.
    """
    if not isinstance(value, str):
        return value
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())) is None:
        raise ValueError(f"a share is a percentage, like 10%, or a number from 0 to 1; not {value!r}")
    return float(found[1]) / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A bound on a number: ``> 0.5``."""

    _OPERATORS: ClassVar[Mapping[str, Callable[[float, float], bool]]] = {
        ">": operator.gt,
        ">=": operator.ge,
        "<": operator.lt,
        "<=": operator.le,
    }
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Say whether a number keeps the bound."""
        return self._OPERATORS[self.sign](value, self.limit)

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}"


def parse_comparison(value: str) -> Comparison:
    """Turn ``"> 1%"`` into a comparison.

    Raises:
        ValueError: The text is none.
    """
    if (found := _COMPARISON.fullmatch(value.strip())) is None:
        raise ValueError(f"a bound is a sign and a number, like '> 0.5' or '> 1%'; not {value!r}")
    return Comparison(sign=found[1], limit=float(found[2]) / (100 if found[3] else 1))


def _checked(value: str) -> str:
    parse_comparison(value)
    return value


def _timed(value: str) -> str:
    parse_duration(value)
    return value


_DURATION: JsonDict = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|[smhd])\s*$"},
        {"type": "number", "exclusiveMinimum": 0},
    ]
}
_SIZE: JsonDict = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([KMG]i?B|B)\s*$"},
        {"type": "integer", "minimum": 1},
    ]
}
_SHARE: JsonDict = {
    "anyOf": [{"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"}, {"type": "number", "minimum": 0, "maximum": 1}]
}
Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0), WithJsonSchema(_DURATION)]
Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1), WithJsonSchema(_SIZE)]
_DELAY: JsonDict = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|[smhd])\s*$"},
        {"type": "number", "minimum": 0},
    ]
}
Delay = Annotated[float, BeforeValidator(parse_duration), Field(ge=0), WithJsonSchema(_DELAY)]
Share = Annotated[float, BeforeValidator(parse_share), Field(ge=0, le=1), WithJsonSchema(_SHARE)]
_STRETCH: JsonDict = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|[smhd])\s*$"},
        {"type": "integer", "minimum": 1},
    ]
}
Stretch = Annotated[
    Annotated[int, Field(ge=1, strict=True)] | Annotated[str, AfterValidator(_timed)], WithJsonSchema(_STRETCH)
]
"""So many rows, or so long: kept as written; `parse_duration` reads a text."""
Bound = Annotated[str, AfterValidator(_checked)]
"""Kept as written; `parse_comparison` reads it."""
