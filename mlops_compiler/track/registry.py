"""Every kind of tracker that a recipe can name, the compiler's and the plugins'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.extensions import Registry
from mlops_compiler.track.tensorboard import TensorBoard

if TYPE_CHECKING:
    from mlops_compiler.track.tracker import Tracker

TRACKERS: Registry[Tracker] = Registry("mlops_compile.trackers", {"tensorboard": TensorBoard()})
