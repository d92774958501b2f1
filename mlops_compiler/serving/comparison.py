"""Two releases' answers to one request, compared: what they decide, and how far their numbers lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DECIDED = ("decision", "cluster", "anomaly")
_NUMBERS = ("probability", "prediction", "score", "distance", "probabilities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How two answers differ.

    Attributes:
        rows: Rows that both answered.
        differing: Those that were decided otherwise; where nothing is decided, those whose numbers lie too far apart.
        largest: The largest distance of two numbers.
    """

    rows: int
    differing: int
    largest: float


def compare(ours: bytes, theirs: bytes, tolerance: float = 0.0) -> Difference:
    """Compare the answers of two releases.

    Args:
        ours: The body that the release in place answers.
        theirs: The body that the other one does.
        tolerance: How far numbers may lie apart, where nothing is decided by them.
    """
    rows, others = _predictions(ours), _predictions(theirs)
    differing, largest = abs(len(rows) - len(others)), 0.0
    for row, other in zip(rows, others, strict=False):
        apart = max(map(_distance, *_numbers(row, other)), default=0.0)
        decided = [name for name in _DECIDED if name in row or name in other]
        otherwise = any(row.get(name) != other.get(name) for name in decided)
        differing += otherwise if decided else apart > tolerance
        largest = max(largest, apart)
    return Difference(rows=max(len(rows), len(others)), differing=differing, largest=largest)


def _predictions(body: bytes) -> list[dict[str, Any]]:
    answer = orjson.loads(body)
    predictions: list[dict[str, Any]] = answer.get("predictions", [answer])
    return predictions


def _numbers(row: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """List the numbers that both have, in one order."""
    ours, theirs = dict(_named(row)), dict(_named(other))
    both = [name for name in ours if name in theirs]
    return [ours[name] for name in both], [theirs[name] for name in both]


def _named(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name in _NUMBERS:
        value = row.get(name)
        if isinstance(value, dict):
            yield from ((f"{name}.{label}", float(share)) for label, share in value.items())
        elif value is not None:
            yield name, float(value)


def _distance(one: float, other: float) -> float:
    return abs(one - other)
