"""What a release is compared with: the distributions of its training rows, and what its holdout was answered.

Distributions are kept with the release, so that it can be watched when the rows themselves are archived or erased. Of a
release that an older version made they are taken from the rows.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from mlops_compiler.monitoring.distribution import Distribution, distribution, distributions
from mlops_compiler.monitoring.expected import COLUMN, FILES, ErrorModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release, StageRecord

TARGET = "\x00target"
"""Under which name the distribution of the target is kept."""
_LEARNS = 1
_STAGES = ("snapshot", "split", "feedback", "evaluate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a release is compared with.

    Attributes:
        release: Whose it is.
        manifest: What the release says of itself.
        inputs: Of each column of a request, the distribution of the training rows; empty where it cannot be had.
        target: That of what came of them; None where there is no target, or it cannot be had.
        rows: Training rows, as a request would send them; None where the store keeps them no longer.
        held: What the evaluation predicted of the holdout beside what came, and the ``row`` of the snapshot.
        holdout: Rows of the holdout, in the order of `held`, as a request would send them; None likewise.
        metrics: What the release scored on its holdout.
        intervals: And how sure that is.
        metric: The one that its search optimised.
        errors: Says what errors are to be expected of values; None where the evaluation did not learn that.
        taken: When its data were taken in, seconds since 1970; None where it is not known.
    """

    release: Release
    manifest: Mapping[str, Any]
    inputs: Mapping[str, Distribution]
    target: Distribution | None
    rows: pl.DataFrame | None
    held: pl.DataFrame | None
    holdout: pl.DataFrame | None
    metrics: Mapping[str, float]
    intervals: Mapping[str, list[float]]
    metric: str | None
    taken: float | None
    errors: ErrorModel | None = None

    @property
    def columns(self) -> list[str]:
        """The columns of a request."""
        return [field["name"] for field in self.manifest["request"] if field["name"] != self.manifest.get("key")]


def reference_json(rows: pl.DataFrame, columns: Iterable[str], label: pl.Series | None) -> dict[str, Any]:
    """Take what a release keeps of its training rows.

    Args:
        rows: The rows that its model learned from.
        columns: Those of a request.
        label: The values of the target, classes by their names; None where there is none.
    """
    found = {name: item.to_json() for name, item in distributions(rows, columns).items()}
    return found if label is None else {**found, TARGET: distribution(label).to_json()}


def reference_of(store: StoreReader, release: Release) -> Reference:
    """Read what a release is compared with; parts that are not there are empty.

    Raises:
        EngineError: The release cannot be read.
    """
    manifest = orjson.loads(store.objects.get(release.manifest))
    stages = _stages(store, release)
    snapshot = _opened(store, stages.get("feedback") or stages.get("snapshot"), "snapshot")
    split = _opened(store, stages.get("feedback") or stages.get("split"), "split")
    held = _opened(store, stages.get("evaluate"), "predictions")
    names = [field["name"] for field in manifest["request"] if field["name"] != manifest.get("key")]
    rows = holdout = None
    if snapshot is not None and split is not None:
        rows = snapshot.filter(split["final"] == _LEARNS)
    if snapshot is not None and held is not None and "row" in held.columns:
        holdout = snapshot[held["row"].to_list()].select(names)
    kept = _kept(store, manifest, rows, names)
    evaluation = _json(store, stages.get("evaluate"), "evaluation")
    return Reference(
        release=release,
        manifest=manifest,
        inputs={name: kept[name] for name in names if name in kept},
        target=kept.get(TARGET),
        rows=None if rows is None else rows.select(names),
        held=held,
        holdout=holdout,
        metrics=release.metrics,
        intervals=evaluation.get("intervals", {}),
        metric=evaluation.get("metric"),
        taken=stages["snapshot"].started if "snapshot" in stages else None,
        errors=_errors(store, manifest, stages.get("evaluate"), held),
    )


def _kept(
    store: StoreReader, manifest: Mapping[str, Any], rows: pl.DataFrame | None, names: list[str]
) -> dict[str, Distribution]:
    """Read the distributions that the release keeps, or take them from its training rows."""
    if (digest := manifest.get("reference")) is not None:
        told = orjson.loads(store.objects.get(digest))
    elif rows is not None:
        target = manifest.get("target")
        told = reference_json(rows, names, rows[target] if target in rows.columns else None)
    else:
        told = {}
    return {name: Distribution.from_json(item) for name, item in told.items()}


def _errors(
    store: StoreReader, manifest: Mapping[str, Any], record: StageRecord | None, held: pl.DataFrame | None
) -> ErrorModel | None:
    """Read what the evaluation learned of errors."""
    if record is None or held is None or COLUMN not in held.columns:
        return None
    kept = {name: digest for name, digest in record.outputs.items() if name.startswith(FILES)}
    if not all(store.objects.exists(digest) for digest in kept.values()):
        return None
    files = {name.removeprefix(FILES): store.objects.get(digest) for name, digest in kept.items()}
    return ErrorModel.of(manifest, files, held)


def _stages(store: StoreReader, release: Release) -> dict[str, StageRecord]:
    """Find the stages of the run that made a release, of those whose objects are still there."""
    run = store.run(release.run_id)
    seals = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan if "fingerprint" in item} if run else {}
    found = {name: store.stage_record(seals[name]) for name in _STAGES if name in seals}
    return {name: record for name, record in found.items() if record is not None}


def _opened(store: StoreReader, record: StageRecord | None, name: str) -> pl.DataFrame | None:
    if record is None or name not in record.outputs or not store.objects.exists(record.outputs[name]):
        return None
    digest = record.outputs[name]
    path = store.objects.local_path(digest)
    return pl.read_parquet(path or io.BytesIO(store.objects.get(digest)))


def _json(store: StoreReader, record: StageRecord | None, name: str) -> dict[str, Any]:
    if record is None or not store.objects.exists(record.outputs[name]):
        return {}
    found: dict[str, Any] = orjson.loads(store.objects.get(record.outputs[name]))
    return found
