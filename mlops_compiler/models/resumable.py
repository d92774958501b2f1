"""A kind of model whose fit can be left and taken up again."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from mlops_compiler.models.checkpointing import Checkpointing
from mlops_compiler.models.kind import ModelKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.models.checkpointing import Checkpoint
    from mlops_compiler.models.kind import FitOptions, FittedModel, Matrix, Target


class ResumableKind(ModelKind):
    """A kind whose fit can start from a checkpoint, pause, and be kept meanwhile.

    Attributes:
        adjustable: Parameters that may change when a fit is taken up again.
    """

    adjustable: ClassVar[frozenset[str]] = frozenset()

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Fit in a single go."""
        return self.resume(X, y, parameters=parameters, options=options, checkpointing=Checkpointing())[0]

    @abstractmethod
    def resume(
        self,
        X: Matrix,
        y: Target,
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
        checkpointing: Checkpointing,
    ) -> tuple[FittedModel, Checkpoint]:
        """Fit from a checkpoint on, or up to a step.

        On a CPU a fit that is paused and taken up again, as often as you like, gives the bits of one that is not. The
        parameters may be others than before, but for those that the shape of the model follows from: steps to come
        heed them, as population-based training wants.

        Args:
            X: As in `fit`; the rows that the checkpoint was fitted on.
            y: Likewise.
            parameters: Likewise.
            options: Likewise.
            checkpointing: Where it starts and pauses, and who keeps it meanwhile.

        Returns:
            The best model so far, and where the fit stands.

        Raises:
            DataError: As `fit`.
            EngineError: The checkpoint is damaged or of another model (`artifact-corrupt`); else as `fit`.
        """


def trains_on(kind: ModelKind, candidate: Candidate) -> bool:
    """Say whether trials of a candidate can go on from each other: its kind can, and something of it is searched."""
    return isinstance(kind, ResumableKind) and bool(candidate.space or candidate.preparation)
