"""The service of the release, all that a replica has around it, under plain uvicorn: nothing of Ray."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from mlops_compiler.backends.ray.serve_app import AppSpec, Replica
from mlops_compiler.serving.prediction_log import LogSettings
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader

if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    location = StoreLocation(url=str(folder / ".mlops"))
    (release,) = open_reader(location).releases("churn")
    spec = AppSpec(
        location=location,
        manifest=release.manifest,
        recipe="churn",
        release=release.number,
        route="/",
        replicas=(1, 1),
        candidate=True,  # no rollout steers it
        settings=ServiceSettings(log=LogSettings()).to_json(),
    )
    app = Replica(spec).__serve_build_asgi_app__()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
