"""One side of a comparison: all that is recorded of a run. Whatever is not there is None, with the reason."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops_compiler.diagnostics import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_compiler.store.objects import Objects
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord, StageRecord

_ENDED = ("succeeded", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A run.

    Attributes:
        label: ``A`` or ``B``.
        run: Its record.
        stages: The records of the stages that it made or reused, by name.
        objects: Where their outputs are.
    """

    label: Literal["A", "B"]
    run: RunRecord
    stages: dict[str, StageRecord]
    objects: Objects

    def recorded(self, name: str) -> dict[str, Any] | None:
        """Give what the run recorded of itself at its start under a name; older runs recorded nothing."""
        found = self.run.summary.get(name)
        return found if isinstance(found, dict) else None

    def fingerprint(self, stage: str) -> str | None:
        """Give the fingerprint that a stage was planned with."""
        return next((str(item["fingerprint"]) for item in self.run.plan if item.get("stage") == stage), None)

    def output(self, stage: str, name: str) -> str | None:
        """Give the digest of an output of a stage; None where the stage did not come to its end."""
        record = self.stages.get(stage)
        return record.outputs.get(name) if record else None

    def summary(self, stage: str) -> dict[str, Any] | None:
        """Give the summary of a stage; None where it did not come to its end."""
        record = self.stages.get(stage)
        return record.summary if record else None

    def read_json(self, digest: str) -> tuple[Any, str | None]:
        """Read a JSON object; gives it, or None and why it cannot be had."""
        try:
            return json.loads(self.objects.get(digest)), None
        except EngineError as error:
            return None, f"{self.label}: {error.diagnostics[0].headline}"

    def table(self, digest: str) -> tuple[Callable[[], Path | io.BytesIO] | None, str | None]:
        """Find a table; gives a function that opens it, or None and why it cannot be had."""
        if (path := self.objects.local_path(digest)) is not None:
            return (lambda: path), None
        try:
            content = self.objects.get(digest)
        except EngineError as error:
            return None, f"{self.label}: {error.diagnostics[0].headline}"
        return (lambda: io.BytesIO(content)), None


def read_side(store: StoreReader, run: RunRecord, label: Literal["A", "B"]) -> Side:
    """Collect what is recorded of a run."""
    planned = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan if "fingerprint" in item}
    found = {name: store.stage_record(fingerprint) for name, fingerprint in planned.items()}
    stages = {name: record for name, record in found.items() if record is not None and _was_there(record, run)}
    return Side(label=label, run=run, stages=stages, objects=store.objects)


def _was_there(record: StageRecord, run: RunRecord) -> bool:
    """A run that failed had no part in what a later run made under the same fingerprint."""
    return run.status in _ENDED or run.finished is None or record.started <= run.finished


def not_recorded(what: str, *sides: Side) -> str:
    """Say of which sides something is not recorded."""
    return f"{what} not recorded in {' and '.join(side.label for side in sides)}"
