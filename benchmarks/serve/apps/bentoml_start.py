"""Starts ``bentoml serve``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ |= {
        "PIPELINE": str(Path(sys.argv[2]) / "pipeline.joblib"),
        "BENTOML_HOME": str(Path.cwd() / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
    }
    place = ["--working-dir", str(Path(__file__).parent), "--host", "127.0.0.1", "--port", sys.argv[1]]
    command = [sys.executable, "-m", "bentoml", "serve", "bentoml_service:Churn", *place]
    os.execv(sys.executable, command)  # noqa: S606 - our own command
