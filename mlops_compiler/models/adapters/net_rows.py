"""The rows that a network learns from, as tensors, and what it costs to be wrong about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.net_memory import on_device
from mlops_compiler.models.adapters.sampling import hold_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Matrix, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class NetRows:
    """Float32 tensors: the rows to learn from, and those held back; and what an error costs.

    They are on the device, where they fit there.

    Attributes:
        loss: Takes what the network gives, shape (rows, outputs), what came and the weights of the rows.
    """

    loss: Callable[[Any, Any, Any], Any]
    X: Any
    y: Any
    weights: Any
    X_held: Any
    y_held: Any
    weights_held: Any

    def learned(self, rows: Any, device: str) -> tuple[Any, Any, Any]:
        """Take some of the rows to learn from: what is known of them, what came, what they weigh; on the device."""
        return tuple(part[rows.to(part.device)].to(device) for part in (self.X, self.y, self.weights))

    def held(self, start: int, count: int, device: str) -> tuple[Any, Any, Any]:
        """Take some of the rows held back."""
        parts = (self.X_held, self.y_held, self.weights_held)
        return tuple(part[start : start + count].to(device) for part in parts)


def net_rows(X: Matrix, y: Target, options: FitOptions) -> NetRows:
    """Put rows on the device, some of them held back."""
    import torch

    def tensor(array: NDArray[Any]) -> Any:
        with np.errstate(over="ignore"):  # what float32 cannot hold makes the loss infinite: a divergence
            return on_device(torch.from_numpy(array.astype(np.float32)), options.device)

    learn, held = hold_back(y, options)
    weights = np.ones(len(y)) if options.weights is None else options.weights
    return NetRows(
        loss=_LOSSES[options.task],
        X=tensor(X[learn]),
        y=tensor(y[learn]),
        weights=tensor(weights[learn]),
        X_held=tensor(X[held]),
        y_held=tensor(y[held]),
        weights_held=tensor(weights[held]),
    )


def _two_classes(margins: Any, y: Any, weights: Any) -> Any:
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(margins[:, 0], y, weight=weights)


def _classes(margins: Any, y: Any, weights: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return (cross_entropy(margins, y.long(), reduction="none") * weights).mean()


def _squares(margins: Any, y: Any, weights: Any) -> Any:
    return ((margins[:, 0] - y) ** 2 * weights).mean()


_LOSSES: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "binary_classification": _two_classes,
    "multiclass_classification": _classes,
    "regression": _squares,
}
