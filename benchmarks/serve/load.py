"""Asks a server from a process of its own, over connections that stay open, each asking again once it has its answer.

``python -m benchmarks.serve.load`` reads an `Order` as JSON from standard input, and writes what came to the output.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import uvloop

_END = b"\r\n\r\n"
_PATIENCE = 60.0
"""Seconds that a server may take for what it was asked before the time was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to ask.

    Attributes:
        port: On the loopback interface.
        path: Where.
        bodies: Are sent in turn; each in base64.
        clients: How many connections there are.
        count: So many requests are sent at most.
        seconds: After so many none is sent any more.
    """

    port: int
    path: str
    bodies: list[str]
    clients: int
    count: int
    seconds: float


@dataclass(slots=True, kw_only=True)
class Came:
    """What came.

    Attributes:
        wall: Seconds from the first request to the last answer.
        latencies: Seconds of each request.
        asked: The body of each by its place in the order.
        statuses: Of each.
        answers: Of each, in base64.
    """

    wall: float = 0.0
    latencies: list[float] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def ask(order: Order) -> Came:
    """Have a process of its own ask.

    Raises:
        CalledProcessError: A connection failed, or an answer did not come.
    """
    told = json.dumps(asdict(order))
    command = [sys.executable, "-m", "benchmarks.serve.load"]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
    return Came(**json.loads(done.stdout))


class _Turns:
    """Deals the requests to the connections."""

    def __init__(self, order: Order) -> None:
        self.came = Came()
        head = f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nContent-Type: application/json\r\n"
        bodies = [base64.b64decode(body) for body in order.bodies]
        self._requests = [f"{head}Content-Length: {len(body)}{_END.decode()}".encode() + body for body in bodies]
        self._left, self._seconds = order.count, order.seconds
        self._until: float | None = None

    def next(self) -> tuple[int, bytes] | None:
        """Give the next request and its place; None where there is none any more."""
        now = time.perf_counter()
        self._until = now + self._seconds if self._until is None else self._until
        if not self._left or now > self._until:
            return None
        self._left -= 1
        place = self._left % len(self._requests)
        return place, self._requests[place]


class _Connection(asyncio.Protocol):
    """Asks over one connection, and reads answers of a stated length or in chunks."""

    def __init__(self, turns: _Turns, over: asyncio.Future[None]) -> None:
        self._turns, self._over, self._read = turns, over, b""
        self._place, self._began = 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._go_on()

    def _go_on(self) -> None:
        if (turn := self._turns.next()) is None:
            self._over.set_result(None)
            return
        self._place, request = turn
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if (found := parse(self._read)) is None:
            return
        came = self._turns.came
        came.latencies.append(time.perf_counter() - self._began)
        came.asked.append(self._place)
        came.statuses.append(found[0])
        came.answers.append(base64.b64encode(found[1]).decode())
        self._read = b""
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over.done():
            self._over.set_exception(exc or ConnectionError("the server has closed the connection"))


def parse(read: bytes) -> tuple[int, bytes] | None:
    """Read an answer: the status and the body; None while it is not whole."""
    head, end, body = read.partition(_END)
    if not end:
        return None
    status = int(head[9:12])
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return (status, _joined(body)) if body.endswith(b"0" + _END) else None
    return (status, body) if len(body) >= int(fields[b"content-length"]) else None


def _joined(chunks: bytes) -> bytes:
    body = b""
    while True:
        size, _, chunks = chunks.partition(b"\r\n")
        if not (length := int(size.partition(b";")[0], 16)):
            return body
        body, chunks = body + chunks[:length], chunks[length + 2 :]


async def _ask(order: Order) -> Came:
    turns, loop = _Turns(order), asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(order.clients)]
    began = time.perf_counter()
    made = [loop.create_connection(lambda end=end: _Connection(turns, end), "127.0.0.1", order.port) for end in ends]
    connections = await asyncio.gather(*made)
    async with asyncio.timeout(order.seconds + _PATIENCE):
        await asyncio.gather(*ends)
    turns.came.wall = time.perf_counter() - began
    for transport, _ in connections:
        transport.close()
    return turns.came


def main() -> None:
    order: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(uvloop.run(_ask(Order(**order)))), sys.stdout)


if __name__ == "__main__":
    main()
