"""Rows that were scored offline are sent through a service, which must answer them alike: to the last bit.

The rows are those of the holdout, and what they must be answered is what the evaluation of the release recorded: no
code of the service had a part in that.
"""

from __future__ import annotations

import io
import time as clock
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note
from mlops_compiler.ir.schema import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release, StageRecord

    Send = Callable[[bytes], tuple[int, Any]]
    """Sends the body of a request; gives the status and the parsed body of the answer."""

_OK, _TOO_LARGE = 200, 413
_AT_ONCE = 4
_LIST = 200
_SHOWN = 3
_NUMBER = {"regression": ("value", "prediction"), "anomaly_detection": ("score", "score")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Rows, and what they must be answered.

    Attributes:
        places: The place of each row where it comes from, from 0.
        rows: The fields of a request, typed.
        expected: For each row the fields of the answer that are known.
        source: Where they come from, in a few words.
        outcome: What came of each row: the number of its class or its value, NaN where that is not known; shape
            (rows,). None where nothing is known of any.
        time: When each row was, where the rows have a time.
    """

    places: Sequence[int]
    rows: pl.DataFrame
    expected: list[dict[str, Any]]
    source: str
    outcome: NDArray[np.float64] | None = None
    time: pl.Series | None = None

    def spread(self, most: int | None) -> Held:
        """Keep so many rows, spread evenly over all; all of them, where none is said."""
        if most is None or most >= self.rows.height:
            return self
        chosen = _evenly(self.rows.height, most)
        return Held(
            places=[self.places[index] for index in chosen],
            rows=self.rows[chosen],
            expected=[self.expected[index] for index in chosen],
            source=self.source,
            outcome=None if self.outcome is None else self.outcome[chosen],
            time=None if self.time is None else self.time[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay.

    Attributes:
        rows: How many rows were sent, each alone and again in a list.
        differing: How many were answered otherwise.
        examples: Some of these, told in a sentence.
        seconds: How long it took.
        source: Where the rows come from.
        answers: What was answered to each row alone.
    """

    rows: int
    differing: int
    examples: tuple[str, ...]
    seconds: float
    source: str
    answers: tuple[Any, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write what came of it as a JSON object, without the answers."""
        told = {name: getattr(self, name) for name in ("rows", "differing", "seconds", "source")}
        return {**told, "examples": list(self.examples)}


def held_out(store: StoreReader, release: Release, most: int, time: str | None = None) -> Held | None:
    """Read rows of the holdout of a release, spread evenly over it, and what the evaluation said of them.

    Args:
        store: Holds them.
        release: Whose.
        most: How many rows, at most.
        time: The column that says when a row was, where there is one.

    Returns:
        The rows; None where the store does not keep them, or the release was evaluated on none.
    """
    records = _stages(store, release)
    if not {"snapshot", "evaluate"} <= set(records) or "predictions" not in records["evaluate"].outputs:
        return None
    manifest = orjson.loads(store.objects.get(release.manifest))
    told = _table(store, records["evaluate"].outputs["predictions"])
    if "row" not in told.columns or not told.height:
        return None
    chosen = told[_evenly(told.height, most)]
    snapshot = _table(store, records["snapshot"].outputs["snapshot"])[chosen["row"].to_list()]
    fields = [field for field in manifest["request"] if field["name"] != manifest.get("key")]
    return Held(
        places=chosen["row"].to_list(),
        rows=snapshot.select(pl.col(field["name"]).cast(DTYPES[field["type"]]) for field in fields),
        expected=recorded_answers(chosen, manifest),
        source="the holdout",
        outcome=chosen["label"].cast(pl.Float64).to_numpy() if "label" in chosen.columns else None,
        time=snapshot[time] if time in snapshot.columns else None,
    )


def _evenly(rows: int, most: int) -> list[int]:
    """Choose places, spread evenly."""
    chosen: list[int] = np.unique(np.linspace(0, rows - 1, min(most, rows)).astype(int)).tolist()
    return chosen


def recorded_answers(told: pl.DataFrame, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say how a service must answer rows that an evaluation predicted.

    Args:
        told: What the evaluation recorded of the rows.
        manifest: That of the release.
    """
    task, threshold, classes = manifest["task"], manifest.get("threshold"), list(manifest.get("classes") or ())
    if task == "binary_classification":
        shares = told["probability"].to_list()
        return [{"probability": share, "decision": classes[share >= threshold]} for share in shares]
    if task == "multiclass_classification":
        columns = told.select(f"probability_{number}" for number in range(len(classes))).rows()
        names = [str(label) for label in classes]
        return [
            {"decision": classes[int(np.argmax(row))], "probabilities": dict(zip(names, row, strict=True))}
            for row in columns
        ]
    if task == "clustering":
        return told.select("cluster", "distance").to_dicts()
    theirs, ours = _NUMBER[task]
    odd = {"anomaly": told[theirs] >= threshold} if task == "anomaly_detection" else {}
    return pl.DataFrame({ours: told[theirs], **odd}).to_dicts()


def replay(held: Held, send: Send) -> Replayed:
    """Send rows through a service, each alone and again in lists, and compare the answers.

    Raises:
        EngineError: The service does not answer.
    """
    began, rows = clock.monotonic(), held.rows.to_dicts()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        alone = list(pool.map(lambda row: _one(send, row), rows))
    listed = [answer for start in range(0, len(rows), _LIST) for answer in _many(send, rows[start : start + _LIST])]
    found = []
    for place, expected, *answers in zip(held.places, held.expected, alone, listed, strict=True):
        told = [text for answer in answers if (text := _differs(expected, answer))]
        if told:
            found.append(f"row {place + 1}: {told[0]}")
    return Replayed(
        rows=len(rows),
        differing=len(found),
        examples=tuple(found[:_SHOWN]),
        seconds=clock.monotonic() - began,
        source=held.source,
        answers=tuple(alone),
    )


def must_be_equal(found: Replayed, release: int) -> None:
    """Refuse a release that is served otherwise than it was evaluated.

    Raises:
        EngineError: A row was answered otherwise.
    """
    if found.differing:
        raise EngineError([_differing(found, release)])


def _stages(store: StoreReader, release: Release) -> dict[str, StageRecord]:
    """Find the stages of the run that made a release."""
    run = store.run(release.run_id)
    seals = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan if "fingerprint" in item} if run else {}
    found = {name: store.stage(seal) for name, seal in seals.items() if name in ("snapshot", "evaluate")}
    return {name: record for name, record in found.items() if record is not None}


def _table(store: StoreReader, digest: str) -> pl.DataFrame:
    path = store.objects.local_path(digest)
    return pl.read_parquet(path or io.BytesIO(store.objects.get(digest)))


def _one(send: Send, row: Mapping[str, Any]) -> Any:
    status, answer = send(orjson.dumps(row))
    return answer if status == _OK else _refused(status, answer)


def _many(send: Send, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Send rows as a list; as two, where the service takes no list that is so long."""
    status, answer = send(orjson.dumps(rows))
    if status == _TOO_LARGE and len(rows) > 1:
        half = len(rows) // 2
        return [*_many(send, rows[:half]), *_many(send, rows[half:])]
    return list(answer["predictions"]) if status == _OK else [_refused(status, answer)] * len(rows)


def _refused(status: int, answer: Any) -> str:
    if not status:
        raise EngineError([_silent(answer)])
    return f"{status} {orjson.dumps(answer).decode()[:200]}"


def _differs(expected: Mapping[str, Any], answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return f"the service refuses it: {answer}"
    for name, value in expected.items():
        if answer.get(name) != value:
            return f"{name} was {value} offline, and the service says {answer.get(name)}"
    return None


def _silent(why: Any) -> Diagnostic:
    return Diagnostic(
        code="service-unreachable",
        headline="the service does not answer the rows that are replayed",
        notes=(Note(text=str(why)),),
        help="the whole story is in logs/serve.log of the store",
    )


def _differing(found: Replayed, release: int) -> Diagnostic:
    return Diagnostic(
        code="replay-differs",
        headline=f"release {release} is served otherwise than it was evaluated: {found.differing:,} of {found.rows:,} "
        f"rows of {found.source} are answered with other bits",
        notes=tuple(Note(text=text) for text in found.examples),
        help="let the workers run the same versions of the packages as the machine that trained it, or train it again",
    )
