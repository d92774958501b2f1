"""`deploy:` says how a release is served."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.amounts import Bound, Duration, Share, parse_comparison
from mlops_compiler.section import Section


class Replicas(Section):
    """How many copies of the service run."""

    min: Annotated[int, Field(ge=1, le=1000)] = 1
    """The fewest that run."""
    max: Annotated[int, Field(ge=1, le=1000)] = 1
    """The most that run."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"`min` is {self.min} and `max` is {self.max}")
        return self


class RollBack(Section):
    """What takes a new release back."""

    error_rate: Bound | None = None
    """The share of requests that fail."""
    latency_p99: Duration | None = None
    """Seconds that all but one request in a hundred take at most."""
    disagreement: Bound | None = None
    """The share of decisions that differ from those of the release before."""

    @model_validator(mode="after")
    def _too_much_is_more(self) -> Self:
        for name in ("error_rate", "disagreement"):
            bound = getattr(self, name)
            if bound is not None and parse_comparison(bound).sign not in (">", ">="):
                raise ValueError(f"`{name}` is too much where it is above a share, like '> 1%'; not {bound!r}")
        return self

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.error_rate, self.latency_p99, self.disagreement) == (None, None, None):
            raise ValueError("say what takes a release back: `error_rate`, `latency_p99` or `disagreement`")
        return self


class Rollout(Section):
    """How traffic passes from one release to the next."""

    kind: Literal["all_at_once", "canary", "blue_green"] = "all_at_once"
    """At once, in steps, or beside the release in place until all traffic moves over."""
    steps: tuple[Share, ...] = (0.05, 0.25, 1.0)
    """Shares of the traffic, one step after another; of a canary."""
    hold: Duration = 120.0
    """How long a step is watched."""
    min_requests: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Requests that a step must have seen of the new release; it is watched up to three times as long for them."""
    roll_back_if: RollBack | None = None
    """What takes the new release back."""
    roll_back_to: Literal["previous"] | Annotated[int, Field(ge=1)] = "previous"
    """The release to return to: the one before, or a number."""

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        if not self.steps or list(self.steps) != sorted(set(self.steps)) or self.steps[-1] != 1:
            raise ValueError("`steps` rise, and end with 100%")
        return self


class Deploy(Section):
    """The service of a release."""

    route: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_\-/]*$")] = "/"
    """The path of the service's URL."""
    host: str = "127.0.0.1"
    """The address that it listens at."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port that it listens at."""
    replicas: Replicas = Replicas()
    rollout: Rollout = Rollout()
