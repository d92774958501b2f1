"""What a fit takes of a GPU: its peak of memory, and how busy the GPU was meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

_GIB = 1024**3
GPU_COSTS = ("gpu_gib", "gpu_of_gib", "gpu_busy")
"""What is recorded of a fold under `COST` where a GPU was measured."""
_SAMPLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuUse:
    """What a fit took of a GPU.

    Attributes:
        memory: GiB at the peak, without what the driver keeps for the process.
        of: GiB that the GPU has.
        busy: The share of the time in which the GPU computed, for this process or another; None where nobody tells.
    """

    memory: float
    of: float
    busy: float | None = None

    @property
    def as_cost(self) -> dict[str, float]:
        """What is recorded of it, beside what else a fold costs."""
        busy = {} if self.busy is None else {"gpu_busy": self.busy}
        return {"gpu_gib": self.memory, "gpu_of_gib": self.of, **busy}


class Meter(Protocol):
    """Measures one fit after another."""

    def start(self) -> None:
        """Begin."""

    def read(self) -> GpuUse | None:
        """End, and say what was taken since; None where nothing can be told."""


class NoMeter:
    """Measures nothing: there is no GPU."""

    def start(self) -> None:
        """Begin nothing."""

    def read(self) -> GpuUse | None:
        """Tell nothing."""
        return None


class TorchMeter:
    """Asks torch for the memory of its allocator, and the driver (NVML) how busy the GPU is, where it can be asked."""

    def __init__(self) -> None:
        self._handle = _nvml_handle()
        self._samples: list[float] = []
        self._done = threading.Event()
        self._sampler: threading.Thread | None = None

    def start(self) -> None:
        """Give back what earlier fits left, so that the peak is that of the next one alone."""
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        self._samples, self._done = [], threading.Event()
        if self._handle is not None:
            self._sampler = threading.Thread(target=self._sample, args=(self._done,), daemon=True)
            self._sampler.start()

    def read(self) -> GpuUse | None:
        """Tell the peak; nothing of a fit that did not use torch."""
        import torch

        self._done.set()
        if self._sampler is not None:
            self._sampler.join()
        peak = torch.cuda.max_memory_reserved()
        if not peak:
            return None
        total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        busy = sum(self._samples) / len(self._samples) if self._samples else None
        return GpuUse(memory=peak / _GIB, of=total / _GIB, busy=busy)

    def _sample(self, done: threading.Event) -> None:
        nvml, handle = self._handle  # type: ignore[misc]
        while not done.wait(_SAMPLE_SECONDS):
            self._samples.append(nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)


def _nvml_handle() -> tuple[Any, Any] | None:
    """Open the GPU that torch computes on; None where NVML, or its Python binding, is not there."""
    import torch

    try:
        import pynvml  # type: ignore[import-not-found,import-untyped,unused-ignore]

        pynvml.nvmlInit()
        uuid = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except Exception:  # noqa: BLE001 - whatever a driver says, it is not asked: what is measured is for the display
        return None
