"""What is compiled serves only where it gave the very answers of the batch path, when the release was loaded.

It is asked for the rows that the release is stored with, and for others that the contract allows: the ends of its
ranges, missing values, levels that were never seen, numbers of any size. Floats are compared by their shortest texts,
which no two of them share.
"""

from __future__ import annotations

import io
import logging
import random
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.serving.compiled.row import CompiledRow, compile_release, request_schema
from mlops_compiler.serving.compiled.signals import Beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlops_compiler.serving.predictor import Predictor

    Row = Mapping[str, Any]

_STORED_ROWS, _MADE_ROWS = 128, 256
_SEED = 20
_WORST = (-1e300, -1.0, -0.0, 0.0, 5e-324, 0.1, 1.0, 3.0, 2.0**53 + 2, 1e300)
_INT64 = (-(2**63), 2**63 - 1)
_FLOATS = (-1e300, 1e300)
_MISSING_SHARE, _EXTREME_SHARE = 0.2, 0.1
_TEXTS = ("", " ", "never seen", "(rare)", "é", "NaN", "1", "true")
_DATES = ("0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31")

logger = logging.getLogger(__name__)


def prove(predictor: Predictor, get: Callable[[str], bytes] | None = None) -> CompiledRow | None:
    """Compile a release for one row, as far as it then answers as the batch path does.

    Args:
        predictor: The release.
        get: Reads an object of the store: the background rows are compared, too.

    Returns:
        All of it, or its model alone; None where neither gives the same bits, or nothing would be won.
    """
    rows = [*_stored(predictor, get), *made_rows(predictor)]
    wanted = list(answers(predictor, rows))
    for steps in (True, False):
        compiled = compile_release(predictor, steps=steps)
        if not compiled.parts:
            continue
        if (found := differing(compiled, rows, wanted)) is None:
            return compiled
        logger.warning("the release answers a row otherwise when compiled, and is served as it is: %s", found[1])
    return None


def differing(compiled: CompiledRow, rows: Sequence[Row], wanted: Sequence[Row | None]) -> tuple[Row, str] | None:
    """Find the first row that is answered otherwise than wanted; None where there is none.

    Args:
        compiled: What is asked. A row that is beyond it counts for nothing: the batch path answers it.
        rows: The rows.
        wanted: What the batch path says of each; None where it refuses it.
    """
    for row, expected in zip(rows, wanted, strict=True):
        try:
            answer = compiled.predict(row)
        except (Beyond, DataError):
            continue
        if expected is None or orjson.dumps(answer) != orjson.dumps(expected):
            return row, f"{answer}, and as a table {expected}"
    return None


def answers(predictor: Predictor, rows: Sequence[Row]) -> Iterator[Row | None]:
    """Score rows together; where some are refused, halves of them, so that each is told alone."""
    if not rows:
        return
    try:
        yield from predictor.predict(pl.DataFrame(rows, schema=request_schema(predictor))).to_dicts()
    except DataError:
        if len(rows) == 1:
            yield None
            return
        half = len(rows) // 2
        yield from answers(predictor, rows[:half])
        yield from answers(predictor, rows[half:])


def _stored(predictor: Predictor, get: Callable[[str], bytes] | None) -> list[Row]:
    """Give the rows that the release is stored with: its example, and its background where that can be read."""
    schema = request_schema(predictor)
    rows: list[Row] = [typed(predictor.manifest["example"], schema)]
    digest = predictor.manifest.get("background")
    if get is not None and digest is not None:
        background = pl.read_parquet(io.BytesIO(get(digest)))
        if set(schema) <= set(background.columns):
            rows += background.select(list(schema)).cast(pl.Schema(schema)).head(_STORED_ROWS).to_dicts()
    return rows


def typed(row: Mapping[str, Any], schema: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """Type a row as JSON gives it; what it does not have is missing."""
    read = {name: _read(row.get(name), dtype) for name, dtype in schema.items()}
    return pl.DataFrame([read], schema=schema).to_dicts()[0] if read else {}


def _read(value: Any, dtype: pl.DataType) -> Any:
    from datetime import date, datetime

    if isinstance(value, str) and dtype == pl.Date:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if isinstance(value, str) and dtype.is_temporal() else value


def made_rows(predictor: Predictor, count: int = _MADE_ROWS, seed: int = _SEED) -> list[Row]:
    """Draw rows that the request contract allows, the same ones for each seed."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    key = predictor.manifest.get("key")
    fields = [item for item in predictor.manifest["request"] if item["name"] != key]
    schema, example = request_schema(predictor), predictor.manifest["example"]
    rows = [{item["name"]: _value(item, example, draw) for item in fields} for _ in range(count)]
    return [typed(row, schema) for row in rows]


def _value(item: Mapping[str, Any], example: Mapping[str, Any], draw: random.Random) -> Any:
    """Draw a value of a field: mostly one that is likely, at times one at the end of what is allowed."""
    if (item["nullable"] or not item["required"]) and draw.random() < _MISSING_SHARE:
        return None
    if item.get("one_of"):
        return draw.choice(item["one_of"])
    extreme = draw.random() < _EXTREME_SHARE
    match item["type"]:
        case "bool":
            return draw.choice((False, True))
        case "int" | "float" as kind:
            return _number(item.get("range"), kind, draw, extreme=extreme)
        case "date":
            return draw.choice(_DATES)
        case "datetime":
            return f"{draw.choice(_DATES)}T{draw.randrange(24):02}:00:00"
    given = example.get(item["name"])
    return draw.choice(_TEXTS) if extreme or given is None else given


def _number(bounds: Sequence[float] | None, kind: str, draw: random.Random, *, extreme: bool) -> float:
    low, high = bounds or (_INT64 if kind == "int" else _FLOATS)
    if extreme:
        found = draw.choice([low, high, *(value for value in _WORST if low <= value <= high)])
    elif bounds:
        found = low + (high - low) * draw.random()
    else:
        found = draw.choice((1, -1)) * 10 ** draw.uniform(-3, 6)
    found = min(max(found, low), high)
    return int(found) if kind == "int" else float(found)
