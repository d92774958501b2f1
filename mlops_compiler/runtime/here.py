"""A run in this process: stages in a thread of their own, so that this one can tell of them and be interrupted."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.local.search import search_at_once
from mlops_compiler.undo import on_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.store.records import StageRecord

_POLL_SECONDS = 0.2
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries read when they are loaded: a fit on one core shall not take them all, as in a worker of Ray."""


def run_here(
    tasks: Sequence[StageTask], done: dict[str, StageRecord], cores: int | None, poll: Callable[[], None]
) -> dict[str, StageRecord]:
    """Run stages in order.

    Args:
        tasks: The stages to run.
        done: The records of those that are reused.
        cores: What trials may take together; all of the machine's, where not given.
        poll: Is called again and again meanwhile, and once at the end.

    Returns:
        All records by stage.

    Raises:
        MlopsError: A stage failed, with its own diagnostics.
        KeyboardInterrupt: As it comes; the fits in flight end with the process, and what is recorded stays.
    """
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    ended = threading.Event()
    outcome: list[dict[str, StageRecord] | BaseException] = []
    engine = search_at_once(cores or os.cpu_count() or 1, ended)

    def work() -> None:
        try:
            outcome.append(run_in_process(tasks, done, engine))
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            outcome.append(error)

    thread = threading.Thread(target=work, name="stages", daemon=True)
    thread.start()
    with on_failure(ended.set):
        while True:
            thread.join(_POLL_SECONDS)
            poll()
            if outcome:
                break
    if isinstance(found := outcome[0], BaseException):
        raise found
    return found
