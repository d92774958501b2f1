"""The verbs of the preparation, from the snapshot's columns to the features that estimators see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.space import Dimension, Variant

Scope: TypeAlias = Literal["fold", "table"]
"""How often a step of the preparation runs: for each fold, or once for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Run one step of the preparation."""

    verb: ClassVar[str] = "prepare"
    step: StepOp
    because: str | None = None
    scope: Scope = "fold"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStep:
    """A step inside a fused node; it keeps the name and the place that the recipe gave it."""

    name: str
    step: StepOp
    because: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedPrepare:
    """Run adjacent steps as one query; all that they learn comes from one scan of the rows."""

    verb: ClassVar[str] = "prepare"
    steps: tuple[NamedStep, ...]
    scope: Scope = "fold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Read only some columns of the snapshot, and only some rows.

    Attributes:
        columns: What is read.
        filters: Steps of the preparation that the reading does; each a `Filter`.
    """

    verb: ClassVar[str] = "project"
    columns: tuple[str, ...]
    filters: tuple[NamedStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Collect the features that estimators see.

    Attributes:
        features: Columns in the order of the matrix; open ones (``contract=*``) are named by the data.
    """

    verb: ClassVar[str] = "matrix"
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vary:
    """Hold what the search may change of the preparation; the steps of the program are those of the base.

    Attributes:
        dimensions: What is open.
        variants: The preparation of each combination of choices, as analysed; the base first.
    """

    verb: ClassVar[str] = "vary"
    dimensions: tuple[Dimension, ...]
    variants: tuple[Variant, ...]
