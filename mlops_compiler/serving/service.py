"""Answers requests with the predictions of one release, and says what was answered to whoever keeps it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from mlops_compiler.diagnostics import DataError
from mlops_compiler.serving import arrow
from mlops_compiler.serving.compiled.signals import Beyond
from mlops_compiler.serving.exchange import ARROW_TYPE, Exchange, Line, Served, is_arrow
from mlops_compiler.serving.gate import read_body
from mlops_compiler.serving.guard import Guard
from mlops_compiler.serving.pace import Pace
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.request import RequestContract
from mlops_compiler.serving.selftest import must_be_as_trained
from mlops_compiler.serving.traffic import Asked
from mlops_compiler.store.served import CANARY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    import polars as pl
    from starlette.types import Receive, Scope

    from mlops_compiler.serving.compiled.row import CompiledRow
    from mlops_compiler.serving.labels import LabelBook
    from mlops_compiler.serving.meters import Meters
    from mlops_compiler.serving.prediction_log import PredictionLog
    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.serving.request import Rows
    from mlops_compiler.serving.traffic import Traffic

    Table: TypeAlias = pl.DataFrame | Line

_OK = 200
_INLINE_ROWS = 64
"""Requests of more rows go to a thread, so that no small request waits for them; smaller ones where `Pace` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around a release at a service.

    Attributes:
        traffic: Sends a share of the requests to another release, while one is on its way.
        guard: Lets requests in.
        log: Keeps what was answered.
        labels: Keeps the outcomes that are sent.
        meters: Counts for Prometheus.
    """

    traffic: Traffic | None = None
    guard: Guard = field(default_factory=Guard)
    log: PredictionLog | None = None
    labels: LabelBook | None = None
    meters: Meters | None = None


class Service:
    """Answers requests with the predictions of one release.

    Args:
        predictor: The release.
        info: ``release`` is its number.
        around: What stands around it.
        compiled: What answers single rows, as `compiled.proof.prove` gives it; they pass as tables where not given.

    Attributes:
        around: What stands around it.
        release: Its number.
        example_answer: What the example of the release is answered.
        is_broken: Whether the example was answered otherwise, when it was asked again.

    Raises:
        MlopsError: The release cannot score its own example, or scores it otherwise than when it was trained: it must
            not be served.
    """

    def __init__(
        self,
        predictor: Predictor,
        info: Mapping[str, Any],
        around: Around | None = None,
        compiled: CompiledRow | None = None,
    ) -> None:
        self._predictor, self.around, self._compiled = predictor, around or Around(), None
        self.release, self.is_broken, self._pace = info["release"], False, Pace()
        self._contract = RequestContract(predictor.manifest, self.around.guard.limits)
        self._example = orjson.dumps(predictor.manifest["example"])
        self._outputs = predictor.predict(self._contract.read(self._example).frame).schema
        self.example_answer = self.answer(self._example)
        must_be_as_trained(predictor.manifest, self.example_answer)
        self._compiled = compiled

    @property
    def compiled_as(self) -> Any:
        """What is compiled for single rows, as it says itself; False where nothing is."""
        return self._compiled.says if self._compiled is not None else False

    def answer(self, body: bytes, exchange: Exchange | None = None) -> dict[str, Any]:
        """Answer the body of a request.

        Args:
            body: The body.
            exchange: Names the answer, and lets it be logged; neither, where it is not given.

        Raises:
            RequestRefused: The request is too large, no JSON, breaks the contract or cannot be scored.
        """
        rows = self._contract.read(body)
        predictions, inputs, scored = self._predictions(rows)
        for index, key in rows.keys.items():
            predictions[index] = {str(self._contract.key): key, **predictions[index]}
        named = {} if exchange is None else {"id": exchange.id}
        if exchange is not None:
            ids = exchange.names(len(predictions), single=rows.single)
            self._log(exchange, ids, rows.keys, (inputs, scored))
            if not rows.single:
                predictions = [{"id": name, **row} for name, row in zip(ids, predictions, strict=True)]
        if rows.single:
            return {**named, "release": self.release, **predictions[0]}
        return {**named, "release": self.release, "predictions": predictions}

    def _predictions(self, rows: Rows) -> tuple[list[dict[str, Any]], Table, Table]:
        """Score rows; gives the predictions, and for the log what went in and what came out."""
        if rows.single and self._compiled is not None:
            with suppress(Beyond):
                found = self._compiled.predict(rows.values[0])
                return (
                    [found],
                    Line(values=rows.values[0], schema=rows.schema),
                    Line(values=found, schema=self._outputs),
                )
        frame = rows.frame
        try:
            scored = self._predictor.predict(frame)
        except DataError as error:
            raise RequestRefused.cannot_score(error) from error
        return scored.to_dicts(), frame, scored

    def _log(self, exchange: Exchange, ids: list[str], keys: Mapping[int, Any], both: tuple[Table, Table]) -> None:
        exchange.rows = len(ids)
        if (log := self.around.log) is not None:
            seconds = time.perf_counter() - exchange.clock
            inputs, outputs = both
            log.record(Served(exchange=exchange, ids=ids, keys=keys, inputs=inputs, outputs=outputs, seconds=seconds))

    async def score(self, scope: Scope, receive: Receive) -> bytes:
        """Handle ``POST /``.

        Raises:
            RequestRefused: It cannot be answered.
        """
        exchange: Exchange = scope["exchange"]
        body = await read_body(scope, receive, self.around.guard.limits)

        async def here(role: str) -> bytes:
            asked = exchange if role == exchange.role else replace(exchange, role=role)
            return await self._score(body, asked)

        traffic = self.around.traffic
        if traffic is None or traffic.policy is None:
            answer = await self._score(body, exchange)
        else:
            about = {"id": exchange.id, "client": exchange.client, "came": exchange.came}
            answer, _ = await traffic.answer(Asked(body=body, role=CANARY, about=about), here)
        if not is_arrow(body) or _wants_json(scope):
            return answer
        from starlette.concurrency import run_in_threadpool

        return await run_in_threadpool(arrow.write, answer)

    async def ask(self, body: bytes, about: Mapping[str, Any]) -> tuple[int, bytes]:
        """Answer a request that another release's replica passes on: the status, and the body."""
        exchange = Exchange(**about)
        status = _OK
        try:
            return status, await self._score(body, exchange)
        except RequestRefused as refused:
            status, exchange.code = refused.status, refused.code
            return status, orjson.dumps(refused.to_json())
        finally:
            if (log := self.around.log) is not None:
                seconds = time.perf_counter() - exchange.clock
                log.count(status, seconds, role=exchange.role, rows=exchange.rows, code=exchange.code)

    async def _score(self, body: bytes, exchange: Exchange) -> bytes:
        if body.count(b"{") <= _INLINE_ROWS and not is_arrow(body) and self._pace.stays():
            began = time.perf_counter()
            try:
                return orjson.dumps(self.answer(body, exchange))
            finally:
                self._pace.took(time.perf_counter() - began)
        from starlette.concurrency import run_in_threadpool

        deadline = self.around.guard.limits.deadline
        try:
            async with asyncio.timeout(deadline):
                return orjson.dumps(await run_in_threadpool(self.answer, body, exchange))
        except TimeoutError:
            raise RequestRefused.too_late(deadline) from None

    def check(self) -> None:
        """Score the example again.

        Raises:
            RuntimeError: It is scored otherwise than before: something in this process is broken.
        """
        is_broken = True
        try:
            self._predictor.predict(self._contract.read(self._example).frame)
            found = self.answer(self._example)
            is_broken = found != self.example_answer
        finally:
            self.is_broken = is_broken
        if is_broken:
            raise RuntimeError(f"the example was answered {self.example_answer}, and is now {found}")


def _wants_json(scope: Scope) -> bool:
    """Say whether a client that sends a stream takes JSON back, and no stream."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
    return b"json" in accepted and ARROW_TYPE.encode() not in accepted
