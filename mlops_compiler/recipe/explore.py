"""`explore:` says how the data are looked at before the first model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_compiler.section import Section


class Explore(Section):
    """How `mlops-compile explore` looks at the data."""

    sample: Annotated[int, Field(ge=1000, le=100_000_000)] = 100_000
    """The most rows that tests and scores look at; counts and shares are those of all rows."""
