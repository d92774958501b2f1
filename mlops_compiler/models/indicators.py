"""An indicator for each level, inside a model: so learns a kind that takes numbers alone from categories.

The design matrix keeps one column for a category, whatever models there are; each of them sees it as it can. A level
that is rare or was never seen has an indicator of its own, and so has one that is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.checks import check_width
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.level_sets import MOST, set_of
from mlops_compiler.models.form import Linear, TreeSum
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.form import Form
    from mlops_compiler.models.history import TrainingHistory
    from mlops_compiler.models.kind import FitOptions, Matrix, ModelKind, Target

FILE = "indicators.json"
"""What a model has beside its own files; no kind has a file of this name."""
BESIDE = 2
"""Indicators beside those of the levels: of what is rare or new, and of what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithIndicators(FittedModel):
    """A model that sees some columns as indicators.

    Attributes:
        model: The model.
        spread: For each column how many levels it has, 0 of one that stays as it is.
    """

    model: FittedModel
    spread: tuple[int, ...]

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What its fit wants known."""
        return self.model.notes

    @property
    def history(self) -> TrainingHistory | None:  # type: ignore[override]
        """How its fit went."""
        return self.model.history

    @property
    def smaller(self) -> tuple[str, ...]:  # type: ignore[override]
        """How it got on with less memory."""
        return self.model.smaller

    def predict(self, X: Matrix) -> Matrix:
        """Score rows, each alone."""
        check_width(X, kind="spread", features=len(self.spread))
        return self.model.predict(widened(X, self.spread))

    def form(self) -> Form | None:
        """Give the structure of the model, in terms of the columns that there are."""
        form = self.model.form()
        if isinstance(form, Linear):
            return replace(form, spread=self.spread)
        return None if form is None else _of_levels(form, self.spread)

    def dump(self) -> dict[str, bytes]:
        """Give the files of the model, and which columns it sees so."""
        return {**self.model.dump(), FILE: json.dumps({"spread": list(self.spread)}).encode()}


def fit(kind: ModelKind, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
    """Fit a model of any kind to a design matrix with categories; as `ModelKind.fit`."""
    spread = kind.spreads(parameters, options.categories)
    if not any(spread):
        return kind.fit(X, y, parameters=parameters, options=options)
    own = tuple(0 if size else count for size, count in zip(spread, options.categories, strict=True))
    inside = replace(options, monotone=_repeated(options.monotone, spread), categories=_repeated(own, spread))
    inside = inside if any(inside.categories) else replace(inside, categories=())
    model = kind.fit(widened(X, spread), y, parameters=parameters, options=inside)
    return WithIndicators(model=model, spread=spread)


def load(kind: ModelKind, files: Mapping[str, bytes]) -> FittedModel:
    """Load a model of any kind, as `fit` gave it.

    Raises:
        EngineError: The files are not such a model (`artifact-corrupt`).
    """
    own = {name: content for name, content in files.items() if name != FILE}
    if FILE not in files:
        return kind.load(own)
    try:
        spread = json.loads(files[FILE])["spread"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise corrupt(kind.name, f"its indicators cannot be read: {error}") from error
    if not isinstance(spread, list) or not all(type(size) is int and 0 <= size <= MOST - BESIDE for size in spread):
        raise corrupt(kind.name, "its indicators cannot be counted")
    return WithIndicators(model=kind.load(own), spread=tuple(spread))


def widened(X: Matrix, spread: Sequence[int]) -> Matrix:
    """Put the indicators of its levels in the place of each column that has some; C order, shape (rows, more)."""
    starts = starts_of(spread)
    made = np.zeros((len(X), starts[-1]))
    rows = np.arange(len(X))
    for column, (start, size) in enumerate(zip(starts, spread, strict=False)):
        if size:
            level = np.where((X[:, column] >= 0) & (X[:, column] <= size), X[:, column], size + 1)
            made[rows, start + level.astype(np.int64)] = 1.0
        else:
            made[:, start] = X[:, column]
    return made


def starts_of(spread: Sequence[int]) -> list[int]:
    """Say where the columns of each column begin, and last how many there are."""
    return list(accumulate((size + BESIDE if size else 1 for size in spread), initial=0))


def _repeated(values: Sequence[int], spread: Sequence[int]) -> tuple[int, ...]:
    """Give each column of the wider matrix what its column has; indicators nothing."""
    pairs = zip(values, spread, strict=True) if values else ()
    return tuple(part for value, size in pairs for part in ((0,) * (size + BESIDE) if size else (value,)))


def _of_levels(form: TreeSum, spread: Sequence[int]) -> TreeSum:
    """Write a split by an indicator as one by the levels of its column: what it says, in other words."""
    known = form.known or (0,) * starts_of(spread)[-1]
    told = [size + BESIDE if size else known[start] for size, start in zip(spread, starts_of(spread), strict=False)]
    return replace(form, trees=tuple(_by_levels(trees, spread) for trees in form.trees), known=tuple(told))


def _by_levels(trees: Trees, spread: Sequence[int]) -> Trees:
    widths = [size + BESIDE if size else 1 for size in spread]
    columns = [(column, spread[column], level) for column, width in enumerate(widths) for level in range(width)]
    feature, chooses = trees.feature.copy(), np.full(len(trees.feature), -1, dtype=np.int32)
    sets = [] if trees.sets is None else list(trees.sets)
    if trees.chooses is not None:
        chooses[:] = trees.chooses
    places: dict[tuple[int, int, bool, bool], int] = {}
    for node in np.flatnonzero(trees.feature >= 0).tolist():
        column, size, level = columns[trees.feature[node]]
        feature[node] = column
        if size:
            off, on = (bool(value <= trees.threshold[node]) for value in (0.0, 1.0))
            asked = (size, level, off, on)
            if asked not in places:
                places[asked] = len(sets)
                sets.append(set_of(at for at in range(size + BESIDE) if (on if at == level else off)))
            chooses[node] = places[asked]
    if not sets:
        return replace(trees, feature=feature)
    return replace(trees, feature=feature, chooses=chooses, sets=np.array(sets, dtype=np.uint32))
