"""A GPU that runs out of memory gets fewer rows at a time: the gradient of a batch is the sum over its parts.

The result is that of the whole batch up to rounding, but for dropout, which draws other units for each part. Where rows
do not fit on the device at all, they stay in the memory of the machine and travel batch by batch, to the same bits.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models.adapters.net import KIND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAST = 16
"""Fewest rows at a time: where these do not fit, it is the network that is too large."""


class RowsAtOnce:
    """How many rows go through the network at once: all of a batch, until that is found to be too many.

    Attributes:
        notes: What was found, to be told.
    """

    def __init__(self, what: str) -> None:
        """Begin with whole batches; `what` names them where less is told."""
        self._what, self._most = what, 0
        self.notes: list[str] = []

    def parts(self, rows: int, work: Callable[[int], Any]) -> Any:
        """Do something with rows, in parts that fit.

        Args:
            rows: How many there are.
            work: Is given how many rows to take at once; is called again, from the beginning, with half as many where
                the device has no memory for these.

        Raises:
            EngineError: It has none for the fewest, either.
        """
        while True:
            at_once = min(rows, self._most or rows)
            try:
                return work(at_once)
            except _out_of_memory():
                smaller = at_once // 2
                if smaller < min(LEAST, rows):
                    raise EngineError([_too_small(at_once)]) from None
            free()
            self._most = smaller
            self.notes = [f"out of memory at {self._what} of {rows:,} rows, went on with {smaller:,} rows at a time"]


def _out_of_memory() -> type[Exception]:
    import torch

    found: type[Exception] = torch.OutOfMemoryError
    return found


def free() -> None:
    """Give memory that is not in use back to the device."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def on_device(tensor: Any, device: str) -> Any:
    """Put a tensor on the device; where it does not fit there, leave it where it is."""
    try:
        return tensor.to(device)
    except _out_of_memory():
        free()
        return tensor


@contextmanager
def network_fits() -> Iterator[None]:
    """Tell it where the device has no memory for the network itself.

    Raises:
        EngineError: It has none.
    """
    try:
        yield
    except _out_of_memory():
        raise EngineError([_too_small(0)]) from None


def _too_small(rows: int) -> Diagnostic:
    found = f"{rows} rows at a time" if rows else "its weights"
    return Diagnostic(
        code="gpu-memory",
        headline=f"the GPU has no memory for {KIND} with {found}",
        help="make the network smaller, let fewer trials share the GPU, or use `gpu: auto`, which goes on on the CPU",
    )
