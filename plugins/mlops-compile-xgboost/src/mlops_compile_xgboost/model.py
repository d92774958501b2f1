"""An XGBoost model is kept in XGBoost's own JSON, which any XGBoost reads, and scored from the arrays in it.

XGBoost rounds columns to float32 and goes left below a threshold; here a row goes left at the next float32 below it,
which is the same. XGBoost adds leaves up in float32, and here they are added in float64: its own answers are rounded
ones of ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.boosted import BoostedTrees, boosted, by_output
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

KIND = "xgboost"
TEXT, CONFIG = "model.json", "config.json"
_LARGEST = float(np.finfo(np.float32).max)
_NUMERIC_SPLIT = 0


@dataclass(frozen=True, kw_only=True)
class FittedXgBoost(BoostedTrees):
    """The trees, and the text that they were read from."""

    kind: ClassVar[str] = KIND
    rounds: ClassVar[bool] = True
    text: bytes

    def dump(self) -> dict[str, bytes]:
        """Give XGBoost's JSON, and what the model is for."""
        return {TEXT: self.text, CONFIG: json.dumps({"kind": KIND, "task": self.task}, sort_keys=True).encode()}


def as_float32(X: Matrix) -> NDArray[np.float32]:
    """Give rows as XGBoost sees them; what float32 cannot hold is its largest, as XGBoost refuses infinity."""
    return np.clip(X, -_LARGEST, _LARGEST).astype(np.float32)


def load_xgboost(files: Mapping[str, bytes], notes: tuple[str, ...] = ()) -> FittedXgBoost:
    """Read a model.

    Raises:
        EngineError: The files are no such model.
    """
    try:
        config, learner = json.loads(files[CONFIG]), json.loads(files[TEXT])["learner"]
        about, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
        baseline = _baseline(about["base_score"], learner["objective"]["name"])
        order = by_output(len(model["trees"]), len(baseline))
        trees = Trees.join([_nodes(model["trees"][place]) for place in order])
        width = int(about["num_feature"])
        in_turn = model["tree_info"] == [place % len(baseline) for place in range(len(order))]
        known = in_turn and config["kind"] == KIND
    except (KeyError, ValueError, IndexError, TypeError, OverflowError, RecursionError) as error:
        raise corrupt(KIND, f"it cannot be read: {error}") from error
    if not known:
        raise corrupt(KIND, "it is of another kind")
    return FittedXgBoost(
        **boosted(KIND, config, trees=trees, baseline=baseline, width=width), text=files[TEXT], notes=notes
    )


def _baseline(text: str, objective: str) -> NDArray[np.float64]:
    """Read where each output starts; that of two classes is a probability."""
    found = np.array([float(item) for item in text.strip("[]").split(",")])
    if objective == "binary:logistic":
        if not ((found > 0) & (found < 1)).all():
            raise ValueError("its start is no probability")
        return np.log(found / (1.0 - found))
    return found


def _nodes(tree: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    if set(tree["split_type"]) - {_NUMERIC_SPLIT}:
        raise ValueError("it splits by categories")
    left, right, split, default = (
        np.array(tree[name], dtype=np.int64)
        for name in ("left_children", "right_children", "split_indices", "default_left")
    )
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    if not len(left) == len(right) == len(split) == len(default) == len(conditions):
        raise ValueError("its arrays are not of one length")
    leaf = left == -1
    if (split[~leaf] < 0).any():
        raise ValueError("a split asks no column")
    below = np.nextafter(conditions, np.float32(-np.inf))
    return {
        "feature": np.where(leaf, -1, split),
        "threshold": np.where(leaf, 0.0, below),
        "left": left,
        "right": right,
        "missing_left": default > 0,
        "value": np.where(leaf, conditions, 0.0),
    }
