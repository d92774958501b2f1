"""A multi-layer perceptron, as numpy scores it: torch is needed to train one only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, affine, answers_task, linked
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files, task_of
from mlops_compiler.models.adapters.net_inputs import Inputs, take_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.history import TrainingHistory
    from mlops_compiler.models.kind import Matrix

KIND = "torch_mlp"
_BLOCK = 512  # rows whose hidden layers stay in the cache; they are independent, so that any number will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An affine map: weights of shape (inputs, outputs), and a bias of shape (outputs,)."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedNet(ScoringModel):
    """Layers with a ReLU between each two; the last gives the log-odds of class 1 or of each class, or the value."""

    kind: ClassVar[str] = KIND
    task: Task
    layers: tuple[Layer, ...]
    inputs: Inputs
    """How the columns become what the first layer takes."""
    notes: tuple[str, ...] = ()
    history: TrainingHistory | None = None
    smaller: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.inputs.width

    def answer(self, X: Matrix) -> Matrix:
        """Pass rows through the layers, a block of them at a time."""
        blocks = [self._margins(X[start : start + _BLOCK]) for start in range(0, len(X), _BLOCK)]
        return linked(self.task, np.concatenate(blocks) if blocks else np.empty((0, len(self.layers[-1].bias))))

    def _margins(self, X: Matrix) -> Matrix:
        hidden = self.inputs.fill(X)
        for layer in self.layers[:-1]:
            hidden = np.maximum(affine(hidden, layer.weights, layer.bias), 0.0)
        return affine(hidden, self.layers[-1].weights, self.layers[-1].bias)

    def dump(self) -> dict[str, bytes]:
        """Write the layers, in float32 as they were trained."""
        arrays: dict[str, NDArray[Any]] = {}
        for index, layer in enumerate(self.layers):
            arrays[f"{index}.weights"] = layer.weights.astype(np.float32)
            arrays[f"{index}.bias"] = layer.bias.astype(np.float32)
        arrays |= self.inputs.arrays()
        return dump_files(KIND, arrays, task=self.task, features=self.features)


def load_net(files: Mapping[str, bytes]) -> FittedNet:
    """Read the layers.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, config = load_files(KIND, files)
    task, inputs = task_of(KIND, config), take_inputs(KIND, arrays, config)
    count = len(arrays) // 2
    names = {f"{index}.{part}" for index in range(count) for part in ("weights", "bias")}
    if not names or names != set(arrays) or any(array.dtype != np.float32 for array in arrays.values()):
        raise corrupt(KIND, "its layers are incomplete")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise corrupt(KIND, "its weights are not all finite")
    layers = tuple(
        Layer(
            weights=arrays[f"{index}.weights"].astype(np.float64),
            bias=arrays[f"{index}.bias"].astype(np.float64),
        )
        for index in range(count)
    )
    if not _fits_together(layers) or not answers_task(task, layers[-1].weights, layers[-1].bias):
        raise corrupt(KIND, "its layers do not fit together")
    if len(layers[0].weights) != inputs.outputs:
        raise corrupt(KIND, "its first layer does not take what it is given")
    return FittedNet(task=task, layers=layers, inputs=inputs)


def _fits_together(layers: tuple[Layer, ...]) -> bool:
    outputs = [*(len(layer.weights) for layer in layers[1:]), len(layers[-1].bias)]
    return all(
        layer.weights.ndim == 2 and layer.weights.shape[1:] == layer.bias.shape == (wanted,)  # noqa: PLR2004
        for layer, wanted in zip(layers, outputs, strict=True)
    )
