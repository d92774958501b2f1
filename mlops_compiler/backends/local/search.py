"""The race in this process, one trial after another: the oracle that every engine is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.trial import run_fold
from mlops_compiler.diagnostics import MlopsError

if TYPE_CHECKING:
    from mlops_compiler.backends.search.session import Session
    from mlops_compiler.backends.search.trial import TrialSpec
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Folds


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
