"""Answers with what each feature added to them: the explainer of a release, and its columns in an output file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.explain.release import Explainer, answer_scale, groups_of, read_background, shaped
from mlops_compiler.ir.task import learns_from_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.store.reader import StoreReader


def explainer_of(predictor: Predictor, reader: StoreReader) -> Explainer:
    """Make the explainer of a release.

    Raises:
        DataError: The task has nothing to explain, or the release was made before releases kept a background.
    """
    manifest, task = predictor.manifest, predictor.task
    if not learns_from_target(task):
        raise DataError([_not_explainable(f"{task} has no answer that features add up to", None)])
    if "background" not in manifest:
        why = "it was made by a version that kept no rows to compare with"
        raise DataError([_not_explainable(why, f"train it again: mlops-compile recipe={manifest['recipe']}")])

    def answers(frame: pl.DataFrame) -> NDArray[np.float64]:
        return shaped(task, predictor.answers(frame))

    return Explainer(
        background=read_background(reader.objects.get(manifest["background"])),
        columns=tuple(field["name"] for field in manifest["request"]),
        groups=groups_of(manifest["matrix"], manifest["features"]),
        form=predictor.model.form(),
        matrix=predictor.matrix,
        answers=answers,
        scale=answer_scale(task),
    )


def contribution_columns(explainer: Explainer, frame: pl.DataFrame) -> pl.DataFrame:
    """Explain rows.

    Args:
        explainer: That of the release.
        frame: Rows typed as the request contract says.

    Returns:
        ``base``, and ``contribution_NAME`` for each feature, or for each column where the model can only be asked; they
        add up to the row's score: its log-odds or its probability, or its value. Of several classes they are those of
        the class that is decided.
    """
    found = explainer.contributions(frame.select(explainer.columns))
    decided = found.scores().argmax(axis=1)
    values = found.values[np.arange(frame.height), :, decided]
    columns = [pl.Series("base", found.base[decided])]
    named = zip(found.names, values.T, strict=True)
    return pl.DataFrame(
        [*columns, *(pl.Series(f"contribution_{name}", np.ascontiguousarray(each)) for name, each in named)]
    )


def _not_explainable(why: str, mend: str | None) -> Diagnostic:
    return Diagnostic(code="not-explainable", headline=f"the release cannot explain its answers: {why}", help=mend)
