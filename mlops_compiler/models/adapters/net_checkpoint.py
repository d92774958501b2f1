"""A training on its way, and how it is kept: as a safetensors file of everything that its next step depends on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.net import KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.models.checkpointing import Checkpoint

_FORMAT = 1
_STATE = "state"
_COUNTS = ("passes", "best_pass", "since")
_SERIES = ("training_loss", "validation_loss", "learning_rate")
_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
"""What AdamW keeps of each parameter."""


@dataclass(slots=True, kw_only=True)
class Training:
    """How far a training is.

    Attributes:
        model: The network, on its device.
        optimizer: Its optimizer.
        passes: How many passes over the rows were made.
        best: The weights with the lowest loss on the rows held back so far; none before there is a finite one.
        best_pass: The pass after which they were.
        since: How many passes were made since.
        training_loss: The mean loss of each pass.
        validation_loss: The loss on the rows held back after each pass.
        learning_rate: The step size of each pass.
        notes: How it got on with too little memory; not kept.
    """

    model: Any
    optimizer: Any
    passes: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    best_pass: int = 0
    since: int = 0
    training_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def see(self, training_loss: float, validation_loss: float, learning_rate: float) -> None:
        """Take note of a pass, and keep the weights where they are the best so far."""
        lowest = self.validation_loss[self.best_pass - 1] if self.best else float("inf")
        self.passes += 1
        self.training_loss.append(training_loss)
        self.validation_loss.append(validation_loss)
        self.learning_rate.append(learning_rate)
        if validation_loss < lowest:
            self.best_pass, self.since = self.passes, 0
            self.best = {name: part.detach().clone() for name, part in self.model.state_dict().items()}
        else:
            self.since += 1


def checkpoint_of(training: Training) -> Checkpoint:
    """Write down a training: weights now and at their best, the optimizer's moments, and the generators' states."""
    import torch
    from safetensors.torch import save

    state = {name: getattr(training, name) for name in (*_COUNTS, *_SERIES)}
    text = json.dumps({"format": _FORMAT, "kind": KIND, **state}).encode()
    tensors = {
        _STATE: torch.frombuffer(bytearray(text), dtype=torch.uint8),
        "random.cpu": torch.get_rng_state(),
        **{f"now.{name}": part for name, part in training.model.state_dict().items()},
        **{f"best.{name}": part for name, part in training.best.items()},
        **{
            f"optimizer.{place}.{name}": part
            for place, parts in training.optimizer.state_dict()["state"].items()
            for name, part in parts.items()
        },
    }
    if _device(training) == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    content: bytes = save({name: part.detach().contiguous() for name, part in sorted(tensors.items())})
    return content


def take_up(training: Training, checkpoint: Checkpoint) -> None:
    """Bring a new training to where a checkpoint was written.

    Raises:
        EngineError: It is damaged, or of a network of another shape.
    """
    import torch

    tensors, state = _read(checkpoint)
    now, best, moments = (_part(tensors, name) for name in ("now.", "best.", "optimizer."))
    shapes = {name: part.shape for name, part in training.model.state_dict().items()}
    count = len(list(training.model.parameters()))
    wanted = {f"{place}.{name}" for place in range(count) for name in _MOMENTS}
    if {name: part.shape for name, part in now.items()} != shapes:
        raise corrupt(KIND, "its checkpoint is of another network")
    if (best and {name: part.shape for name, part in best.items()} != shapes) or (moments and set(moments) != wanted):
        raise corrupt(KIND, "its checkpoint is incomplete")
    optimizer = training.optimizer.state_dict()
    optimizer["state"] = {
        place: {name: moments[f"{place}.{name}"] for name in _MOMENTS} for place in range(count) if moments
    }
    try:
        training.model.load_state_dict(now)
        training.optimizer.load_state_dict(optimizer)
        torch.set_rng_state(tensors["random.cpu"])
        if _device(training) == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"])
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise corrupt(KIND, f"its checkpoint cannot be taken up: {error}") from error
    training.best = {name: best[name].to(_device(training)) for name in shapes if best}  # in the order of the layers
    for name, value in state.items():
        setattr(training, name, value)


def _read(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the tensors, and the counts and losses."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(checkpoint)
        state = json.loads(bytes(tensors[_STATE].tolist()))
        known = (state["format"], state["kind"]) == (_FORMAT, KIND)
        counts = {name: int(state[name]) for name in _COUNTS}
        series = {name: [float(value) for value in state[name]] for name in _SERIES}
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise corrupt(KIND, f"its checkpoint cannot be read: {error}") from error
    lengths = {len(values) for values in series.values()}
    if not known or lengths != {counts["passes"]} or not 0 <= counts["best_pass"] <= counts["passes"]:
        raise corrupt(KIND, "its checkpoint is of another kind or format")
    return tensors, {**counts, **series}


def _part(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): part for name, part in tensors.items() if name.startswith(prefix)}


def _device(training: Training) -> str:
    return str(next(training.model.parameters()).device.type)
