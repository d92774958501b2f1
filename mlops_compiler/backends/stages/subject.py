"""What is explained: a release before it has a number, and the rows of the holdout, as the source has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.explain.release import shaped
from mlops_compiler.serving.explaining import explainer_of
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.tables.account import ROW
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.explain.release import Explainer

    Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Some rows of the holdout and what came of them."""

    frame: pl.DataFrame
    y: NDArray[np.generic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A trained model and the rows to explain it on.

    Attributes:
        every: The rows of the holdout that are scored, with all columns of the snapshot.
        frame: The same rows as a request would send them.
        y: What came, shape (rows,).
        columns: The columns of a request.
        threshold: Decides a binary task.
        unit: As for `score_all`.
        classes: The values of the target, where it has classes.
        answers: Prepares and scores rows, as metrics take them.
        scores: Scores a design matrix likewise.
        explainer: Explains single rows.
    """

    every: pl.DataFrame
    frame: pl.DataFrame
    y: NDArray[np.generic]
    columns: tuple[str, ...]
    threshold: float | None
    unit: float | None
    classes: tuple[object, ...]
    answers: Callable[[pl.DataFrame], Values]
    scores: Callable[[Values], Values]
    explainer: Explainer

    @classmethod
    def of(cls, context: Context) -> Subject:
        """Load the model and the holdout; rows that the preparation drops are none of it."""
        predictor = Predictor.load(context.store, context.inputs["train"].outputs["manifest"])
        manifest = predictor.manifest
        read = read_rows(context, None)
        held = read.frame.filter(read.judges())
        kept = predictor.preparation.transform(held.with_row_index(ROW), "scoring")[ROW].sort()
        every = held[kept]
        columns = tuple(field["name"] for field in manifest["request"])
        task = predictor.task

        def answers(frame: pl.DataFrame) -> Values:
            return shaped(task, predictor.answers(frame))

        label = every[LABEL]
        return cls(
            every=every,
            frame=every.select(columns),
            y=(label if label.dtype.is_float() else label.cast(int)).to_numpy(),
            columns=columns,
            threshold=manifest["threshold"],
            unit=read.naive_error(),
            classes=tuple(manifest["classes"] or ()),
            answers=answers,
            scores=lambda matrix: shaped(task, predictor.model.predict(matrix)),
            explainer=explainer_of(predictor, context.store),
        )

    def sample(self, most: int, seed: int) -> Chosen:
        """Draw rows, as many of each class, or of each part of the values, as there are among all."""
        if self.frame.height <= most:
            return Chosen(frame=self.frame, y=self.y)
        mixed = np.random.default_rng(seed).permutation(self.frame.height)
        sorted_by_label = mixed[np.argsort(self.y[mixed], kind="stable")]
        chosen = np.sort(sorted_by_label[np.linspace(0, len(mixed) - 1, most).round().astype(np.int64)])
        return Chosen(frame=self.frame[chosen], y=self.y[chosen])
