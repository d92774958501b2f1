"""`deploy:` says how a release is served."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.amounts import Bound, Duration, Share, Size, parse_comparison
from mlops_compiler.section import Section

_RATE = r"^[1-9]\d{0,8}\s*/\s*(second|minute|hour|day)$"
_LONGEST_DRAIN = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Replicas(Section):
    """How many copies of the service run."""

    min: Annotated[int, Field(ge=1, le=1000)] = 1
    """The fewest that run."""
    max: Annotated[int, Field(ge=1, le=1000)] = 1
    """The most that run."""
    cpus: Annotated[float, Field(gt=0, le=1024)] = 0.25
    """Cores that each reserves; it waits most of its time."""
    gpu: Annotated[float, Field(ge=0, le=64)] = 0
    """GPUs that each reserves; a fraction shares one."""
    target_ongoing: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Requests that each has in hand before there are more of them."""
    drain: Annotated[Duration, Field(le=_LONGEST_DRAIN)] | None = None
    """How long one that ends may take for the requests that it has; as long as each of them, where not given."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"`min` is {self.min} and `max` is {self.max}")
        return self

    @model_validator(mode="after")
    def _shares_one_gpu_or_has_whole_ones(self) -> Self:
        if self.gpu > 1 and self.gpu != int(self.gpu):
            raise ValueError(f"`gpu` is a part of one GPU, or a whole number of them; not {self.gpu:g}")
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


class Limits(Section):
    """What a replica of the service takes."""

    at_once: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Requests that may be in a replica at once; more are told to come again."""
    deadline: Duration = 30.0
    """How long a body may take to come, and the answer after that."""
    bytes: Annotated[Size, Field(le=2**30)] = 2**20
    """How large a body may be."""
    rows: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    """How many rows a body may have."""


class Log(Section):
    """What is kept of the predictions that are served."""

    sample: Share = 1.0
    """The share of requests whose rows are kept; each of them is counted."""
    exclude: tuple[str, ...] = ()
    """Columns that are not kept: what is personal, and nobody needs to watch."""
    keep: Duration = 90 * 86400.0
    """How long they are kept."""


class Deploy(Section):
    """The service of a release."""

    route: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_\-/]*$")] = "/"
    """The path of the service's URL."""
    host: str = "127.0.0.1"
    """The address that it listens at."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port that it listens at."""
    proxy: Literal["auto", "serve", "haproxy"] = "auto"
    """What takes requests before the replicas: HAProxy where that can be, else Serve's own proxy."""
    replicas: Replicas = Replicas()
    auth: Literal["none", "api_key"] = "none"
    """Whether each request, but for the service's health, must show an API key: see `mlops-compile keys`."""
    rate_limit: Annotated[str, Field(pattern=_RATE)] | None = None
    """How often one client may ask each replica, like ``600/minute``: of an API key, or without keys of an address."""
    limits: Limits = Limits()
    log: Log | None = Log()
    """None keeps nothing: then nothing can be monitored, and no outcome finds its prediction."""
    rollout: Rollout = Rollout()

    @property
    def drain(self) -> float:
        """Seconds that a replica which ends may take: none of its requests is cut off before its own deadline."""
        given = self.replicas.drain
        return given if given is not None else min(self.limits.deadline, _LONGEST_DRAIN)

    @property
    def is_private(self) -> bool:
        """Whether this machine alone reaches the service."""
        return self.host in _LOOPBACK

    @model_validator(mode="after")
    def _haproxy_listens_at_version_4(self) -> Self:
        if self.proxy == "haproxy" and ":" in self.host:
            raise ValueError(f"HAProxy cannot listen at {self.host}: set `proxy: serve`, or a host of IPv4")
        return self

    @model_validator(mode="after")
    def _who_is_reached_from_elsewhere_asks_who_it_is(self) -> Self:
        if self.auth == "none" and not self.is_private and "auth" not in self.model_fields_set:
            asked = "set `auth: api_key`, or `auth: none` where a proxy asks who it is"
            raise ValueError(f"the service would listen at {self.host}, for everybody: {asked}")
        return self
