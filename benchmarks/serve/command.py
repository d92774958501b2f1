"""``python -m benchmarks serve``: one row asked of our service and of others that serve the same model.

The servers of a group run at the same time and are asked in turn, in rounds; the clients are a process of their own, on
the same cores. A server that cannot be installed, started or kept to the loopback interface is told in the table.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.environments import NotInstalled
from benchmarks.serve import inputs
from benchmarks.serve.load import Order, ask
from benchmarks.serve.processes import NotStartedError, Server
from benchmarks.serve.systems import SYSTEMS
from benchmarks.serve.table import Cell, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.serve.inputs import Inputs
    from benchmarks.serve.systems import System

CLIENTS = (1, 32)
ROUNDS, COUNT, SECONDS, WARM = 3, 1000, 4.0, 100
_OK = 200


@dataclass(slots=True, kw_only=True)
class Race:
    """Measures servers.

    Attributes:
        given: What they serve, and are asked.
        count: Requests of a turn, at most.
        seconds: Of a turn, at most.
        cells: What was measured.
        absent: Why a server is not there.
    """

    given: Inputs
    count: int
    seconds: float
    cells: dict[tuple[str, int], Cell] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def run(self, systems: Sequence[System], rounds: int) -> None:
        """Measure the servers of a group, which run at the same time."""
        servers: list[Server] = []
        try:
            for system in systems:
                self._start(system, servers)
            for server in servers:
                self._turn(server, WARM, CLIENTS[-1])
            for _ in range(rounds):
                for clients in CLIENTS:
                    for server in servers:
                        self._measure(server, clients)
        finally:
            for server in servers:
                server.end()

    def _start(self, system: System, servers: list[Server]) -> None:
        try:
            server = Server.start(system, self.given.folder)
        except NotInstalled as why:
            self.absent[system.name] = f"not installed: {why.reason}"
            return
        try:
            server.await_answer(system.body(self.given.rows[0]))
        except NotStartedError as why:
            self.absent[system.name] = f"not started: {why}"
            server.end()
            return
        except BaseException:
            server.end()
            raise
        servers.append(server)

    def _measure(self, server: Server, clients: int) -> None:
        before = server.spent()
        if (came := self._turn(server, self.count, clients)) is None:
            return
        cell = self.cells.setdefault((server.system.name, clients), Cell())
        cell.latencies += came.latencies
        cell.wall += came.wall
        cell.count(before, server.spent())
        for place, status, answer in zip(came.asked, came.statuses, came.answers, strict=True):
            cell.wrong += not self._is_right(server.system, place, status, answer)

    def _turn(self, server: Server, count: int, clients: int) -> Any:
        system = server.system
        bodies = [base64.b64encode(system.body(row)).decode() for row in self.given.rows]
        order = Order(
            port=server.port, path=system.path, bodies=bodies, clients=clients, count=count, seconds=self.seconds
        )
        try:
            return ask(order)
        except subprocess.CalledProcessError as failed:
            self.absent[system.name] = f"failed: {failed.stderr.strip().splitlines()[-1]}"
            return None

    def _is_right(self, system: System, place: int, status: int, answer: str) -> bool:
        if status != _OK:
            return False
        found = system.found(json.loads(base64.b64decode(answer)))
        return 0 <= found <= 1 and abs(found - self.given.expected[place]) <= inputs.TOLERANCE


def main(arguments: Sequence[str] = ()) -> None:
    asked = _asked(arguments)
    systems = [SYSTEMS[name] for name in SYSTEMS if name in asked.only]
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
        given = inputs.make(Path(folder))
        race = Race(given=given, count=asked.count, seconds=asked.seconds)
        for group in dict.fromkeys(system.group for system in systems):
            race.run([system for system in systems if system.group == group], asked.rounds)
    most = f"at most {asked.count:,} requests or {asked.seconds:g} s a turn, {asked.rounds} turns"
    print(f"serve: {time.strftime('%Y-%m-%d')}, one row, {given.model} of the churn recipe; {most}")
    print("\n".join(table(systems, race.cells, race.absent, CLIENTS)))
    if wrong := {name: cell.wrong for (name, _), cell in race.cells.items() if cell.wrong and name.startswith("ours")}:
        sys.exit(f"answers of ours are wrong: {wrong}")


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serve", description=__doc__)
    parser.add_argument("--only", type=_names, default=list(SYSTEMS), help=f"names, by commas: {', '.join(SYSTEMS)}")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a turn, at most")
    parser.add_argument("--count", type=int, default=COUNT, help="requests of a turn, at most")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each server at each number of clients")
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if wrong := [name for name in names if name not in SYSTEMS]:
        raise argparse.ArgumentTypeError(f"not known: {', '.join(wrong)}")
    return names
