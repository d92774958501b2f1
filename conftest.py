"""Options and fixtures of the whole suite: one engine for all tests, and a small recipe to run on it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from mlops_compiler import cli
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event, RunRecord

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""As the program sets it, before a library reads it: the parts of the suite share the cores."""

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("fuzz", derandomize=False, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
"""The suite tries the same examples each time, so that a change fails for what it changed; `make fuzz` tries others."""

CHURN = Path(__file__).parent / "recipes"
ROWS = 600
RECIPE = """\
name: small
description: Which of six hundred customers leave.
objective:
  task: binary_classification
  target: churn
  positive: "Yes"
  metric: roc_auc
  value: {true_positive: 60, false_positive: -15, false_negative: -100}
  accept:
    roc_auc: {at_least: 0.6}
data:
  source: {kind: csv, path: data/small.csv}
  key: customer_id
  columns:
    tenure: {type: int, range: [0, 100]}
    contract: {type: category, one_of: [Month-to-month, One year, Two year]}
    total_charges: {type: float, nullable: true}
    churn: {type: category, one_of: ["No", "Yes"]}
prepare:
  no_bill_yet: {op: impute, columns: total_charges, with: 0}
  scale: {op: standardize, columns: numeric}
  encode: {op: one_hot, columns: categorical, max_levels: 20, rare: group}
validate: {holdout: {fraction: 0.25}, folds: {k: 3}, seed: 7}
models:
  baseline: {kind: prior}
  logistic: {kind: logistic_regression, C: {log_uniform: [0.001, 10]}}
  boosting: {kind: hist_gradient_boosting, max_iter: 20, learning_rate: {choice: [0.05, 0.1, 0.2]}}
search: {algorithm: tpe, scheduler: none, trials: 6, max_concurrent: 2}
allow: [{rule: space-not-covered, because: a test waits for no search}]
"""


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="write the golden files anew instead of comparing")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what needs Ray by what it asks for, so that each part of the suite starts only what it needs.

    A file of which one test is on the shared session is there as a whole: what its tests share is made once.
    """
    on_session = [item for item in items if "engine" in item.fixturenames]
    for item in on_session:
        item.add_marker("engine")
    files = {item.path for item in on_session}
    for item in items:
        if item.path in files and item.get_closest_marker("engine"):
            item.add_marker("shared")


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Workplace:
    """A working directory with the recipe `small`, as a user has one."""

    root: Path

    @property
    def recipe(self) -> Path:
        return self.root / "recipes" / "small.yaml"

    @property
    def rows(self) -> Path:
        return self.root / "recipes" / "data" / "small.csv"

    @property
    def folder(self) -> Path:
        return self.root / ".mlops"

    @property
    def store(self) -> StoreReader:
        return open_reader(StoreLocation(url=str(self.folder)))

    def edit(self, old: str, new: str) -> None:
        """Replace a text of the recipe that is there once."""
        text = self.recipe.read_text()
        assert text.count(old) == 1
        self.recipe.write_text(text.replace(old, new))

    def main(self, *words: str) -> Said:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        with chdir(self.root), redirect_stdout(out), redirect_stderr(err):
            code = cli.main(words)
        return Said(code, out.getvalue(), err.getvalue())

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command line in a process of its own, which gets Ctrl-C as one in a terminal does."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlops_compiler.cli", *words],
            cwd=self.root,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self) -> RunRecord:
        """Give the record of the last run."""
        return self.store.runs(limit=1)[0]

    def events(self, kind: str | None = None) -> list[Event]:
        """List the events of the last run."""
        found = self.store.events(self.run().run_id)
        return [event for event in found if kind in (None, event.kind)]

    def digests(self) -> dict[str, str]:
        """Name the content of all that the last run gave; not of its report, which says when it ran."""
        store = self.store
        records = [store.stage(item["fingerprint"]) for item in self.run().plan if item["stage"] != "report"]
        return {
            f"{record.name}.{name}": digest for record in records if record for name, digest in record.outputs.items()
        }

    def files(self) -> set[str]:
        """List all files."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def engine():
    """Start one Ray session of two CPUs and one GPU on paper; gives its address, which other processes can join."""
    from mlops_compiler.recipe.resources import Cluster
    from mlops_compiler.runtime.engine import ray_session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ray_session(Cluster(cpus=2, gpus=1)):
            import ray

            yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="session")
def make_workplace():
    """Give a function that lays out a workplace in an empty folder."""

    def make(root: Path) -> Workplace:
        place = Workplace(root)
        place.rows.parent.mkdir(parents=True)
        with (CHURN / "data" / "telco_churn.csv").open() as source:
            place.rows.write_text("".join(line for line, _ in zip(source, range(ROWS + 1), strict=False)))
        place.recipe.write_text(RECIPE)
        return place

    return make


@pytest.fixture
def small(tmp_path, make_workplace):
    """Give a workplace in which nothing ran yet."""
    return make_workplace(tmp_path / "work")


@pytest.fixture(scope="session")
def first_run(engine, make_workplace, tmp_path_factory):
    """Run the small recipe once on Ray; gives the workplace, to read only, and what was said."""
    place = make_workplace(tmp_path_factory.mktemp("first") / "work")
    return place, place.main("recipe=small")


@pytest.fixture
def finished(first_run, tmp_path):
    """Give a workplace of the test's own in which the recipe ran once."""
    shutil.copytree(first_run[0].root, tmp_path / "work")
    return Workplace(tmp_path / "work")


class Inbox:
    """A server of this machine: what came to it, and how to answer it."""

    def __init__(self):
        self.messages, self.status, self.hold = [], 200, None
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if inbox.hold is not None:
                    inbox.hold.wait()
                inbox.messages.append(body | {"path": self.path})
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @property
    def url(self):
        return f"json://127.0.0.1:{self.port}/hook-4711"

    @property
    def titles(self):
        return [message["title"] for message in self.messages]


@pytest.fixture
def inbox():
    made = Inbox()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    if made.hold is not None:
        made.hold.set()
    made.server.shutdown()
    made.server.server_close()
    thread.join()
