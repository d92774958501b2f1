"""The root of a recipe: one field a phase of the lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from mlops_compiler.evaluation.metrics import metric_names
from mlops_compiler.recipe.data import Data
from mlops_compiler.recipe.deploy import Deploy
from mlops_compiler.recipe.explain import Explain
from mlops_compiler.recipe.explore import Explore
from mlops_compiler.recipe.features import Features
from mlops_compiler.recipe.feedback import Feedback
from mlops_compiler.recipe.governance import Allowance, Environment, Notice, Owner
from mlops_compiler.recipe.models import AnyModel
from mlops_compiler.recipe.monitor import Monitor
from mlops_compiler.recipe.names import Name
from mlops_compiler.recipe.objective import AnyObjective
from mlops_compiler.recipe.prepare import AnyStep
from mlops_compiler.recipe.promotion import Promotion
from mlops_compiler.recipe.purpose import Purpose
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.recipe.search import Search, Select
from mlops_compiler.recipe.track import AnyTracker
from mlops_compiler.recipe.validate import Validation
from mlops_compiler.recipe.verify import Verify
from mlops_compiler.section import Section

if TYPE_CHECKING:
    from mlops_compiler.ir.task import Task


class Store(Section):
    """Where artifacts and history are kept."""

    url: Annotated[str, Field(min_length=1)] = ".mlops"
    """A folder, relative to the working directory, or an fsspec URL."""
    database: str | None = None
    """An SQLAlchemy URL; SQLite inside the store where not given."""


class Recipe(Section):
    """A whole recipe, composed and valid."""

    name: Name
    """What the model is called; releases, runs and the service carry it."""
    description: str | None = None
    """What it is for, in a sentence; shown with every release."""
    owner: Owner | None = None
    purpose: Purpose = Purpose()
    environment: Environment = "development"
    """How strictly the best practices are held to."""
    allow: tuple[str | Allowance, ...] = ()
    """Rules that this recipe may break, each with its reason."""
    objective: AnyObjective
    data: Data
    explore: Explore = Explore()
    prepare: dict[Name, AnyStep] = Field(default_factory=dict)
    """Named steps, run in this order; what a step learns, it learns from training rows."""
    features: Features = Features()
    validate_: Annotated[Validation, Field(alias="validate")] = Validation()
    models: Annotated[dict[Name, AnyModel], Field(min_length=1)]
    """Named candidates of the search, each of a kind."""
    search: Search = Search()
    select: Select = Select()
    explain: Explain = Explain()
    deploy: Deploy = Deploy()
    verify: Verify = Verify()
    promotion: Promotion = Promotion()
    monitor: Monitor | None = None
    feedback: Feedback | None = None
    notify: tuple[Notice, ...] = ()
    track: dict[Name, AnyTracker] = Field(default_factory=dict)
    """Named trackers, each of a kind: where runs are noted down beside the store."""
    cluster: Cluster = Cluster()
    store: Store = Store()

    @property
    def task(self) -> Task:
        """What the models are asked for: a forecast is a regression of what lies ahead."""
        return "regression" if self.objective.task == "forecasting" else self.objective.task

    @model_validator(mode="after")
    def _a_column_has_one_role(self) -> Self:
        for role, column in self.data.roles:
            if column == self.objective.target:
                raise ValueError(f"`data.{role}` and `objective.target` name the same column")
        if self.data.fresh is not None and self.data.time is None:
            raise ValueError("`data.fresh` says how old the newest row may be: name the column under `data.time`")
        named = [column for _, column in self.data.roles]
        if len(set(named)) < len(named):
            raise ValueError("`data.key`, `data.time`, `data.group` and `data.weight` must name different columns")
        return self

    @model_validator(mode="after")
    def _a_split_has_its_column(self) -> Self:
        needs = {"time_ordered": ("data.time", self.data.time), "grouped": ("data.group", self.data.group)}
        for part, kind in (("holdout", self.validate_.holdout.kind), ("folds", self.validate_.folds.kind)):
            if kind in needs and needs[kind][1] is None:
                raise ValueError(f"`validate.{part}.kind` is {kind}: name the column under `{needs[kind][0]}`")
        return self

    @model_validator(mode="after")
    def _a_process_has_no_gpu(self) -> Self:
        if self.cluster.engine == "in_process":
            for name, model in self.models.items():
                if model.resources.accelerator or model.resources.gpu not in (0, "auto"):
                    raise ValueError(
                        f"`cluster.engine` is in_process, and model `{name}` asks for a GPU, which Ray lends"
                    )
        return self

    @model_validator(mode="after")
    def _a_cluster_has_its_own_proxy(self) -> Self:
        if self.deploy.proxy == "haproxy" and self.cluster.address != "embedded":
            raise ValueError(
                "`deploy.proxy` is for an engine of the store's own: "
                "how requests reach a cluster is set where that is started"
            )
        return self

    @model_validator(mode="after")
    def _production_asks_who_it_is(self) -> Self:
        if self.environment == "production" and self.deploy.auth == "none" and not self.deploy.is_private:
            raise ValueError(
                f"in production the service would listen at {self.deploy.host} and ask nobody who it is: "
                "set `deploy.auth: api_key`, or let it listen at 127.0.0.1, behind a proxy that asks"
            )
        return self

    @model_validator(mode="after")
    def _the_owner_can_be_told(self) -> Self:
        if any(notice.owner for notice in self.notify) and (self.owner is None or self.owner.contact is None):
            raise ValueError("`notify` tells the owner: say how to reach them under `owner.contact`")
        return self

    @model_validator(mode="after")
    def _a_forecast_is_judged_by_what_comes_later(self) -> Self:
        if self.objective.task != "forecasting":
            return self
        if self.data.time is None:
            raise ValueError("`objective.task` is forecasting: name the column of time under `data.time`")
        if self.data.groups:
            raise ValueError(
                "`data.group` keeps whole groups apart: name the series of a forecast under `objective.by`"
            )
        for part, split in (("holdout", self.validate_.holdout), ("folds", self.validate_.folds)):
            if split.kind != "time_ordered" and "kind" in split.model_fields_set:
                raise ValueError(f"`validate.{part}.kind` is {split.kind}, and a forecast is judged in order of time")
            if split.gap is not None:
                raise ValueError(f"`validate.{part}.gap` follows from `objective.horizon`")
        return self

    @model_validator(mode="after")
    def _strata_need_classes_or_values(self) -> Self:
        if self.objective.target is None:
            for part, split in (("holdout", self.validate_.holdout), ("folds", self.validate_.folds)):
                if split.kind == "stratified" and "kind" in split.model_fields_set:
                    raise ValueError(f"`validate.{part}.kind` is stratified, and {self.objective.task} has no target")
        return self

    @model_validator(mode="after")
    def _explains_what_can_be_judged(self) -> Self:
        asked = {
            "slices": self.explain.slices,
            "partial_dependence": not isinstance(self.explain.partial_dependence, int),
        }
        for key, given in asked.items():
            if self.objective.target is None and given:
                raise ValueError(
                    f"`explain.{key}` looks at answers beside a target, and {self.objective.task} has none"
                )
        return self

    @model_validator(mode="after")
    def _watches_what_its_task_has(self) -> Self:
        known = metric_names(self.objective.task)
        watched = self.monitor.performance if self.monitor is not None else {}
        for key, bounds in (("monitor.performance", watched), ("select.constraints", self.select.constraints)):
            for name in bounds:
                if name not in known:
                    raise ValueError(f"`{key}` bounds {name}, which {self.objective.task} has not")
        if self.monitor is not None:
            labelled = self.objective.target is not None
            if (lack := self.monitor.lack(self.objective.task, labelled=labelled)) is not None:
                raise ValueError(lack)
        return self
