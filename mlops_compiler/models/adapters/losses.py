"""What boosted trees for values make small: squares of errors, or a deviance, whose trees add up to a logarithm.

Poisson's and the gamma's deviance count an error beside the size of the value: what is ten times as large may be
missed by more (McCullagh and Nelder, "Generalized Linear Models", 1989). Their means are means of the values all the
same, which those of a model of logarithms are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.models.adapters.files import corrupt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

Loss: TypeAlias = Literal["squared_error", "poisson", "gamma"]


def loss_of(parameters: Mapping[str, Any], y: Target, options: FitOptions, *, kind: str) -> Loss | None:
    """Name the loss of a fit; None where the task has classes, whose loss is the log loss.

    Raises:
        DataError: The target has values that the loss has no meaning for (`wrong-target`).
    """
    if options.task != "regression":
        return None
    loss: Loss = parameters["loss"]
    wrong = {"poisson": (y < 0).sum() if y.any() else len(y), "gamma": (y <= 0).sum()}.get(loss, 0)
    if wrong:
        must = "above 0" if loss == "gamma" else "not negative, and not all of it 0"
        headline = f"`loss: {loss}` is for a target that is {must}: {kind} finds {wrong} of {len(y)} rows that are not"
        advice = "write `loss: squared_error`, or predict something else"
        raise DataError([Diagnostic(code="wrong-target", headline=headline, help=advice)])
    return loss


def has_log_link(loss: Loss | None) -> bool:
    """Say whether the trees add up to the logarithm of the value."""
    return loss in ("poisson", "gamma")


def said_of_link(log: bool) -> dict[str, str]:  # noqa: FBT001 - it is all that there is to say
    """Write into the settings of a model that its trees add up to a logarithm, where they do."""
    return {"link": "log"} if log else {}


def read_link(kind: str, config: Mapping[str, Any], task: Task) -> bool:
    """Read whether the trees add up to a logarithm.

    Raises:
        EngineError: The settings say something else.
    """
    found = config.get("link")
    if found not in (None, "log") or (found and task != "regression"):
        raise corrupt(kind, "what its trees add up to is not known")
    return found is not None


def exponential(margins: Matrix) -> Matrix:
    """Turn logarithms into values; what overflows is infinite."""
    with np.errstate(over="ignore"):
        values: Matrix = np.exp(margins)
    return values
