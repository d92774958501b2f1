"""A release that answers one row without a table, and says of a row that is not for it that it is beyond it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.serving.compiled import levels  # noqa: F401 - registers its steps
from mlops_compiler.serving.compiled.models import compile_model
from mlops_compiler.serving.compiled.steps import compile_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.serving.compiled.models import Score
    from mlops_compiler.serving.compiled.steps import Act
    from mlops_compiler.serving.predictor import Predictor

    Answer: TypeAlias = dict[str, Any]
    Prepare: TypeAlias = Callable[[Mapping[str, Any]], list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRow:
    """Scores one row with a release.

    Attributes:
        prepare: From the columns of the contract to the features, NaN where one is missing.
        score: From the features to what `FittedModel.predict` gives.
        tell: From that to the answer.
        parts: What is compiled: the names of steps, and ``model``.
        whole: Whether all is.
    """

    prepare: Prepare
    score: Score
    tell: Callable[[Sequence[float]], Answer]
    parts: tuple[str, ...]
    whole: bool

    def predict(self, row: Mapping[str, Any]) -> Answer:
        """Score a row: what the one row of `Predictor.predict` holds, bit by bit.

        Args:
            row: The columns of the contract, typed; None where there is none.

        Raises:
            Beyond: The batch path answers this row, or says what is wrong with it.
        """
        return self.tell(self.score(self.prepare(row)))

    @property
    def says(self) -> bool | list[str]:
        """What is compiled: True for all, else a list."""
        return True if self.whole else list(self.parts)


def compile_release(predictor: Predictor, *, steps: bool = True) -> CompiledRow:
    """Compile a release for one row.

    Args:
        predictor: The release.
        steps: Whether the steps are compiled, or the model alone.
    """
    acts, named, all_steps = _steps(predictor) if steps else ((), (), False)
    score, by_itself = compile_model(predictor.model)
    return CompiledRow(
        prepare=_prepare(acts, predictor.manifest["features"]) if steps else _as_a_table(predictor),
        score=score,
        tell=_told(predictor),
        parts=(*named, *(("model",) if by_itself else ())),
        whole=all_steps and by_itself,
    )


def request_schema(predictor: Predictor) -> dict[str, pl.DataType]:
    """Give the columns of a release's request contract, with their types."""
    fields = predictor.manifest["request"]
    return {item["name"]: DTYPES[item["type"]] for item in fields if item["name"] != predictor.manifest.get("key")}


def _steps(predictor: Predictor) -> tuple[tuple[Act, ...], tuple[str, ...], bool]:
    acts, named = [], []
    schema: Mapping[str, pl.DataType] = request_schema(predictor)
    for fitted in predictor.preparation.steps:
        act, schema, by_itself = compile_step(fitted, schema)
        acts.append(act)
        named += [fitted.name] if by_itself else []
    return tuple(acts), tuple(named), len(named) == len(acts)


def _prepare(acts: Sequence[Act], features: Sequence[str]) -> Prepare:
    def prepare(row: Mapping[str, Any]) -> list[float]:
        values = dict(row)
        for act in acts:
            act(values)
        found = map(values.__getitem__, features)
        return [math.nan if value is None else float(value) for value in found]

    return prepare


def _as_a_table(predictor: Predictor) -> Prepare:
    """Prepare a row as the batch path does."""
    schema = request_schema(predictor)

    def prepare(row: Mapping[str, Any]) -> list[float]:
        found: list[float] = predictor.matrix(pl.DataFrame([row], schema=schema))[0].tolist()
        return found

    return prepare


def _told(predictor: Predictor) -> Callable[[Sequence[float]], Answer]:
    """Give what turns the scores of a row into its answer, as `Predictor.predict` does."""
    manifest = predictor.manifest
    threshold: Any = manifest.get("threshold")
    labels = manifest.get("classes") or ()
    names = tuple(map(str, labels))

    def binary(scores: Sequence[float]) -> Answer:
        probability = scores[1]
        return {"probability": probability, "decision": labels[probability >= threshold]}

    def multiclass(scores: Sequence[float]) -> Answer:
        decision = labels[max(range(len(scores)), key=scores.__getitem__)]
        return {"decision": decision, "probabilities": dict(zip(names, scores, strict=True))}

    def clustering(scores: Sequence[float]) -> Answer:
        found = dict(zip(("cluster", "distance", "probability"), scores, strict=False))
        return {**found, "cluster": int(found["cluster"])}

    return {
        "regression": lambda scores: {"prediction": scores[0]},
        "anomaly_detection": lambda scores: {"score": scores[0], "anomaly": scores[0] >= threshold},
        "clustering": clustering,
        "binary_classification": binary,
        "multiclass_classification": multiclass,
    }[predictor.task]
