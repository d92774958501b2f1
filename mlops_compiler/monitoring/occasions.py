"""When a model is trained anew: at its times, or when monitoring has said so often enough in a row.

One occasion is used once: whatever fired before the last retraining began is past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.monitoring.findings import ALERT, BLIND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.store.operations import Check

KINDS: dict[str, frozenset[str]] = {
    "drift": frozenset({"drift", "prediction_drift", "label_drift"}),
    "performance": frozenset({"performance", "estimate"}),
}
"""The kinds of rules, one of which must have fired in a check that is an alert, by what a recipe calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """What a recipe asks for.

    Attributes:
        cron: Times, in UTC.
        when: What monitoring must find: of ``drift`` and ``performance``.
        patience: So many checks in a row must find it.
    """

    cron: str | None
    when: tuple[str, ...]
    patience: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why a model is trained anew.

    Attributes:
        cause: ``hand``, ``cron``, ``drift`` or ``performance``.
        text: In a sentence.
    """

    cause: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"cause": self.cause, "reason": self.text}


BY_HAND = Occasion(cause="hand", text="asked for by hand")


def occasion(triggers: Triggers, checks: Sequence[Check], last: datetime, now: datetime) -> Occasion | None:
    """Say whether a model is to be trained anew, and why; None where not.

    Args:
        triggers: What the recipe asks for.
        checks: What monitoring found, the newest first.
        last: When it was trained last.
        now: The time.
    """
    for name in triggers.when:
        run = _in_a_row(name, checks, last.timestamp())
        if len(run) >= triggers.patience:
            seen = "the last check" if len(run) == 1 else f"each of the last {len(run)} checks"
            return Occasion(cause=name, text=f"{seen} found {name}")
    if triggers.cron is not None and (fired := last_fired(triggers.cron, last, now)) is not None:
        return Occasion(cause="cron", text=f"cron {triggers.cron} fired on {fired:%Y-%m-%d at %H:%M} UTC")
    return None


def last_fired(cron: str, after: datetime, until: datetime) -> datetime | None:
    """Say when a cron fired last between two times; None where it did not."""
    from cronsim import CronSim

    found = None
    for time in CronSim(cron, after.astimezone(UTC)):
        if time > until:
            break
        found = time
    return found


def _in_a_row(name: str, checks: Sequence[Check], since: float) -> list[Check]:
    """List the newest checks that all found something; one that had nothing to look at neither counts nor breaks it."""
    found = []
    for check in checks:
        if check.time <= since:
            break
        if check.status == BLIND:
            continue
        if check.status != ALERT or not KINDS[name] & fired(check):
            break
        found.append(check)
    return found


def fired(check: Check) -> frozenset[str]:
    """Name the kinds of the rules that fired in a check."""
    return frozenset(str(rule["kind"]) for rule in check.payload.get("rules", ()) if rule["fired"])
