"""The baseline of a forecast: the value of the last season comes again.

The compiler gives it that value as the only column, as the source has it, whatever the preparation makes of it for
others (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, 2021, 5.2).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class SeasonalNaiveParameters(Parameters):
    """The value of the last season; nothing to set, as the season is that of the objective."""


class SeasonalNaive(ModelKind):
    """The value of the last season, and where no season came before the mean."""

    name = "seasonal_naive"
    tasks = ("regression",)
    parameters = SeasonalNaiveParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({})
    complexity = 0
    seconds_per_cell = 0.0
    is_baseline = True
    repeats_season = True
    accepts_missing = True

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - what a season said is repeated, and not learned from
        y: Target,
        *,
        parameters: Mapping[str, Scalar],  # noqa: ARG002 - there is none
        options: FitOptions,
    ) -> FittedModel:
        """Average the target, for rows that no season came before."""
        from mlops_compiler.models.adapters.prior import fit_naive

        return fit_naive(y, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the mean."""
        from mlops_compiler.models.adapters.prior import load_naive

        return load_naive(files)
