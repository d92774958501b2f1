"""`promotion:` says what a release needs before it may go to the recipe's environment."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.governance import Environment
from mlops_compiler.section import Section


class Promotion(Section):
    """What a release needs before it may go to this environment."""

    after: Environment | None = None
    """The environment that must have it before; any release may come, where not given."""
    approvals: Annotated[int, Field(ge=0, le=20)] = 0
    """How many people must have approved of it for this environment."""
    approvers: tuple[str, ...] = ()
    """Whose approval counts; anybody's, where nobody is named."""
    four_eyes: bool = False
    """Whether who promotes it may not be one of those who approved."""

    @model_validator(mode="after")
    def _there_are_enough(self) -> Self:
        if self.approvers and len(set(self.approvers)) < self.approvals:
            raise ValueError(f"`approvals` asks for {self.approvals}, and `approvers` names {len(set(self.approvers))}")
        return self
