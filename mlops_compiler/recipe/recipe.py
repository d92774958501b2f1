"""The root of a recipe: one field a phase of the lifecycle."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.data import Data
from mlops_compiler.recipe.deploy import Deploy
from mlops_compiler.recipe.models import AnyModel
from mlops_compiler.recipe.objective import Objective
from mlops_compiler.recipe.prepare import AnyStep
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.recipe.search import Search, Select
from mlops_compiler.recipe.validate import Validation
from mlops_compiler.section import Section

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_\-]{0,63}$")]


class Owner(Section):
    """Who answers for the model."""

    name: Annotated[str, Field(min_length=1)]
    contact: str | None = None


class Store(Section):
    """Where artifacts and history are kept."""

    url: Annotated[str, Field(min_length=1)] = ".mlops"
    """A folder, relative to the working directory, or an fsspec URL."""
    database: str | None = None
    """An SQLAlchemy URL; SQLite inside the store where not given."""


class Recipe(Section):
    """A whole recipe, composed and valid."""

    name: Name
    description: str | None = None
    owner: Owner | None = None
    objective: Objective
    data: Data
    prepare: dict[Name, AnyStep] = Field(default_factory=dict)
    validate_: Annotated[Validation, Field(alias="validate")] = Validation()
    models: Annotated[dict[Name, AnyModel], Field(min_length=1)]
    search: Search = Search()
    select: Select = Select()
    deploy: Deploy = Deploy()
    cluster: Cluster = Cluster()
    store: Store = Store()

    @model_validator(mode="after")
    def _the_target_is_not_the_key(self) -> Self:
        if self.data.key == self.objective.target:
            raise ValueError("`data.key` and `objective.target` name the same column")
        return self
