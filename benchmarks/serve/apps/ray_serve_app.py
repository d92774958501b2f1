"""A Ray Serve app as it is written by hand: FastAPI in one replica; which reads annotations, so they are no texts."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI

if sys.argv[3:]:
    from mlops_compiler.backends.ray.serve_engine import free_port
    from mlops_compiler.backends.ray.serve_haproxy import through_haproxy

    os.environ.update(through_haproxy(Path.cwd(), "127.0.0.1", int(sys.argv[1]), free_port(), free_port()))

import ray
from ray import serve

from mlops_compiler.backends.ray.serve_loopback import keep_to_loopback

app = FastAPI()


@serve.deployment(num_replicas=1, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0.25})
@serve.ingress(app)
class Churn:
    def __init__(self, folder: str) -> None:
        keep_to_loopback()  # else Serve listens on every interface, and nobody needs a token
        self._pipeline = joblib.load(Path(folder) / "pipeline.joblib")

    @app.post("/")
    def predict(self, row: dict[str, Any]) -> dict[str, float]:
        return {"probability": float(self._pipeline.predict_proba(pd.DataFrame([row]))[0, 1])}


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ray.init(
        include_dashboard=False,
        num_cpus=2,
        _node_ip_address="127.0.0.1",
        object_store_memory=200_000_000,
        log_to_driver=False,
    )
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Churn.bind(sys.argv[2]), name="churn", route_prefix="/")
    signal.sigwait({signal.SIGTERM})
    serve.shutdown()
    ray.shutdown()
