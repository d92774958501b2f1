"""Steps as JSON and back: a fitted preparation is kept as data, never as pickled code."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.ir.ops.prepare import STEP_OPS

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.prepare import StepOp


def step_to_json(step: StepOp) -> dict[str, Any]:
    """Write a step as a JSON object, its kind under ``op``."""
    return {"op": step.op, **asdict(step)}


def step_from_json(value: dict[str, Any]) -> StepOp:
    """Read a step back.

    Raises:
        EngineError: It is of no kind known here, or not of that kind's shape.
    """
    fields = {name: item for name, item in value.items() if name != "op"}
    try:
        return _adapter(value["op"]).validate_python(fields)
    except (KeyError, ValidationError) as error:
        raise EngineError([_unreadable(value, error)]) from error


@cache
def _adapter(op: str) -> TypeAdapter[StepOp]:
    return TypeAdapter(STEP_OPS[op])


def _unreadable(value: dict[str, Any], error: Exception) -> Diagnostic:
    return Diagnostic(
        code="artifact-unreadable",
        headline=f"the store holds a step of kind {value.get('op')!r} that this version cannot read",
        help=f"train the release again with this version ({type(error).__name__})",
    )
