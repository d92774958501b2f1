"""A command line as a job of a Ray cluster: handed in over HTTP, followed by its log, ended on request."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FAILED = 3
_START_SECONDS, _STARTING = 60.0, "No available agent"
_TALKATIVE = ("ray.dashboard.modules.dashboard_sdk", "ray.dashboard.modules.job.sdk")
_MODE, _TOKENS = "RAY_AUTH_MODE", ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that was handed in.

    Attributes:
        name: Ray's name for it.
        address: The cluster's job server.
        client: The connection.
    """

    name: str
    address: str
    client: Any

    def follow(self, write: Callable[[str], object]) -> int:
        """Pass on what the job writes until it ends; returns its exit code."""
        with warnings.catch_warnings():  # of how Ray calls aiohttp: told to its developers, not to our users
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.run(self._follow(write))
        info = self.client.get_job_info(self.name)
        if info.driver_exit_code is not None:
            return int(info.driver_exit_code)
        return 0 if str(info.status) == "SUCCEEDED" else _FAILED

    async def _follow(self, write: Callable[[str], object]) -> None:
        async for text in self.client.tail_job_logs(self.name):
            write(text)

    def stop(self) -> None:
        """Interrupt the job."""
        self.client.stop_job(self.name)


def submit(address: str, words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Job:
    """Hand a command line in.

    Args:
        address: The cluster's job server, ``http://host:8265``.
        words: The command line, shell-quoted.
        folder: What travels.
        variables: Of the environment.

    Raises:
        EngineError: No job server answers there, or it does not take the job.
    """
    if _has_token():
        os.environ.setdefault(_MODE, "token")  # as Ray itself does where it starts or joins a cluster
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        client = JobSubmissionClient(address)
        name = _handed_in(client, " ".join(words), {"working_dir": str(folder), "env_vars": dict(variables)})
    except (AuthenticationError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EngineError([_unreachable(address, error)]) from error
    return Job(name=name, address=address, client=client)


def _handed_in(client: Any, entrypoint: str, runtime_env: Mapping[str, Any]) -> str:
    """Hand a job in; a cluster that has just started is given a while to start what takes jobs."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return str(client.submit_job(entrypoint=entrypoint, runtime_env=dict(runtime_env)))
        except RuntimeError as error:
            if _STARTING not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)


def _has_token() -> bool:
    return any(os.environ.get(name) for name in _TOKENS) or (Path.home() / ".ray" / "auth_token").exists()


def _unreachable(address: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="engine-unreachable",
        headline=f"no Ray cluster takes jobs at `{address}`",
        notes=(Note(text=str(error).strip().split("\n", 1)[0] or type(error).__name__),),
        help="give the address of the cluster's dashboard in `cluster.jobs`; port 8265, where nobody chose another",
    )
