"""The table of all jobs as they go: a moving picture on a terminal, a line for each end elsewhere.

How far a job is comes from the store, where it records its events; a program of others records none.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from omegaconf import OmegaConf
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from mlops_compiler.console.progress_state import ProgressState
from mlops_compiler.console.streams import messages
from mlops_compiler.diagnostics import mask
from mlops_compiler.driver import store_location
from mlops_compiler.recipe.recipe import Store
from mlops_compiler.report import numbers
from mlops_compiler.store.reader import StoreReader, open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_plugins.mlops_ray_launcher._jobs import Job

_STYLES = {"running": "cyan", "done": "green", "failed": "red", "waiting": "dim"}
_LATEST = 200


class Watch:
    """Follows the run that a job records.

    Args:
        job: The job.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._run: str | None = None
        self._seen = 0
        self.state = ProgressState()

    def poll(self) -> None:
        """Read what is new."""
        config = self._job.config
        if self._job.started is None or "models" not in config:
            return
        store = _store_of(config)
        if self._run is None:
            self._run = self._find(store, [mask(token) for token in config.hydra.overrides.task])
        for event in store.events(self._run, after=self._seen) if self._run else ():
            self._seen = event.id
            self.state.apply(event)

    def _find(self, store: StoreReader, overrides: list[str]) -> str | None:
        since = self._job.started or 0.0
        runs = store.runs(limit=_LATEST)
        return next((run.run_id for run in runs if run.started >= since and run.overrides == overrides), None)

    @property
    def stage(self) -> str:
        """Name the stage that runs."""
        running = [stage.name for stage in self.state.stages.values() if stage.status == "running"]
        return running[-1] if running else ""


def _store_of(config: Any) -> StoreReader:
    plain: Any = OmegaConf.to_container(config, resolve=False)
    return open_reader(store_location(Store(**plain.get("store", {}))))


class Table:
    """Shows jobs while they run; use it as a context, and refresh it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._console = messages()
        self._jobs = jobs
        self._watches = {job.number: Watch(job) for job in jobs}
        self._told: set[tuple[int, str]] = set()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(self.picture(), console=self._console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.refresh()
        if self._live is not None:
            self._live.stop()

    def refresh(self) -> None:
        """Read what happened and show it."""
        for job in self._jobs:
            if job.ended is None or self._live is not None:
                self._watches[job.number].poll()
        if self._live is not None:
            self._live.update(self.picture(), refresh=True)
            return
        for job in self._jobs:
            status = _status(job)
            if status != "waiting" and (job.number, status) not in self._told:
                self._told.add((job.number, status))
                self._console.print(f"job {job.number} {status}{_took(job)}: {job.title}", soft_wrap=True)

    def picture(self) -> Grid:
        """Draw the table."""
        grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for title, justify in (("job", "right"), ("", "left"), ("status", "left"), ("stage", "left")):
            grid.add_column(title, justify=justify, style="", header_style="dim")  # type: ignore[arg-type]
        for title in ("trials", "best", "time"):
            grid.add_column(title, justify="right", header_style="dim", no_wrap=True)
        for job in self._jobs:
            status, watch = _status(job), self._watches[job.number]
            style = _STYLES[status]
            grid.add_row(
                str(job.number), Text(job.title), Text(status, style), watch.stage, *_search(watch), _took(job).strip()
            )
        return grid


def _status(job: Job) -> str:
    if job.outcome is not None:
        return "failed" if job.failed else "done"
    return "waiting" if job.started is None else "running"


def _search(watch: Watch) -> tuple[str, str]:
    search = watch.state.search
    if search is None:
        return "", ""
    best = f"{search.best.model} {numbers.score(search.best.score)}" if search.best else ""
    return f"{search.done}/{search.trials}", best


def _took(job: Job) -> str:
    if job.started is None:
        return ""
    return f" {(job.ended or time.time()) - job.started:.0f} s"
