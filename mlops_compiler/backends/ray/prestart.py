"""Workers of the search import the estimators while the data are read, so that no trial waits for an import.

Tune starts its actors with environment variables of its own. Ray gives an actor a worker that stands ready only if
that was started with the very same environment and has run no task: hence the search task sets that environment, and
the raylet is asked for such workers as soon as it is up. All of this saves time and changes no result.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

_HOOK = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""What `worker_process_setup_hook` of a job becomes (`ray._private.ray_constants`); for a task it is set by hand."""
_KEPT_SECONDS = 120
_ASK_SECONDS = 5.0
_PROPAGATED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")
"""Tune hands these to its actors; they belong in no request of ours, and without them the environments differ."""
SEARCH_ENVIRONMENT = {
    "PL_DISABLE_FORK": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the folds are recorded in the store
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "100000",  # the store is what a search goes on from
    _HOOK: "mlops_compiler.backends.ray.prestart.warm_up",
}
"""Of the search's worker and of its trials' actors. The first and the third are what Tune sets (its `class_cache`)."""


def search_runtime_env() -> dict[str, Any]:
    """Give the runtime environment of the search task, which its actors inherit."""
    return {"env_vars": dict(SEARCH_ENVIRONMENT)}


def warm_up() -> None:
    """Import what trials need; Ray calls it in each new worker of the search."""
    import_module("ray.tune")
    import_module("mlops_compiler.backends.ray.tune")
    import_module("sklearn.ensemble")
    import_module("sklearn.linear_model")


def prestart(actors: int) -> None:
    """Have the workers of a search started: one for the search, the others for its actors.

    Args:
        actors: How many trials will run at once.
    """
    if any(name in os.environ for name in _PROPAGATED):
        return
    asked = search_runtime_env()
    # Ray writes the environment of a task as it was given, and that of an actor, merged with its parent's, compactly.
    _ask(json.dumps(asked, sort_keys=True), 1)
    _ask(json.dumps(asked, sort_keys=True, separators=(",", ":")), actors)


def _ask(environment: str, workers: int) -> None:
    import ray
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import node_manager_pb2, node_manager_pb2_grpc

    worker = ray._private.worker.global_worker  # noqa: SLF001 - Ray has no public way to ask for workers
    request = node_manager_pb2.PrestartWorkersRequest(
        language=0,
        num_workers=workers,
        keep_alive_duration_secs=_KEPT_SECONDS,
        job_id=worker.current_job_id.binary(),
    )
    request.runtime_env_info.serialized_runtime_env = environment
    with init_grpc_channel(f"{worker.node.node_ip_address}:{worker.node.node_manager_port}") as channel:
        node_manager_pb2_grpc.NodeManagerServiceStub(channel).PrestartWorkers(request, timeout=_ASK_SECONDS)
