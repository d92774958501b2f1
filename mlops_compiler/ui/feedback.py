"""What came back to training: collections, the retrainings that they were for, and where the release failed.

A collection's account is what `monitoring.returning` and `monitoring.failings` write; a part that one of another
version lacks, or has in another shape, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report.numbers import is_number
from mlops_compiler.store.collections import collections
from mlops_compiler.ui import charts
from mlops_compiler.ui.drawing import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.report.page import Figure
    from mlops_compiler.store.collections import Collection
    from mlops_compiler.store.operations import AuditEntry
    from mlops_compiler.store.reader import StoreReader

    Json = Mapping[str, Any]

RETRAIN = "retrain"
"""What the audit log calls a retraining."""
_SHOWN = 8
_SURE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A collection.

    Attributes:
        number: From 1.
        time: When it was made, seconds since 1970.
        rows: How many rows came back.
        predictions: Of how many that were logged.
        dropped: How many did not, by why.
        sources: What each source said, with its name; those that are held back first.
        refused: The run whose model was refused that learned from them; None where none was.
        release: Which release failed.
        failings: Where; empty where nobody looked.
    """

    number: int
    time: float
    rows: int
    predictions: int | None
    dropped: Json
    sources: Sequence[Json]
    refused: str | None
    release: int | None
    failings: Json

    @property
    def held_back(self) -> int:
        """How many sources are held back."""
        return sum(bool(said.get("held_back")) for said in self.sources)

    @property
    def slices(self) -> list[Json]:
        """The slices in which the release is worse than chance explains, the worst first."""
        worst = _list(_json(self.failings.get("slices")).get("worst"))
        sure = [item for item in worst if item.get("significant")][:_SHOWN]
        return [{**item, "outcome": _json(item.get("outcome")), "changed": _list(item.get("changed"))} for item in sure]

    @property
    def leaves(self) -> list[Json]:
        """The leaves of a tree in which predictions are wrong more often than chance explains."""
        found = _list(self.failings.get("leaves"))
        return [leaf for leaf in found if is_number(leaf.get("q")) and leaf["q"] <= _SURE][:_SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """A retraining.

    Attributes:
        entry: What the audit log says of it.
        outcome: What became of it, in a word.
        run: The run; None where there was none.
    """

    entry: AuditEntry
    outcome: str
    run: str | None

    def told(self, name: str) -> Any:
        """Give a part of the record: ``cause``, ``reason``, ``collection``, ``rows``, ``error``; None where absent."""
        return self.entry.payload.get(name)


def collected(store: StoreReader, recipe: str) -> list[Collected]:
    """List the collections of a recipe, the newest first."""
    return [_collected(item) for item in reversed(collections(store, recipe))]


def _collected(item: Collection) -> Collected:
    told, predictions, release = item.account, item.account.get("predictions"), item.account.get("release")
    sources = [{"name": name or "unknown", **_json(said)} for name, said in _json(told.get("sources")).items()]
    return Collected(
        number=item.number,
        time=item.record.started,
        rows=item.rows,
        predictions=predictions if isinstance(predictions, int) else None,
        dropped=_json(told.get("dropped")),
        sources=sorted(sources, key=lambda said: (not said.get("held_back"), said["name"])),
        refused=item.refused,
        release=release if isinstance(release, int) else None,
        failings=_json(told.get("failings")),
    )


def retrained(entries: Sequence[AuditEntry]) -> list[Retrained]:
    """List the retrainings that the audit log tells of, in its order."""
    return [
        Retrained(
            entry=entry,
            outcome=str(entry.payload.get("outcome") or "unknown"),
            run=str(entry.payload["run"]) if entry.payload.get("run") else None,
        )
        for entry in entries
        if entry.action == RETRAIN
    ]


def collected_figure(found: Sequence[Collected]) -> Figure | None:
    """Draw how many rows came back, collection by collection; None of a single one.

    Args:
        found: The collections, the newest first.
    """
    if len(found) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    rows = [(item.time, float(item.rows)) for item in reversed(found)]
    chart = charts.over_time({"came back": rows}, unit="Rows")
    return figure(chart, "Rows that came back", "Wrong predictions whose outcome is known, collection by collection.")


def _json(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
