"""Gaussian naive Bayes: each class a normal distribution of each column, columns taken as independent."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import LogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class NaiveBayesParameters(Parameters):
    """A normal distribution of each column for each class; nearly free, and too sure of its probabilities.

    scikit-learn adds 1e-9 of the largest variance; the range reaches from there to all of it, where the classes differ
    in their means alone, as customary searches of this one parameter do.
    """

    var_smoothing: Tunable[Annotated[float, Field(ge=0, le=1e6)]] = LogUniform(low=1e-9, high=1.0)
    """Share of the largest variance of a column that is added to all variances."""


class NaiveBayes(ModelKind):
    """Independent normal distributions."""

    name = "naive_bayes"
    tasks = ("binary_classification", "multiclass_classification")
    parameters = NaiveBayesParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"var_smoothing": 1e-9})
    complexity = 5
    seconds_per_cell = 4e-8

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Take means and variances."""
        from mlops_compiler.models.adapters.bayes import fit_bayes

        return fit_bayes(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read means and variances; needs numpy only."""
        from mlops_compiler.models.adapters.bayes import load_bayes

        return load_bayes(files)
