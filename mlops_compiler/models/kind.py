"""A model kind fits rows and gives back a fitted model that scores each row alone, to the last bit.

How many rows are scored together never changes a score: the service, the batch and the search agree exactly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.form import Form
    from mlops_compiler.models.history import TrainingHistory
    from mlops_compiler.models.parameters import Parameters

    Matrix: TypeAlias = NDArray[np.float64]
    Labels: TypeAlias = NDArray[np.int64]
    Target: TypeAlias = NDArray[np.int64] | NDArray[np.float64]
    """What came: the number of each row's class, or its value; shape (rows,)."""

Device: TypeAlias = Literal["cpu", "cuda"]
NO_GPU_MEMORY = "gpu-memory"
"""The code of the error of a fit for which a GPU has no memory; on a CPU it may succeed."""
Direction: TypeAlias = Literal["increasing", "decreasing"]
Explanation: TypeAlias = Literal["coefficients", "tree_shap"]
"""What the structure of a model explains exactly: the weight of each feature, from which follows what it adds to
the score of a row; or what each adds along the trees. Methods that only ask a model for answers work for every kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How to fit, apart from the parameters of the model.

    Attributes:
        seed: The only source of randomness.
        threads: Most threads that a fit may use.
        device: Where a kind that can use a GPU computes.
        task: What the model is asked for.
        classes: How many classes the target has, where it has classes; labels are ``0..classes-1``.
        weights: What each training row weighs, shape (rows,); None where all weigh the same.
        monotone: For each column 1 where the score may only rise with it, -1 where it may only fall, else 0; empty
            where no column is held to anything.
        categories: For each column how many levels it has, n, or 0 for a number; empty where all are numbers. A level
            is 0 to n - 1; n is one that is rare or was never seen, and n + 1 one that is missing.
        whole: Whether the model is to be used, and not only judged: a kind that holds rows back, to know when to stop,
            learns from them too in the end.
    """

    seed: int
    threads: int = 1
    device: Device = "cpu"
    task: Task = "binary_classification"
    classes: int = 2
    weights: NDArray[np.float64] | None = None
    monotone: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    whole: bool = False


class FittedModel(ABC):
    """A model that can score rows and be stored.

    Attributes:
        notes: What the fit wants known (it did not converge, ...); not stored.
        history: How the fit went, step by step, where it has steps; not stored.
        smaller: How the fit got on with less memory than it asked for, where it had to; not stored.
    """

    notes: tuple[str, ...] = ()
    history: TrainingHistory | None = None
    smaller: tuple[str, ...] = ()

    @abstractmethod
    def predict(self, X: Matrix) -> Matrix:
        """Score rows.

        Args:
            X: Float64 design matrix in C order, shape (rows, features).

        Returns:
            Of classes their probabilities, shape (rows, classes); of a regression the values, shape (rows, 1); of a
            clustering the number of the cluster, -1 for none, and how far that is, and where the kind has one its
            probability, shape (rows, 2) or (rows, 3). Each row gets the same bits whatever rows surround it.

        Raises:
            DataError: The matrix has another width than at the fit, or a value that the kind cannot take.
        """

    def form(self) -> Form | None:
        """Give the structure that explains the model exactly; None where it can only be asked."""
        return None

    @abstractmethod
    def dump(self) -> dict[str, bytes]:
        """Give the files from which the kind's `load` makes an equal model; the same bytes each time."""


class ModelKind(ABC):
    """A family of models that a recipe can name.

    Attributes:
        name: The name in a recipe.
        tasks: What it can be asked for.
        parameters: Its parameters, each with the kind's own search domain as its default.
        defaults: One sensible point of that space: the first trial of a searched model.
        portfolio: Further points that are known to do well where the defaults do not, the next trials in this order;
            each says where it differs from the defaults (Feurer et al., "Auto-sklearn 2.0", JMLR 2022, call it so).
        complexity: Rank; of two equally good models the lower is the simpler.
        version: Raised when the same input no longer gives the same model.
        uses_gpu: Whether a GPU makes it faster.
        is_baseline: Whether it learns from no feature, and is there to be beaten.
        repeats_season: Whether it is for forecasts alone, and its design matrix has one column: the value of the last
            season, which a seasonal naive forecast repeats.
        accepts_missing: Whether the design matrix may hold NaN.
        rounds_by_threads: Whether another number of threads may round its sums otherwise.
        takes_categories: Whether a column of the design matrix may hold numbers of levels (`FitOptions.categories`).
        of_categories: Parameters that say what becomes of categories; they are not searched where there are none.
        of_values: Parameters that are read where values are predicted, and not classes.
        takes_weights: Whether a fit heeds what each row weighs (`FitOptions.weights`).
        takes_monotone: Whether it can be held to scores that only rise, or only fall, with a column.
        explains: What its structure explains of its answers; empty for one that is only asked.
        seconds_per_cell: About how long a fit takes on one core, for each number of the design matrix; for
            estimates before anything was measured.
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]] = ("binary_classification",)
    parameters: ClassVar[type[Parameters]]
    defaults: ClassVar[Mapping[str, Scalar]]
    portfolio: ClassVar[tuple[Mapping[str, Scalar], ...]] = ()
    complexity: ClassVar[int]
    version: ClassVar[int] = 1
    uses_gpu: ClassVar[bool] = False
    is_baseline: ClassVar[bool] = False
    repeats_season: ClassVar[bool] = False
    accepts_missing: ClassVar[bool] = False
    rounds_by_threads: ClassVar[bool] = False
    takes_categories: ClassVar[bool] = False
    of_categories: ClassVar[frozenset[str]] = frozenset()
    of_values: ClassVar[frozenset[str]] = frozenset()
    takes_weights: ClassVar[bool] = True
    takes_monotone: ClassVar[bool] = False
    explains: ClassVar[frozenset[Explanation]] = frozenset()
    seconds_per_cell: ClassVar[float] = 1e-6

    @abstractmethod
    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Fit a model; the same arguments give the same bits.

        Other `threads` give them too, unless the kind `rounds_by_threads`.

        Args:
            X: Float64 design matrix in C order, shape (rows, features).
            y: Labels ``0..classes-1``, every one of them present; of a regression the values, all finite; of a
                clustering zeros, which no kind looks at.
            parameters: A value for each of the kind's parameters.
            options: Seed, threads, device, task, number of classes, weights, and monotone columns where the kind takes
                them.

        Raises:
            DataError: A label is missing from `y`, or `X` holds a value that the kind cannot take.
            EngineError: The fit came to nothing (it diverged), or the GPU has no memory for it (`gpu-memory`).
        """

    def gpu_bytes(self, rows: int, columns: int, parameters: Mapping[str, Scalar]) -> float:  # noqa: ARG002 - the signature of all
        """Estimate what a fit takes of a GPU's memory; a better one packs trials closer, a worse one slows no fit.

        What counts is how it grows: it is set against what was measured of other parameters. 0 where nothing is known,
        and every fit is taken to need what the largest one did.

        Args:
            rows: Rows of the design matrix.
            columns: Its columns.
            parameters: A value for each of the kind's parameters.
        """
        return 0.0

    def unread(self, parameters: Mapping[str, Scalar | Domain], task: Task) -> dict[str, str]:
        """Name the parameters that nothing reads, each with the reason.

        Args:
            parameters: A value or a domain for each of the kind's parameters.
            task: What is asked for.
        """
        beside = () if task == "regression" else sorted(self.of_values)
        return {**self.unreached(parameters), **dict.fromkeys(beside, "the task has classes to predict, and no values")}

    def unreached(self, parameters: Mapping[str, Scalar | Domain]) -> dict[str, str]:  # noqa: ARG002 - the signature of all
        """Name the parameters that others put out of reach, each with the reason.

        Args:
            parameters: A value or a domain for each of the kind's parameters.
        """
        return {}

    def spreads(self, parameters: Mapping[str, Scalar], categories: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002 - the signature of all
        """Say which categories it sees as an indicator for each level: all of them, where it takes numbers alone.

        Args:
            parameters: A value for each of the kind's parameters.
            categories: As `FitOptions.categories`.

        Returns:
            For each column how many levels become indicators, 0 where none do; empty where no column has any.
        """
        return () if self.takes_categories or self.is_baseline else categories

    @abstractmethod
    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Make the model that `FittedModel.dump` gave the files of.

        Raises:
            EngineError: The files are not such a model (`artifact-corrupt`).
        """
