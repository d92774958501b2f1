"""A multi-layer perceptron: trained by torch, on a GPU where there is one, and scored by numpy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform, IntUniform, LogUniform, Uniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.checkpointing import Checkpointing
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.models.checkpointing import Checkpoint
    from mlops_compiler.models.kind import Matrix, Target


class TorchMlpParameters(Parameters):
    """A plain network with dropout, trained by AdamW; give it standardized columns.

    The ranges lie within those of Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data" (2021,
    table 15: 1 to 8 layers of up to 512, dropout to 0.5, learning rate 1e-5 to 1e-2, weight decay 1e-6 to
    1e-3), less the slow ends; weight decay reaches further, as tables here are smaller.
    """

    hidden: Tunable[Annotated[int, Field(ge=1, le=8192)]] = IntLogUniform(low=16, high=256)
    """Units in each hidden layer."""
    layers: Tunable[Annotated[int, Field(ge=1, le=32)]] = IntUniform(low=1, high=3)
    """How many hidden layers."""
    bins: Tunable[Annotated[int, Field(ge=1, le=256)]] = Choice(values=(1, 8, 32))
    """Most bins into which a column is cut for a piecewise linear encoding; 1 leaves the columns as they are."""
    dropout: Tunable[Annotated[float, Field(ge=0, lt=1)]] = Uniform(low=0.0, high=0.5)
    """The share of a hidden layer's units that each training step leaves out."""
    learning_rate: Tunable[Annotated[float, Field(gt=0, le=1)]] = LogUniform(low=3e-4, high=1e-2)
    """The step size of AdamW."""
    weight_decay: Tunable[Annotated[float, Field(ge=0, le=10)]] = LogUniform(low=1e-6, high=1e-1)
    """How fast weights decay towards zero."""
    batch_size: Tunable[Annotated[int, Field(ge=2, le=2**20)]] = Choice(values=(64, 128, 256))
    """Rows in a training step."""
    epochs: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = 60
    """Most passes over the training rows."""
    patience: Tunable[Annotated[int, Field(ge=1)]] = 8
    """Passes without a lower loss on the rows held back (a tenth), after which training stops."""


class TorchMlp(ModelKind):
    """A neural network."""

    name = "torch_mlp"
    tasks = TASKS
    parameters = TorchMlpParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {
            "hidden": 64,
            "layers": 2,
            "bins": 8,
            "dropout": 0.1,
            "learning_rate": 1e-3,
            "weight_decay": 1e-2,
            "batch_size": 128,
            "epochs": 60,
            "patience": 8,
        }
    )
    complexity = 50
    seconds_per_cell = 6e-6
    version = 2
    uses_gpu = True
    resumable = True
    rounds_by_threads = True

    def gpu_bytes(self, rows: int, columns: int, parameters: Mapping[str, Scalar]) -> float:
        """Count float32 numbers: rows; weights, their gradient and AdamW's two moments; what a step holds."""
        given = {name: value for name, value in parameters.items() if isinstance(value, int)}
        width, hidden, layers = columns * given["bins"], given["hidden"], given["layers"]
        weights = width * hidden + (layers - 1) * hidden**2 + hidden
        at_once = max(min(given["batch_size"], rows), rows // 10)  # a tenth is held back, and judges all at once
        return 4.0 * (rows * width + 4 * weights + at_once * (width + 3 * hidden * layers))

    def unreached(self, parameters: Mapping[str, Scalar | Domain]) -> dict[str, str]:
        """Find a patience that the last pass comes before."""
        epochs, patience = parameters["epochs"], parameters["patience"]
        if isinstance(epochs, int) and isinstance(patience, int) and patience >= epochs:
            return {"patience": f"training ends after `epochs: {epochs}` passes"}
        return {}

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Train on `options.device`."""
        return self.resume(X, y, parameters=parameters, options=options, checkpointing=Checkpointing())[0]

    def resume(
        self,
        X: Matrix,
        y: Target,
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
        checkpointing: Checkpointing,
    ) -> tuple[FittedModel, Checkpoint]:
        """Train from a checkpoint on, or up to a pass over the rows."""
        from mlops_compiler.models.adapters.net_training import fit_net

        return fit_net(X, y, parameters, options, checkpointing)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the weights; needs numpy only."""
        from mlops_compiler.models.adapters.net import load_net

        return load_net(files)
