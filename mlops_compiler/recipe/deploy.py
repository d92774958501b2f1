"""`deploy:` says how a release is served."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from mlops_compiler.section import Section


class Replicas(Section):
    """How many copies of the service run."""

    min: Annotated[int, Field(ge=1, le=1000)] = 1
    max: Annotated[int, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"`min` is {self.min} and `max` is {self.max}")
        return self


class Deploy(Section):
    """The service of a release."""

    route: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_\-/]*$")] = "/"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    replicas: Replicas = Replicas()
