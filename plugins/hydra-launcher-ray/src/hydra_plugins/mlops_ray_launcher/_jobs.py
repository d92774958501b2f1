"""A job of a sweep: what it is about, where it stands, and how it runs in a worker of Ray."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from omegaconf.basecontainer import BaseContainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


@dataclass(slots=True, kw_only=True)
class Job:
    """One job, as the launcher keeps it.

    Attributes:
        number: Its place in the sweep.
        title: Its overrides, for people.
        config: What it composed to.
        outcome: What it came to; None before its end.
        said: What it wrote on standard output and standard error.
        started: When, in seconds since 1970; None before.
        ended: Likewise.
    """

    number: int
    title: str
    config: DictConfig
    outcome: JobReturn | None = None
    said: tuple[str, str] = ("", "")
    started: float | None = None
    ended: float | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        if self.outcome is None:
            return False
        value = self.outcome._return_value  # noqa: SLF001 - the property raises what it holds
        return self.outcome.status is JobStatus.FAILED or getattr(value, "error", None) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a job finds in this process, and must find where it runs.

    Attributes:
        folder: The working directory.
        environment: Variables that the compiler reads.
        singletons: Hydra's state.
        resolvers: Those of OmegaConf that a program registered.
    """

    folder: str
    environment: Mapping[str, str]
    singletons: Any
    resolvers: Mapping[str, Any]

    @classmethod
    def here(cls) -> Surroundings:
        """Take those of this process."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(("MLOPS_", "HYDRA_"))}
        return cls(
            folder=os.getcwd(),  # noqa: PTH109 - as it is told to workers
            environment=kept,
            singletons=Singleton.get_state(),
            resolvers=dict(BaseContainer._resolvers),  # noqa: SLF001 - there is no other way to list them
        )

    def enter(self) -> None:
        """Make them those of this process."""
        setup_globals()
        Singleton.set_state(self.singletons)
        BaseContainer._resolvers.update(self.resolvers)  # noqa: SLF001
        os.environ.update(self.environment)
        os.environ["MLOPS_PROGRESS"] = "off"  # the sweep's own table shows how far each job is
        if os.path.isdir(self.folder):  # noqa: PTH112 - another machine of a cluster may not have it
            os.chdir(self.folder)


def run(
    context: HydraContext, task: TaskFunction, config: DictConfig, around: Surroundings
) -> tuple[JobReturn, str, str]:
    """Run a job in a worker; returns what it came to, and what it wrote on standard output and standard error."""
    around.enter()
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        outcome = run_job(
            hydra_context=context,
            task_function=task,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
    return outcome, out.getvalue(), err.getvalue()
