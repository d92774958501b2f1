"""How numbers are written for people; a value that is missing or no number is a dash, never ``nan``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DASH = "\N{EN DASH}"
_MINUTE = 60
_HOUR = 3600
_SHORT = 10
_LONG = 2
_TINY = 1e-4
_HUGE = 1e6
_MOST_DIGITS = 9


def is_number(value: object) -> bool:
    """Tell a finite number from everything else; a truth value is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def score(value: Any, digits: int = 4) -> str:
    """Write a metric: ``0.8471``; large ones, which have a unit, with fewer digits: ``1,284.3``."""
    if not is_number(value):
        return DASH
    text = f"{abs(value):,.{_after_point(value, digits)}f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def _after_point(value: float, digits: int) -> int:
    """Say how many digits stand after the point: as many as make sense beside those before it."""
    before = len(str(int(abs(value)))) - 1
    return digits if before < _LONG else max(0, digits + 1 - before)


def score_beside(value: Any, bounds: tuple[float | None, ...]) -> str:
    """Write a metric with as many digits as show on which side of its bounds it lies.

    >>> score_beside(0.829998, (0.83, None))
    '0.829998'
    """
    shown = score(value)
    for digits in range(4, _MOST_DIGITS + 1):
        shown = score(value, digits)
        if not any(bound != value and shown == score(bound, digits) for bound in bounds if is_number(bound)):
            break
    return shown


def span(interval: Any) -> str:
    """Write an interval: ``0.8213 to 0.8651``."""
    pair = interval if isinstance(interval, (list, tuple)) else ()
    return f"{score(pair[0])} to {score(pair[1])}" if len(pair) == 2 else ""  # noqa: PLR2004 - both ends


def spread(found: Any) -> str:
    """Write what folds gave: ``0.8512 ± 0.0061``."""
    if not isinstance(found, dict) or not is_number(found.get("mean")):
        return ""
    return score(found["mean"]) + (f" ± {score(found['std'])}" if is_number(found.get("std")) else "")


def chance(p: Any) -> str:
    """Write a probability of chance: ``p < 0.001``, ``p = 0.03``."""
    if not is_number(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"  # noqa: PLR2004 - as people write it


def signed(value: Any, digits: int = 4) -> str:
    """Write a difference with its sign, a true minus for a negative one."""
    if not is_number(value):
        return DASH
    text = f"{abs(value):,.{_after_point(value, digits)}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return ("+" if value > 0 else "\N{MINUS SIGN}") + text


def count(value: Any) -> str:
    """Write how many: ``7,043``."""
    return f"{value:,.0f}" if is_number(value) else DASH


def ordinal(value: int) -> str:
    """Write a place: ``1st``, ``7th``, ``22nd``."""
    teens = value // 10 % 10 == 1
    return f"{value}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th')}"


def amount(value: Any, digits: int = 0) -> str:
    """Write money or another worth: ``12,345``, with a true minus before a loss."""
    if not is_number(value):
        return DASH
    text = f"{abs(value):,.{digits}f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def percent(value: Any, digits: int = 1) -> str:
    """Write a share: ``26.5 %``."""
    return f"{100 * value:.{digits}f} %" if is_number(value) else DASH


def number(value: Any) -> str:
    """Write any number shortly: integers whole, others to four significant digits.

    >>> number(0.000123456), number(1500), number(2.5), number(True)
    ('0.0001235', '1,500', '2.5', 'True')
    """
    if isinstance(value, float) and not is_number(value):
        return DASH
    if not is_number(value):
        return str(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < _HUGE):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 / _TINY else f"{value:.4g}"


def seconds(value: Any) -> str:
    """Write a duration: ``0.42 s``, ``12.3 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if not is_number(value):
        return DASH
    value = max(0.0, float(value))
    if value < _SHORT:
        return f"{value:.2f} s"
    if round(value, 1) < _MINUTE:
        return f"{value:.1f} s"
    if round(value) < _HOUR:
        return f"{round(value) // _MINUTE} min {round(value) % _MINUTE:02d} s"
    minutes = round(value / _MINUTE)
    return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"


def moment(value: Any, *, short: bool = False) -> str:
    """Write a time in UTC: ``2026-11-23 07:20``, or ``11-23 07:20`` for short."""
    if not is_number(value):
        return DASH
    return datetime.fromtimestamp(value, tz=UTC).strftime("%m-%d %H:%M" if short else "%Y-%m-%d %H:%M")


def digest(value: Any, length: int = 12) -> str:
    """Write the first characters of a digest, enough to tell two apart."""
    return str(value)[:length] if value else DASH


def asked(criterion: Mapping[str, Any]) -> str:
    """Write all that a criterion asks: ``at least 0.83, better than the baseline``."""
    said = [bounds(criterion.get("at_least"), criterion.get("at_most"))]
    for item in criterion.get("beats") or ():
        other = "the baseline" if item["other"] == "baseline" else str(item["other"])
        margin = item.get("by") or 0
        kept = f"no more than {number(-margin)} worse than {other}"
        said.append(kept if margin < 0 else f"better than {other}" + (f" by {number(margin)}" if margin else ""))
    return ", ".join(text for text in said if text != DASH) or DASH


def gain(found: Mapping[str, Any]) -> str:
    """Write by how much something is better, ``+0.0121 (0.0032 to 0.0204), p = 0.01``, or why that is not known."""
    if not is_number(found.get("gain")):
        return str(found.get("note") or "")
    return f"{signed(found['gain'])} ({score(found['low'])} to {score(found['high'])}), {chance(found.get('p'))}"


def bounds(at_least: Any, at_most: Any) -> str:
    """Write what a criterion asks: ``at least 0.83``."""
    parts = [f"at least {number(at_least)}" if is_number(at_least) else ""]
    parts.append(f"at most {number(at_most)}" if is_number(at_most) else "")
    return " and ".join(filter(None, parts)) or DASH
