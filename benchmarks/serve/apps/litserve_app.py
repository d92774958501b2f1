"""LitServe with one worker."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import litserve
import pandas as pd


class Churn(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002 - its signature
        self.pipeline = joblib.load(Path(sys.argv[2]) / "pipeline.joblib")

    def decode_request(self, request) -> pd.DataFrame:  # noqa: ANN001 - LitServe reads annotations
        return pd.DataFrame([request])

    def predict(self, rows: pd.DataFrame) -> float:
        return float(self.pipeline.predict_proba(rows)[0, 1])

    def encode_response(self, probability: float) -> dict[str, float]:
        return {"probability": probability}


if __name__ == "__main__":
    server = litserve.LitServer(Churn(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
