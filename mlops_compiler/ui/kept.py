"""What the store keeps under a digest never changes: it is read once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord, StageRecord

_REMEMBERED = 256


def kept(store: StoreReader, digest: str | None) -> Any:
    """Read an object as JSON; None where there is none, or it is gone: the page leaves out what it would show."""
    if digest is None:
        return None
    try:
        return _read(store.objects.get, digest)
    except (EngineError, ValueError):
        return None


def kept_text(store: StoreReader, digest: str) -> str | None:
    """Read an object as text; None where it is gone."""
    try:
        return store.objects.get(digest).decode()
    except (EngineError, UnicodeDecodeError):
        return None


def output_of(store: StoreReader, run: RunRecord, stage: str, output: str) -> Any:
    """Read an output of a stage of a run as JSON; None where the run did not come so far."""
    record = stage_of(store, run, stage)
    return kept(store, record.outputs.get(output)) if record else None


def stage_of(store: StoreReader, run: RunRecord, stage: str) -> StageRecord | None:
    """Find what is recorded of a stage of a run."""
    seal = next((item.get("fingerprint") for item in run.plan if item.get("stage") == stage), None)
    return store.stage_record(seal) if seal else None


def card_of(store: StoreReader, recipe: str) -> Mapping[str, Any]:
    """Read the model card that was written last of a recipe; empty where there is none."""
    record = store.last_stage(recipe, "report")
    card = kept(store, record.outputs.get("card")) if record else None
    return card if isinstance(card, dict) else {}


@lru_cache(maxsize=_REMEMBERED)
def _read(get: Callable[[str], bytes], digest: str) -> Any:
    return json.loads(get(digest))
