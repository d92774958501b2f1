"""A LightGBM model is kept in LightGBM's own text, which any LightGBM reads, and scored from the arrays in it.

Its parser is C++ and trusts its input, so the text is read here: a wrong one is refused, and a right one is scored
without LightGBM, to the bits that it would give itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.boosted import BoostedTrees, boosted, by_output
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.level_sets import WORDS, said_of
from mlops_compiler.models.adapters.losses import said_of_link
from mlops_compiler.models.adapters.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

KIND = "lightgbm"
TEXT, CONFIG = "model.txt", "config.json"
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT, _MISSING_IS_NAN = 1, 2, 2, 2
"""Bits of `decision_type`, as in LightGBM's tree.h."""


@dataclass(frozen=True, kw_only=True)
class FittedLightGbm(BoostedTrees):
    """The trees, and the text that they were read from."""

    kind: ClassVar[str] = KIND
    text: bytes

    def dump(self) -> dict[str, bytes]:
        """Give LightGBM's text, and what the model is for."""
        return {TEXT: self.text, CONFIG: config_of(self.task, self.known, log=self.log)}


def config_of(task: str, known: Sequence[int], *, log: bool) -> bytes:
    """Write what a model is for, which levels it knows, and what its trees add up to."""
    return json.dumps({"kind": KIND, "task": task, **said_of(known), **said_of_link(log)}, sort_keys=True).encode()


def load_lightgbm(files: Mapping[str, bytes], notes: tuple[str, ...] = ()) -> FittedLightGbm:
    """Read a model.

    Raises:
        EngineError: The files are no such model.
    """
    try:
        config, text = json.loads(files[CONFIG]), files[TEXT].decode()
        head, *trees = _sections(text)
        width, outputs = int(head["max_feature_idx"]) + 1, int(head["num_tree_per_iteration"])
        ordered = [trees[place] for place in by_output(len(trees), outputs)]
        joined = Trees.join([_nodes(tree) for tree in ordered])
        known = head["version"] == "v4" and not head["average"] and config["kind"] == KIND
    except (KeyError, ValueError, IndexError, TypeError, OverflowError, RecursionError) as error:
        raise corrupt(KIND, f"it cannot be read: {error}") from error
    if not known:
        raise corrupt(KIND, "it is of another version or kind")
    checked = boosted(KIND, config, trees=joined, baseline=np.zeros(outputs), width=width)
    return FittedLightGbm(**checked, text=files[TEXT], notes=notes)


def _sections(text: str) -> Iterator[dict[str, Any]]:
    """Give the keys of the head, then those of each tree."""
    whole, end, _ = text.partition("\nend of trees\n")
    head, *rest = whole.split("\nTree=")
    keys = _keys(head)
    if not end or len(rest) != len(keys["tree_sizes"].split()):
        raise ValueError("not all of its trees are there")
    yield {**keys, "average": "average_output" in head.split("\n")}
    for number, part in enumerate(rest):
        found, _, body = part.partition("\n")
        if int(found) != number:
            raise ValueError("its trees are not in order")
        yield _keys(body)


def _keys(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def _nodes(tree: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Put a tree's splits, then its leaves, into arrays; LightGBM numbers leaves from -1 down."""
    leaves = int(tree["num_leaves"])
    values = _numbers(tree["leaf_value"], np.float64, leaves)
    splits = leaves - 1
    kinds = _numbers(tree.get("decision_type", ""), np.int64, splits)
    thresholds = _numbers(tree.get("threshold", ""), np.float64, splits)
    by_level = (kinds & _CATEGORICAL) > 0
    sets = _sets(tree, thresholds[by_level])
    asked = _numbers(tree.get("split_feature", ""), np.int64, splits)
    if (asked < 0).any():
        raise ValueError("a split asks no column")
    missing = (kinds >> _MISSING_SHIFT) == _MISSING_IS_NAN
    default_left = (kinds & _DEFAULT_LEFT) > 0
    children = {side: _numbers(tree.get(f"{side}_child", ""), np.int64, splits) for side in ("left", "right")}
    if any((child < -leaves).any() for child in children.values()):
        raise ValueError("a leaf is named that is not there")
    nothing = np.zeros(leaves, dtype=np.int64)
    return {
        "feature": np.concatenate([asked, nothing - 1]),
        "threshold": np.concatenate([thresholds, nothing]),
        **{
            side: np.concatenate([np.where(child < 0, splits + ~child, child), nothing])
            for side, child in children.items()
        },
        # Where no value was missing at the fit, LightGBM takes NaN for 0.
        # A level that is missing goes right.
        "missing_left": np.concatenate([~by_level & np.where(missing, default_left, thresholds >= 0), nothing]),
        "value": np.concatenate([np.zeros(splits), values]),
        "chooses": np.concatenate([np.where(by_level, np.cumsum(by_level) - 1, -1), nothing - 1]),
        "sets": sets,
    }


def _sets(tree: Mapping[str, str], asked: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Read the sets of levels that go left, in the order of the splits that ask for them by their places."""
    if not len(asked):
        return np.zeros((0, WORDS), dtype=np.uint32)
    ends = [int(part) for part in tree["cat_boundaries"].split()]
    words = [int(part) for part in tree["cat_threshold"].split()]
    if ends[0] != 0 or ends[-1] != len(words) or sorted(ends) != ends:
        raise ValueError("its sets of levels do not lie one after the other")
    made = np.zeros((len(asked), WORDS), dtype=np.uint32)
    for row, place in enumerate(asked.tolist()):
        if place != int(place) or not 0 <= place < len(ends) - 1:
            raise ValueError("a split asks for a set that is not there")
        found = words[ends[int(place)] : ends[int(place) + 1]]
        made[row, : len(found)] = found
    return made


def _numbers(text: str, dtype: type[Any], count: int) -> NDArray[Any]:
    found = np.array(text.split(), dtype=np.float64 if dtype is np.float64 else np.int64)
    if len(found) != count:
        raise ValueError(f"{len(found)} numbers stand where {count} should")
    return found
