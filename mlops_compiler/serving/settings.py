"""How a service behaves around its release: what it takes, of whom, what it keeps; travels to replicas as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.guard import Limits
from mlops_compiler.serving.prediction_log import LogSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The settings of a service.

    Attributes:
        auth: Whether each request must show an API key.
        limits: What it takes.
        log: What it logs; None for nothing.
    """

    auth: bool = False
    limits: Limits = field(default_factory=Limits)
    log: LogSettings | None = None

    def to_json(self) -> dict[str, Any]:
        """Write them as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ServiceSettings:
        """Read them back; of a service that was deployed before there were any, the defaults."""
        log = value.get("log")
        return cls(
            auth=bool(value.get("auth", False)),
            limits=Limits(**value.get("limits", {})),
            log=None if log is None else LogSettings(**{**log, "exclude": tuple(log["exclude"])}),
        )
