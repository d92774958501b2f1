"""`purpose:` says what a model is for in the words of those who asked for it, what they get, and by when."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from mlops_compiler.recipe.names import Name
from mlops_compiler.section import Section

Text = Annotated[str, Field(min_length=1)]


def _is_a_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: write year-month-day, as in 2027-01-31") from None
    return text


class Deliverable(Section):
    """What somebody gets, and by when."""

    what: Text
    """What it is."""
    due: Annotated[str, AfterValidator(_is_a_date)] | None = None
    """By when: ``2027-01-31``. Report and model card say how long it is until then, or that it is overdue."""


class Purpose(Section):
    """What the model is for, shown in the report and on the model card; it changes no result."""

    goal: Text | None = None
    """What shall be better for it, in words of the business."""
    stakeholders: dict[Text, Text] = Field(default_factory=dict)
    """Who is concerned: a person or a team, and what the model is to them."""
    deliverables: dict[Name, Deliverable] = Field(default_factory=dict)
    """Named deliverables."""
    assumptions: tuple[Text, ...] = ()
    """What is taken for granted; where it ceases to be so, the model may be wrong."""
    out_of_scope: tuple[Text, ...] = ()
    """What the model is not to be used for."""
