"""A store with the records of one recipe, made by the functions that make them in earnest; and its dashboard."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mlops_compiler.plan.stages import PARENTS
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.operations import Approval, Placement
from mlops_compiler.store.records import Deployment, RunRecord, StageRecord
from mlops_compiler.store.writer import StoreWriter, open_writer
from mlops_compiler.ui.app import create_app

STAGES = [name for name in PARENTS if name not in ("feedback", "nested")]
METRICS = {"roc_auc": 0.8432, "log_loss": 0.419}
CRITERIA = [{"metric": "roc_auc", "at_least": 0.83, "at_most": None, "value": 0.8432, "met": True, "beats": []}]
TRIALS = [
    {"trial": 0, "model": "baseline", "kind": "prior", "baseline": True, "status": "complete", "mean": 0.5, "std": 0.0, "scores": [0.5, 0.5], "parameters": {}},
    {"trial": 1, "model": "logistic", "kind": "logistic_regression", "baseline": False, "status": "complete", "mean": 0.84, "std": 0.01, "scores": [0.83, 0.85], "parameters": {"C": 2.0}},
    {"trial": 2, "model": "forest", "kind": "random_forest", "baseline": False, "status": "complete", "mean": 0.82, "std": 0.01, "scores": [0.81, 0.83], "parameters": {}},
]  # fmt: skip


@dataclass
class Filled:
    """A store, and what writes to it."""

    location: StoreLocation
    writer: StoreWriter
    runs: int = 0
    recipe: str = "churn"
    kept: dict[str, str] = field(default_factory=dict)

    def begin(self, action: str = "new", **changes: Any) -> str:
        """Begin a run."""
        self.runs += 1
        run_id = changes.pop("run_id", f"run-{self.runs}")
        plan = [
            {"stage": name, "action": action, "reason": "`search.trials` changed", "fingerprint": self.seal(name)}
            for name in STAGES
        ]
        told = {"status": "running", "started": time.time() - 60, "finished": None, "pid": os.getpid()}
        told |= {"host": socket.gethostname(), "overrides": [f"recipe={self.recipe}", "search.trials=3"], "plan": plan}
        self.writer.start_run(RunRecord(**{"run_id": run_id, "recipe": self.recipe, **told, **changes}))
        return run_id

    def seal(self, stage: str) -> str:
        return f"{self.runs}-{stage}".ljust(64, "0")

    def search(self, run_id: str, trials: int = 2) -> None:
        """Tell of a search that goes on: trials that are done, and one that is at its second fold."""
        tell = self.writer.add_event
        tell(run_id, "stage_started", {"stage": "search"})
        planned = {"trials": 5, "folds": 2, "metric": "roc_auc", "greater_is_better": True, "models": ["logistic"]}
        tell(run_id, "search_planned", planned)
        for row in TRIALS[:trials]:
            told = {name: row[name] for name in ("trial", "model", "kind", "parameters", "status")}
            tell(run_id, "trial_started", {"trial": row["trial"], "model": row["model"]})
            tell(run_id, "trial_finished", {**told, "score": row["mean"]})
        tell(run_id, "trial_started", {"trial": trials, "model": "logistic"})
        tell(run_id, "fold_finished", {"trial": trials, "model": "logistic", "fold": 0, "score": 0.81})

    def end(self, run_id: str, status: str = "succeeded", **summary: Any) -> None:
        """End a run whose stages were all run."""
        for name in STAGES:
            self.writer.add_event(run_id, "stage_started", {"stage": name})
            self.writer.add_event(run_id, "stage_finished", {"stage": name, "seconds": 1.5, "summary": {"rows": 9}})
        self.writer.finish_run(
            run_id, status, {"criteria": CRITERIA, "intervals": {"roc_auc": [0.82, 0.86]}, **summary}
        )

    def stage(self, run_id: str, name: str, outputs: dict[str, Any], **summary: Any) -> None:
        """Record a stage with what it made."""
        digests = {
            output: self.writer.objects.put(value.encode() if isinstance(value, str) else json.dumps(value).encode())
            for output, value in outputs.items()
        }
        told = {"ingredients": {}, "outputs": digests, "summary": summary, "run_id": run_id, "started": 1.0}
        self.writer.record_stage(
            StageRecord(fingerprint=self.seal(name), recipe=self.recipe, name=name, seconds=1.0, **told)
        )

    def release(self, notes: str = "the first", description: str = "Which customers leave.") -> str:
        """Make a release as a run does: with its leaderboard, its card and its report."""
        run_id = self.begin()
        board = {"metric": "roc_auc", "folds": 2, "greater_is_better": True, "trials": TRIALS}
        self.stage(run_id, "search", {"leaderboard": board}, seconds={"1": 2.5}, ended=None, spent=None)
        self.stage(run_id, "select", {"selection": {"trial": 1, "reason": "the best mean", "excluded": {}}})
        card = {
            "use": {"description": description, "owner": {"name": "Analytics", "contact": None}},
            "model": {"task": "binary_classification"},
            "metrics": {"primary": "roc_auc"},
        }
        self.stage(run_id, "report", {"card": card, "report": "<!doctype html><title>kept</title>"})
        release = self.writer.register_release(
            recipe=self.recipe, fingerprint=self.seal("release"), manifest="m" * 64, metrics=METRICS, run_id=run_id, notes=notes
        )  # fmt: skip
        self.end(run_id, release=release.number)
        return run_id

    def deploy(self, url: str = "http://127.0.0.1:9/churn", release: int = 1, **more: str) -> None:
        """Record that a release is served."""
        told = {"route": "/churn", "host": "127.0.0.1", "port": 9, "address": "127.0.0.1:6379", "pid": os.getpid()}
        self.writer.record_deployment(
            Deployment(recipe=self.recipe, release=release, created=time.time(), app="churn", session="s", settings={"url": url}, **told, **more)
        )  # fmt: skip

    def operate(self) -> None:
        """Record what people did."""
        who = {"recipe": self.recipe, "release": 1, "environment": "production", "actor": "ana@host"}
        self.writer.place(Placement(time=time.time(), **who))
        self.writer.approve(Approval(time=time.time(), notes="looks right", **who))
        self.writer.add_audit(action="promote", payload={"from": "test"}, **who)


@pytest.fixture
def store(tmp_path):
    location = StoreLocation(url=str(tmp_path / "store"))
    return Filled(location=location, writer=open_writer(location))


@pytest.fixture
def client(store):
    return visitor(store.location)


class Visitor:
    """A client that keeps its cookies; requests go to the app itself."""

    def __init__(self, app):
        self._app = app
        self._cookies = httpx.Cookies()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def request(self, method, path, *, follow_redirects=True, **more):
        return asyncio.run(self._request(method, path, follow_redirects, more))

    async def _request(self, method, path, follow_redirects, more):
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1:8765",
            cookies=self._cookies,
            follow_redirects=follow_redirects,
        ) as client:
            answer = await client.request(method, path, **more)
            self._cookies.update(client.cookies)
            return answer


def visitor(location, **settings):
    return Visitor(create_app(location, **settings))
