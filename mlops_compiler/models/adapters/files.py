"""A stored model is numbers and a few plain settings: safetensors and JSON, from which nothing can run.

The same model gives the same bytes, so that equal models are one object of the store.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.ir.task import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

    Arrays = Mapping[str, NDArray[Any]]

_ARRAYS = "model.safetensors"
_CONFIG = "config.json"
_FORMAT = 2


def dump_files(kind: str, arrays: Arrays, **config: object) -> dict[str, bytes]:
    """Write a model's arrays and settings; arrays must be C-contiguous."""
    from safetensors.numpy import save

    text = json.dumps({"format": _FORMAT, "kind": kind, **config}, sort_keys=True)
    return {_ARRAYS: save(dict(arrays)), _CONFIG: text.encode()}


def load_files(
    kind: str, files: Mapping[str, bytes], dtypes: Mapping[str, type[np.generic]] | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `dump_files` wrote.

    Args:
        kind: The kind that the files must be of.
        files: Content by file name.
        dtypes: The arrays that there must be, and their types; None where the caller looks itself.

    Raises:
        EngineError: A file is missing, damaged, of another kind, or of a later version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        config = json.loads(files[_CONFIG])
        arrays = load(files[_ARRAYS])
    except (KeyError, ValueError, SafetensorError) as error:
        raise corrupt(kind, f"it cannot be read: {error}") from error
    if not isinstance(config, dict) or (config.get("format"), config.get("kind")) != (_FORMAT, kind):
        raise corrupt(kind, "its settings are of another kind or format")
    if dtypes is not None and {name: array.dtype for name, array in arrays.items()} != dict(dtypes):
        raise corrupt(kind, "its arrays are not those of this kind")
    return arrays, config


def task_of(kind: str, config: Mapping[str, Any]) -> Task:
    """Read what a stored model was fitted for.

    Raises:
        EngineError: It says nothing that is known here.
    """
    found = next((task for task in TASKS if task == config.get("task")), None)
    if found is None:
        raise corrupt(kind, f"its task is {config.get('task')!r}")
    return found


def corrupt(kind: str, why: str) -> EngineError:
    """Make the error of a stored model that is none."""
    headline = f"the stored {kind} model is damaged: {why}"
    return EngineError([Diagnostic(code="artifact-corrupt", headline=headline)])
