"""`features:` says what the prepared columns must be that the models learn from: how many, and what each holds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.distribution import Statistics
from mlops_compiler.section import Section

Severity = Literal["error", "warn"]


class FeatureContract(Statistics):
    """What features promise, as the training rows have them after the last step."""

    type: Literal["int", "float", "bool"] | None = None
    """The type; any that the models can take, where it is not given."""
    range: tuple[float, float] | None = None
    """The least and the greatest value, both included."""
    severity: Severity = "error"
    """Whether a breach ends the run, or is told beside it."""

    @model_validator(mode="after")
    def _range_in_order(self) -> Self:
        if self.range is not None and not self.range[0] <= self.range[1]:
            raise ValueError(f"`range` needs low <= high, not [{self.range[0]:g}, {self.range[1]:g}]")
        return self


class Features(Section):
    """The contract after preparation; that of `data.columns` is the one before."""

    at_most: Annotated[int, Field(ge=1)] | None = None
    """The budget: how many features there may be, an indicator of an encoding counted as one."""
    columns: dict[str, FeatureContract] = Field(default_factory=dict)
    """Contracts by feature: a name, ``contract=*`` for all indicators of an encoding or one of them by its name,
    `numeric`, `boolean`, `all`, or a pattern."""
    severity: Severity = "error"
    """Whether more features than `at_most` end the run, or are told beside it."""
