"""Why a stage runs again: the ingredients that changed, in the recipe's own words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.records import StageRecord

_SHOWN = 2
_ABSENT = object()
ALTERNATIVES = "prepare.alternatives"
"""The ingredient that names all preparations that a search may choose from."""
VERSION = "code.version"
"""The ingredient that says which version of our own code makes a stage."""
_WORDS = {
    "split.task": "objective.task",
    "search.task": "objective.task",
    "select.task": "objective.task",
    "evaluate.task": "objective.task",
    "split.target": "objective.target",
    "split.positive": "objective.positive",
    "split.holdout": "validate.holdout.kind",
    "split.fraction": "validate.holdout.fraction",
    "split.folds": "validate.folds.kind",
    "split.k": "validate.folds.k",
    "split.repeats": "validate.folds.repeats",
    "split.window": "validate.folds.window",
    "split.max_train": "validate.folds.max_train",
    "split.gap": "validate.folds.gap",
    "split.holdout_gap": "validate.holdout.gap",
    "split.seed": "validate.seed",
    "feedback.share": "feedback.quota.share",
    "feedback.key": "data.key",
    "nested.k": "validate.nested.k",
    "nested.metric": "objective.metric",
    "select.k": "validate.folds.k",
    "select.calibrate": "models.calibrate",
    "split.time": "data.time",
    "split.group": "data.group",
    "split.weight": "data.weight",
    "search.seed": "validate.seed",
    "search.metric": "objective.metric",
    "search.metrics": "objective.report",
    "select.value": "objective.value",
    "select.max_overfit": "search.max_overfit",
    "select.explanation": "select.require.explanation",
    "evaluate.value": "objective.value",
    "evaluate.seed": "validate.seed",
    "evaluate.metric": "objective.metric",
    "evaluate.metrics": "objective.report",
    "explain.task": "objective.task",
    "explain.metric": "objective.metric",
    "explain.value": "objective.value",
    "explain.seed": "validate.seed",
    "train.seed": "validate.seed",
    "train.key": "data.key",
    "release.criteria": "objective.accept",
}
"""Ingredients that the recipe calls otherwise."""
_NAMED = {("prepare",): 2, ("models",): 2, ("data", "columns"): 3, ("features", "columns"): 3}
"""Where the recipe names things: changes below are told of the thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that changed since a stage ran last.

    Attributes:
        path: The key of the recipe that it is about, dotted; empty where it is about none.
        text: What changed, in one sentence.
    """

    path: str
    text: str


_RESOLVED = {
    "search.warm": Cause(path="search.warm_start", text="it begins with other points"),
    "release.against": Cause(path="objective.accept", text="another release is in place, which is to be beaten"),
    "feedback.table": Cause(path="feedback", text="other rows of wrong predictions came back"),
    "split.frozen": Cause(path="feedback", text="what was held out of the release in place stays held out"),
}
"""Ingredients that planning finds out."""


def causes(stage: Stage, last: StageRecord) -> tuple[Cause, ...]:
    """List what changed of a stage's own ingredients since a record of it."""
    found = changed(last.ingredients, stage.ingredients)
    order = found.pop("prepare.order", None)
    version = found.pop(VERSION, None)
    alternatives = found.pop(ALTERNATIVES, None)
    told = tuple(_told(path, pairs, stage.ingredients) for path, pairs in _gathered(found).items())
    if order is not None and not any(cause.path.startswith("prepare.") for cause in told):
        told += (Cause(path="prepare", text=f"the steps are in another order: {', '.join(order[1] or ())}"),)
    if alternatives is not None and not any(cause.path.startswith("prepare.") for cause in told):
        told += (Cause(path="prepare", text="what the search may choose under `prepare` changed"),)
    if version is not None and version[0] is not _ABSENT:
        told += (Cause(path="", text="this version of mlops-compile makes it in another way"),)
    return told


def summary(found: tuple[Cause, ...]) -> str:
    """Put causes into one line."""
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(cause.text for cause in found[:_SHOWN]) + more


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """List the keys whose values differ, each with the old and the new one; absent ones as a marker."""
    keys = [*after, *(key for key in before if key not in after)]
    pairs = {key: (before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _gathered(found: dict[str, tuple[Any, Any]]) -> dict[str, dict[str, tuple[Any, Any]]]:
    """File changes under the step, model or column that they are part of, or under their own key."""
    gathered: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key, pair in found.items():
        subject, _, rest = _subject(key)
        gathered.setdefault(subject, {})[rest] = pair
    return gathered


def _subject(key: str) -> tuple[str, str, str]:
    parts = tuple(key.split("."))
    for start, length in _NAMED.items():
        if parts[: len(start)] == start and len(parts) >= length:
            rest = ".".join(part for part in parts[length:] if part != "parameters")
            return ".".join(parts[:length]), ".", rest
    for ours, theirs in _WORDS.items():
        if key == ours or key.startswith(f"{ours}."):
            return theirs + key.removeprefix(ours), "", ""
    return key, "", ""


def _told(path: str, pairs: dict[str, tuple[Any, Any]], now: Mapping[str, Any]) -> Cause:
    if path == "data.source.digest":
        return Cause(path="data.source.path", text="the source file changed")
    if path in _RESOLVED:
        return _RESOLVED[path]
    if path.endswith(".source.digest"):
        _, kind, name, *_ = path.split(".")
        return Cause(path=path.replace(".digest", ".path"), text=f"the table of {kind} `{name}` changed")
    befores, afters = zip(*pairs.values(), strict=True)
    if all(before is _ABSENT for before in befores) and _is_whole(path, pairs, now):
        shown = "" if "" not in pairs else f": {_short(afters[0])}"
        return Cause(path=path, text=f"`{path}` is new{shown}")
    if all(after is _ABSENT for after in afters) and not any(key.startswith(f"{path}.") for key in now):
        return Cause(path=path, text=f"`{path}` is gone")
    first = next(iter(pairs))
    return Cause(path=f"{path}.{first}" if first else path, text=f"`{path}` changed: {', '.join(_changes(pairs))}")


def _is_whole(path: str, pairs: dict[str, tuple[Any, Any]], now: Mapping[str, Any]) -> bool:
    """Whether all that the recipe says of a thing is among its changes."""
    return all(_subject(key)[2] in pairs for key in now if _subject(key)[0] == path)


def _changes(pairs: dict[str, tuple[Any, Any]]) -> Iterator[str]:
    for name, (before, after) in list(pairs.items())[:_SHOWN]:
        label = f"{name} " if name else ""
        if before is _ABSENT:
            yield f"{label}{_short(after)} is new"
        elif after is _ABSENT:
            yield f"{label}{_short(before)} is gone"
        else:
            yield f"{label}{_short(before)} → {_short(after)}"
    if len(pairs) > _SHOWN:
        yield f"and {len(pairs) - _SHOWN} more"


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], str) and value[0] in DOMAINS:
        return f"{value[0]} {_short(value[1] if value[0] == 'choice' else value[1:])}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line's worth
