"""A kind of model that acts as its file says: how long it takes, and whether it fails. Rollouts are tried with it.

No part of the product: a folder with an entry point (`announce`) makes it known to the processes that find the folder
on their path.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.kind import FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

EXAMPLE = {"tenure": 5}
"""What the example of a release asks; it is answered well, but for a release that fails to load."""
SLOW = 90
"""From this on a row is slow, where the model has slow rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting(FittedModel):
    """Answers all rows alike.

    Attributes:
        probability: The answer.
        seconds: How long an answer takes.
        slow_seconds: How long that of a slow row takes.
        on_load: Whether it fails when it is loaded.
        on_request: ``raise`` or ``hang``, for every request but the example.
    """

    probability: float = 0.3
    seconds: float = 0.01
    slow_seconds: float = 2.0
    on_load: bool = False
    on_request: str = ""

    def predict(self, X: Matrix) -> Matrix:
        """Act."""
        asked = float(X[0, 0]) if len(X) else 0.0
        if self.on_request and asked != EXAMPLE["tenure"]:
            if self.on_request == "raise":
                raise RuntimeError("this release fails every request")
            time.sleep(30)
        time.sleep(self.slow_seconds if asked >= SLOW else self.seconds)
        return np.tile([1 - self.probability, self.probability], (len(X), 1))

    def dump(self) -> dict[str, bytes]:
        """Write how it acts."""
        return {"acting.json": json.dumps(asdict(self)).encode()}


class NoParameters(Parameters):
    """Nothing to set."""


class ActingKind(ModelKind):
    """Models that act as they are told."""

    name = "acting"
    parameters = NoParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({})
    complexity = 99

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - it learns nothing
        y: Target,  # noqa: ARG002
        *,
        parameters: Mapping[str, Scalar],  # noqa: ARG002
        options: FitOptions,  # noqa: ARG002
    ) -> FittedModel:
        """Learn nothing."""
        return Acting()

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read how it acts; one that is to fail at this fails."""
        model = Acting(**json.loads(files["acting.json"]))
        if model.on_load:
            raise RuntimeError("this release fails to load")
        return model


ACTING = ActingKind()


def announce(folder: Path) -> None:
    """Write what makes the kind known to a process that has a folder on its path."""
    place = folder / "acting-1.0.dist-info"
    place.mkdir(parents=True, exist_ok=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: acting\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text("[mlops_compile.models]\nacting = benchmarks.acting:ACTING\n")


def manifest_of(files: Mapping[str, str]) -> dict[str, object]:
    """Write the manifest of a release with such a model, whose files have these digests."""
    field = {"name": "tenure", "type": "int", "nullable": False, "required": True, "range": [0, 100], "one_of": None}
    return {
        "format": 2,
        "recipe": "acting",
        "task": "binary_classification",
        "target": "churn",
        "classes": ["No", "Yes"],
        "positive": "Yes",
        "threshold": 0.5,
        "key": "customer",
        "request": [{**field, "description": None}],
        "preparation": {"steps": []},
        "features": ["tenure"],
        "model": {"kind": "acting", "parameters": {}, "files": dict(files)},
        "example": EXAMPLE,
    }
