"""The network is trained by AdamW on most of the training rows, until the loss of the rest stops falling.

Everything random comes from the seed, and torch's global state is as it was when the training is over.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models.adapters.answers import outputs_of
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.net import KIND, FittedNet, Layer
from mlops_compiler.models.adapters.net_checkpoint import Training, checkpoint_of, take_up
from mlops_compiler.models.adapters.net_memory import RowsAtOnce, network_fits
from mlops_compiler.models.adapters.net_module import BODY, Columns, make_network
from mlops_compiler.models.adapters.net_rows import net_rows
from mlops_compiler.models.adapters.sampling import hold_back
from mlops_compiler.models.history import TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.adapters.net_rows import NetRows
    from mlops_compiler.models.checkpointing import Checkpoint, Checkpointing
    from mlops_compiler.models.kind import Device, FitOptions, Matrix, Target


def fit_net(
    X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions, checkpointing: Checkpointing
) -> tuple[FittedNet, Checkpoint]:
    """Train a network, from a checkpoint on where there is one.

    Raises:
        DataError: The rows cannot be learned from.
        EngineError: The training diverged, or the checkpoint is of another network.
    """
    check_training_rows(X, y, kind=KIND, options=options)
    settings: dict[str, Any] = dict(parameters)
    columns = Columns(X, options.categories, settings)
    middle, spread = _scale_of(y) if options.task == "regression" else (0.0, 1.0)
    with _reproducible_torch(options), network_fits():
        model = make_network(columns, outputs_of(options.task, options.classes), settings).to(options.device)
        rows = net_rows(columns.rows(X), np.asarray((y - middle) / spread, dtype=np.float64), options)
        training = _train(model, rows, settings, options, checkpointing)
        checkpoint = checkpoint_of(training)
    weights = {name: part.cpu().numpy().astype(np.float64) for name, part in training.best.items()}
    fitted = FittedNet(
        task=options.task,
        layers=_unscaled(_layers(weights), middle, spread),
        inputs=columns.inputs(weights, X[hold_back(y, options)[0]]),
        history=_history(training, options, spread),
        smaller=training.notes,
    )
    return fitted, checkpoint


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


def _train(
    model: Any, rows: NetRows, settings: Mapping[str, Any], options: FitOptions, checkpointing: Checkpointing
) -> Training:
    """Pass over the rows until the loss of those held back stops falling, or the training is to pause."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"], fused=True
    )
    training = Training(model=model, optimizer=optimizer)
    if checkpointing.start is not None:
        take_up(training, checkpointing.start)
    last = min(settings["epochs"], checkpointing.until or settings["epochs"])
    kept = time.monotonic()
    sizes = _Sizes(batch=RowsAtOnce("a batch"), held=RowsAtOnce("the rows held back"))
    while training.passes < last and training.since < settings["patience"]:
        learned = _pass_over(training, rows, settings, sizes.batch, options.device)
        held = sizes.held.parts(len(rows.y_held), lambda most: _held_back_loss(model, rows, most, options.device))
        training.see(learned, held, settings["learning_rate"])
        if checkpointing.keep is not None and time.monotonic() - kept >= checkpointing.every:
            checkpointing.keep(checkpoint_of(training))
            kept = time.monotonic()
    training.notes = (*sizes.batch.notes, *sizes.held.notes)
    if not training.best:
        headline = f"the training of {KIND} diverged: no pass gave a finite loss"
        advice = "standardize the columns, or lower `learning_rate`"
        raise EngineError([Diagnostic(code="fit-diverged", headline=headline, help=advice)])
    return training


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """How many rows go through at once, where they are learned from and where they judge."""

    batch: RowsAtOnce
    held: RowsAtOnce


def in_bfloat16(precision: str, device: Device) -> bool:
    """Say whether products are bfloat16: where a recipe says so, or, left to the device, on a GPU that has them."""
    import torch

    if precision == "auto":
        return device == "cuda" and bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return precision == "bfloat16"


def _pass_over(
    training: Training, rows: NetRows, settings: Mapping[str, Any], sizes: RowsAtOnce, device: Device
) -> float:
    """Take one step for each batch.

    Returns:
        The mean loss over the rows, as it was when each of them was learned from.
    """
    import torch

    training.model.train()
    total = torch.zeros((), device=device)
    mixed = torch.autocast(device, dtype=torch.bfloat16, enabled=in_bfloat16(settings["precision"], device))
    for batch in torch.randperm(len(rows.y)).to(device).split(settings["batch_size"]):
        step = partial(_gradient, training, rows, batch, (device, mixed))
        total += sizes.parts(len(batch), step) * len(batch)
        training.optimizer.step()
    return float(total) / len(rows.y)


def _gradient(training: Training, rows: NetRows, batch: Any, where: tuple[Device, Any], at_once: int) -> Any:
    """Find the gradient of a batch, part by part; products may be bfloat16, weights and loss are float32.

    Args:
        training: What is trained.
        rows: The rows.
        batch: Which of them are the batch.
        where: The device, and the context that says how its products are computed.
        at_once: How many rows a part has at most.

    Returns:
        Its mean loss.
    """
    import torch

    device, mixed = where
    training.optimizer.zero_grad()
    total = torch.zeros((), device=device)
    for part in batch.split(at_once):
        X, y, weights = rows.learned(part, device)
        with mixed:
            margins = training.model(X)
        loss = rows.loss(margins.float(), y, weights) * (len(part) / len(batch))
        loss.backward()
        total += loss.detach()
    return total


def _held_back_loss(model: Any, rows: NetRows, at_once: int, device: Device) -> float:
    import torch

    model.eval()
    total, count = 0.0, len(rows.y_held)
    with torch.no_grad():
        for start in range(0, count, at_once):
            X, y, weights = rows.held(start, at_once, device)
            total += float(rows.loss(model(X), y, weights)) * (len(y) / count)
    return total


def _history(training: Training, options: FitOptions, spread: float) -> TrainingHistory:
    """Tell the losses, those of values in the unit of the target, squared."""
    values = options.task == "regression"
    unit = spread**2 if values else 1.0
    return TrainingHistory(
        unit="epoch",
        loss="squared_error" if values else "log_loss",
        training=[loss * unit for loss in training.training_loss],
        validation=[loss * unit for loss in training.validation_loss],
        learning_rate=training.learning_rate,
        best=training.best_pass,
    )


def _layers(weights: Mapping[str, NDArray[np.float64]]) -> tuple[Layer, ...]:
    """Turn torch's layers, with weights of shape (outputs, inputs), into layers for numpy."""
    return tuple(
        Layer(weights=np.ascontiguousarray(array.T), bias=weights[name.replace("weight", "bias")])
        for name, array in weights.items()
        if name.startswith(BODY) and name.endswith("weight")
    )
