"""A predictor is a release ready to score: the fitted preparation and the model; each row is scored alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError, Note
from mlops_compiler.models.composed import accepts_missing, load_described
from mlops_compiler.tables.matrix import design_matrix, refuse_missing
from mlops_compiler.tables.preparation import FittedPreparation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FittedModel
    from mlops_compiler.store.reader import StoreReader

FORMATS = (2, 3)
"""The formats of manifests that this version reads: of 3, a model may be calibrated, or be an ensemble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """Scores rows with one release.

    Attributes:
        manifest: What the release says of itself.
        preparation: The fitted steps.
        model: The fitted model.
        accepts_missing: Whether the model takes missing values.
    """

    manifest: dict[str, Any]
    preparation: FittedPreparation
    model: FittedModel
    accepts_missing: bool

    @classmethod
    def load(cls, reader: StoreReader, manifest_digest: str) -> Predictor:
        """Load a release from the store.

        Raises:
            EngineError: An object is missing or corrupt, or was written by a version that knows more.
        """
        manifest = orjson.loads(reader.objects.get(manifest_digest))
        if manifest.get("format") not in FORMATS:
            raise EngineError([_unknown_format(manifest.get("format"))])
        return cls.of(manifest, reader.objects.get)

    @classmethod
    def of(cls, manifest: dict[str, Any], get: Callable[[str], bytes]) -> Predictor:
        """Load what a manifest describes.

        Args:
            manifest: In a format that this version reads.
            get: Reads an object by its digest.

        Raises:
            EngineError: An object is missing or corrupt.
        """
        return cls(
            manifest=manifest,
            preparation=FittedPreparation.from_json(manifest["preparation"]),
            model=load_described(manifest["model"], get),
            accepts_missing=accepts_missing(manifest["model"]),
        )

    @property
    def task(self) -> Task:
        """What the release was trained for."""
        task: Task = self.manifest["task"]
        return task

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Score rows.

        Args:
            frame: Columns typed as the request contract says.

        Returns:
            As many rows, in the same order. Of a binary task: ``probability`` of the positive class (Float64), and
            ``decision``, the label that the release's threshold gives it. Of one with more classes: ``decision``, the
            most probable class, and ``probabilities``, a struct with a field (Float64) for each class. Of a
            regression: ``prediction`` (Float64). Of a clustering: ``cluster``, its number (Int64), 0 for the one with
            most training rows and -1 for none; ``distance`` (Float64), how far that is; and where the kind has one its
            ``probability`` (Float64). Of
            anomalies: ``score``, how odd a row is, from 0 to 1 (Float64), and ``anomaly``, whether that reaches the
            release's threshold. A row's bits do not depend on the rows beside it.

        Raises:
            DataError: A step or the model cannot take the rows.
        """
        answers = self.answers(frame)
        if self.task == "regression":
            return pl.DataFrame([pl.Series("prediction", answers[:, 0])])
        if self.task == "anomaly_detection":
            odd = answers[:, 0] >= self.manifest["threshold"]
            return pl.DataFrame({"score": np.ascontiguousarray(answers[:, 0]), "anomaly": odd})
        if self.task == "clustering":
            columns = zip(("cluster", "distance", "probability"), answers.T, strict=False)
            found = pl.DataFrame({name: np.ascontiguousarray(column) for name, column in columns})
            return found.with_columns(pl.col("cluster").cast(pl.Int64))
        labels = self.manifest["classes"]
        if self.task == "binary_classification":
            probability = np.ascontiguousarray(answers[:, 1])
            decided = (probability >= self.manifest["threshold"]).tolist()
            first = pl.Series("probability", probability)
            return pl.DataFrame([first, pl.Series("decision", [labels[positive] for positive in decided])])
        decision = pl.Series("decision", [labels[place] for place in answers.argmax(axis=1).tolist()])
        shares = {str(label): np.ascontiguousarray(column) for label, column in zip(labels, answers.T, strict=True)}
        return pl.DataFrame([decision, pl.DataFrame(shares).to_struct("probabilities")])

    def answers(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Score rows, as `FittedModel.predict` gives scores.

        Raises:
            DataError: A step or the model cannot take the rows.
        """
        return self.model.predict(self.matrix(frame))

    def matrix(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Prepare rows: the design matrix, shape (rows, features).

        Raises:
            DataError: A step cannot take the rows, or they lack values that the model cannot do without.
        """
        features = self.manifest["features"]
        try:
            matrix = design_matrix(self.preparation.transform(frame), features)
        except pl.exceptions.PolarsError as error:
            raise DataError([_cannot_prepare(error)]) from error
        if not self.accepts_missing:
            refuse_missing(matrix, features, f"model `{self.manifest['model']['kind']}`")
        return matrix


def _unknown_format(found: Any) -> Diagnostic:
    return Diagnostic(
        code="artifact-unreadable",
        headline=f"the release is written in format {found!r}, and this version reads formats up to {FORMATS[-1]}",
        help="serve it with the version that trained it, or train it again",
    )


def _cannot_prepare(error: pl.exceptions.PolarsError) -> Diagnostic:
    return Diagnostic(
        code="step-failed",
        headline="the preparation cannot run on these rows",
        notes=(Note(text=str(error).split("\n", 1)[0]),),
    )
