"""A fit that is killed goes on from where it was last kept, to the model that it would have come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.models import indicators
from mlops_compiler.models.checkpointing import SECONDS, Checkpointing
from mlops_compiler.models.resumable import ResumableKind
from mlops_compiler.models.schedule import SCHEDULE, segments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, FittedModel, Matrix, ModelKind, Target
    from mlops_compiler.store.scratch import Scratch

DAMAGED = "artifact-corrupt"
_GENERATIONS = 2
"""Segments of a schedule that are kept: the last, and the one before for those that take it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where a fit is kept while it goes on.

    Attributes:
        scratch: The store's place for work in progress.
        name: Names all that the fit depends on, as a fingerprint does.
        every: Seconds that it goes on at least before it is kept again.
        ground: Names all that it depends on but its parameters, where others that share a part of its schedule do.
    """

    scratch: Scratch
    name: str
    every: float = SECONDS
    ground: str | None = None


def fit_resumed(
    kind: ModelKind,
    rows: tuple[Matrix, Target],
    *,
    parameters: Mapping[str, Scalar],
    options: FitOptions,
    keeping: Keeping,
) -> FittedModel:
    """Fit a model, from a checkpoint on where its kind is resumable and there is one; by its schedule where it has one.

    Args:
        kind: The kind.
        rows: What it learns from, as `ModelKind.fit` takes them.
        parameters: As `ModelKind.fit` takes them.
        options: Likewise.
        keeping: Where the fit is kept.
    """
    if not isinstance(kind, ResumableKind):
        return indicators.fit(kind, *rows, parameters=parameters, options=options)
    if SCHEDULE in parameters:
        return _fit_scheduled(kind, rows, parameters, options, keeping)
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
    kind: ResumableKind,
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


def _fit_scheduled(
    kind: ResumableKind,
    rows: tuple[Matrix, Target],
    parameters: Mapping[str, Any],
    options: FitOptions,
    keeping: Keeping,
) -> FittedModel:
    """Go through a schedule, from the last segment that is kept on; what is missing or damaged is made again."""
    names = [_name(keeping, parameters, count) for count in range(len(parameters[SCHEDULE]) + 1)]
    kept = next((at for at in range(len(names) - 1, 0, -1) if keeping.scratch.get(names[at]) is not None), 0)
    try:
        fitted = _through(kind, rows, (parameters, options), keeping, names[kept:])
    except MlopsError as error:
        if not kept or all(found.code != DAMAGED for found in error.diagnostics):
            raise
        keeping.scratch.remove(names[kept])
        fitted = _through(kind, rows, (parameters, options), keeping, names)
    if len(names) > _GENERATIONS:  # nobody goes on from there any more
        keeping.scratch.remove(names[-_GENERATIONS - 1])
    return fitted


def _through(
    kind: ResumableKind,
    rows: tuple[Matrix, Target],
    given: tuple[Mapping[str, Any], FitOptions],
    keeping: Keeping,
    names: list[str],
) -> FittedModel:
    """Go through the last segments: from what is kept under the first name to what is kept under the last."""
    parameters, options = given
    segments = segments_of(parameters)
    left = segments[len(segments) - len(names) + 1 :] or segments[-1:]
    checkpoint, made = keeping.scratch.get(names[0]), []
    for (values, until), name in zip(left, names[1:] or names, strict=True):
        checkpointing = Checkpointing(start=checkpoint, until=until)
        model, checkpoint = kind.resume(*rows, parameters=values, options=options, checkpointing=checkpointing)
        keeping.scratch.put(name, checkpoint)
        made.append(model)
    return made[-1]


def _name(keeping: Keeping, parameters: Mapping[str, Any], segments: int) -> str:
    """Name where a fit stands after some segments: by the ground, and by what it was trained with until there."""
    if not segments:
        return fingerprint({"ground": keeping.ground or keeping.name, "begun": False})
    trained = [[values, until] for values, until in segments_of(parameters)[:segments]]
    return fingerprint({"ground": keeping.ground or keeping.name, "trained": trained})
