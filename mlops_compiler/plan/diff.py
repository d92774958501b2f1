"""Why a stage runs again: the ingredients that changed, in the recipe's own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.records import StageRecord

_SHOWN = 2
_ABSENT = object()


def why_changed(stage: Stage, last: StageRecord, running: set[str]) -> str:
    """Say why a stage cannot reuse its last result.

    Args:
        stage: As it would run now.
        last: Its most recent record for the same recipe.
        running: The stages before it that run.
    """
    if changes := changed(last.ingredients, stage.ingredients):
        told = "; ".join(_told(key, *pair) for key, pair in list(changes.items())[:_SHOWN])
        more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        return told + more
    if parents := [name for name in stage.parents if name in running]:
        return f"`{parents[0]}` runs before it"
    if last.fingerprint == stage.fingerprint:
        return "its result is no longer in the store"
    return "what it reads was made by other stages than last time"


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """List the keys whose values differ, each with the old and the new one; absent ones as a marker."""
    keys = [*after, *(key for key in before if key not in after)]
    pairs = {key: (before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _told(key: str, before: Any, after: Any) -> str:
    if key == "data.source.digest":
        return "the source file changed"
    if before is _ABSENT:
        return f"`{key}` is new: {_short(after)}"
    if after is _ABSENT:
        return f"`{key}` is gone"
    return f"`{key}` changed: {_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line's worth
