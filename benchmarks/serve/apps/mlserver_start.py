"""Starts MLServer in one process, with its runtime for scikit-learn."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    server = {
        "host": "127.0.0.1",
        "http_port": int(sys.argv[1]),
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "churn",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(Path(sys.argv[2]) / "pipeline.joblib")},
    }
    Path("settings.json").write_text(json.dumps(server))
    Path("model-settings.json").write_text(json.dumps(model))
    command = [str(Path(sys.executable).parent / "mlserver"), "start", "."]
    os.execv(command[0], command)  # noqa: S606 - our own command
