"""Searches over made-up scores: what a trial scores on a fold follows from its parameters alone."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from mlops_compiler.backends.search.limits import Spent
from mlops_compiler.backends.search.race import Race, Signal, Verdict, fold_fingerprint
from mlops_compiler.backends.search.session import Session
from mlops_compiler.evaluation.metrics import BINARY_METRICS
from mlops_compiler.ir.domain import Choice, IntUniform, LogUniform, Uniform
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.ops.search import Candidate, Search
from mlops_compiler.ir.space import Dimension
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import FoldRecord
from mlops_compiler.store.writer import open_writer

FOLDS = 5


def candidate(name, kind, **parameters):
    return Candidate(name=name, kind=kind, version=1, parameters=tuple(parameters.items()), cpu=1, gpu=0, memory=None)


BASELINE = candidate("baseline", "prior")
LOGISTIC = candidate("logistic", "logistic_regression", C=LogUniform(low=0.001, high=10))
FOREST = candidate(
    "forest", "random_forest", max_features=Uniform(low=0.1, high=1.0), min_samples_leaf=IntUniform(low=1, high=9)
)
BOOSTING = candidate("boosting", "hist_gradient_boosting", learning_rate=Choice(values=(0.05, 0.1, 0.2)), max_iter=20)
ALL = (BASELINE, LOGISTIC, FOREST, BOOSTING)


DIMENSIONS = (
    Dimension(name="prepare.tails", domain=Choice(values=(None, {"op": "clip"}, {"op": "log1p"})), base=0),
    Dimension(name="prepare.tails.upper", domain=Uniform(low=0.9, high=1.0), base=0.99, given=((0, 1),)),
    Dimension(name="prepare.best.k", domain=IntUniform(low=2, high=6), base=2),
)


def prepared(model):
    """Let a model's preparation be searched, too."""
    return replace(model, preparation=DIMENSIONS)


def score_of(trial, fold):
    """Score a trial on a fold: some are better than others, folds differ a little."""
    text = fingerprint([trial.candidate.name, trial.parameters, *trial.point])
    quality = int(text[:8], 16) / 16**8
    return math.floor(1e6 * (0.5 + 0.4 * quality + 0.02 * math.sin(fold + 10 * quality))) / 1e6


def spent_on(trial, fold):
    """Say what a fold took: boosting takes ten times as long as the others, and holds half a GPU."""
    slow = trial.candidate.kind == "hist_gradient_boosting"
    return Spent(cpu=(10.0 if slow else 1.0) + fold / 10, gpu=2.0 if slow else 0.0)


def search_of(candidates=ALL, **changes):
    """Make the op of a search."""
    given = {
        "task": "binary_classification",
        "metric": "roc_auc",
        "metrics": ("roc_auc",),
        "algorithm": "tpe",
        "scheduler": "asha",
        "trials": 24,
        "time": None,
        "max_concurrent": 8,
        "seed": 7,
    }
    return Search(candidates=tuple(candidates), **(given | changes))


def run_race(search, *, slots=1, seed=0, folds=FOLDS, fails=lambda _trial: False, score=score_of):
    """Run a race on `slots` workers that report in an order of their own; returns its trials."""
    race = Race(search, folds=folds, greater_is_better=True, context=lambda _point: "rows")
    order, running = random.Random(seed), []  # noqa: S311 - a schedule, no secret
    while True:
        while len(running) < slots and isinstance(trial := race.propose(), Signal) is False:
            running.append(trial)
        if not running:
            return race.trials
        trial = order.choice(running)
        if fails(trial):
            race.fail(trial.index, "no memory")
            running.remove(trial)
        elif (
            race.report(trial.index, score(trial, (fold := len(trial.scores))), spent_on(trial, fold))
            is not Verdict.CONTINUE
        ):
            running.remove(trial)


def run_session(search, store, *, slots=1, seed=0, folds_to_run=math.inf, histories=None):
    """Run a session as an engine does, on recorded folds where there are some; stops after some folds, as if killed."""
    events = []
    context = SimpleNamespace(
        inputs={
            "prepare": SimpleNamespace(fingerprint="rows"),
            "split": SimpleNamespace(summary={"classes": [0, 1]}),
        },
        store=store,
        event=lambda kind, payload: events.append((kind, payload)),
    )
    session = Session(search, FOLDS, context)
    order, running = random.Random(seed), {}  # noqa: S311
    while folds_to_run > 0:
        while len(running) < slots and isinstance(spec := session.next(), Signal) is False:
            running[spec.index] = spec.first_fold
        if not running:
            break
        index = order.choice(sorted(running))
        folds_to_run -= 1
        record = record_of(session.race.trials[index], running[index], store)
        running[index] += 1
        if session.report(index, record) is not Verdict.CONTINUE:
            del running[index]
    if histories is not None:
        histories |= session.histories()
    events.append(("ended", {**session.ended(), **session.spent()}))
    return session.leaderboard(), events


def record_of(trial, fold, store):
    score, spent = score_of(trial, fold), spent_on(trial, fold)
    cost = {"cost.cpu_seconds": spent.cpu, "cost.gpu_seconds": spent.gpu}
    record = FoldRecord(
        fingerprint=fold_fingerprint(trial.fingerprint, fold),
        trial=trial.fingerprint,
        fold=fold,
        metrics=dict.fromkeys(BINARY_METRICS, score) | {"training.roc_auc": score + 0.02} | cost,
        predictions=store.objects.put(f"{trial.fingerprint} {fold}".encode()),
        seconds=1.0,
        history={"steps": [1], "training": [score]} if trial.candidate is not BASELINE else None,
    )
    store.record_fold(record)
    return record


@pytest.fixture(scope="session")
def sim():
    """Give the functions and the candidates of this file."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("__")})


@pytest.fixture
def new_store(tmp_path_factory):
    """Give a function that makes a store of its own."""
    return lambda: open_writer(StoreLocation(url=str(tmp_path_factory.mktemp("store"))))
