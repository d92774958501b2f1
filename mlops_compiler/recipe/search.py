"""`search:` and `select:` say how trials are made, raced and chosen from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.evaluation.metrics import MetricName
from mlops_compiler.models.kind import Explanation
from mlops_compiler.recipe.amounts import Duration
from mlops_compiler.recipe.objective import Criterion
from mlops_compiler.section import Section


class Population(Section):
    """Trainings that learn side by side."""

    size: Annotated[int, Field(ge=4, le=1000)] = 8
    """How many."""
    steps: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Steps of a generation: passes over the rows of a net."""


class Search(Section):
    """The search for the best model."""

    algorithm: Literal["grid", "random", "qmc", "tpe", "gp", "cma_es"] = "tpe"
    """How parameters are proposed: every point of a grid, at random, more evenly than that (``qmc``), by a model of
    what was good (``tpe``, ``gp``), or by an evolution of numbers (``cma_es``)."""
    scheduler: Literal["none", "asha", "median", "race", "population"] = "asha"
    """``asha`` stops a trial after 1, 3, 9, ... folds where it is not among the best third so far; ``median`` after any
    fold where it is worse than the median so far; ``race`` where it is behind the best so far by more than chance.
    ``population`` trains nets in generations, of which the worst quarter takes over weights and parameters of the
    best."""
    population: Population = Population()
    """Of the scheduler of this name."""
    trials: Annotated[int, Field(ge=1, le=100_000)] = 30
    """Most trials in all; shared evenly by the models that have something to search."""
    time: Duration | None = None
    """Most time: no trial starts whose folds would not all end in it, and those under way end with the fold that they
    are at. Makes the number of trials depend on the machine."""
    cpu_hours: Annotated[float, Field(gt=0)] | None = None
    """Most hours of cores at work on its trials, after which none is started; trials of earlier runs that are found
    again count as what they took."""
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    """Most hours of GPUs held by its trials, likewise; half a GPU for an hour is half an hour."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """How many trials after one another may bring no gain before the search ends."""
    min_improvement: Annotated[float, Field(ge=0)] = 0.0
    """By how much a trial must be better than the best before it to count as a gain, in the unit of the metric."""
    warm_start: Annotated[str, Field(min_length=1)] = "none"
    """What to try first: ``auto`` is the best points of earlier searches of this recipe, the name of a recipe those of
    its searches, the name of a run those of that one; ``none`` is nothing."""
    max_overfit: Annotated[float, Field(ge=0)] | None = None
    """Most that the metric may be better on rows that a trial learned from than on rows held out, to be chosen."""
    max_concurrent: Annotated[int, Field(ge=1, le=1024)] = 8
    """Most trials at once. A proposal never waits for fewer results than this, so that any parallelism up
    to it gives the same trials."""

    @model_validator(mode="after")
    def _a_population_is_a_scheduler(self) -> Self:
        if self.population != Population() and self.scheduler != "population":
            raise ValueError("`population` is of the scheduler of this name: write `scheduler: population` as well")
        return self

    @model_validator(mode="after")
    def _an_improvement_is_for_patience(self) -> Self:
        if self.min_improvement and self.patience is None:
            raise ValueError("`min_improvement` says what counts as a gain: write `patience` as well")
        return self


class Required(Section):
    """What a model must be able to do."""

    explanation: tuple[Explanation, ...] = ()
    """Ways to explain it exactly, one of which it must have: ``coefficients`` of features, ``tree_shap`` of trees."""


class Select(Section):
    """The choice among finished trials."""

    rule: Literal["best", "one_standard_error"] = "best"
    """The best mean, or the simplest model within one standard error of it."""
    constraints: dict[MetricName, Criterion] = Field(default_factory=dict)
    """Bounds on the means of metrics over the folds; a trial that breaks one is not chosen."""
    ensemble: Annotated[int, Field(ge=2, le=50)] | None = None
    """Most members of an ensemble that is made of the trials; none is made where this is not given."""
    require: Required = Required()
    """What a model must be able to do to be chosen."""
