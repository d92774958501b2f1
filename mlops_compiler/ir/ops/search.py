"""The verbs that find a model: the candidates, the search among them, and the choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.ir.space import Dimension
    from mlops_compiler.ir.start import Start
    from mlops_compiler.ir.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model to try; every parameter a value or a domain."""

    name: str
    kind: str
    version: int
    parameters: tuple[tuple[str, Scalar | Domain], ...]
    cpu: int
    gpu: float | Literal["auto"]
    memory: float | None
    gpu_memory: float | None = None
    """GiB of a GPU that ``gpu: auto`` counts with; measured, where not given."""
    accelerators: tuple[str, ...] = ()
    """Kinds of GPU that will do, the best first; any, where there are none."""
    imbalance: Literal["balanced"] | None = None
    """Whether all classes weigh the same where it learns."""
    monotone: tuple[tuple[str, Literal["increasing", "decreasing"]], ...] = ()
    """Features with which its score may only rise, or only fall."""
    description: str | None = None
    span: Span | None = field(default=None, compare=False)
    resource_spans: tuple[tuple[str, Span], ...] = field(default=(), compare=False)
    """Where the recipe asks for ``cpu``, ``gpu``, ``memory`` and ``accelerator``, of those that it does ask for."""
    preparation: tuple[Dimension, ...] = ()
    """What is open of the preparation; of a model that looks at no feature, nothing."""

    @property
    def wishes(self) -> dict[str, object]:
        """What is asked of its fits beside the parameters, where anything is."""
        asked = {"imbalance": self.imbalance, "monotone": dict(self.monotone)}
        return {name: value for name, value in asked.items() if value}

    @property
    def space(self) -> dict[str, Domain]:
        """The parameters that are still open."""
        return {
            name: value for name, value in self.parameters if not isinstance(value, bool | int | float | str | None)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Propose, race and score trials over the folds."""

    verb: ClassVar[str] = "search"
    task: Task
    candidates: tuple[Candidate, ...]
    metric: str
    metrics: tuple[str, ...]
    algorithm: str
    scheduler: str
    trials: int
    time: float | None
    max_concurrent: int
    seed: int
    cpus: int | None = None
    """Cores of the engine, where the recipe says how many."""
    gpus: int | None = None
    """GPUs likewise."""
    wait: float = 30.0
    """Seconds to wait for a lost node."""
    contamination: float | None = None
    """The share of rows that is expected to be odd, where the task is to find them."""
    cpu_hours: float | None = None
    """Hours of cores after which no trial starts, where there is a limit."""
    gpu_hours: float | None = None
    """Hours of GPUs likewise."""
    patience: int | None = None
    """How many trials after one another without gain end the search, where any do."""
    min_improvement: float | None = None
    """What counts as a gain, where the search has patience."""
    population: tuple[int, int] | None = None
    """Members of a population, and steps of a generation, where the scheduler is that."""
    warm_start: str | None = None
    """What it begins with: ``auto``, a recipe or a run; None for nothing."""
    warm: tuple[Start, ...] = ()
    """The points that this was found to be."""
    warm_from: tuple[str, ...] = ()
    """The runs that made them."""
    warm_span: Span | None = field(default=None, compare=False)
    """Where the recipe asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMatrix:
    """What each outcome of a decision is worth, per row."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a metric must keep, and what it must beat by more than chance.

    Attributes:
        metric: The metric.
        at_least: The least that it may be.
        at_most: The most.
        beats: ``baseline`` and ``release``, the one in place.
        by: By how much, in the direction that is better.
        span: Where the recipe says so.
    """

    metric: str
    at_least: float | None
    at_most: float | None
    beats: tuple[str, ...] = ()
    by: float = 0.0
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Choose one trial, and the threshold of its decisions where the task is binary."""

    verb: ClassVar[str] = "select"
    task: Task
    rule: str
    value: ValueMatrix | None
    constraints: tuple[Bound, ...] = ()
    max_overfit: float | None = None
    contamination: float | None = None
    """The share of rows to flag, where the task is to find odd ones."""
    explanation: tuple[str, ...] = ()
    """Ways to explain a model, one of which the chosen one must have."""
    ensemble: int | None = None
    """Most members of an ensemble, where one is made."""
    calibrate: tuple[tuple[str, str], ...] = ()
    """Models whose probabilities are calibrated, each with the method."""
    ordered: bool = False
    """Whether folds are in order of time, of which none may teach about one before."""
    k: int | None = None
    """Folds of one repeat, where they are repeated: repeats say little that is new, and count for no more rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Judge the whole procedure, from preparation to selection, by outer folds that it never saw."""

    verb: ClassVar[str] = "nested"
    k: int
    metric: str
