"""The executor runs a plan: what needs the engine as a Ray DAG, the bookkeeping here, all of it told as events.

What happens is read from the store, where the stages write it: a watcher in another process sees the same.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.ray.graph import bind, lower
from mlops_compiler.diagnostics import Diagnostic, EngineError, MlopsError, Note
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.plan.stages import Plan, Reuse
from mlops_compiler.runtime.engine import ray_session
from mlops_compiler.runtime.here import run_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.backends.ray.graph import Dag
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.recipe.resources import Cluster
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event, StageRecord

_POLL_SECONDS = 0.2


class Watcher(Protocol):
    """Is told of each event of a run, in order."""

    def feed(self, event: Event) -> None:
        """Take one event."""


@dataclass(frozen=True, slots=True)
class Watchers:
    """Several watchers as one."""

    members: tuple[Watcher, ...]

    def feed(self, event: Event) -> None:
        """Pass one event on to each."""
        for member in self.members:
            member.feed(event)


@dataclass(slots=True, kw_only=True)
class Feed:
    """Passes the events of a run to a watcher, each once."""

    store: StoreReader
    run_id: str
    watcher: Watcher
    seen: int = 0

    def poll(self) -> None:
        """Pass on what is new."""
        for event in self.store.events(self.run_id, after=self.seen):
            self.seen = event.id
            self.watcher.feed(event)


def execute(plan: Plan, tasks: dict[str, StageTask], cluster: Cluster, feed: Feed) -> dict[str, StageRecord]:
    """Run what a plan would run.

    Args:
        plan: The plan.
        tasks: Its stages, as they travel.
        cluster: Where the engine is.
        feed: Passes events on.

    Returns:
        The records of all stages, run or reused.

    Raises:
        MlopsError: A stage failed, with its own diagnostics.
    """
    records = {action.stage.name: action.record for action in plan.actions if isinstance(action, Reuse)}
    if cluster.engine == "in_process":
        return run_here([tasks[stage.name] for stage in plan.to_run], records, cluster.cpus, feed.poll)
    dag = lower(plan)
    if dag.tasks:
        with _unprinted(), ray_session(cluster) as fresh:
            _check_and_warm(dag, plan, fresh=fresh)
            records |= _run_dag(dag, tasks, records, feed)
    small = [tasks[stage.name] for stage in plan.to_run if not stage.needs_engine]
    for task in small:
        records = run_in_process([task], records)
        feed.poll()
    return records


@contextmanager
def _unprinted() -> Iterator[None]:
    """Keep what Ray prints about its workers off standard output: that is for results, and Ray's logs have it too."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def _check_and_warm(dag: Dag, plan: Plan, *, fresh: bool) -> None:
    """Refuse a search that the cluster can never run; have workers of a new engine import what it needs."""
    from mlops_compiler.backends.ray.prestart import prestart
    from mlops_compiler.backends.ray.resources import cluster_nodes, place_all, slots

    search = plan.stage("search").nodes[0].op
    if not dag.warms_up or not isinstance(search, Search):
        return
    nodes = cluster_nodes()
    placements = place_all(search.candidates, nodes, search.max_concurrent).values()
    if fresh:
        prestart(min(search.max_concurrent, slots(placements, nodes)))


def _run_dag(dag: Dag, tasks: dict[str, StageTask], done: dict[str, StageRecord], feed: Feed) -> dict[str, StageRecord]:
    import ray
    from ray.util.annotations import RayDeprecationWarning

    with warnings.catch_warnings():  # told to the developers of Ray programs, not to the users of this one
        warnings.simplefilter("ignore", RayDeprecationWarning)
        references = bind(dag, tasks, done).execute()
    waiting = list(references)
    while waiting:
        _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=_POLL_SECONDS)
        feed.poll()
        _raise_first(references, waiting)
    return dict(zip([task.stage for task in dag.tasks], ray.get(references), strict=True))


def _raise_first(references: list[object], waiting: list[object]) -> None:
    """Raise the error of the first task that failed, in the order of the plan, as the stage raised it."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    for reference in references:
        if reference in waiting:
            return
        try:
            ray.get(reference)
        except RayTaskError as error:
            if isinstance(cause := _cause(error), MlopsError):
                raise cause from None
            raise EngineError([_crashed(cause)]) from error
        except RayError as error:
            raise EngineError([_crashed(error)]) from error


def _cause(error: BaseException) -> BaseException:
    """Unwrap Ray's wrapping: an error of a task, passed on by the tasks after it."""
    inner = getattr(error, "cause", None)
    return _cause(inner) if isinstance(inner, BaseException) and inner is not error else error


def _crashed(error: BaseException) -> Diagnostic:
    return Diagnostic(
        code="engine-failed",
        headline=f"the engine failed: {type(error).__name__}",
        notes=(Note(text=str(error).strip().split("\n", 1)[0]),),
        help="run again: finished stages and trials are kept; MLOPS_TRACEBACK=1 shows where it happened",
    )
