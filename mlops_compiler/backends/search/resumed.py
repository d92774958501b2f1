"""A fit that is killed goes on from where it was last kept, to the model that it would have come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.models.checkpointing import SECONDS, Checkpointing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, FittedModel, Matrix, ModelKind, Target
    from mlops_compiler.store.scratch import Scratch

DAMAGED = "artifact-corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where a fit is kept while it goes on.

    Attributes:
        scratch: The store's place for work in progress.
        name: Names all that the fit depends on, as a fingerprint does.
        every: Seconds that it goes on at least before it is kept again.
    """

    scratch: Scratch
    name: str
    every: float = SECONDS


def fit_resumed(
    kind: ModelKind,
    rows: tuple[Matrix, Target],
    *,
    parameters: Mapping[str, Scalar],
    options: FitOptions,
    keeping: Keeping,
) -> FittedModel:
    """Fit a model, from a checkpoint on where its kind is resumable and there is one.

    Args:
        kind: The kind.
        rows: What it learns from, as `ModelKind.fit` takes them.
        parameters: As `ModelKind.fit` takes them.
        options: Likewise.
        keeping: Where the fit is kept.
    """
    if not kind.resumable:
        return kind.fit(*rows, parameters=parameters, options=options)
    start = keeping.scratch.get(keeping.name)
    try:
        fitted = _fit(kind, rows, parameters, options, (keeping, start))
    except MlopsError as error:
        keeping.scratch.remove(keeping.name)
        if start is None or all(found.code != DAMAGED for found in error.diagnostics):
            raise
        fitted = _fit(kind, rows, parameters, options, (keeping, None))
    keeping.scratch.remove(keeping.name)
    return fitted


def _fit(
    kind: ModelKind,
    rows: tuple[Matrix, Target],
    parameters: Mapping[str, Scalar],
    options: FitOptions,
    kept: tuple[Keeping, bytes | None],
) -> FittedModel:
    keeping, start = kept
    checkpointing = Checkpointing(
        start=start, keep=lambda checkpoint: keeping.scratch.put(keeping.name, checkpoint), every=keeping.every
    )
    return kind.resume(*rows, parameters=parameters, options=options, checkpointing=checkpointing)[0]
