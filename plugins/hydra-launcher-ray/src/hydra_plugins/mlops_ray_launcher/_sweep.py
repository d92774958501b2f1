"""Runs jobs on Ray, so many at once, and lets a table follow them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from pydantic import ValidationError

from hydra_plugins.mlops_ray_launcher._jobs import Surroundings, run
from hydra_plugins.mlops_ray_launcher._table import Table
from mlops_compiler.diagnostics import Diagnostic, EngineError, UsageError
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.runtime.engine import ray_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra.types import HydraContext, TaskFunction

    from hydra_plugins.mlops_ray_launcher._jobs import Job

_POLL_SECONDS = 0.3
_GRACE_SECONDS = 20.0
"""How long interrupted jobs have to record that they were."""


def engine(asked: Mapping[str, Any], at_once: int) -> Cluster:
    """Read where the jobs run.

    Raises:
        UsageError: A value is none that the launcher takes.
    """
    try:
        cluster = Cluster(**asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError([_refused(str(first["loc"][0]), first["input"])]) from None
    if at_once < 1:
        raise UsageError([_refused("max_concurrent", at_once)])
    return cluster


def _refused(key: str, value: object) -> Diagnostic:
    wanted = {
        "address": "`embedded`, `auto`, `ray://host:port` or `host:port`",
        "max_concurrent": "a number of jobs, one at least",
    }
    return Diagnostic(
        code="wrong-value",
        headline=f"`hydra.launcher.{key}` is {value!r}",
        help=f"give {wanted.get(key, 'a whole number')}",
    )


@dataclass(slots=True, kw_only=True)
class Sweep:
    """A sweep on its way."""

    context: HydraContext
    task: TaskFunction
    cluster: Cluster
    at_once: int
    _running: dict[Any, Job] = field(default_factory=dict)

    def run(self, jobs: Sequence[Job]) -> list[JobReturn]:
        """Run jobs; returns what each came to, in their order."""
        with ray_session(self.cluster), Table(jobs) as table:
            try:
                self._run(list(jobs), table)
            except KeyboardInterrupt:
                self._interrupt()
                raise
        for job in jobs:
            _repeat(job)
        return [job.outcome for job in jobs if job.outcome is not None]

    def _run(self, waiting: list[Job], table: Table) -> None:
        import ray

        around = ray.put(Surroundings.here())
        # A job waits for its own stages and trials: it must not hold a core that they need.
        function = ray.remote(run).options(num_cpus=0, max_retries=0)
        while waiting or self._running:
            while waiting and len(self._running) < self.at_once:
                job = waiting.pop(0)
                job.started = time.time()
                self._running[function.remote(self.context, self.task, job.config, around)] = job
            done, _ = ray.wait(list(self._running), timeout=_POLL_SECONDS)
            for reference in done:
                self._end(reference)
            table.refresh()

    def _end(self, reference: Any) -> None:
        import ray
        from ray.exceptions import RayError, RayTaskError

        job = self._running.pop(reference)
        job.ended = time.time()
        try:
            outcome, *said = ray.get(reference)
        except RayTaskError as error:  # Hydra's own code failed on it
            outcome, said = _failed(job, error.cause if error.cause is not None else error), ["", ""]
        except RayError as error:
            outcome, said = _failed(job, _died(job, error)), ["", ""]
        job.outcome, job.said = outcome, (said[0], said[1])

    def _interrupt(self) -> None:
        """Interrupt the jobs that run, as Ctrl-C does, and let them record it."""
        import ray

        for reference in self._running:
            ray.cancel(reference, force=False, recursive=False)
        ray.wait(list(self._running), num_returns=len(self._running), timeout=_GRACE_SECONDS)


def _failed(job: Job, error: BaseException) -> JobReturn:
    return JobReturn(overrides=job.title.split(" "), status=JobStatus.FAILED, _return_value=error)


def _died(job: Job, error: BaseException) -> EngineError:
    finding = Diagnostic(
        code="engine-failed",
        headline=f"the process of job {job.number} ({job.title}) died: {type(error).__name__}",
        help="run again: finished stages and trials are kept",
    )
    return EngineError([finding])


def _repeat(job: Job) -> None:
    """Write what a job wrote, below a line that says which job it was."""
    out, err = job.said
    if err.strip() or (out.strip() and sys.stdout.isatty()):
        sys.stderr.write(f"\njob {job.number}: {job.title}\n")
    sys.stderr.write(err)
    sys.stderr.flush()
    sys.stdout.write(out)
    sys.stdout.flush()
