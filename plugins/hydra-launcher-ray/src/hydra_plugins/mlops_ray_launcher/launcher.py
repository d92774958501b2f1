"""The launcher that Hydra makes for ``hydra/launcher=ray``: it composes each job here and runs it on Ray."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.utils import configure_log, filter_overrides, setup_globals
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict

from hydra_plugins.mlops_ray_launcher import _config  # noqa: F401 - it registers the settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from hydra_plugins.mlops_ray_launcher._jobs import Job


class RayLauncher(Launcher):
    """Runs the jobs of a sweep side by side on one Ray cluster.

    Args:
        address: ``embedded`` starts Ray for the sweep; anything else joins a cluster.
        cpus: Cores of the embedded engine; all where not given.
        gpus: GPUs likewise.
        max_concurrent: Most jobs at once.
    """

    def __init__(
        self, address: str = "embedded", cpus: int | None = None, gpus: int | None = None, max_concurrent: int = 4
    ) -> None:
        super().__init__()
        self._engine = {"address": address, "cpus": cpus, "gpus": gpus}
        self._max_concurrent = max_concurrent

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what Hydra gives every launcher."""
        self._context, self._task, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run jobs; returns what each came to, in their order.

        Raises:
            UsageError: `max_concurrent` is no positive number, or `address` is no address.
            EngineError: Ray does not start, or the cluster does not answer.
            KeyboardInterrupt: After all jobs were interrupted.
        """
        from hydra_plugins.mlops_ray_launcher._sweep import Sweep, engine

        cluster = engine(self._engine, self._max_concurrent)
        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        jobs = [self._job(initial_job_idx + place, overrides) for place, overrides in enumerate(job_overrides)]
        sweep = Sweep(context=self._context, task=self._task, cluster=cluster, at_once=self._max_concurrent)
        return sweep.run(jobs)

    def _job(self, number: int, overrides: Sequence[str]) -> Job:
        from hydra_plugins.mlops_ray_launcher._jobs import Job

        config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = number
            config.hydra.job.num = number
        return Job(number=number, title=" ".join(filter_overrides(overrides)), config=config)
