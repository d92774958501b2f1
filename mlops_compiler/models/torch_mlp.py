"""A multi-layer perceptron: trained by torch, on a GPU where there is one, and scored by numpy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform, IntUniform, LogUniform, Uniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.parameters import Parameters, Tunable
from mlops_compiler.models.resumable import ResumableKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.models.checkpointing import Checkpoint, Checkpointing
    from mlops_compiler.models.kind import FitOptions, FittedModel, Matrix, Target


class TorchMlpParameters(Parameters):
    """A plain network with dropout, trained by AdamW; give it standardized columns.

    The ranges lie within those of Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data" (2021,
    table 15: 1 to 8 layers of up to 512, dropout to 0.5, learning rate 1e-5 to 1e-2, weight decay 1e-6 to
    1e-3), less the slow ends; weight decay reaches further, as tables here are smaller. The waves are those of
    Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022). Of their
    scale, the authors' library rtdl_num_embeddings says that it is best below 1 for 80 % of tasks, and that too large
    a one does harm, so that a search of few trials should keep to small ones. The size of vectors is the rule of
    fastai (Howard and Gugger, "fastai: A Layered API for Deep Learning", 2020).
    """

    hidden: Tunable[Annotated[int, Field(ge=1, le=8192)]] = IntLogUniform(low=16, high=256)
    """Units in each hidden layer."""
    layers: Tunable[Annotated[int, Field(ge=1, le=32)]] = IntUniform(low=1, high=3)
    """How many hidden layers."""
    numeric_embedding: Tunable[Literal["none", "piecewise_linear", "periodic"]] = Choice(
        values=("none", "piecewise_linear", "periodic")
    )
    """What numbers become: nothing else, how far they fill some bins, or waves of learned frequencies."""
    bins: Tunable[Annotated[int, Field(ge=1, le=256)]] = Choice(values=(8, 32))
    """Most bins into which a column is cut for `piecewise_linear`; 1 leaves the columns as they are."""
    frequencies: Tunable[Annotated[int, Field(ge=1, le=256)]] = Choice(values=(16, 48))
    """How many waves a column becomes for `periodic`, each a sine and a cosine."""
    frequency_scale: Tunable[Annotated[float, Field(gt=0, le=1000)]] = LogUniform(low=0.01, high=1.0)
    """How far apart the frequencies begin: the standard deviation that they are drawn with."""
    embedding_size: Tunable[Annotated[float, Field(gt=0, le=16)]] = 1.0
    """How long the vectors of categories are, as a share of 1.6 times levels to the power of 0.56."""
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
    precision: Tunable[Literal["auto", "float32", "bfloat16"]] = "auto"
    """Of products while it learns; `auto` takes bfloat16 on a GPU that has it. Weights and answers are float32."""


_OF_ENCODING = {"bins": "piecewise_linear", "frequencies": "periodic", "frequency_scale": "periodic"}


class TorchMlp(ResumableKind):
    """A neural network."""

    name = "torch_mlp"
    tasks = TASKS
    parameters = TorchMlpParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {
            "hidden": 64,
            "layers": 2,
            "numeric_embedding": "piecewise_linear",
            "bins": 8,
            "frequencies": 48,
            "frequency_scale": 0.1,
            "embedding_size": 1.0,
            "dropout": 0.1,
            "learning_rate": 1e-3,
            "weight_decay": 1e-2,
            "batch_size": 128,
            "epochs": 60,
            "patience": 8,
            "precision": "auto",
        }
    )
    complexity = 50
    seconds_per_cell = 6e-6
    version = 3
    takes_categories = True
    uses_gpu = True
    adjustable = frozenset({"dropout", "learning_rate", "weight_decay", "batch_size"})
    rounds_by_threads = True

    def gpu_bytes(self, rows: int, columns: int, parameters: Mapping[str, Scalar]) -> float:
        """Count float32 numbers: rows; weights, their gradient and AdamW's two moments; what a step holds."""
        given = {name: value for name, value in parameters.items() if isinstance(value, int)}
        width, hidden, layers = columns * given["bins"], given["hidden"], given["layers"]
        weights = width * hidden + (layers - 1) * hidden**2 + hidden
        at_once = max(min(given["batch_size"], rows), rows // 10)  # a tenth is held back, and judges all at once
        return 4.0 * (rows * width + 4 * weights + at_once * (width + 3 * hidden * layers))

    def unreached(self, parameters: Mapping[str, Scalar | Domain]) -> dict[str, str]:
        """Find a patience that the last pass comes before, and what is for another encoding of numbers."""
        epochs, patience, encoding = (parameters[name] for name in ("epochs", "patience", "numeric_embedding"))
        found = {}
        if isinstance(epochs, int) and isinstance(patience, int) and patience >= epochs:
            found["patience"] = f"training ends after `epochs: {epochs}` passes"
        for name, wanted in _OF_ENCODING.items():
            if isinstance(encoding, str) and encoding != wanted:
                found[name] = f"it is for `numeric_embedding: {wanted}`"
        return found

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
