"""The model of a release as its manifest describes it: one of a kind, calibrated or not, or an ensemble of such.

An answer of several is the mean of theirs, each with its weight, added one member after the other: a row gets the same
bits alone and beside others, as it does of each member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models import indicators
from mlops_compiler.models.calibration import calibrated
from mlops_compiler.models.kind import FittedModel
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.models.kind import Matrix

ENSEMBLE = "ensemble"
"""The kind that a manifest gives a model which is several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated(FittedModel):
    """A classifier whose probabilities are calibrated."""

    model: FittedModel
    calibration: dict[str, Any]

    def predict(self, X: Matrix) -> Matrix:
        """Score rows, each alone."""
        found = self.model.predict(X)
        if len(self.calibration["curves"]) > 1:
            return calibrated(self.calibration, found)
        positive = calibrated(self.calibration, np.ascontiguousarray(found[:, 1]))
        return np.column_stack([1.0 - positive, positive])

    def dump(self) -> dict[str, bytes]:
        """Give the files of the model; how it is calibrated stands in the manifest."""
        return self.model.dump()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble(FittedModel):
    """Several models, each with its weight; the weights add up to 1."""

    members: tuple[tuple[float, FittedModel], ...]

    def predict(self, X: Matrix) -> Matrix:
        """Score rows, each alone."""
        (first, model), *others = self.members
        total = first * model.predict(X)
        for weight, member in others:
            total += weight * member.predict(X)
        return total

    def dump(self) -> dict[str, bytes]:
        """Give the files of all members, each under its place."""
        dumped = ((place, member.dump()) for place, (_, member) in enumerate(self.members))
        return {f"{place}/{name}": content for place, files in dumped for name, content in files.items()}


def described(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the members of a model as a manifest describes it; of a single one that one."""
    return list(model["members"]) if model["kind"] == ENSEMBLE else [model]


def load_described(model: Mapping[str, Any], get: Callable[[str], bytes], *, raw: bool = False) -> FittedModel:
    """Load a model that a manifest describes.

    Args:
        model: ``kind`` and ``files`` of a single one, and ``calibration`` where it is calibrated; ``members`` of an
            ensemble, each such a mapping with its ``weight``.
        get: Reads an object of the store.
        raw: Leave out the calibration.

    Raises:
        EngineError: A kind is not installed here, or an object is missing or corrupt.
    """
    if model["kind"] == ENSEMBLE:
        return Ensemble(
            members=tuple((item["weight"], load_described(item, get, raw=raw)) for item in model["members"])
        )
    if model["kind"] not in MODELS:
        raise EngineError([_unknown_kind(model["kind"])])
    fitted = indicators.load(MODELS[model["kind"]], {name: get(digest) for name, digest in model["files"].items()})
    calibration = model.get("calibration")
    return fitted if raw or calibration is None else Calibrated(model=fitted, calibration=calibration)


def accepts_missing(model: Mapping[str, Any]) -> bool:
    """Say whether every member of a model takes missing values."""
    return all(MODELS[item["kind"]].accepts_missing for item in described(model))


def is_calibrated(model: Mapping[str, Any]) -> bool:
    """Say whether a member of a model is calibrated."""
    return any(item.get("calibration") is not None for item in described(model))


def _unknown_kind(kind: str) -> Diagnostic:
    return Diagnostic(
        code="artifact-unreadable",
        headline=f"the release needs models of the kind `{kind}`, which is not installed here",
        help="install the plugin that brings it",
    )
