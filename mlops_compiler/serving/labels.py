"""Outcomes that clients send: what is taken is on disk before the client hears of it, and all that is wrong is named.

Outcomes that come at the same time share a segment, and one write.
"""

from __future__ import annotations

import asyncio
import io
import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.serving.fields import Fault, show
from mlops_compiler.serving.refusal import MAX_ROWS, RequestRefused
from mlops_compiler.store.segments import LABELS, Segments
from mlops_compiler.store.served import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

_TOGETHER_SECONDS = 0.02
"""How long an outcome waits for others, to be written with them."""
_INVALID, _NO_OUTCOMES = 422, 404
logger = logging.getLogger(__name__)


class LabelContract:
    """What an outcome must be.

    Args:
        manifest: That of the release.
        most: How many a request may have.
    """

    def __init__(self, manifest: Mapping[str, Any], most: int = MAX_ROWS) -> None:
        self._most = most
        self.target = manifest.get("target")
        self.key: str | None = manifest.get("key")
        classes = list(manifest.get("classes") or ())
        self._classes = {str(label): label for label in classes} if classes else None
        self._bools = bool(classes) and all(isinstance(label, bool) for label in classes)

    def read(self, body: bytes, source: str, now: datetime) -> list[dict[str, Any]]:
        """Read the body of a request: an object, or a list of them.

        Args:
            body: Each object has ``outcome``, and ``id`` of the prediction or the recipe's key.
            source: Who sent it.
            now: When.

        Returns:
            Rows with the columns of `store.served.LABEL`.

        Raises:
            RequestRefused: 400 for no JSON, 404 where the task has no outcomes, 413 for too many, 422 with all faults.
        """
        if self.target is None:
            fault = Fault(code="no-outcomes", expected="a task with a target", found="none")
            raise RequestRefused(_NO_OUTCOMES, "no-outcomes", [fault])
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RequestRefused.not_json(error) from error
        rows = [value] if isinstance(value, dict) else value
        if not isinstance(rows, list) or not rows:
            raise RequestRefused.no_rows(value)
        if len(rows) > self._most:
            raise RequestRefused.too_many_rows(len(rows), self._most)
        faults: list[Fault] = []
        told = [self._row(index, row, faults) for index, row in enumerate(rows)]
        if faults:
            raise RequestRefused(_INVALID, "invalid-request", faults)
        return [{**row, "time": now, "source": source} for row in told]

    def outcome(self, value: Any) -> str | None:
        """Write an outcome as text; None where it is none of the task's."""
        if self._classes is not None:
            text = str(value).lower() if isinstance(value, bool) and not self._bools else str(value)
            known = not isinstance(value, dict | list) and value is not None and text in self._classes
            return text if known else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return repr(float(value))

    def _row(self, index: int, row: Any, faults: list[Fault]) -> dict[str, str | None]:
        if not isinstance(row, dict):
            faults.append(Fault(row=index, code="wrong-type", expected="an object", found=show(row)))
            return {}
        names = ["id", *([self.key] if self.key else [])]
        given = [name for name in names if row.get(name) is not None]
        if len(given) != 1:
            wanted = f"`{names[0]}` of the prediction" + (f", or `{self.key}`" if self.key else "")
            found = "both" if given else "neither" if self.key else "nothing"
            faults.append(Fault(row=index, field=names[0], code="missing-field", expected=wanted, found=found))
        for name in given:
            if isinstance(row[name], dict | list | bool) or not str(row[name]):
                expected = "a text or a number"
                faults.append(Fault(row=index, field=name, code="wrong-type", expected=expected, found=show(row[name])))
        for name in row:
            if name not in (*names, "outcome"):
                expected = f"{', '.join(names)} or outcome"
                faults.append(
                    Fault(
                        row=index, field=str(name)[:80], code="unknown-field", expected=expected, found=show(row[name])
                    )
                )
        if (text := self.outcome(row.get("outcome"))) is None:
            found = show(row["outcome"]) if "outcome" in row else "nothing"
            faults.append(
                Fault(row=index, field="outcome", code="wrong-outcome", expected=self._expected(), found=found)
            )
        key = row.get(self.key) if self.key else None
        return {
            "id": None if row.get("id") is None else str(row["id"]),
            "key": None if key is None else str(key),
            "outcome": text,
        }

    def _expected(self) -> str:
        if self._classes is None:
            return f"a finite number, of `{self.target}`"
        shown = list(self._classes)[:20]
        return f"one of {', '.join(shown)}{', …' if len(shown) < len(self._classes) else ''}"


class LabelBook:
    """Keeps the outcomes that the replica of a service is sent.

    Args:
        location: The store.
        service: Which one it is of.
        manifest: That of the release.
        most: How many a request may have.
    """

    def __init__(
        self, location: StoreLocation, service: ServiceName, manifest: Mapping[str, Any], most: int = MAX_ROWS
    ) -> None:
        self.contract = LabelContract(manifest, most)
        self._segments = Segments(location, LABELS, service)
        self._waiting: list[dict[str, Any]] = []
        self._write: asyncio.Task[None] | None = None

    async def take(self, body: bytes, client: str) -> int:
        """Take outcomes; returns how many, once they are on disk.

        Raises:
            RequestRefused: As `LabelContract.read`; 503 where the store cannot be written.
        """
        source = f"key:{client}" if client else "service"
        rows = self.contract.read(body, source, datetime.now(UTC))
        self._waiting += rows
        if self._write is None:
            self._write = asyncio.create_task(self._written())
        try:
            await asyncio.shield(self._write)
        except MlopsError as error:
            logger.warning("outcomes could not be kept: %s", error)
            raise RequestRefused.cannot_keep() from error
        return len(rows)

    async def _written(self) -> None:
        from starlette.concurrency import run_in_threadpool

        await asyncio.sleep(_TOGETHER_SECONDS)
        rows, self._waiting, self._write = self._waiting, [], None
        await run_in_threadpool(append, self._segments, rows)


def append(segments: Segments, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write outcomes as one segment.

    Raises:
        EngineError: They cannot be written.
    """
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=LABEL).write_parquet(buffer)
    segments.append(buffer.getvalue())
