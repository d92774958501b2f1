"""What a model is for, in the words of its recipe, and how long it is until what was promised is due."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PURPOSE = ("goal", "stakeholders", "deliverables", "assumptions", "out_of_scope")
"""What a recipe says of its purpose; a card of an earlier version has none of it."""


def shown_purpose(purpose: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Give what the templates of report and card show.

    Args:
        purpose: What the recipe says.
        now: When the run began, in seconds since 1970.
    """
    return {
        "purpose": {name: purpose.get(name) for name in PURPOSE},
        "deliverables": deliverable_rows(purpose.get("deliverables"), now),
    }


def deliverable_rows(deliverables: Mapping[str, Any] | None, now: float) -> list[dict[str, str]]:
    """Write each deliverable: ``what``, ``due``, and how long it is until then.

    Args:
        deliverables: As the recipe names them.
        now: When the run began, in seconds since 1970.
    """
    return [
        {"name": str(name), "what": str(item.get("what") or ""), "due": str(item.get("due") or ""), **_until(item, now)}
        for name, item in (deliverables or {}).items()
    ]


def _until(item: Mapping[str, Any], now: float) -> dict[str, str]:
    try:
        days = (date.fromisoformat(str(item.get("due"))) - datetime.fromtimestamp(now, tz=UTC).date()).days
    except ValueError:
        return {"until": "", "tone": ""}
    if days < 0:
        return {"until": f"overdue by {-days} day{'s' if days < -1 else ''}", "tone": "bad"}
    return {"until": f"in {days} day{'s' if days != 1 else ''}" if days else "today", "tone": ""}
