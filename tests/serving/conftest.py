"""Builds small real releases: fitted steps and a fitted model on a few hundred made-up rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from mlops_compiler.ir.ops.preparation import NamedStep
from mlops_compiler.ir.ops.prepare import Derive, Impute, OneHot, Standardize
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import fit

STEPS = (
    NamedStep(name="fill", step=Impute(columns=("charges",), statistic="median")),
    NamedStep(
        name="rates",
        step=Derive(expressions=(("yearly", "charges * 12 / 7"), ("per_month", "charges / (tenure + 1)"))),
    ),
    NamedStep(name="scale", step=Standardize(columns=("tenure", "charges", "yearly"))),
    NamedStep(name="encode", step=OneHot(columns=("contract",), max_levels=10, rare="error")),
)
EXAMPLE = {"tenure": 5, "charges": 70.5, "contract": "monthly", "senior": True}


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects in memory, read as those of a store are."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.kept[digest] = content
        return digest

    def get(self, digest: str) -> bytes:
        return self.kept[digest]


@dataclass(frozen=True, slots=True)
class Memory:
    objects: Objects = field(default_factory=Objects)


def request_field(name: str, kind: str, **rules: Any) -> dict[str, Any]:
    rules = {"nullable": False, "range": None, "one_of": None, "required": True, "description": None} | rules
    return {"name": name, "type": kind, **rules}


REQUEST = [
    request_field("tenure", "int", range=[0, 100]),
    request_field("charges", "float", nullable=True, required=False),
    request_field("contract", "category", one_of=["monthly", "one year", "two years"]),
    request_field("senior", "bool"),
]


def training_rows(rows: int = 300) -> pl.DataFrame:
    random = np.random.default_rng(7)
    tenure = random.integers(0, 73, rows)
    frame = pl.DataFrame(
        {
            "tenure": tenure,
            "charges": np.round(random.uniform(18, 120, rows), 2),
            "contract": random.choice(["monthly", "one year", "two years"], rows),
            "senior": random.random(rows) < 0.2,
        }
    )
    return frame.with_columns(target=pl.Series((random.random(rows) < 0.9 - tenure / 90).astype(int)))


TASKS = {
    "binary_classification": {},
    "multiclass_classification": {"classes": ["a", "b", "c"], "positive": None, "threshold": None},
    "regression": {"classes": None, "positive": None, "threshold": None},
    "anomaly_detection": {"classes": None, "positive": None, "threshold": 0.5, "target": None},
    "clustering": {"classes": None, "positive": None, "threshold": None, "target": None},
}


def target_of(rows: pl.DataFrame, task: str) -> Any:
    if task == "binary_classification":
        return rows["target"].to_numpy().astype(np.int64)
    value = rows["tenure"].to_numpy() + 3.0 * rows["senior"].to_numpy()
    return value if task in ("regression", "clustering", "anomaly_detection") else np.digitize(value, [20, 50])


def write_release(
    objects: Any, kind: str = "logistic_regression", task: str = "binary_classification", **changes: Any
) -> str:
    """Train a model, put everything into `objects`, and give the digest of the manifest."""
    rows = training_rows()
    y = target_of(rows, task)
    preparation, prepared = fit([STEPS[:2], STEPS[2:]], rows.drop("target"))
    features = prepared.columns
    family = MODELS[kind]
    options = FitOptions(seed=1, task=task, classes=len(set(y.tolist())) if "classification" in task else 0)
    fitted = family.fit(design_matrix(prepared, features), y, parameters=family.defaults, options=options)
    manifest = {
        "format": 2,
        "recipe": "churn",
        "task": task,
        "target": "churn",
        "classes": ["No", "Yes"],
        "positive": "Yes",
        "threshold": 0.4,
        "key": "customer",
        "request": REQUEST,
        "preparation": preparation.to_json(),
        "features": features,
        "model": {
            "kind": kind,
            "parameters": dict(family.defaults),
            "files": {name: objects.put(content) for name, content in fitted.dump().items()},
        },
        "example": EXAMPLE,
        **TASKS[task],
    }
    return objects.put(orjson.dumps(manifest | changes))


@pytest.fixture(scope="session")
def make_release():
    """Give the function that trains a release into objects."""
    return write_release


@pytest.fixture(scope="session")
def make_predictor():
    """Give a function that makes the predictor of a release of its own; models are trained once."""

    def make(kind: str = "logistic_regression", **changes: Any) -> Predictor:
        memory = Memory()
        return Predictor.load(memory, write_release(memory.objects, kind, **changes))

    return make


@pytest.fixture(scope="session")
def predictor(make_predictor):
    return make_predictor()


@pytest.fixture
def example():
    return dict(EXAMPLE)


@pytest.fixture(scope="session")
def rows():
    """Give rows as requests hold them."""
    return training_rows(64).drop("target")
