"""A made-up run of the size and shape of a real one. SYNTHETIC: no number here was measured."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
import vl_convert

from mlops_compiler.report.facts import DataFacts, Origins, ReportFacts


@pytest.fixture(scope="session")
def drawings():
    """Keep what the renderer made of each chart."""
    return {}


@pytest.fixture
def drawn_once(drawings, monkeypatch):
    """Let the renderer draw the same chart once: for tests of many pages that differ in one part each."""
    draw = vl_convert.vegalite_to_svg

    def draw_once(chart):
        key = json.dumps(chart)
        if key not in drawings:
            drawings[key] = draw(chart)
        return drawings[key]

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", draw_once)


FOLDS = 5
STAGES = ("snapshot", "split", "prepare", "search", "select", "train", "evaluate", "release", "report")
KINDS = {
    "baseline": "prior",
    "logistic": "logistic_regression",
    "forest": "random_forest",
    "boosting": "hist_gradient_boosting",
    "net": "torch_mlp",
}
LEVEL = {"baseline": 0.5, "logistic": 0.8452, "forest": 0.8421, "boosting": 0.8474, "net": 0.8391}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def trial(number: int, model: str) -> dict[str, Any]:
    baseline = model == "baseline"
    stopped = not baseline and number % 3 == 0
    level = LEVEL[model] - 0.0031 * (number % 7)
    scores = [level + (0 if baseline else 0.006 * math.sin(number + 2 * fold)) for fold in range(FOLDS)]
    scores = scores[: 1 + number % 4] if stopped else scores
    mean = sum(scores) / len(scores)
    return {
        "trial": number,
        "model": model,
        "kind": KINDS[model],
        "parameters": {}
        if baseline
        else {"learning_rate": 0.01 * (1 + number), "max_leaf_nodes": 7 + number, "l2": 1e-6},
        "preparation": {},
        "point": [],
        "status": "stopped" if stopped else "complete",
        "behind": {"folds": len(scores), "place": 7, "of": 9} if stopped else None,
        "mean": mean,
        "std": 0.0 if baseline else 0.0061,
        "scores": scores,
        "metrics": {"roc_auc": mean},
        "seconds": 0.4 + number / 9,
        "baseline": baseline,
        "error": None,
    }


def leaderboard() -> dict[str, Any]:
    models = ["logistic", "boosting", "forest", "net"]
    trials = [trial(0, "baseline")] + [trial(number, models[number % 4]) for number in range(1, 31)]
    trials.sort(key=lambda item: (item["status"] != "complete", -item["mean"]))
    failed = {
        **trial(31, "net"),
        "status": "failed",
        "mean": None,
        "std": None,
        "scores": [],
        "error": "loss is not finite",
    }
    space = {
        "learning_rate": {"log_uniform": [0.01, 1.0]},
        "max_leaf_nodes": {"int_log_uniform": [2, 64]},
        "l2": {"log_uniform": [1e-6, 100]},
    }
    return {
        "metric": "roc_auc",
        "greater_is_better": True,
        "folds": FOLDS,
        "spaces": {"baseline": {}} | dict.fromkeys(models, space),
        "dimensions": [],
        "trials": [*trials, failed],
    }


def importance() -> dict[str, Any]:
    few = {"trials": 8, "parameters": [], "conditional": [], "why_not": "too few trials to tell, 8 of 10"}
    judged = [("max_leaf_nodes", 0.71, 0.12), ("learning_rate", 0.25, 0.1), ("l2", 0.04, 0.03)]
    shares = [{"name": name, "share": share, "spread": spread} for name, share, spread in judged]
    return {"net": few, "boosting": few | {"trials": 12, "parameters": shares, "why_not": None}}


def evaluation() -> dict[str, Any]:
    grid = [place / 100 for place in range(101)]
    predicted = [0.02, 0.08, 0.15, 0.24, 0.33, 0.44, 0.56, 0.67, 0.76, 0.84]
    return {
        "rows": 1409,
        "positive_rows": 374,
        "metric": "roc_auc",
        "metrics": {
            "average_precision": 0.6589,
            "roc_auc": 0.8467,
            "log_loss": 0.4127,
            "brier": 0.1355,
            "accuracy": 0.7381,
            "balanced_accuracy": 0.7689,
            "f1": 0.6214,
            "precision": 0.5043,
            "recall": 0.8102,
            "mcc": 0.4711,
        },
        "baseline": {
            "average_precision": 0.2654,
            "roc_auc": 0.5,
            "log_loss": 0.5786,
            "brier": 0.195,
            "accuracy": 0.7346,
            "balanced_accuracy": 0.5,
            "f1": 0.0,
            "precision": 0.0,
            "recall": 0.0,
            "mcc": 0.0,
        },
        "threshold": 0.2314,
        "confusion": {
            "true_positive": 303,
            "false_positive": 298,
            "false_negative": 71,
            "true_negative": 737,
        },
        "value": {
            "total": 6610.0,
            "per_row": 4.69,
            "all_positive": 6915.0 - 5000,
            "all_negative": -37400.0,
            "unit_values": {
                "true_positive": 60,
                "false_positive": -15,
                "false_negative": -100,
                "true_negative": 0,
            },
        },
        "curves": {
            "roc": {"false_positive_rate": grid, "true_positive_rate": [x**0.27 for x in grid]},
            "precision_recall": {"recall": grid, "precision": [0.92 - 0.65 * x**2.2 for x in grid]},
            "calibration": {
                "predicted": predicted,
                "observed": [0.01, 0.09, 0.13, 0.27, 0.30, 0.47, 0.53, 0.70, 0.72, 0.88],
                "rows": [392, 214, 171, 140, 118, 105, 96, 80, 61, 32],
            },
            "value": {
                "threshold": grid,
                "value": [6700 * math.exp(-((x - 0.23) ** 2) * 9) - 500 - 9000 * x**2 for x in grid],
            },
        },
    }


def steps() -> list[dict[str, Any]]:
    rows = [
        ("no_bill_yet", "impute", "new customers have no bill yet", 19, 19, 11, 11, 0),
        ("monthly_rate", "derive", None, 19, 20, 0, 0, 0),
        ("long_tails", "log1p", "a few customers pay very much", 20, 20, 7043, 0, 0),
        ("scale", "standardize", None, 20, 20, 28172, 0, 0),
        ("encode", "one_hot", None, 20, 46, 0, 0, 0),
    ]
    names = ("step", "op", "because", "columns_in", "columns_out", "values_changed", "nulls_in", "nulls_out")
    return [{**dict(zip(names, row, strict=True)), "rows_in": 5634, "rows_out": 5634, "learned": {}} for row in rows]


def stages() -> list[dict[str, Any]]:
    actions = ["reuse", "reuse", "reuse", "rebuild", "rebuild", "rebuild", "rebuild", "new", "new"]
    seconds = [None, None, None, 47.3, 0.02, 1.31, 0.44, 0.01, None]
    parents = {
        "snapshot": (),
        "prepare": ("snapshot", "split"),
        "search": ("snapshot", "split", "prepare"),
        "train": ("snapshot", "split", "prepare", "select"),
        "evaluate": ("snapshot", "split", "search", "select", "train"),
        "release": ("train", "evaluate"),
        "report": STAGES[:-1],
    }
    return [
        {
            "stage": name,
            "action": action,
            "reason": {
                "reuse": "nothing changed",
                "rebuild": "models.boosting.max_leaf_nodes: 31 → 15",
                "new": "",
            }[action],
            "fingerprint": digest(name),
            "seconds": took,
            **({"parents": parents[name]} if name in parents else {}),
        }
        for name, action, took in zip(STAGES, actions, seconds, strict=True)
    ]


@pytest.fixture(scope="session")
def facts() -> ReportFacts:
    """A whole run: nothing is absent."""
    board = leaderboard()
    best = board["trials"][0]
    return ReportFacts(
        recipe="churn",
        run_id="20261123-072052-3f9c",
        started=1795418452.0,
        description="Which telco customers leave next month, so that the retention team calls the right ones.",
        owner={"name": "Customer analytics", "contact": "mailto:analytics@example.com"},
        task="binary_classification",
        release=3,
        accepted=True,
        criteria=[
            {"metric": "roc_auc", "at_least": 0.83, "at_most": None, "value": 0.8467, "met": True},
            {"metric": "log_loss", "at_least": None, "at_most": 0.45, "value": 0.4127, "met": True},
        ],
        stages=stages(),
        steps=steps(),
        leaderboard=board,
        importance=importance(),
        selection={
            **{name: best[name] for name in ("trial", "model", "kind", "parameters", "mean", "std")},
            "rule": "one_standard_error",
            "threshold": 0.2314,
            "threshold_from": "value",
            "reason": "the best mean, and no simpler model within one standard error of it",
        },
        evaluation=evaluation(),
        data=DataFacts(
            source="data/telco_churn.csv",
            rows=7043,
            columns=21,
            snapshot=digest("snapshot object"),
            target="churn",
            positive="Yes",
            key="customer_id",
            contract=[
                {"name": "customer_id", "type": "text", "nullable": False, "description": "names the row"},
                {"name": "tenure", "type": "int", "nullable": False, "range": [0, 100]},
                {
                    "name": "contract",
                    "type": "category",
                    "one_of": ["Month-to-month", "One year", "Two year"],
                },
                {"name": "total_charges", "type": "float", "nullable": True},
                {"name": "cancel_reason", "type": "text", "nullable": True, "known": "after_outcome"},
            ],
        ),
        origins=Origins(
            seed=7,
            versions={
                "mlops-compile": "0.1.0",
                "python": "3.11.2",
                "polars": "2.1.0",
                "scikit-learn": "1.9.1",
            },
            overrides=["models.boosting.max_leaf_nodes=15"],
        ),
    )
