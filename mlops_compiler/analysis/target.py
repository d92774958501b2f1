"""The target must be something that the task can predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.analysis.population import UNTYPED
from mlops_compiler.ir.ops.intake import ColumnCheck
from mlops_compiler.recipe.objective import AnomalyDetection, BinaryClassification

if TYPE_CHECKING:
    from mlops_compiler.analysis.source import Intake
    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe

_VALUES = ("int", "float")
_CLASSES = ("text", "category", "int", "bool")


def target_fits(recipe: Recipe, intake: Intake, places: Provenance, sink: Sink) -> None:
    """Check that the target's type and values are those of the task."""
    objective = recipe.objective
    if objective.target is None:
        return
    target = next((column for column in intake.check.columns if column.name == objective.target), None)
    if intake.target == UNTYPED:
        return
    if intake.target is not None:
        target = ColumnCheck(name=objective.target, type=intake.target, nullable=False)
    if target is None:
        return
    if isinstance(objective, BinaryClassification | AnomalyDetection):
        _positive_fits(objective, target, places, sink)
        return
    fitting = _VALUES if objective.task == "regression" else _CLASSES
    if target.type not in fitting:
        span = places.value_span(("objective", "target"))
        sink.add(wording_data.wrong_target(target.name, target.type, objective.task, fitting, span))


def _positive_fits(
    objective: BinaryClassification | AnomalyDetection, target: ColumnCheck, places: Provenance, sink: Sink
) -> None:
    positive, span = objective.positive, places.value_span(("objective", "positive"))
    if target.one_of is not None and positive not in target.one_of:
        why = f"its contract allows {len(target.one_of)} others"
        sink.add(wording_data.wrong_positive(positive, target.name, why, target.one_of, span))
    elif not is_of(positive, target.type):
        why = f"the column is {target.type}, and this is {_kind(positive)}"
        sink.add(wording_data.wrong_positive(positive, target.name, why, (), span))
    two = isinstance(objective, BinaryClassification)
    if two and target.one_of is not None and len(target.one_of) != 2:  # noqa: PLR2004 - binary
        allowed = places.value_span(("data", "columns", target.name, "one_of"))
        sink.add(
            wording_data.contract_conflict(target.name, "is the target of a binary task and needs two values", allowed)
        )


def _kind(value: object) -> str:
    names: dict[type, str] = {bool: "a boolean (quote it, if it is a word)", int: "a number", str: "a text"}
    return names[type(value)]


def is_of(value: object, kind: str) -> bool:
    """Say whether a value of YAML is exactly of a type of the contract."""
    kinds: dict[str, type] = {"text": str, "category": str, "int": int, "bool": bool}
    return type(value) is kinds.get(kind)
