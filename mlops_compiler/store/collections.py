"""Collections of a recipe: rows of wrong predictions that were chosen to come back, each time with an account of it.

A collection is recorded as a stage is, beside the stages of the plans: its outputs are the rows (``rows``). A plan
takes the last one; one whose model was refused is marked so, and taken no more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.store.records import StageRecord

if TYPE_CHECKING:
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.writer import StoreWriter

STAGE = "collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Rows that were chosen.

    Attributes:
        record: The record.
    """

    record: StageRecord

    @property
    def number(self) -> int:
        """From 1."""
        return int(self.record.ingredients["number"])

    @property
    def table(self) -> str:
        """The digest of its rows."""
        return self.record.outputs["rows"]

    @property
    def rows(self) -> int:
        """How many they are."""
        return int(self.record.summary["rows"])

    @property
    def account(self) -> dict[str, Any]:
        """How many rows came of each source, and why others did not."""
        return self.record.summary

    @property
    def refused(self) -> str | None:
        """The run whose model was refused that learned from them; None where none was."""
        return self.record.summary.get("refused")


def collections(store: StoreReader, recipe: str) -> list[Collection]:
    """List the collections of a recipe, the first one first."""
    found = [Collection(record=record) for record in store.stages(recipe, STAGE)]
    return sorted(found, key=lambda item: item.number)


def last_collection(store: StoreReader, recipe: str) -> Collection | None:
    """Find the last collection that no release was refused for; None where there is none."""
    return next((item for item in reversed(collections(store, recipe)) if item.refused is None), None)


def record_collection(store: StoreWriter, recipe: str, content: bytes, account: dict[str, Any]) -> Collection:
    """Record rows that were chosen; the same rows as last time are the same collection."""
    digest = store.objects.put(content)
    known = collections(store, recipe)
    if known and known[-1].table == digest and known[-1].refused is None:
        return known[-1]
    ingredients = {"number": known[-1].number + 1 if known else 1, "table": digest}
    record = StageRecord(
        fingerprint=fingerprint({"stage": STAGE, "recipe": recipe, **ingredients}),
        recipe=recipe,
        name=STAGE,
        ingredients=ingredients,
        outputs={"rows": digest},
        summary=account,
        run_id="",
        started=time.time(),
        seconds=0.0,
    )
    store.record_stage(record)
    return Collection(record=record)


def refuse_collection(store: StoreWriter, collection: Collection, run_id: str) -> None:
    """Mark a collection whose model was refused: no plan takes it from now on."""
    summary = {**collection.record.summary, "refused": run_id}
    store.record_stage(replace(collection.record, summary=summary))
