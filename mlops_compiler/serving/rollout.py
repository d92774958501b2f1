"""How traffic passes to a release, as data: the steps, and what takes it back. Nothing in here asks or acts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlops_compiler.serving.tally import shown_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

SHADOW = 0.0
"""The share of a step whose answers are compared, and never returned."""
WHOLE = 1.0
PATIENT = 3.0
"""A step that saw too few requests is watched so many times as long."""
PATIENCE_SECONDS = 10.0
"""How long a client waits for the new release before the one in place answers, where nothing bounds the latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What takes a new release back: shares of its requests.

    Attributes:
        error_rate: Of those that failed, or took too long to wait for.
        latency_p99: Seconds that all but one request in a hundred may take.
        disagreement: Of those that were answered otherwise than the release in place answers them.
    """

    error_rate: float | None = 0.01
    latency_p99: float | None = None
    disagreement: float | None = None

    @property
    def patience(self) -> float:
        """Seconds after which the release in place answers instead."""
        return PATIENCE_SECONDS if self.latency_p99 is None else max(2 * self.latency_p99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a release takes the place of another.

    Attributes:
        kind: At once, in steps, or beside the one in place until all traffic moves over.
        steps: Shares of the traffic; of a canary.
        hold: Seconds that a step is watched.
        min_requests: Requests of the new release that a step is to see.
        limits: What takes it back.
        shadow: Whether it is asked beside the one in place first, with no answer of its own returned.
        replay: Rows of the holdout that it must answer as it did offline; none of them where 0.
        compatible: Whether it must take all that the one in place takes, and answer in the same way.
        tolerance: How far numbers of two releases may lie apart before they disagree.
    """

    kind: Literal["all_at_once", "canary", "blue_green"] = "all_at_once"
    steps: tuple[float, ...] = (0.05, 0.25, 1.0)
    hold: float = 120.0
    min_requests: int = 50
    limits: Limits = field(default_factory=Limits)
    shadow: bool = False
    replay: int = 0
    compatible: bool = False
    tolerance: float = 0.0

    @property
    def shares(self) -> tuple[float, ...]:
        """The steps that are watched, in their order; none where all traffic moves at once."""
        watched = {"canary": self.steps, "blue_green": (WHOLE,)}.get(self.kind, ())
        return ((SHADOW,) if self.shadow else ()) + watched

    @property
    def has_trial(self) -> bool:
        """Whether the release comes up beside the one in place before it takes the place."""
        return bool(self.shares or self.replay)

    @property
    def longest(self) -> float:
        """Seconds that all steps take at most."""
        return PATIENT * self.hold * len(self.shares)

    def to_json(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Rollout:
        """Read it back."""
        return cls(**{**value, "steps": tuple(value["steps"]), "limits": Limits(**value["limits"])})


def sentence(told: Mapping[str, Any], release: int) -> str:
    """Tell what happens in a rollout.

    Args:
        told: ``step``, and what is known of it.
        release: The number of the new release.
    """
    step = str(told["step"])
    name = step.removesuffix("-ended")
    how = "in the shadow" if name == "shadow" else f"at {told.get('share', 0):.0%} of the traffic"
    match step:
        case "candidate" | "starting":
            return f"release {release} comes up{' beside the one in place' if step == 'candidate' else ''}"
        case "same":
            return f"release {release} is the model in place: there is nothing to try beside it"
        case "replaying":
            return f"{told['rows']:,} rows of the holdout are sent through release {release}"
        case "replay" if "warning" in told:
            return str(told["warning"])
        case "replay":
            return f"replay of {told['rows']:,} rows: {_equal(told)}"
        case "replacing":
            return f"release {release} takes the place"
        case _ if step == name:
            return f"release {release} {how}, for {told['hold']:g} s"
        case _:
            return f"release {release} {how}: {told['verdict']}; {_seen(told)}"


def _equal(told: Mapping[str, Any]) -> str:
    return f"{told['differing']:,} are answered otherwise" if told["differing"] else "all equal to the last bit"


def _seen(told: Mapping[str, Any]) -> str:
    if "warning" in told or "reason" in told:
        return str(told.get("reason") or told["warning"])
    latency = f", p99 {shown_seconds(told['latency_p99'])}" if told["latency_p99"] else ""
    return (
        f"{told['requests']:,} requests, {told['errors']:,} errors{latency}, "
        f"{told['differing']:,} of {told['compared']:,} compared differ"
    )
