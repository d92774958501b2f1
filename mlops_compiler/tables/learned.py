"""What a step learned, in short: for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.prepare import (
    Aggregate,
    Balance,
    DropConstant,
    DropCorrelated,
    Impute,
    ImputeModel,
    SelectKBest,
    TargetEncode,
    Topics,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.ops.prepare import StepOp

_SHOWN = 6


def in_short(step: StepOp, learned: Mapping[str, Any]) -> dict[str, Any]:
    """Say by column what a step learned: numbers rounded, long lists cut."""
    match step:
        case Impute() if learned:
            groups = learned.get("groups", {})
            return {name: _fill(value, len(groups.get(name, ()))) for name, value in learned["fill"].items()}
        case ImputeModel():
            return {name: _listed(_weights(model)) for name, model in learned["models"].items()}
        case TargetEncode():
            return {
                name: f"{len(rates['levels'])} levels, rate of all {_number(rates['prior'])}"
                for name, rates in learned["rates"].items()
            }
        case Topics():
            return {name: f"{len(found['terms'])} words" for name, found in learned["topics"].items()}
        case Aggregate():
            return {
                name: f"{len(found)} groups, all {_number(learned['all'][name])}"
                for name, found in learned["groups"].items()
            }
        case Balance():
            return {f"rows with outcome {label}": count for label, count in learned["rows"].items()}
        case SelectKBest() | DropConstant() | DropCorrelated():
            return {"removed": _listed(learned["removed"])}
        case _:
            return _usual(learned)


def _fill(value: Any, groups: int) -> Any:
    shown = f"{value:.6g}" if isinstance(value, float) else value
    return f"{shown}, and by {groups} groups" if groups else shown


def _weights(model: Mapping[str, Any]) -> list[str]:
    return [_number(model["intercept"]), *(f"{_number(weight)} * {name}" for name, weight in model["weights"].items())]


def _usual(learned: Mapping[str, Any]) -> dict[str, Any]:
    if "rare" in learned:
        rare = learned["rare"]
        return {
            name: _listed(found) + (["(rare)"] if name in rare else []) for name, found in learned["levels"].items()
        }
    columns = dict.fromkeys(column for values in learned.values() for column in values)
    return {column: _of_column(column, learned) for column in columns}


def _of_column(column: str, learned: Mapping[str, Any]) -> Any:
    """Give a list as a list, and numbers by their names: bounds and scales are kept so."""
    if len(learned) == 1 and not isinstance(value := next(iter(learned.values()))[column], float | int):
        return _listed([_number(item) for item in value])
    return ", ".join(f"{name} {_number(values[column])}" for name, values in learned.items() if column in values)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _listed(values: list[str]) -> list[str]:
    return values if len(values) <= _SHOWN else [*values[: _SHOWN - 1], f"… {len(values) - _SHOWN + 1} more"]
