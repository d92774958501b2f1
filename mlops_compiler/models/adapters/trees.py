"""Trees are arrays of nodes, all trees' end to end: plain numbers to store, and the same ones to score from.

A row goes left where its value is at most the threshold; the sum of its leaves' values, in the order of the
trees, is the score; a leaf has a value for each output. Two engines walk the arrays and agree to the last bit:
numpy goes level by level through all trees at once, which is fast for few rows and needs nothing else;
scikit-learn's compiled predictor goes tree by tree, which is fast for many rows and costs its import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.level_sets import WORDS, has
from mlops_compiler.models.adapters.tree_predictor import sum_by_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

_DTYPES: dict[str, type[np.generic]] = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.bool_,
    "value": np.float64,
    "starts": np.int64,
}
_SETS: dict[str, type[np.generic]] = {"chooses": np.int32, "sets": np.uint32}
"""What trees that split by levels have besides."""
_FEW_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The nodes of all trees.

    Attributes:
        feature: The column that a node asks, -1 at a leaf.
        threshold: The highest value that goes left.
        left: The node to the left, an index over all trees; a leaf names itself.
        right: The node to the right, likewise.
        missing_left: Whether NaN goes left.
        value: What a leaf adds to each score, shape (nodes, outputs).
        starts: The root of each tree, and last the number of nodes.
        chooses: The set of levels that goes left, a row of `sets`, -1 where a threshold decides; None where one does at
            every node.
        sets: As `level_sets.Sets`.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    starts: NDArray[np.int64]
    chooses: NDArray[np.int32] | None = None
    sets: NDArray[np.uint32] | None = None

    @classmethod
    def join(cls, trees: Sequence[Mapping[str, NDArray[Any]]]) -> Trees:
        """Put trees end to end; each maps the names above but `starts` to arrays with indices of its own.

        `chooses` and `sets` may be left out, of all.
        """
        starts = np.cumsum([0, *(len(tree["feature"]) for tree in trees)], dtype=np.int64)
        joined = {
            name: np.concatenate([tree[name] for tree in trees]).astype(dtype)
            for name, dtype in _DTYPES.items()
            if name != "starts"
        }
        offset = np.repeat(starts[:-1], np.diff(starts)).astype(np.int32)
        leaf = joined["feature"] < 0
        itself = np.arange(len(leaf), dtype=np.int32)
        for side in ("left", "right"):
            joined[side] = np.where(leaf, itself, joined[side] + offset)
        joined["value"] = np.ascontiguousarray(joined["value"].reshape(len(leaf), -1))
        return cls(**joined, starts=starts, **_joined_sets(trees))

    @property
    def count(self) -> int:
        """How many trees there are."""
        return len(self.starts) - 1

    @property
    def outputs(self) -> int:
        """How many values a leaf has."""
        return int(self.value.shape[1])

    def part(self, first: int, last: int) -> Trees:
        """Give the trees from `first` to before `last` alone."""
        start, end = int(self.starts[first]), int(self.starts[last])
        return Trees(
            feature=self.feature[start:end],
            threshold=self.threshold[start:end],
            left=self.left[start:end] - np.int32(start),
            right=self.right[start:end] - np.int32(start),
            missing_left=self.missing_left[start:end],
            value=self.value[start:end],
            starts=self.starts[first : last + 1] - start,
            chooses=None if self.chooses is None else self.chooses[start:end],
            sets=self.sets,
        )

    def sum_of_leaves(self, X: Matrix, first: float = 0.0) -> Matrix:
        """Add to `first` the values of the leaf of each tree in turn, shape (rows, outputs)."""
        return self.sum_by_level(X, first) if len(X) <= _FEW_ROWS else sum_by_tree(self, X, first)

    def goes_left(self, asked: Matrix, node: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Say whether values go left at nodes, both of one shape."""
        left: NDArray[np.bool_] = asked <= self.threshold[node]
        if self.chooses is not None and self.sets is not None:
            chosen = self.chooses[node]
            left = np.where(chosen < 0, left, has(self.sets, chosen, asked))
        found: NDArray[np.bool_] = left | (self.missing_left[node] & np.isnan(asked))
        return found

    def sum_by_level(self, X: Matrix, first: float) -> Matrix:
        """Walk all trees at once, a level at a time."""
        rows = np.arange(len(X))[:, None]
        node = np.broadcast_to(self.starts[:-1], (len(X), self.count))
        while (feature := self.feature[node]).max(initial=-1) >= 0:
            asked = X[rows, feature]  # a leaf asks the last column, and goes to itself whatever it says
            goes_left = self.goes_left(asked, node)
            node = np.where(goes_left, self.left[node], self.right[node])
        terms = np.concatenate([np.full((len(X), 1, self.outputs), first), self.value[node]], axis=1)
        # `sum` adds pairwise, in an order of its own; `accumulate` adds from left to right.
        total: Matrix = np.add.accumulate(terms, axis=1)[:, -1]
        return total


def dump_trees(kind: str, trees: Trees, **config: object) -> dict[str, bytes]:
    """Write trees and settings."""
    names = _DTYPES if trees.sets is None else _DTYPES | _SETS
    return dump_files(kind, {name: getattr(trees, name) for name in names}, **config)


def load_trees(kind: str, files: Mapping[str, bytes]) -> tuple[Trees, dict[str, Any]]:
    """Read trees and settings; nothing in them can lead a walk out of its tree, or round in a circle.

    Raises:
        EngineError: The files are no trees with a number of `features`.
    """
    arrays, config = load_files(kind, files)
    wanted = _DTYPES | (_SETS if "sets" in arrays else {})
    if {name: array.dtype for name, array in arrays.items()} != wanted:
        raise corrupt(kind, "its arrays are not those of this kind")
    trees = Trees(**arrays)
    features = config.get("features")
    if not isinstance(features, int) or not is_sound(trees, features):
        raise corrupt(kind, "its nodes make no trees")
    return trees, config


def is_sound(trees: Trees, features: int) -> bool:
    """Check shapes and indices: nothing can lead a walk out of its tree, or round in a circle.

    A child comes after its parent, within the same tree; a node asks one of `features` columns.
    """
    count = trees.feature.size
    nodes = (trees.feature, trees.threshold, trees.left, trees.right, trees.missing_left)
    if any(array.shape != (count,) for array in nodes) or trees.starts.ndim != 1 or trees.starts.size == 0:
        return False
    if trees.value.ndim != 2 or len(trees.value) != count or not trees.outputs:  # noqa: PLR2004 - a matrix
        return False
    if not np.isfinite(trees.value).all() or np.isnan(trees.threshold).any():
        return False
    sizes = np.diff(trees.starts)
    if trees.starts[0] != 0 or trees.starts[-1] != count or (sizes < 1).any():
        return False
    leaf = trees.feature == -1
    if not _sets_are_sound(trees, leaf):
        return False
    itself, end = np.arange(count), np.repeat(trees.starts[1:], sizes)
    after = [(itself < side) & (side < end) for side in (trees.left, trees.right)]
    at_leaf = (trees.left == itself) & (trees.right == itself)
    inside = after[0] & after[1] & (trees.feature >= 0) & (trees.feature < features)
    return bool(np.where(leaf, at_leaf, inside).all())


def _joined_sets(trees: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Put the sets of trees end to end, and let their nodes find them."""
    if not any(len(tree.get("sets", ())) for tree in trees):
        return {}
    starts = np.cumsum([0, *(len(tree["sets"]) for tree in trees)])
    pairs = zip(trees, starts[:-1].tolist(), strict=True)
    chosen = [np.where(tree["chooses"] < 0, -1, tree["chooses"] + start) for tree, start in pairs]
    sets = np.concatenate([tree["sets"].reshape(-1, WORDS) for tree in trees])
    return {"chooses": np.concatenate(chosen).astype(np.int32), "sets": sets.astype(np.uint32)}


def _sets_are_sound(trees: Trees, leaf: NDArray[np.bool_]) -> bool:
    """Check that nodes which split by levels find their sets, and that leaves ask for none."""
    if trees.chooses is None or trees.sets is None:
        return trees.chooses is None and trees.sets is None
    if trees.sets.ndim != 2 or trees.sets.shape[1] != WORDS or trees.chooses.shape != leaf.shape:  # noqa: PLR2004
        return False
    found = (trees.chooses >= -1) & (trees.chooses < len(trees.sets)) & (~leaf | (trees.chooses == -1))
    return bool(found.all())
