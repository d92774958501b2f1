"""How good values are before their outcome is known: by the size of error that is to be expected of each row.

Trees that the holdout taught give that size by the features and the prediction (direct loss estimation, as NannyML
describes it: https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html). What the errors of the
holdout were of the size expected of them, sign included, is drawn for each row: so there are outcomes, and every
metric. Intervals say how far other rows, other outcomes and another holdout of that many rows would stray. Sizes are
asked of the holdout first, of rows that did not teach them, and of known outcomes. A change of what follows from the
columns shows in no estimate, and rows beyond all that the holdout has are taken for the outermost that it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.models.registry import MODELS
from mlops_compiler.monitoring.judged import LEVEL, Scored, interval
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import FittedPreparation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FittedModel

    Values = NDArray[np.float64]

COLUMN, FILES, KIND = "expected_error", "expected_error/", "hist_gradient_boosting"
"""Of the stage `evaluate`: the column of its predictions, its files, and the kind of model that reads them."""
METRICS = ("rmse", "mae", "median_absolute_error", "r2")
"""Those that ask for errors alone; a share of what came is not known before it comes."""
_GAP = 0.1
"""By this share of the mean error may sizes be off, whatever the test says."""
_DRAWS, _ROWS, _PARTS, _SEED = 200, 20_000, 10, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorModel:
    """What says how large errors are to be expected.

    Attributes:
        preparation: That of the release.
        features: The columns of its design matrix.
        trees: Say the size, by the features and the prediction.
        ratios: What the errors of the holdout were of the size expected of them, shape (rows,).
        gap: By how much sizes are off in tenths of the holdout, on average; a share of the mean error.
        p: How likely such gaps are by chance.
    """

    preparation: FittedPreparation
    features: tuple[str, ...]
    trees: FittedModel
    ratios: Values
    gap: float
    p: float

    @classmethod
    def of(cls, manifest: Mapping[str, Any], files: Mapping[str, bytes], held: pl.DataFrame) -> ErrorModel:
        """Read what an evaluation learned.

        Args:
            manifest: What the release says of itself.
            files: The trees.
            held: The holdout: ``label``, ``value`` and `COLUMN`.

        Raises:
            EngineError: The files are no such model.
        """
        off, sizes = (held["label"] - held["value"]).to_numpy().astype(np.float64), held[COLUMN].to_numpy()
        gap, p = _tenths(np.abs(off), sizes)
        preparation = FittedPreparation.from_json(manifest["preparation"])
        return cls(
            preparation=preparation, features=tuple(manifest["features"]), trees=MODELS[KIND].load(files),
            ratios=off / sizes, gap=gap, p=p,
        )  # fmt: skip

    def sizes(self, inputs: pl.DataFrame, said: Values) -> Values:
        """Say how large an error is to be expected of each row; shape (rows,)."""
        X = design_matrix(self.preparation.transform(inputs), self.features)
        found: Values = self.trees.predict(np.column_stack([X, said]))[:, 0]
        form = self.trees.form()
        if form is not None and form.scale != "log_value":  # of a version whose trees gave the logarithm
            found = np.exp(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Rows that were answered.

    Attributes:
        inputs: The columns of the requests.
        said: What was answered, shape (rows,).
    """

    inputs: pl.DataFrame
    said: Values


def expected(model: ErrorModel, rows: Answered, known: tuple[Answered, Values] | None) -> Scored | str:
    """Estimate the metrics of values whose outcome is not known yet.

    Args:
        model: Says what errors are to be expected.
        rows: What was answered.
        known: Rows whose outcome came, and the outcomes; None where there are too few to tell.

    Returns:
        The metrics, or why there is no estimate.
    """
    if model.p <= LEVEL and model.gap >= _GAP:
        return f"on the holdout errors are off by {model.gap:.0%} from the size that is expected of them"
    if known is not None:
        told, came = known
        found = np.abs(came - told.said) - model.sizes(told.inputs, told.said) * np.abs(model.ratios).mean()
        gap = float(found.mean() / np.abs(came - told.said).mean())
        if abs(gap) >= _GAP and _chance(found) <= LEVEL:
            return f"outcomes contradict the errors that are expected by {abs(gap):.0%}: see the measured performance"
    return _drawn(model, rows)


def _drawn(model: ErrorModel, rows: Answered) -> Scored:
    """Draw rows, and outcomes for them."""
    chosen = np.unique(np.linspace(0, len(rows.said) - 1, min(_ROWS, len(rows.said))).round().astype(np.intp))
    said, sizes = rows.said[chosen], model.sizes(rows.inputs[chosen], rows.said[chosen])
    random, count = np.random.default_rng(_SEED), len(chosen)
    drawn: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(_DRAWS):
        other = random.choice(model.ratios, len(model.ratios))
        places = random.integers(count, size=count)
        came = said[places] + sizes[places] * random.choice(other, count)
        for name, value in score_all("regression", came, said[places], None, METRICS).items():
            drawn[name].append(value)
    metrics = {name: float(np.mean(values)) for name, values in drawn.items()}
    intervals = {name: interval(np.array(drawn[name]), metrics[name], 1.0) for name in METRICS}
    return Scored(rows=len(rows.said), metrics=metrics, intervals=intervals)


def _tenths(errors: Values, sizes: Values) -> tuple[float, float]:
    """Compare errors with sizes in tenths of the rows: the mean gap, and how likely such gaps are by chance."""
    from scipy.stats import chi2

    parts = [part for part in np.array_split(np.argsort(sizes, kind="stable"), _PARTS) if len(part) > 1]
    gaps = np.array([(errors[part] - sizes[part]).sum() for part in parts])
    spreads = np.array([len(part) * (errors[part] - sizes[part]).var(ddof=1) for part in parts])
    statistic = float((gaps**2 / np.maximum(spreads, np.finfo(np.float64).tiny)).sum())
    return float(np.abs(gaps).sum() / errors.sum()), float(chi2.sf(statistic, len(parts)))


def _chance(found: Values) -> float:
    """Test whether a mean is none, two-sided."""
    from scipy.stats import norm

    error = float(found.std(ddof=1)) / len(found) ** 0.5
    return float(2 * norm.sf(abs(float(found.mean())) / error)) if error else float(found.mean() == 0)
