"""Intakes of a recipe as a chain: each is recorded with all rows that were taken by then, and follows the one before.

An intake is recorded as a stage is, beside the stages of the plans: its outputs are the rows taken (``taken``), the
version that they make (``snapshot``) and what the next one must know (``state``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord

STAGE = "intake"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an intake must know of those before it.

    Attributes:
        table: The digest of all rows taken, as the source gives them.
        settings: What may not change from one to the next: the source, how what is new is known, the key.
        types: The types of the columns, in the recipe language.
        mark: The watermark, as JSON has it; None where there is none.
        files: The files taken: the hash of each one's content, and its name.
    """

    table: str
    settings: dict[str, Any]
    types: dict[str, str]
    mark: int | float | str | None = None
    files: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """All of it but the table, which is named beside it."""
        return {"settings": self.settings, "types": self.types, "mark": self.mark, "files": self.files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """An intake that was recorded.

    Attributes:
        record: The record.
        state: What it knows for the next one.
    """

    record: StageRecord
    state: State

    @property
    def number(self) -> int:
        """From 1."""
        return int(self.record.ingredients["number"])


def intakes(store: StoreReader, recipe: str) -> list[StageRecord]:
    """List the intakes of a recipe, the first one first."""
    return sorted(store.stages(recipe, STAGE), key=lambda record: int(record.ingredients["number"]))


def last_intake(store: StoreReader, recipe: str) -> Intake | None:
    """Find the last intake of a recipe; None where there is none.

    Raises:
        EngineError: What it knows is gone from the store.
    """
    found = intakes(store, recipe)
    if not found:
        return None
    record = found[-1]
    state = json.loads(store.objects.get(record.outputs["state"]))
    return Intake(record=record, state=State(table=record.outputs["taken"], **state))


def intake_of(store: StoreReader, snapshot: StageRecord) -> StageRecord | None:
    """Find the intake that made a version, or took the rows that it was made of later."""
    made, read = snapshot.outputs["snapshot"], snapshot.ingredients.get("data.source.digest")
    found = intakes(store, snapshot.recipe)
    exact = [record for record in found if record.outputs["snapshot"] == made]
    return next(iter([*exact, *(record for record in found if record.outputs["taken"] == read)]), None)
