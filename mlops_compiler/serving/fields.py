"""One field of a request: its value as the contract types it, or what is wrong with it.

Types are strict, as JSON has types: `"5"` and `true` are no int. One kindness: an int will do for a float.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import listing, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SHOWN = 60
_INT64 = range(-(2**63), 2**63)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request.

    Attributes:
        row: Index of the row in the request, from 0; None where the request as a whole is meant.
        field: The field's name, where one is to blame.
        code: Stable kebab-case code, e.g. ``wrong-type``.
        expected: What the contract asks for.
        found: What the request holds, shortened.
        help: One thing that can be done.
    """

    row: int | None = None
    field: str | None = None
    code: str
    expected: str
    found: str
    help: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Write the fault as a JSON object, without what it does not say."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Broken(Exception):  # noqa: N818 - a signal between a check and its caller, not an error of the program
    """A value does not keep the contract; carries code, expectation and help."""

    def __init__(self, code: str, expected: str, help: str | None = None) -> None:  # noqa: A002 - the word of diagnostics
        super().__init__(code)
        self.code = code
        self.expected = expected
        self.help = help


def show(value: Any) -> str:
    """Show a JSON value in a message, shortened."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def compile_field(field: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Make the check of one field.

    Args:
        field: A member of the manifest's ``request``.

    Returns:
        A function from the JSON value to the typed value, which raises `Broken` where there is none.
    """
    typed, rules = _TYPES[field["type"]], _rules(field)
    nullable, name = bool(field["nullable"]), field["type"]

    def check(value: Any) -> Any:
        if value is None:
            if nullable:
                return None
            raise Broken("null", f"{name}, not null")
        value = typed(value)
        for rule in rules:
            rule(value)
        return value

    return check


def _rules(field: Mapping[str, Any]) -> tuple[Callable[[Any], None], ...]:
    rules: list[Callable[[Any], None]] = []
    if field.get("range") is not None:
        rules.append(_in_range(*field["range"]))
    if field.get("one_of") is not None:
        rules.append(_one_of(tuple(field["one_of"])))
    if field.get("pattern") is not None:
        rules.append(_matches(field["pattern"]))
    return tuple(rules)


def _matches(pattern: str) -> Callable[[Any], None]:
    matches = re.compile(pattern).fullmatch

    def check(value: Any) -> None:
        if not matches(value):
            raise Broken("no-match", f"a text that matches {pattern}")

    return check


def _in_range(low: float, high: float) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not low <= value <= high:
            raise Broken("out-of-range", f"between {low:g} and {high:g}")

    return check


def _one_of(allowed: tuple[Any, ...]) -> Callable[[Any], None]:
    known = frozenset(allowed)

    def check(value: Any) -> None:
        if value not in known:
            raise _not_one_of(value, allowed)

    return check


def _not_one_of(value: Any, allowed: tuple[Any, ...]) -> Broken:
    texts = [str(item) for item in allowed]
    like = nearest(value, texts) if isinstance(value, str) else None
    return Broken("not-one-of", f"one of {listing(texts)}", f"did you mean `{like}`?" if like else None)


def _int(value: Any) -> int:
    if type(value) is not int:
        # orjson gives a whole number too large for 64 bits as a float.
        too_large = isinstance(value, float) and abs(value) >= _INT64.stop
        raise Broken("out-of-range" if too_large else "wrong-type", "int of 64 bits" if too_large else "int")
    if value not in _INT64:
        raise Broken("out-of-range", "int of 64 bits")
    return value


def _float(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise Broken("wrong-type", "float")
    number = float(value)
    if not math.isfinite(number):
        raise Broken("out-of-range", "a finite float")
    return number


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Broken("wrong-type", "bool")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Broken("wrong-type", "text")
    return value


def _date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise Broken("wrong-type", "date as `YYYY-MM-DD`")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Broken("wrong-type", "a day of the calendar") from error


def _datetime(value: Any) -> datetime:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise Broken("wrong-type", "datetime as `YYYY-MM-DDTHH:MM:SS`, without offset")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise Broken("wrong-type", "a time of the calendar") from error


_TYPES: dict[str, Callable[[Any], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "text": _text,
    "category": _text,
    "date": _date,
    "datetime": _datetime,
}
