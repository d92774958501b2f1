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
from mlops_compiler.models.adapters.level_sets import WORDS, said_of, set_of
from mlops_compiler.models.adapters.losses import said_of_link
from mlops_compiler.models.adapters.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

KIND = "xgboost"
TEXT, CONFIG = "model.json", "config.json"
_LARGEST = float(np.finfo(np.float32).max)
_NUMERIC_SPLIT, _CATEGORICAL_SPLIT = 0, 1


@dataclass(frozen=True, kw_only=True)
class FittedXgBoost(BoostedTrees):
    """The trees, and the text that they were read from."""

    kind: ClassVar[str] = KIND
    rounds: ClassVar[bool] = True
    text: bytes

    def dump(self) -> dict[str, bytes]:
        """Give XGBoost's JSON, and what the model is for."""
        return {TEXT: self.text, CONFIG: config_of(self.task, self.known, log=self.log)}


def config_of(task: str, known: Sequence[int], *, log: bool) -> bytes:
    """Write what a model is for, which levels it knows, and what its trees add up to."""
    return json.dumps({"kind": KIND, "task": task, **said_of(known), **said_of_link(log)}, sort_keys=True).encode()


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
        **boosted(KIND, config, trees=trees, baseline=baseline, width=width),
        text=files[TEXT],
        notes=notes,
    )


def _baseline(text: str, objective: str) -> NDArray[np.float64]:
    """Read where each output starts; that of two classes is a probability."""
    found = np.array([float(item) for item in text.strip("[]").split(",")])
    if objective == "binary:logistic":
        if not ((found > 0) & (found < 1)).all():
            raise ValueError("its start is no probability")
        return np.log(found / (1.0 - found))
    if objective in ("count:poisson", "reg:gamma"):
        if not (found > 0).all():
            raise ValueError("its start has no logarithm")
        found = np.log(found)
    return found


def _nodes(tree: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    kinds = np.array(tree["split_type"], dtype=np.int64)
    by_level = kinds == _CATEGORICAL_SPLIT
    if not (by_level | (kinds == _NUMERIC_SPLIT)).all():
        raise ValueError("it splits in a way that is not known")
    left, right, split, default = (
        np.array(tree[name], dtype=np.int64)
        for name in ("left_children", "right_children", "split_indices", "default_left")
    )
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    if not len(left) == len(right) == len(split) == len(default) == len(conditions) == len(kinds):
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
        "chooses": np.where(by_level, np.cumsum(by_level) - 1, -1),
        "sets": _sets(tree, np.flatnonzero(by_level)),
    }


def _sets(tree: Mapping[str, Any], nodes: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Read the sets of levels that go left; XGBoost keeps those that go right."""
    if not len(nodes):
        return np.zeros((0, WORDS), dtype=np.uint32)
    if [int(node) for node in tree["categories_nodes"]] != nodes.tolist():
        raise ValueError("its sets of levels are not those of its splits")
    levels = tree["categories"]
    parts = list(zip(tree["categories_segments"], tree["categories_sizes"], strict=True))
    if any(start < 0 or size < 0 or start + size > len(levels) for start, size in parts):
        raise ValueError("its sets of levels are not all there")
    right = [levels[start : start + size] for start, size in parts]
    return ~np.array([set_of(map(int, found)) for found in right], dtype=np.uint32)
