"""What a stage is given: its nodes, the records of the stages that it reads, and the store. Nothing else reaches it.

A task is small and picklable: artifacts stay in the store, and only their digests travel.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.lifecycle import LifecycleOp
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import StageRecord
    from mlops_compiler.store.writer import StoreWriter

OpT = TypeVar("OpT", bound="LifecycleOp")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTask:
    """A stage to run, as it travels to where it runs.

    Attributes:
        stage: What to run.
        recipe: The recipe's name.
        root: The folder that the source's path is relative to.
        store: Where the store is.
        run_id: The run that it is part of.
        facts: Texts about the recipe and the run that only the report shows.
    """

    stage: Stage
    recipe: str
    root: str
    store: StoreLocation
    run_id: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A stage while it runs."""

    task: StageTask
    store: StoreWriter
    inputs: dict[str, StageRecord]

    @property
    def root(self) -> Path:
        """The folder that the source's path is relative to."""
        return Path(self.task.root)

    def op(self, kind: type[OpT]) -> OpT:
        """The one op of a kind among the stage's nodes."""
        return next(node.op for node in self.task.stage.nodes if isinstance(node.op, kind))

    def read_json(self, stage: str, name: str) -> Any:
        """Read a JSON output of an earlier stage."""
        return json.loads(self.store.objects.get(self.inputs[stage].outputs[name]))

    def read_table(self, stage: str, name: str, columns: list[str] | None = None) -> pl.DataFrame:
        """Read a table that an earlier stage gave, or some of its columns."""
        digest = self.inputs[stage].outputs[name]
        path = self.store.objects.local_path(digest)
        return pl.read_parquet(path or io.BytesIO(self.store.objects.get(digest)), columns=columns)

    def put_json(self, value: Any) -> str:
        """Keep a JSON value; returns its digest."""
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return self.store.objects.put(text.encode())

    def put_table(self, frame: pl.DataFrame) -> str:
        """Keep a table as Parquet; equal tables have equal digests."""
        return self.store.objects.put(parquet_bytes(frame))

    def event(self, kind: str, payload: dict[str, Any]) -> None:
        """Record what happens, for whoever watches."""
        self.store.add_event(self.task.run_id, kind, payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a stage gives: objects by name, and a summary to show."""

    outputs: dict[str, str]
    summary: dict[str, Any] = field(default_factory=dict)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Write a frame as Parquet bytes, the same ones for equal frames."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()
