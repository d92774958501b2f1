"""A made-up run of the size and shape of a real one. SYNTHETIC: no number here was measured."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mlops_compiler.store.records import Event

T0 = 1795418452.0
CRITERIA = [
    {"metric": "roc_auc", "at_least": 0.83, "at_most": None, "value": 0.8467, "met": True},
    {"metric": "log_loss", "at_least": None, "at_most": 0.45, "value": 0.4127, "met": True},
]
METRICS = {"roc_auc": 0.8467, "log_loss": 0.4127, "f1": 0.6214}
BASELINE = {"roc_auc": 0.5, "log_loss": 0.5786, "f1": 0.0}


def trial(number: int, model: str, mean: float | None, status: str = "complete") -> dict[str, Any]:
    done = {"complete": 3, "stopped": 1, "failed": 0}[status]
    return {
        "trial": number,
        "model": model,
        "kind": model,
        "parameters": {"depth": number},
        "status": status,
        "mean": mean,
        "std": 0.006 if mean else None,
        "scores": [mean] * done,
        "metrics": {},
        "seconds": 1.5,
        "baseline": model == "baseline",
        "error": "loss is not finite" if status == "failed" else None,
    }


@pytest.fixture
def leaderboard() -> dict[str, Any]:
    trials = [trial(number, "boosting", 0.85 - number / 1000) for number in range(1, 12)]
    trials += [trial(0, "baseline", 0.5), trial(12, "net", 0.81, "stopped"), trial(13, "net", None, "failed")]
    return {"metric": "roc_auc", "greater_is_better": True, "folds": 3, "trials": trials}


@pytest.fixture
def events() -> list[Event]:
    """A run from its first stage to its release, one second between events."""
    told: list[tuple[str, dict[str, Any]]] = [
        ("stage_started", {"stage": "snapshot"}),
        ("stage_finished", {"stage": "snapshot", "seconds": 0.8, "summary": {"rows": 7043, "columns": 21}}),
        ("stage_started", {"stage": "search"}),
        ("note", {"text": "the cluster has no GPU"}),
        (
            "search_planned",
            {"trials": 4, "folds": 3, "models": ["baseline", "net"], "cached": 1, "metric": "roc_auc"},
        ),
        ("trial_finished", finished(0, "baseline", 0.5, cached=True)),
        ("trial_started", {"trial": 1, "model": "net"}),
        ("fold_finished", {"trial": 1, "model": "net", "fold": 0, "score": 0.82, "best": None}),
        ("fold_finished", {"trial": 1, "model": "net", "fold": 1, "score": 0.84, "best": None}),
        ("trial_finished", finished(1, "net", 0.83)),
        ("trial_started", {"trial": 2, "model": "net"}),
        ("trial_finished", finished(2, "net", 0.9, status="stopped", folds=1)),
        ("trial_started", {"trial": 3, "model": "net"}),
        ("trial_finished", finished(3, "net", None, status="failed", folds=0)),
        ("stage_finished", {"stage": "search", "seconds": 12.0, "summary": {}}),
        ("stage_started", {"stage": "release"}),
        ("stage_finished", {"stage": "release", "seconds": 0.1, "summary": {"accepted": True, "release": 3}}),
    ]
    return [
        Event(id=at + 1, run_id="r1", time=T0 + at, kind=kind, payload=payload)
        for at, (kind, payload) in enumerate(told)
    ]


def finished(number: int, model: str, score: float | None, **more: Any) -> dict[str, Any]:
    usual = {"folds": 3, "status": "complete", "cached": False}
    return {"trial": number, "model": model, "score": score, **usual, **more}


class Screen:
    """A console that remembers what was printed on it."""

    def __init__(self, *, width: int = 80, terminal: bool = False, **environ: str) -> None:
        self.console = Console(
            file=io.StringIO(),
            width=width,
            height=40,
            force_terminal=terminal,
            color_system="standard" if terminal else None,
            highlight=False,
            markup=False,
            emoji=False,
            _environ=environ,
        )

    @property
    def text(self) -> str:
        file = self.console.file
        assert isinstance(file, io.StringIO)
        return file.getvalue()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.text.splitlines()]


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture(params=[80, 120], ids=["80", "120"])
def any_screen(request: pytest.FixtureRequest) -> Screen:
    return Screen(width=request.param)


@pytest.fixture
def terminal() -> Screen:
    return Screen(terminal=True)


@pytest.fixture
def criteria() -> list[dict[str, Any]]:
    return CRITERIA


@pytest.fixture
def evaluation() -> dict[str, Any]:
    value = {"total": 6610.0, "per_row": 4.69, "all_positive": 1915.0, "all_negative": -37400.0}
    return {"rows": 1409, "metrics": METRICS, "baseline": BASELINE, "threshold": 0.2314, "value": value}


@pytest.fixture
def colourless() -> Screen:
    return Screen(terminal=True, NO_COLOR="1")


@pytest.fixture
def dumb() -> Screen:
    return Screen(terminal=True, TERM="dumb")
