"""Support vector machines: the widest margin between classes, or a tube around the values."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import LogUniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.models.kind import Matrix, Target


class SvmParameters(Parameters):
    """A support vector machine of classes or values; give it standardized columns.

    The ranges are those of Hsu, Chang and Lin, "A Practical Guide to Support Vector Classification" (2003, 3.2: ``C``
    from 2^-5 to 2^15, ``gamma`` from 2^-15 to 2^3), less the corner of large ``C`` in which the solver hardly ends.
    Probabilities are those of Platt, "Probabilistic Outputs for Support Vector Machines" (1999), learned on rows that
    the machine was not fitted on; those of several classes come from each pair of them, coupled as by Price et al.,
    "Pairwise Neural Network Classifiers with Probabilistic Outputs" (1995).
    """

    kernel: Tunable[Literal["rbf", "linear"]] = "rbf"
    """What makes rows alike: how near they are, or the product of their columns."""
    C: Tunable[Annotated[float, Field(gt=0, le=1e10)]] = LogUniform(low=0.03125, high=512.0)
    """What a row on the wrong side costs: smaller is simpler."""
    gamma: Tunable[Annotated[float, Field(gt=0, le=1e10)]] = LogUniform(low=3e-5, high=8.0)
    """How fast likeness falls with squared distance, for ``kernel: rbf``."""
    epsilon: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 0.1
    """How far a value may be off at no cost, in standard deviations of the target; regression alone."""
    max_rows: Tunable[Annotated[int, Field(ge=10, le=10_000_000)]] = 5_000
    """Most rows to learn from: of more a sample is drawn, in which each class has its share. Time grows with the square
    of the rows."""


class Svm(ModelKind):
    """A support vector machine."""

    name = "svm"
    tasks = TASKS
    parameters = SvmParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"kernel": "rbf", "C": 1.0, "gamma": 0.05, "epsilon": 0.1, "max_rows": 5_000}
    )
    complexity = 45
    seconds_per_cell = 2e-5

    def unreached(self, parameters: Mapping[str, Scalar | Domain]) -> dict[str, str]:
        """Find a gamma that no kernel asks."""
        if parameters["kernel"] == "linear":
            return {"gamma": "only `kernel: rbf` has it"}
        return {}

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Solve, and calibrate where there are classes."""
        from mlops_compiler.models.adapters.svm_training import fit_svm

        return fit_svm(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the support vectors; needs numpy only."""
        from mlops_compiler.models.adapters.svm import load_svm

        return load_svm(files)
