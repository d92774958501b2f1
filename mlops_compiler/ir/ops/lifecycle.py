"""The verbs of the lifecycle, from reading to reporting: what each does, no word on how or where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.ops.intake import Check, History, Join, Population, Read, References, Snapshot, Stack
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, Prepare, Project, Vary
from mlops_compiler.ir.ops.search import Nested, Search, Select

if TYPE_CHECKING:
    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.ops.search import Bound, ValueMatrix
    from mlops_compiler.ir.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time: so many rows in its order, or so long."""

    rows: int | None = None
    seconds: float | None = None
    times: int | None = None
    """So many different times, whatever rows each has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Deal the rows into a holdout and folds."""

    verb: ClassVar[str] = "split"
    task: Task
    target: str | None
    """The column to predict; None where the task has none."""
    positive: Scalar
    """The value that counts as positive; None where the task is not binary."""
    holdout: str
    fraction: float
    folds: str
    k: int
    seed: int
    time: str | None = None
    """The column that orders the rows, where a part is ``time_ordered``."""
    group: tuple[str, ...] | None = None
    """The columns whose equal rows stay together, where a part is ``grouped`` or ``time_ordered``."""
    weight: str | None = None
    """The column that says how much a row counts; all the same, where none does."""
    repeats: int = 1
    """How often the rows are dealt to `k` folds."""
    window: str = "expanding"
    """Whether folds in order of time learn from all that came before, or ``rolling`` from a window of it."""
    max_train: Stretch | None = None
    """How long a window is that rolls; as long as the first, where not given."""
    gap: Stretch | None = None
    """What is left out before each fold in order of time."""
    holdout_gap: Stretch | None = None
    """What is left out before a holdout in order of time."""
    naive: str | None = None
    """The column that a seasonal naive forecast repeats, where the target lies ahead: it is kept beside the label."""
    frozen: tuple[str, str, str] | None = None
    """The key, and the digests of the rows and of the split by which rows dealt before stay where they are."""

    @property
    def parts(self) -> int:
        """How many folds there are in all."""
        return self.k * self.repeats

    @property
    def targets(self) -> tuple[str, ...]:
        """The target, where there is one."""
        return () if self.target is None else (self.target,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Fit the chosen model on all training rows."""

    verb: ClassVar[str] = "train"
    key: str | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Score the trained model once on the holdout, beside the baseline."""

    verb: ClassVar[str] = "evaluate"
    task: Task
    metric: str
    metrics: tuple[str, ...]
    value: ValueMatrix | None
    seed: int = 0
    """Of the bootstrap samples."""
    naive: str | None = None
    """The column that a seasonal naive forecast repeats, where the target lies ahead."""
    contamination: float | None = None
    """The share of rows that is looked at, where the task is to find odd ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Find out what the trained model looks at, what it adds up, and where it is wrong; all on the holdout."""

    verb: ClassVar[str] = "explain"
    task: Task
    metric: str
    value: ValueMatrix | None
    importance: str
    repeats: int
    shap: bool
    partial_dependence: int | tuple[str, ...]
    slices: tuple[str, ...]
    find_slices: bool
    sample: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Check the acceptance criteria and, where all are met, register a numbered release."""

    verb: ClassVar[str] = "release"
    criteria: tuple[Bound, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Write what happened as one page."""

    verb: ClassVar[str] = "report"


LifecycleOp: TypeAlias = (
    Read
    | Stack
    | Check
    | History
    | Join
    | Population
    | References
    | Snapshot
    | Split
    | FeedBack
    | Project
    | Prepare
    | FusedPrepare
    | Vary
    | Matrix
    | CheckFeatures
    | Search
    | Select
    | Nested
    | Train
    | Evaluate
    | Explain
    | Release
    | Report
)
