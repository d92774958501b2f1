"""Release notes, written from what differs between two releases: recipe, data, code, model, scores; a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.plan.compare.comparison import Comparison
    from mlops_compiler.plan.compare.part import KeyChange, Keys

_SHOWN = 8
_LONGEST = 60


def notes(comparison: Comparison) -> list[str]:
    """Write notes.

    Args:
        comparison: The run that made the release before, and the one that made this one.

    Returns:
        Sentences without a full stop; none where nothing differs.
    """
    return [
        *_keys("recipe", comparison.recipe),
        *_data(comparison),
        *_keys("code", comparison.code),
        *_keys("environment", comparison.environment),
        *_keys("model", comparison.parameters),
        *_scores(comparison),
        *(f"not compared: {text}" for part in comparison.parts.values() for text in part.missing),
    ]


def _keys(what: str, part: Keys) -> Iterator[str]:
    for change in part.changes[:_SHOWN]:
        yield f"{what}: {_change(change)}"
    if (more := len(part.changes) - _SHOWN) > 0:
        yield f"{what}: {more} more keys differ"


def _change(change: KeyChange) -> str:
    if change.change == "new":
        return f"`{change.key}` is new: {_value(change.after)}"
    if change.change == "gone":
        return f"`{change.key}` is gone; it was {_value(change.before)}"
    return f"`{change.key}` was {_value(change.before)} and is {_value(change.after)}"


def _value(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _data(comparison: Comparison) -> Iterator[str]:
    data = comparison.data
    if not data.differs:
        return
    if data.source.differs:
        yield f"data: read from {data.source.after}, before from {data.source.before}"
    if data.rows.differs:
        yield f"data: {data.rows.after:,} rows, before {data.rows.before:,}"
    elif data.snapshot.differs:
        yield "data: as many rows as before, with other values"
    for column in data.columns[:_SHOWN]:
        yield f"data: column `{column.name}` differs"


def _scores(comparison: Comparison) -> Iterator[str]:
    if comparison.metrics.differs:
        yield from (f"scores: {text}" for text in comparison.metrics.remarks)
    for metric in comparison.metrics.metrics:
        if metric.before is not None and metric.after is not None and metric.before != metric.after:
            yield f"scores: {metric.name} {metric.after:.4f}, before {metric.before:.4f}"
