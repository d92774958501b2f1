"""What explains the answers of a release: its structure where that is known, else its answers alone."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlops_compiler.explain.paths import SLOWER
from mlops_compiler.explain.shapley import Contributions, by_sampling, of_form
from mlops_compiler.models.form import TreeSum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.form import Form, Scale

    Values = NDArray[np.float64]

_SEED = 0
"""Of the orders in which columns join: the same for all, so that an explanation follows from release and row."""
_TREE_STEPS = 3e8
"""Rows times background times nodes walked that take about two seconds of a core."""
_SCORED = 20_000
"""Rows that sampling may score."""
_FEWEST, _MOST = 20, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Explains rows of the source beside the background of a release.

    Attributes:
        background: Training rows of the release, as the source has them.
        columns: The columns of the source that features are made of.
        groups: For each feature, as the recipe names it, its columns of the matrix.
        form: The structure of the model; None where it is not known.
        matrix: Prepares rows.
        answers: Prepares and scores rows; shape (rows,) or (rows, outputs).
        scale: What answers are.
    """

    background: pl.DataFrame
    columns: tuple[str, ...]
    groups: Mapping[str, Sequence[int]]
    form: Form | None
    matrix: Callable[[pl.DataFrame], Values]
    answers: Callable[[pl.DataFrame], Values]
    scale: Scale

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        """Explain rows: exactly where the structure allows it, else by sampling."""
        if self.form is not None:
            found = of_form(self.form, self.matrix(frame), self.matrix(self.background), self.groups)
            if found is not None:
                return found
        return by_sampling(frame, self.background, self.columns, self.answers, scale=self.scale, seed=_SEED)

    @property
    def affordable(self) -> int:
        """Say how many rows can be explained within some seconds."""
        if isinstance(self.form, TreeSum):
            rows = _TREE_STEPS / max(
                1, self.background.height * self.form.walked * (SLOWER if self.form.chooses else 1)
            )
        elif self.form is not None:
            rows = _MOST
        else:
            rows = _SCORED / max(1, 40 * len(self.columns))
        return int(min(_MOST, max(_FEWEST, rows)))


def groups_of(named: Sequence[str], features: Sequence[str]) -> dict[str, list[int]]:
    """Gather the columns of a design matrix under the names that the program has for them.

    >>> groups_of(["tenure", "contract=*"], ["tenure", "contract=One year", "contract=Two year"])
    {'tenure': [0], 'contract': [1, 2]}
    """
    found: dict[str, list[int]] = {}
    for name in named:
        start = name.removesuffix("*")
        places = [
            place
            for place, feature in enumerate(features)
            if (feature.startswith(start) if start != name else feature == name)
        ]
        short = start.rstrip("=") if start != name else name
        if places:
            found[name if short in found else short] = places
    return found


def answer_scale(task: Task) -> Scale:
    """Say what the answers to a task are."""
    return "value" if task == "regression" else "probability"


def shaped(task: Task, answers: Values) -> Values:
    """Bring a model's scores into the shape that metrics take: of two classes the probability of the positive one."""
    return answers if task == "multiclass_classification" else np.ascontiguousarray(answers[:, -1])


def read_background(content: bytes) -> pl.DataFrame:
    """Read the background that a release keeps."""
    return pl.read_parquet(io.BytesIO(content))
