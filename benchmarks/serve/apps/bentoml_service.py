"""A BentoML service with one worker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": True})
class Churn:
    def __init__(self) -> None:
        self.pipeline = joblib.load(Path(os.environ["PIPELINE"]))

    @bentoml.api
    def predict(self, row: dict[str, Any]) -> dict[str, float]:
        return {"probability": float(self.pipeline.predict_proba(pd.DataFrame([row]))[0, 1])}
