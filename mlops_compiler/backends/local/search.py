"""The race in this process: one trial after another, the oracle that every engine is compared with, or several at once.

At once means threads: the fits of estimators compute outside of Python, and wait for nobody. What a race gives does not
depend on how many run (docs/decisions/003).
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.trial import Place, run_fold
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.models.registry import MODELS
from mlops_compiler.undo import on_failure

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mlops_compiler.backends.search.session import Session
    from mlops_compiler.backends.search.trial import TrialSpec
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Folds
    from mlops_compiler.backends.stages.search import TrialEngine


def search_in_process(session: Session, folds: Folds, context: Context) -> None:
    """Run the trials of a session, in order."""
    while isinstance(spec := session.next(), Signal) is False:
        _run(session, spec, folds, context)  # type: ignore[arg-type]


def _run(session: Session, spec: TrialSpec, folds: Folds, context: Context) -> None:
    for number in range(spec.first_fold, len(folds)):
        try:
            record = run_fold(spec, number, folds, context.store)
        except (MlopsError, ValueError, ArithmeticError) as error:
            session.fail(spec.index, str(error))
            return
        if session.report(spec.index, record) is not Verdict.CONTINUE:
            return


def search_at_once(cores: int, ended: threading.Event) -> TrialEngine:
    """Make the engine that runs several trials at once in this process.

    Args:
        cores: What all of them together may take.
        ended: Ends the search after the folds in flight, when it is set.
    """

    def run(session: Session, folds: Folds, context: Context) -> None:
        from threadpoolctl import threadpool_limits

        threads = max(item.cpu for item in session.search.candidates)
        most = max(1, min(cores // threads, session.search.max_concurrent))
        hands = _Hands(session, folds, context, ended, threads)
        # The limit of BLAS is the process's: it is set once around all threads, and each of them sets it to the same.
        with threadpool_limits(threads), ThreadPoolExecutor(most, thread_name_prefix="trial") as pool:
            for done in [pool.submit(hands.work) for _ in range(most)]:
                done.result()

    return run


class _Hands:
    """What the threads of a search share: the session, which one asks at a time."""

    def __init__(self, session: Session, folds: Folds, context: Context, ended: threading.Event, threads: int) -> None:
        self._session, self._folds, self._context = session, folds, context
        self._ended, self._threads = ended, threads
        self._turn = threading.Condition()
        self._alone = threading.Lock()
        self._place = Place(clock=time.thread_time if threads == 1 else time.process_time)

    def work(self) -> None:
        """Run one trial after another, until there are no more."""
        from threadpoolctl import threadpool_limits

        try:
            with on_failure(self._ended.set), threadpool_limits(self._threads):
                while (spec := self._next()) is not None:
                    self._run(spec)
        finally:
            with self._turn:
                self._turn.notify_all()

    def _next(self) -> TrialSpec | None:
        with self._turn:
            while not self._ended.is_set():
                spec = self._session.next()
                if not isinstance(spec, Signal):
                    return spec
                if spec is Signal.DONE:
                    return None
                self._turn.wait()
        return None

    def _run(self, spec: TrialSpec) -> None:
        for number in range(spec.first_fold, len(self._folds)):
            try:
                with self._alone_where_it_must(spec):
                    record = run_fold(spec, number, self._folds, self._context.store, self._place)
            except (MlopsError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
                with self._turn:
                    self._session.fail(spec.index, f"{type(error).__name__}: {error}")
                    self._turn.notify_all()
                return
            with self._turn:
                goes_on = self._session.report(spec.index, record) is Verdict.CONTINUE
                self._turn.notify_all()
            if not goes_on or self._ended.is_set():
                return

    def _alone_where_it_must(self, spec: TrialSpec) -> AbstractContextManager[object]:
        """Fit one net at a time: torch has one generator of random numbers for the whole process."""
        return self._alone if MODELS[spec.kind].uses_gpu else nullcontext()
