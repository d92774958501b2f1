"""Clients ask a service without a pause while its releases come, go and fail: how many of their requests are lost.

Answers take 10 ms, and of one row in some hundreds 2 s. Two replicas; the new releases roll out, are put back, are
aborted in the midst of a canary, do not load, fail every request, or never answer.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from benchmarks.acting import SLOW, Acting, announce, manifest_of
from mlops_compiler.backends.ray import serve_engine
from mlops_compiler.backends.ray.serve_interrupt import end_rollout, rollout_of
from mlops_compiler.backends.ray.service import ServiceTarget, deploy, undeploy
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.serving.rollout import Limits, Rollout
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.store.records import Deployment

ROOT = Path(__file__).parents[1]
RECIPE = "acting"
REQUESTS, CLIENTS, SLOW_ONES = 5_000, 8, 250
PROXIES = ("serve", "haproxy")
_SECONDS = 60


@dataclass(kw_only=True)
class Clients:
    """Ask a service from several threads, each on connections of its own, until they are told to stop.

    Attributes:
        target: What they ask.
        count: How many there are.
        slow: One request in so many is a slow one.
        least: They do not stop before they have asked so many.
    """

    target: ServiceTarget
    count: int = CLIENTS
    slow: int = SLOW_ONES
    least: int = 0
    answers: Counter[tuple[int, Any]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def asked(self) -> int:
        """How many requests have an answer, or are lost."""
        return len(self.seconds)

    @property
    def lost(self) -> dict[tuple[int, Any], int]:
        """What was answered otherwise than by a prediction."""
        return {kind: count for kind, count in self.answers.items() if kind[0] != http.client.OK}

    def by(self, release: int) -> int:
        """How many requests a release answered."""
        return self.answers[http.client.OK, release]

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Wait until something is seen of the answers."""
        with self._changed:
            self._changed.wait_for(seen)

    def _ask_on(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - it keeps no secret
        while not self._over.is_set() or self.asked < self.least:
            tenure = SLOW if chance.randrange(self.slow) == 0 else chance.randrange(10, SLOW)
            began = time.perf_counter()
            kind = self._ask({"tenure": tenure, "customer": f"{number}-{chance.random()}"})
            with self._changed:
                self.answers[kind] += 1
                self.seconds.append(time.perf_counter() - began)
                self._changed.notify_all()

    def _ask(self, row: Mapping[str, object]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.target.host, self.target.port, timeout=_SECONDS)
        try:
            connection.request("POST", self.target.route, json.dumps(row))
            answer = connection.getresponse()
            body = json.loads(answer.read())
            return answer.status, body["release"] if answer.status == http.client.OK else str(body)[:200]
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 0, repr(error)
        finally:
            connection.close()


@dataclass(kw_only=True)
class Stage:
    """A store with releases that act as they are told, and where they are served."""

    location: StoreLocation
    target: ServiceTarget

    @classmethod
    def build(cls, folder: Path, replicas: int = 2, proxy: str = "auto") -> Stage:
        """Build one; processes that are started from now on know the kind."""
        announce(folder / "kinds")
        paths = [str(folder / "kinds"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
        port = serve_engine.free_port()
        target = ServiceTarget(route="/acting", port=port, replicas=(replicas, replicas), cpus=2, proxy=proxy)
        return cls(location=StoreLocation(url=str(folder / "store")), target=target)

    def release(self, model: Acting) -> int:
        """Register a release; returns its number."""
        store = open_writer(self.location)
        files = {name: store.objects.put(content) for name, content in model.dump().items()}
        number = len(store.releases(RECIPE)) + 1
        return store.register_release(
            recipe=RECIPE,
            fingerprint=f"{number:064}",
            manifest=store.objects.put(orjson.dumps({**manifest_of(files), "note": number})),
            metrics={},
            run_id="run",
            notes="",
        ).number

    def deploy(self, number: int, rollout: Rollout | None = None, **changes: Any) -> Deployment:
        """Serve a release, and record it."""
        release = next(item for item in open_reader(self.location).releases(RECIPE) if item.number == number)
        settings = {name: getattr(self.target, name) for name in ServiceTarget.__dataclass_fields__}
        target = ServiceTarget(**settings | {"rollout": rollout or Rollout()} | changes)
        deployment = deploy(self.location, target, release, said=lambda text: print(f"    {text}"))
        open_writer(self.location).record_deployment(deployment)
        return deployment

    def deployment(self) -> Deployment:
        """Read what is recorded as deployed."""
        return next(item for item in open_reader(self.location).deployments() if item.recipe == RECIPE)

    def await_share(self) -> int:
        """Wait until a rollout gives its release a share of the traffic; returns the process that watches it."""
        while True:
            found = rollout_of(self.deployment())
            if found is not None and found.get("share"):
                return int(found["pid"])
            time.sleep(0.1)


def canary(**changes: Any) -> Rollout:
    """A canary of two steps."""
    values = {"kind": "canary", "steps": (0.3, 1.0), "hold": 5.0, "min_requests": 20}
    return Rollout(**values | {"limits": Limits(latency_p99=3.0)} | changes)


def fails(stage: Stage, number: int, rollout: Rollout | None = None) -> str:
    """Deploy a release that is not to come into its place; returns the code of the reason."""
    try:
        stage.deploy(number, rollout)
    except EngineError as error:
        return error.diagnostics[0].code
    raise AssertionError(f"release {number} was taken")


def aborted(stage: Stage, number: int) -> str:
    """Begin a canary, and abort it once it has traffic."""
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(fails(stage, number, canary(hold=300.0))))
    thread.start()
    stage.await_share()
    time.sleep(3)
    end_rollout(stage.deployment(), by_force=True)
    thread.join()
    return said[0]


def main(requests: int = REQUESTS, proxies: Sequence[str] = PROXIES) -> None:
    """Print how many requests were lost, and how long they took, behind each proxy."""
    print(f"rollout: {CLIENTS} clients, 2 replicas, answers of 10 ms and one in {SLOW_ONES} of 2 s; none may be lost")
    if lost := sum(_behind(proxy, requests) for proxy in proxies):
        raise AssertionError(f"{lost} requests were lost")


def _behind(proxy: str, requests: int) -> int:
    print(f" deploy.proxy: {proxy}")
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage.build(Path(folder), proxy=proxy)
        acts = (Acting(), Acting(probability=0.4), Acting(on_load=True), Acting(on_request="raise"))
        first, second, unloadable, broken = map(stage.release, acts)
        hanging = stage.release(Acting(on_request="hang"))
        deployment = stage.deploy(first)
        scenarios: dict[str, Callable[[], object]] = {
            "canary to all traffic": lambda: stage.deploy(second, canary()).release,
            "rollback at once": lambda: stage.deploy(first).release,
            "aborted canary": lambda: aborted(stage, second),
            "does not load": lambda: fails(stage, unloadable),
            "fails every request": lambda: fails(stage, broken, canary()),
            "never answers": lambda: fails(stage, hanging, canary(limits=Limits(latency_p99=1.0))),
            "blue and green": lambda: stage.deploy(second, canary(kind="blue_green")).release,
        }
        try:
            return sum(_tried(name, act, stage, requests // len(scenarios) + 1) for name, act in scenarios.items())
        finally:
            undeploy(deployment)


def _tried(name: str, act: Callable[[], object], stage: Stage, least: int) -> int:
    with Clients(target=stage.target, least=least) as clients:
        came = act()
    taken = sorted(clients.seconds)
    p50, p99 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99))
    lost = sum(clients.lost.values())
    by = ", ".join(f"release {kind[1]}: {count:,}" for kind, count in sorted(clients.answers.items()) if kind[0])
    print(f"  {name:<22} {clients.asked:6,} requests  {lost} lost  p50 {p50:6.0f} ms  p99 {p99:6.0f} ms  {by}  {came}")
    for kind, count in clients.lost.items():
        print(f"    {count} x {kind}")
    return lost
