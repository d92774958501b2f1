"""`search:` and `select:` say how trials are made, raced and chosen from."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mlops_compiler.section import Section

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """Turn ``"90s"``, ``"5m"``, ``"1.5h"`` into seconds; numbers are seconds already.

    Raises:
        ValueError: The text is no duration.
    """
    if not isinstance(value, str):
        return value
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())) is None:
        raise ValueError(f"a duration is a number and s, m, h or d, like 5m; not {value!r}")
    return float(found[1]) * _UNITS[found[2]]


Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]


class Search(Section):
    """The search for the best model."""

    algorithm: Literal["grid", "random", "tpe"] = "tpe"
    """How parameters are proposed: every point of a grid, at random, or by a Bayesian model of what was good."""
    scheduler: Literal["none", "asha"] = "asha"
    """``asha`` stops a trial after a fold in which it is not among the best third so far."""
    trials: Annotated[int, Field(ge=1, le=100_000)] = 30
    """Most trials in all; shared evenly by the models that have something to search."""
    time: Duration | None = None
    """Most time, after which no trial is started; makes the number of trials depend on the machine."""
    max_concurrent: Annotated[int, Field(ge=1, le=1024)] = 8
    """Most trials at once. A proposal never waits for fewer results than this, so that any parallelism up
    to it gives the same trials."""


class Select(Section):
    """The choice among finished trials."""

    rule: Literal["best", "one_standard_error"] = "best"
    """The best mean, or the simplest model within one standard error of it."""
