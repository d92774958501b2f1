"""Plain FastAPI under uvicorn, as everybody writes it; it checks less than a contract does: the body is an object."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import uvicorn
from fastapi import FastAPI

port, folder = int(sys.argv[1]), Path(sys.argv[2])
app = FastAPI()
pipeline = joblib.load(folder / "pipeline.joblib")


@app.post("/")
def predict(row: dict[str, Any]) -> dict[str, float]:
    return {"probability": float(pipeline.predict_proba(pd.DataFrame([row]))[0, 1])}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
