"""A search domain is a value that is not decided yet: it may stand where a value may stand.

Written in a recipe as a mapping with one key, the name of the domain: ``{log_uniform: [0.001, 10]}``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from pydantic import BeforeValidator

Scalar: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few values, in no order."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """A real number in ``[low, high]``, every one as likely."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUniform:
    """A positive real number in ``[low, high]``, every order of magnitude as likely."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IntUniform:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntLogUniform:
    """A positive whole number from `low` to `high`, every order of magnitude as likely."""

    low: int
    high: int


Domain: TypeAlias = Choice | Uniform | LogUniform | IntUniform | IntLogUniform

DOMAINS: dict[str, type[Domain]] = {
    "choice": Choice,
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "int_uniform": IntUniform,
    "int_log_uniform": IntLogUniform,
}
DOMAIN_TYPES: tuple[type[Domain], ...] = get_args(Domain)


def parse_domain(value: object) -> object:
    """Turn ``{log_uniform: [a, b]}`` into its domain; leave anything else as it is.

    Raises:
        ValueError: The mapping names a domain, and its bounds make none.
    """
    if not isinstance(value, dict) or len(value) != 1:
        return value
    name, bounds = next(iter(value.items()))
    if name not in DOMAINS:
        return value
    if not isinstance(bounds, list | tuple):
        raise ValueError(f"`{name}` takes a list")  # noqa: TRY004 - Pydantic turns ValueError into a finding
    return _choice(bounds) if name == "choice" else _range(name, bounds)


def _choice(values: list[Any] | tuple[Any, ...]) -> Choice:
    if len(values) == 0:
        raise ValueError("`choice` needs at least one value")
    return Choice(values=tuple(tuple(item) if isinstance(item, list) else item for item in values))


def _range(name: str, bounds: list[Any] | tuple[Any, ...]) -> Domain:
    whole = name.startswith("int")
    if len(bounds) != 2 or not all(_is_number(item, whole=whole) for item in bounds):  # noqa: PLR2004 - a pair
        raise ValueError(f"`{name}` takes two {'whole numbers' if whole else 'numbers'}, [low, high]")
    low, high = bounds
    if low > high:
        raise ValueError(f"`{name}` needs low <= high, not [{low}, {high}]")
    if "log" in name and low <= 0:
        raise ValueError(f"`{name}` needs a positive low, not {low}")
    return DOMAINS[name](low=low, high=high)  # type: ignore[call-arg]


def _is_number(value: object, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return isinstance(value, int) or not whole


def is_domain(value: object) -> bool:
    """Say whether a value is still to be searched."""
    return isinstance(value, DOMAIN_TYPES)


def written(domain: Domain) -> dict[str, list[Any]]:
    """Write a domain as a recipe does: ``{"log_uniform": [0.001, 10]}``."""
    name = next(name for name, kind in DOMAINS.items() if type(domain) is kind)
    if isinstance(domain, Choice):
        return {name: [list(value) if isinstance(value, tuple) else value for value in domain.values]}
    return {name: [domain.low, domain.high]}


def grid(domain: Domain, points: int = 5) -> tuple[Any, ...]:
    """List the values that a grid search tries: every choice, else `points` values evenly spaced.

    Spacing is even on the domain's own scale (logarithmic for ``log_uniform``); whole numbers are
    rounded and repeated ones fall away.
    """
    match domain:
        case Choice(values=values):
            return values
        case Uniform(low=low, high=high):
            return _between(domain, [low + (high - low) * step for step in _steps(points)])
        case IntUniform(low=low, high=high):
            return tuple(dict.fromkeys(round(low + (high - low) * step) for step in _steps(points)))
        case LogUniform(low=low, high=high):
            return _between(domain, [low * (high / low) ** step for step in _steps(points)])
        case IntLogUniform(low=low, high=high):
            return tuple(dict.fromkeys(round(low * (high / low) ** step) for step in _steps(points)))


def _between(domain: Uniform | LogUniform, values: list[float]) -> tuple[float, ...]:
    """Put the ends where the domain has them: computed, they could lie beyond by a rounding error."""
    inner = (min(max(value, domain.low), domain.high) for value in values[1:-1])
    return tuple(dict.fromkeys((domain.low, *inner, domain.high)))


def _steps(points: int) -> list[float]:
    return [step / (points - 1) for step in range(points)]


def contains(domain: Domain, value: object) -> bool:
    """Say whether `value` is one that the domain can give."""
    match domain:
        case Choice(values=values):
            return value in values
        case IntUniform(low=low, high=high) | IntLogUniform(low=low, high=high):
            return isinstance(value, int) and low <= value <= high
        case Uniform(low=low, high=high) | LogUniform(low=low, high=high):
            return isinstance(value, int | float) and low <= value <= high


def write_domain(value: Any) -> Any:
    """Write a domain as recipes do, ``{"log_uniform": [0.001, 10]}``; leave anything else as it is."""
    name = next((name for name, kind in DOMAINS.items() if type(value) is kind), None)
    if name is None:
        return value
    return {name: list(value.values) if isinstance(value, Choice) else [value.low, value.high]}


T = TypeVar("T")
# A field that holds a value of type T or a domain of such values.
Searchable = Annotated[T | Choice | Uniform | LogUniform | IntUniform | IntLogUniform, BeforeValidator(parse_domain)]
