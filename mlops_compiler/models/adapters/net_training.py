"""The network is trained by AdamW on most of the training rows, until the loss of the rest stops falling.

Everything random comes from the seed, and torch's global state is as it was when the training is over.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models.adapters.answers import outputs_of
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.net import KIND, FittedNet, Layer
from mlops_compiler.models.adapters.piecewise import bins_of
from mlops_compiler.models.adapters.sampling import hold_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Device, FitOptions, Matrix, Target


def fit_net(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedNet:
    """Train a network.

    Raises:
        DataError: The rows cannot be learned from.
        EngineError: The training diverged.
    """
    check_training_rows(X, y, kind=KIND, options=options)
    settings: dict[str, Any] = dict(parameters)
    bins = bins_of(X, settings["bins"]) if settings["bins"] > 1 else None
    inputs = X if bins is None else bins.fill(X)
    middle, spread = _scale_of(y) if options.task == "regression" else (0.0, 1.0)
    with _reproducible_torch(options):
        model = _network(inputs.shape[1], outputs_of(options.task, options.classes), settings).to(options.device)
        best = _train(
            model, _rows(inputs, np.asarray((y - middle) / spread, dtype=np.float64), options), settings, options
        )
    return FittedNet(task=options.task, layers=_unscaled(_layers(best), middle, spread), bins=bins)


def _scale_of(y: Target) -> tuple[float, float]:
    """Give mean and standard deviation: a network learns values of about 1."""
    return float(y.mean()), float(y.std()) or 1.0


def _unscaled(layers: tuple[Layer, ...], middle: float, spread: float) -> tuple[Layer, ...]:
    """Let the last layer give values in the unit of the target."""
    last = Layer(weights=layers[-1].weights * spread, bias=layers[-1].bias * spread + middle)
    kept = [Layer(weights=_rounded(layer.weights), bias=_rounded(layer.bias)) for layer in (*layers[:-1], last)]
    return tuple(kept)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round as the file will, so that a stored network answers with the same bits."""
    return values.astype(np.float32).astype(np.float64)


@contextmanager
def _reproducible_torch(options: FitOptions) -> Iterator[None]:
    """Set torch's seed, threads and deterministic algorithms, and put them back."""
    on_gpu = options.device == "cuda"
    if on_gpu:  # cuBLAS reads it when it starts; without it, it is not deterministic
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else []):
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        torch.use_deterministic_algorithms(mode=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic)
            torch.set_num_threads(threads)


def _network(inputs: int, outputs: int, settings: Mapping[str, Any]) -> Any:
    from torch import nn

    parts: list[nn.Module] = []
    for _ in range(settings["layers"]):
        parts += [nn.Linear(inputs, settings["hidden"]), nn.ReLU(), nn.Dropout(settings["dropout"])]
        inputs = settings["hidden"]
    return nn.Sequential(*parts, nn.Linear(inputs, outputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Float32 tensors on the device: the rows to learn from, and those held back; and what an error costs.

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


def _rows(X: Matrix, y: Target, options: FitOptions) -> _Rows:
    import torch

    def tensor(array: NDArray[Any]) -> Any:
        with np.errstate(over="ignore"):  # what float32 cannot hold makes the loss infinite: a divergence
            return torch.from_numpy(array.astype(np.float32)).to(options.device)

    learn, held = hold_back(y, options)
    weights = np.ones(len(y)) if options.weights is None else options.weights
    return _Rows(
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


@dataclass(slots=True, kw_only=True)
class _Best:
    """The weights with the lowest loss on the rows held back so far."""

    patience: int
    loss: float = float("inf")
    weights: dict[str, Any] = field(default_factory=dict)
    since: int = 0

    def see(self, loss: float, model: Any) -> bool:
        """Keep the weights if they are better; say whether there is hope left."""
        if loss < self.loss:
            self.loss, self.since = loss, 0
            self.weights = {name: part.detach().clone() for name, part in model.state_dict().items()}
        else:
            self.since += 1
        return self.since < self.patience


def _train(model: Any, rows: _Rows, settings: Mapping[str, Any], options: FitOptions) -> dict[str, Any]:
    """Give the best weights seen after any pass over the rows."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"], fused=True
    )
    best = _Best(patience=settings["patience"])
    for _ in range(settings["epochs"]):
        _pass_over(model, rows, optimizer, settings["batch_size"], options.device)
        if not best.see(_held_back_loss(model, rows), model):
            break
    if not best.weights:
        headline = f"the training of {KIND} diverged: no pass gave a finite loss"
        advice = "standardize the columns, or lower `learning_rate`"
        raise EngineError([Diagnostic(code="fit-diverged", headline=headline, help=advice)])
    return best.weights


def _pass_over(model: Any, rows: _Rows, optimizer: Any, batch_size: int, device: Device) -> None:
    """Take one step for each batch; products are bfloat16 on a GPU, weights and loss float32."""
    import torch

    model.train()
    for batch in torch.randperm(len(rows.y)).to(device).split(batch_size):
        optimizer.zero_grad()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            margins = model(rows.X[batch])
        rows.loss(margins.float(), rows.y[batch], rows.weights[batch]).backward()
        optimizer.step()


def _held_back_loss(model: Any, rows: _Rows) -> float:
    import torch

    model.eval()
    with torch.no_grad():
        return float(rows.loss(model(rows.X_held), rows.y_held, rows.weights_held))


def _layers(weights: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Turn torch's weights, shape (outputs, inputs), into layers for numpy."""
    arrays = {name: part.cpu().numpy().astype(np.float64) for name, part in weights.items()}
    return tuple(
        Layer(weights=np.ascontiguousarray(array.T), bias=arrays[name.replace("weight", "bias")])
        for name, array in arrays.items()
        if name.endswith("weight")
    )
