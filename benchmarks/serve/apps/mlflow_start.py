"""Writes the pipeline as a model of MLflow, and starts ``mlflow models serve`` with one worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import joblib
import mlflow.sklearn

if __name__ == "__main__":
    mlflow.sklearn.save_model(
        joblib.load(Path(sys.argv[2]) / "pipeline.joblib"),
        "model",
        pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle",
        pip_requirements=[],
    )
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--port", sys.argv[1], "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "model", *options]
    os.execv(sys.executable, command)  # noqa: S606 - our own command
